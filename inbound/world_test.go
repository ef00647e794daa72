package inbound

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

const mask = "xMqZ7Ab2"

// world is a Sources and an Engine, in memory. Its one source is src.
type world struct {
	src     event.Source
	limits  Limits
	verdict func(sub *event.Submission) // nil: all are accepted
	err     error                       // of Submit
	wait    time.Duration               // of Admit
	mu      struct {
		sync.Mutex
		subs     []event.Submission
		rejected []string
		codes    []int
		crcs     [][2]event.ID
	}
}

func newWorld(change func(src *event.Source)) *world {
	w := &world{src: event.Source{ID: event.NewID(), ProjectID: event.NewID(), MaskID: mask, Type: event.SourceHTTP}}
	if change != nil {
		change(&w.src)
	}
	return w
}

func (w *world) SourceByMask(text string) (*event.Source, Limits, bool) {
	if text != w.src.MaskID {
		return nil, Limits{}, false
	}
	return &w.src, w.limits, true
}

func (w *world) Submit(_ context.Context, subs []event.Submission) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	for i := range subs {
		subs[i].Event.ID = event.NewID()
		if w.verdict != nil {
			w.verdict(&subs[i])
		}
	}
	w.mu.subs = append(w.mu.subs, subs...)
	return nil
}

func (w *world) inbound() *Inbound {
	return New(Options{
		Sources: w, Engine: w, MaxRequestBytes: 1 << 20, MaxInflating: 2,
		Admit: func(event.ID) time.Duration { return w.wait },
		OnCRC: func(project, source event.ID) { w.mu.crcs = append(w.mu.crcs, [2]event.ID{project, source}) },
		Metrics: Metrics{
			Observe:  nil,
			Rejected: func(reason string) { w.mu.rejected = append(w.mu.rejected, reason) },
		},
	})
}

// call is one request and what it needs to differ in from a good one.
type call struct {
	method  string // default POST
	target  string // default /ingest/ and the mask
	media   string // default application/json; "-": none
	body    string // default {"n":1}; "-": none
	headers []string
}

func newCtx(c call) *fasthttp.RequestCtx {
	ctx := new(fasthttp.RequestCtx)
	h := &ctx.Request.Header
	h.SetMethod(or(c.method, "POST"))
	ctx.Request.SetRequestURI(or(c.target, "/ingest/"+mask))
	if c.media != "-" {
		h.SetContentType(or(c.media, "application/json"))
	}
	for i := 0; i < len(c.headers); i += 2 {
		h.Add(c.headers[i], c.headers[i+1])
	}
	if c.body != "-" {
		ctx.Request.SetBodyString(or(c.body, `{"n":1}`))
	}
	return ctx
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

type answered struct {
	code   int
	header *fasthttp.ResponseHeader
	body   string

	Status  bool   `json:"status"`
	Message string `json:"message"`
	Data    int    `json:"data"`
	Token   string `json:"response_token"`
}

// do makes the call and checks what is true of every answer.
func do(t testing.TB, in *Inbound, c call) answered {
	t.Helper()
	ctx := newCtx(c)
	if !in.Handle(ctx) {
		t.Fatalf("%s is not inbound's route", ctx.Request.Header.RequestURI())
	}
	a := answered{code: ctx.Response.StatusCode(), header: &ctx.Response.Header, body: string(ctx.Response.Body())}
	if len(a.header.Peek("X-Request-Id")) == 0 {
		t.Fatalf("answer %d %q without a request id", a.code, a.body)
	}
	if !bytes.Equal(a.header.ContentType(), []byte("application/json")) {
		return a
	}
	if err := json.Unmarshal([]byte(a.body), &a); err != nil {
		t.Fatalf("answer %q: %v", a.body, err)
	}
	if a.Status != (a.code == 200) && a.Token == "" || a.Message == "" && a.Token == "" {
		t.Fatalf("answer %d %q", a.code, a.body)
	}
	return a
}

// accepted makes the call, which must be accepted, and returns what the engine got.
func (w *world) accepted(t testing.TB, c call) *event.Event {
	t.Helper()
	before := len(w.mu.subs)
	if a := do(t, w.inbound(), c); a.code != 200 {
		t.Fatalf("%d %s, want 200", a.code, a.body)
	}
	if len(w.mu.subs) != before+1 {
		t.Fatalf("%d submissions, want one", len(w.mu.subs)-before)
	}
	sub := &w.mu.subs[before]
	if sub.To != event.ToSource || sub.Event.SourceID != w.src.ID || sub.Event.ProjectID != w.src.ProjectID || sub.Event.ReceivedAt.IsZero() {
		t.Fatalf("submission %+v", sub)
	}
	return &sub.Event
}

func headerOf(e *event.Event, name string) (value string, count int) {
	for _, h := range e.Headers {
		if h.Name == name {
			value, count = h.Value, count+1
		}
	}
	return value, count
}

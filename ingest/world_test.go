package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/valyala/fasthttp"
	"go.uber.org/goleak"

	"posthaste/event"
)

func TestMain(m *testing.M) {
	// The first runs as long as the process; the second is a sleep that outlives
	// a stopped server by some seconds.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

var (
	project  = event.NewID()
	strict   = event.NewID() // asks for idempotency keys, takes 100 bytes of data
	foreign  = event.NewID() // exists; no key of the tests but the instance's reaches it
	absent   = event.NewID()
	endpoint = event.NewID()
	first    = event.NewID() // the event that duplicates repeat
)

const (
	projectKey  = "key-of-project"
	strictKey   = "key-of-strict"
	instanceKey = "key-of-instance"
	readKey     = "key-that-reads"    // of project
	ingestKey   = "key-that-posts"    // of project, and nothing else
	portalKey   = "key-of-a-portal"   // of project
	awayKey     = "key-used-elswhere" // of project, from 192.0.2.0/24 and 2001:db8::/32 only
	staleKey    = "key-of-absent"     // of a project that is gone
)

// world is an Engine, an Auth and a Projects, in memory.
type world struct {
	verdict func(sub *event.Submission) error // of each submission; nil: all are accepted
	keys    map[string]event.Submission       // accepted ones by idempotency key, if not nil
	err     error                             // of Submit
	mu      struct {
		sync.Mutex
		calls    int
		subs     []event.Submission
		rejected []string
		codes    []int
	}
}

func (w *world) Submit(_ context.Context, subs []event.Submission) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.calls++
	if w.err != nil {
		return w.err
	}
	for i := range subs {
		subs[i].Event.ID = event.NewID()
		if subs[i].Event.IdempotencyKey == "again" {
			subs[i].Event.ID, subs[i].Duplicate = first, true
		}
		if w.verdict != nil {
			subs[i].Err = w.verdict(&subs[i])
		}
		if w.keys != nil {
			w.recall(&subs[i])
		}
	}
	w.mu.subs = append(w.mu.subs, subs...)
	return nil
}

// recall finds out whether a key was used before, as a log does.
func (w *world) recall(sub *event.Submission) {
	key := sub.Event.IdempotencyKey
	before, known := w.keys[key]
	switch {
	case !known:
		w.keys[key] = *sub
	case before.To == sub.To && before.Event.Type == sub.Event.Type && string(before.Event.Data) == string(sub.Event.Data):
		sub.Event.ID, sub.Duplicate = before.Event.ID, true
	default:
		sub.Err = event.ErrConflict
	}
}

func (w *world) Authenticate(token []byte) (event.Grant, bool) {
	switch string(token) {
	case projectKey:
		return event.Grant{ProjectID: project, Scopes: event.ScopeAll}, true
	case strictKey:
		return event.Grant{ProjectID: strict, Scopes: event.ScopeAll}, true
	case instanceKey:
		return event.Grant{Instance: true, Scopes: event.ScopeAll}, true
	case readKey:
		return event.Grant{ProjectID: project, Scopes: event.ScopeRead | event.ScopeManage}, true
	case ingestKey:
		return event.Grant{ProjectID: project, Scopes: event.ScopeIngest}, true
	case portalKey:
		return event.Grant{ProjectID: project, Scopes: event.ScopeAll, Portal: true, OwnerID: "acme"}, true
	case awayKey:
		return event.Grant{ProjectID: project, Scopes: event.ScopeAll, AllowFrom: away}, true
	case staleKey:
		return event.Grant{ProjectID: absent, Scopes: event.ScopeAll}, true
	}
	return event.Grant{}, false
}

var away = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}

func (w *world) MaxPayload(id event.ID) (bytes int, requireKey, ok bool) {
	switch id {
	case strict:
		return 100, true, true
	case project, foreign:
		return 0, false, true
	}
	return 0, false, false
}

// call is one request and what it needs to differ in from a good one.
type call struct {
	path     string // after the project; default "/events"
	target   string // default: made of the project and path
	key      string // default projectKey; "-": none
	media    string // default application/json
	encoding string
	body     string
	headers  []string // name, value, ...
	from     string   // the peer's address; default 0.0.0.0
}

type answered struct {
	code    int
	header  *fasthttp.ResponseHeader
	body    string
	Status  bool            `json:"status"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

func (w *world) ingest() *Ingest {
	return New(Options{Engine: w, Auth: w, Projects: w, MaxRequestBytes: 1 << 20, MaxInflating: 2, Metrics: Metrics{}})
}

func newCtx(c call) *fasthttp.RequestCtx {
	ctx := new(fasthttp.RequestCtx)
	if c.target == "" {
		c.target = "/api/v1/projects/" + project.String() + or(c.path, "/events")
	}
	ctx.Request.Header.SetMethod("POST")
	ctx.Request.SetRequestURI(c.target)
	if c.key != "-" {
		ctx.Request.Header.Set("Authorization", "Bearer "+or(c.key, projectKey))
	}
	ctx.Request.Header.SetContentType(or(c.media, "application/json"))
	if c.encoding != "" {
		ctx.Request.Header.Set("Content-Encoding", c.encoding)
	}
	for i := 0; i < len(c.headers); i += 2 {
		ctx.Request.Header.Add(c.headers[i], c.headers[i+1])
	}
	if c.from != "" {
		ctx.SetRemoteAddr(&net.TCPAddr{IP: net.ParseIP(c.from), Port: 1})
	}
	ctx.Request.SetBodyString(c.body)
	return ctx
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// do makes the call and checks what is true of every answer.
func do(t testing.TB, in *Ingest, c call) answered {
	t.Helper()
	ctx := newCtx(c)
	if !in.Handle(ctx) {
		t.Fatalf("%s is none of ingest's routes", ctx.RequestURI())
	}
	a := answered{code: ctx.Response.StatusCode(), header: &ctx.Response.Header, body: string(ctx.Response.Body())}
	if err := json.Unmarshal([]byte(a.body), &a); err != nil {
		t.Fatalf("answer %q: %v", a.body, err)
	}
	if a.Status != (a.code == 201) || a.Message == "" || len(a.header.Peek("X-Request-Id")) == 0 || len(a.header.Peek("X-Convoy-Version")) == 0 ||
		(len(a.header.Peek("Retry-After")) > 0) != (a.code == 429 || a.code == 503) ||
		!bytes.Equal(a.header.ContentType(), []byte("application/json")) {
		t.Fatalf("answer %d %q with headers %s", a.code, a.body, a.header)
	}
	return a
}

// single is the body of a good event with more members put in.
func single(more string) string {
	return `{"endpoint_id":"` + endpoint.String() + `","event_type":"order.created","data":{"n":1}` + more + `}`
}

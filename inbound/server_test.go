package inbound

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"posthaste/event"
	"posthaste/sig"
)

// TestManyAtOnce sends over connections, whose memory the server uses again, with a
// source that is changed meanwhile; each event must be that of its request.
func TestManyAtOnce(t *testing.T) {
	const workers, each = 8, 40
	w := newWorld(func(src *event.Source) {
		src.Verifier = hmacSource("X-Sig", "SHA256", "base64").Verifier
		src.EventTypeLocation, src.IdempotencyKeys = "request.body.id", []string{"header.X-Id"}
		src.ForwardHeaders = []string{"X-Id"}
	})
	in := New(Options{Sources: changing{w}, Engine: w})
	listener := fasthttputil.NewInmemoryListener()
	server := &fasthttp.Server{DisablePreParseMultipartForm: true, Handler: func(ctx *fasthttp.RequestCtx) { in.Handle(ctx) }}
	var running, clients sync.WaitGroup
	running.Go(func() { _ = server.Serve(listener) })
	client := &fasthttp.Client{Dial: func(string) (net.Conn, error) { return listener.Dial() }}
	for k := range workers {
		clients.Go(func() {
			for i := range each {
				sendSigned(t, client, fmt.Sprintf("event-%d-%d", k, i), i%2 == 0)
			}
		})
	}
	clients.Wait()
	_ = listener.Close()
	running.Wait()
	seen := map[string]bool{}
	for i := range w.mu.subs {
		e := &w.mu.subs[i].Event
		id, _ := headerOf(e, "X-Id")
		if e.Type != id || string(e.Data) != `{"id":"`+id+`"}` || seen[e.IdempotencyKey] {
			t.Fatalf("event %+v with data %s", e, e.Data)
		}
		seen[e.IdempotencyKey] = true
	}
	if len(seen) != workers*each {
		t.Errorf("%d events, want %d", len(seen), workers*each)
	}
}

// changing hands out another copy of the source each time.
type changing struct{ *world }

func (c changing) SourceByMask(text string) (*event.Source, Limits, bool) {
	src := c.src
	return &src, Limits{}, text == mask
}

// sendSigned posts an event, as JSON or as a form, with a signature over what is sent.
func sendSigned(t *testing.T, client *fasthttp.Client, id string, asForm bool) {
	s, err := sig.New([]sig.Version{{Hash: "SHA256", Encoding: sig.Base64}}, []string{vectorSecret}, true)
	if err != nil {
		t.Error(err)
		return
	}
	body, media := `{"id":"`+id+`"}`, "application/json"
	if asForm {
		body, media = "--b\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n"+id+"\r\n--b--\r\n", "multipart/form-data; boundary=b"
	}
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI("http://host/ingest/" + mask)
	req.Header.SetMethod("POST")
	req.Header.SetContentType(media)
	req.Header.Set("X-Id", id)
	req.Header.Set("X-Sig", string(s.Append(nil, time.Now(), []byte(body))))
	req.SetBodyString(body)
	if err := client.Do(req, resp); err != nil || resp.StatusCode() != 200 {
		t.Errorf("%v, %d %s", err, resp.StatusCode(), resp.Body())
	}
}

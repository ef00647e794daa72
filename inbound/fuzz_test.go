package inbound

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

// FuzzHandle: whatever the request and the source's settings, which come as JSON, the
// answer blames the sender, and what is accepted is JSON with a type that can be shown.
func FuzzHandle(f *testing.F) {
	const form = "application/x-www-form-urlencoded"
	f.Add(`{"event_type_location":"request.body.a.b","idempotency_keys":["header.X-A","query.a","body"]}`, "POST", "application/json", "", "a=1", "X-A: 1", []byte(`{"a":{"b":"c"}}`))
	f.Add(`{"provider":"github","verifier":{"type":"hmac","hmac":{"secret":"s"}}}`, "POST", "", "", "", "X-Hub-Signature-256: sha256=00", []byte(`{}`))
	f.Add(`{"provider":"twitter","verifier":{"hmac":{"secret":"s"}}}`, "GET", "", "", "crc_token=abc", "", []byte(``))
	f.Add(`{"verifier":{"type":"hmac","hmac":{"header":"X-A","hash":"SHA3_512","secret":"s","encoding":"base64"}}}`, "POST", "", "", "", "X-A: t=1,v1=a", []byte(`{}`))
	f.Add(`{"verifier":{"type":"basic_auth","basic_auth":{"username":"a","password":"b"}}}`, "POST", form, "", "", "Authorization: Basic YTpi", []byte(`a=%ff&a=2`))
	f.Add(`{"verifier":{"type":"api_key","api_key":{"header_name":"Authorization","header_value":"Bearer b"}}}`, "POST", form, "", "", "Authorization: b", []byte(`a`))
	f.Add(`{"forward_headers":["X-A","Host"],"custom_response":{"body":"x","content_type":"a\nb"}}`, "POST", "multipart/form-data; boundary=b", "", "%", "X-A: \x01", []byte("--b\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\n1\r\n--b--"))
	f.Add(`{"idempotency_keys":["body.0.1","query"]}`, "POST", "", "gzip", "", "", []byte(compressed(f, "gzip", `[[1,2]]`)))
	f.Add(`{}`, "POST", "text/plain", "zstd", "", "", []byte(compressed(f, "zstd", `1`)))
	f.Fuzz(func(t *testing.T, settings, method, media, coding, query, header string, body []byte) {
		w := newWorld(nil)
		var src event.Source
		if json.Unmarshal([]byte(settings), &src) == nil {
			src.ID, src.ProjectID, src.MaskID, src.Type = w.src.ID, w.src.ProjectID, w.src.MaskID, w.src.Type
			w.src = src
		}
		ctx := new(fasthttp.RequestCtx)
		h := &ctx.Request.Header
		h.SetMethod(method)
		h.SetRequestURI("/ingest/" + mask + "?" + query)
		h.SetContentType(media)
		if coding != "" {
			h.Set("Content-Encoding", coding)
		}
		if name, value, ok := strings.Cut(header, ": "); ok {
			h.Add(name, value)
		}
		ctx.Request.SetBody(body)
		if !w.inbound().Handle(ctx) {
			t.Fatal("not inbound's route")
		}
		code := ctx.Response.StatusCode()
		if code >= 500 || (code == 200) != (len(w.mu.subs)+len(w.mu.crcs) == 1) {
			t.Fatalf("%d %s with %d submissions", code, ctx.Response.Body(), len(w.mu.subs))
		}
		for i := range w.mu.subs {
			checkEvent(t, &w.mu.subs[i].Event)
		}
	})
}

func checkEvent(t *testing.T, e *event.Event) {
	t.Helper()
	if !json.Valid(e.Data) || e.Type == "" || len(e.Type) > event.MaxNameBytes || !printable([]byte(e.Type)) || len(e.IdempotencyKey)%64 != 0 {
		t.Fatalf("event %+v with data %q", e, e.Data)
	}
	for _, h := range e.Headers {
		if reserved(h.Name) && h.Name != headerSourceID || !carriable(h.Value) {
			t.Fatalf("header %q: %q", h.Name, h.Value)
		}
	}
}

package ingest

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

// nothing is an Engine that accepts all and does nothing.
type nothing struct{ *world }

func (nothing) Submit(context.Context, []event.Submission) error { return nil }

// kibibyte is an event of about 1 KiB.
func kibibyte() string {
	return `{"endpoint_id":"` + endpoint.String() + `","event_type":"order.created","idempotency_key":"order-01HF8Z6Q3V7K2-created","data":{"pad":"` +
		strings.Repeat("0123456789abcdef", 55) + `"}}`
}

func noop() *Ingest {
	return New(Options{Engine: nothing{}, Auth: (*world)(nil), Projects: (*world)(nil)})
}

func TestAllocationsOfASingleEvent(t *testing.T) {
	in, ctx := noop(), newCtx(call{body: kibibyte()})
	allocs := testing.AllocsPerRun(200, func() {
		if ctx.Response.Reset(); !in.Handle(ctx) || ctx.Response.StatusCode() != 201 {
			t.Fatalf("%s", ctx.Response.Body())
		}
	})
	if allocs > 2 && !raceEnabled { // the event's bytes and its submission
		t.Errorf("%v allocations", allocs)
	}
}

func run(b *testing.B, ctx *fasthttp.RequestCtx, events int) {
	in := noop()
	b.SetBytes(int64(len(ctx.Request.Body())))
	b.ReportAllocs()
	for b.Loop() {
		ctx.Response.Reset()
		if !in.Handle(ctx) || ctx.Response.StatusCode() != 201 {
			b.Fatalf("%s", ctx.Response.Body())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*events), "ns/event")
}

func BenchmarkSingle(b *testing.B) { run(b, newCtx(call{body: kibibyte()}), 1) }

func BenchmarkBatch100(b *testing.B) {
	lines := strings.Repeat(kibibyte()+"\n", 100)
	array := "[" + strings.ReplaceAll(strings.TrimSuffix(lines, "\n"), "\n", ",") + "]"
	for _, tc := range []struct {
		name string
		c    call
	}{
		{"body=array", call{body: array}},
		{"body=lines", call{media: "application/x-ndjson", body: lines}},
		{"body=gzip", call{encoding: "gzip", body: gzipped(b, array)}},
		{"body=zstd", call{encoding: "zstd", body: zstded(b, array, false)}},
	} {
		b.Run(tc.name, func(b *testing.B) {
			tc.c.path = "/events/batch"
			run(b, newCtx(tc.c), 100)
		})
	}
}

// BenchmarkParse takes the events out of a body that was read, and copies what they keep: the part
// of BenchmarkSingle and BenchmarkBatch100 that is not HTTP, authentication and answer.
func BenchmarkParse(b *testing.B) {
	batch := func(sep string) string { return strings.Repeat(kibibyte()+sep, 99) + kibibyte() }
	for _, tc := range []struct {
		name   string
		route  route
		media  media
		events int
		body   string
	}{
		{"single", routeSingle, mediaJSON, 1, kibibyte()},
		{"array", routeBatch, mediaJSON, 100, "[" + batch(",") + "]"},
		{"lines", routeBatch, mediaNDJSON, 100, batch("\n")},
	} {
		b.Run("body="+tc.name, func(b *testing.B) {
			var pool requestPool
			body := []byte(tc.body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				r := pool.get()
				r.route, r.project, r.maxData = tc.route, project, event.DefaultMaxPayloadBytes
				if no := r.parse(tc.media, body); no != nil || len(r.subs) != tc.events {
					b.Fatal(no, len(r.subs))
				}
				pool.put(r)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*tc.events), "ns/event")
		})
	}
}

// BenchmarkOwn compares the strings of an event in its data's memory with
// strings of their own.
func BenchmarkOwn(b *testing.B) {
	it := item{data: bytes.Repeat([]byte("x"), 1000), eventType: []byte("order.created"), key: []byte("order-01HF8Z6Q3V7K2-created"), owner: nil}
	var e event.Event
	b.Run("strings=shared", func(b *testing.B) {
		r := &request{}
		b.ReportAllocs()
		for b.Loop() {
			r.ownItem(&e, &it)
		}
	})
	b.Run("strings=copied", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			e.Data = append([]byte(nil), it.data...)
			e.Type, e.IdempotencyKey, e.OwnerID = string(it.eventType), string(it.key), string(it.owner)
		}
	})
}

func BenchmarkInspect(b *testing.B) {
	raw := []byte("Host: posthaste.example.com\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: 1024\r\nAuthorization: Bearer ph_0123456789abcdef\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n")
	b.ReportAllocs()
	for b.Loop() {
		if inspectHeaders(raw) != nil {
			b.Fatal("refused")
		}
	}
}

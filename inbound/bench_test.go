package inbound

import (
	"context"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"posthaste/event"
	"posthaste/sig"
)

// nothing is an Engine that accepts all and keeps nothing.
type nothing struct{}

func (nothing) Submit(context.Context, []event.Submission) error { return nil }

func hmacWorld() *world {
	return newWorld(func(src *event.Source) {
		src.Verifier = hmacSource("X-Sig", "SHA256", "hex").Verifier
		src.EventTypeLocation = "request.body.type"
	})
}

// BenchmarkRequest is a JSON webhook of 1 KiB with a signature and, where it says so, an
// idempotency key and a header that goes on.
func BenchmarkRequest(b *testing.B) {
	body := `{"type":"order.created","id":"01HF8Z6Q3V7K2","pad":"` + strings.Repeat("0123456789abcdef", 60) + `"}`
	s, err := sig.New([]sig.Version{{Hash: "SHA256", Encoding: sig.Hex}}, []string{vectorSecret}, false)
	if err != nil {
		b.Fatal(err)
	}
	signature := string(s.Append(nil, time.Time{}, []byte(body)))
	if _, err := hex.DecodeString(signature); err != nil {
		b.Fatal(err)
	}
	for _, full := range []bool{false, true} {
		w, name := hmacWorld(), "key=none"
		if full {
			name = "key=body"
			w.src.IdempotencyKeys, w.src.ForwardHeaders = []string{"request.body.id"}, []string{"X-Event"}
		}
		b.Run(name, func(b *testing.B) {
			in := New(Options{Sources: w, Engine: nothing{}})
			ctx := newCtx(call{body: body, headers: []string{"X-Sig", signature, "X-Event", "order"}})
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				ctx.Response.Reset()
				if !in.Handle(ctx) || ctx.Response.StatusCode() != 200 {
					b.Fatalf("%s", ctx.Response.Body())
				}
			}
		})
	}
}

// BenchmarkPlan is what keeping plans saves for each request.
func BenchmarkPlan(b *testing.B) {
	w := hmacWorld()
	b.Run("plan=made", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			newPlan(&w.src)
		}
	})
	b.Run("plan=kept", func(b *testing.B) {
		p := newPlans()
		b.ReportAllocs()
		for b.Loop() {
			p.of(&w.src)
		}
	})
}

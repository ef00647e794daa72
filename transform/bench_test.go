package transform

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func BenchmarkRun(b *testing.B) {
	r := setup(b, nil)
	for _, size := range []int{100, 1000, 100_000} {
		payload := []byte(`{"type":"invoice.paid","amount":1999,"items":[` + strings.TrimSuffix(strings.Repeat(`{"id":7,"sku":"sku-0007"},`, size/26), ",") + `]}`)
		b.Run(fmt.Sprintf("payload=%d", len(payload)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := r.Run(b.Context(), Call{
					Function: `function transform(p) { p.amount *= 100; p.n = p.items.length; return p }`,
					Payload:  payload, Now: time.Unix(1_700_000_000, 0), Seed: 1,
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStart is a call that has to start its process.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		r := setup(b, nil)
		if _, err := run(b, r, same, `1`); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}

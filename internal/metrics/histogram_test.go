package metrics

import (
	"math"
	"sync"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

func TestHistogramBuckets(t *testing.T) {
	r := New()
	h := r.Histogram(`posthaste_x_seconds{kind="a"}`, []float64{0.1, 1, 10})
	if r.Histogram(`posthaste_x_seconds{kind="a"}`, []float64{0.1, 1, 10}) != h {
		t.Fatal("asked for twice, it is another one")
	}
	for _, v := range []float64{0.05, 0.1, 0.2, 1, 5, 11, math.Inf(1), math.NaN(), -1} {
		h.Observe(v)
	}
	r.Histogram(`posthaste_x_seconds{kind="0"}`, []float64{0.1}).Observe(0.5)

	got := expose(t, r)["posthaste_x_seconds"]
	if got.GetType() != dto.MetricType_HISTOGRAM || len(got.Metric) != 2 {
		t.Fatalf("family is %v", got)
	}
	if first := got.Metric[0]; first.Label[0].GetValue() != "0" || first.Histogram.GetSampleSum() != 0.5 {
		t.Errorf("first series is %v", first)
	}
	second := got.Metric[1].Histogram
	want := []struct {
		le float64
		n  uint64
	}{{0.1, 3}, {1, 5}, {10, 6}, {math.Inf(1), 8}}
	for i, w := range want {
		if b := second.Bucket[i]; b.GetUpperBound() != w.le || b.GetCumulativeCount() != w.n {
			t.Errorf("bucket %d is %v, want le %g of %d", i, b, w.le, w.n)
		}
	}
	if second.GetSampleCount() != 8 || h.Count() != 8 {
		t.Errorf("count is %d and %d, want 8", second.GetSampleCount(), h.Count())
	}
	if !math.IsInf(second.GetSampleSum(), 1) {
		t.Errorf("sum is %g", second.GetSampleSum())
	}
}

func TestHistogramSum(t *testing.T) {
	h := New().Histogram("posthaste_x_seconds", LatencyBounds())
	for _, v := range []float64{0.25, 0.5, -3, math.NaN()} {
		h.Observe(v)
	}
	if h.Sum() != 0.75 || h.Count() != 3 {
		t.Errorf("sum %g of %d, want 0.75 of 3", h.Sum(), h.Count())
	}
}

func TestHistogramConcurrently(t *testing.T) {
	r := New()
	h := r.Histogram("posthaste_x_seconds", CountBounds())
	const workers, each = 8, 500
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				h.Observe(float64(i))
			}
			r.Counter("posthaste_done_total").Inc()
			if w == 0 {
				expose(t, r)
			}
		})
	}
	wg.Wait()
	if h.Count() != workers*each || h.Sum() != workers*each*(each-1)/2 {
		t.Errorf("%d observations of sum %g", h.Count(), h.Sum())
	}
	if n := r.Counter("posthaste_done_total").Get(); n != workers {
		t.Errorf("counter is %d, want %d", n, workers)
	}
}

func TestUseDoesNotAllocate(t *testing.T) {
	r := New()
	h := r.Histogram("posthaste_x_seconds", LatencyBounds())
	c := r.Counter("posthaste_x_total")
	if n := testing.AllocsPerRun(1000, func() { h.Observe(0.003); c.Inc() }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	h := New().Histogram("posthaste_x_seconds", LatencyBounds())
	b.ReportAllocs()
	for b.Loop() {
		h.Observe(0.003)
	}
}

func BenchmarkObserveParallel(b *testing.B) {
	h := New().Histogram("posthaste_x_seconds", LatencyBounds())
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			h.Observe(0.003)
		}
	})
}

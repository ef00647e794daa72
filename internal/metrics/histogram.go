package metrics

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/VictoriaMetrics/metrics"
)

// MaxBounds is how many finite bounds a histogram may have. Each costs a series
// in whatever scrapes the server.
const MaxBounds = 12

// LatencyBounds suits what takes from half a millisecond to half a minute, in
// seconds: a request, a commit, an attempt, the way from acceptance to receipt.
func LatencyBounds() []float64 {
	return []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30}
}

// CountBounds suits the size of a batch: powers of four from 1 to 65,536.
func CountBounds() []float64 {
	return []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536}
}

// Histogram counts observations in the cumulative `le` buckets that Prometheus
// computes quantiles from. The histogram of the library underneath writes
// `vmrange` buckets instead, so this one is built from its counters and gauge.
//
// A bucket's counter holds the observations of that bucket alone; they are
// added up when they are written, so an observation costs one bucket and the
// sum, and what is written is never at odds with itself. The sum is read apart
// and may be a few observations ahead or behind.
type Histogram struct {
	bounds  []float64         // ascending; the upper bound of each bucket but the last
	buckets []metrics.Counter // one more than bounds: the last has no upper bound
	sum     metrics.Gauge
	text    histogramText
	labels  string // orders the histograms of a family
}

// histogramText is what precedes the values, built once.
type histogramText struct {
	buckets    []string
	sum, count string
}

// Histogram returns the histogram of that name, and makes it if there is none.
// bounds are the upper bounds of its buckets, 1 to MaxBounds of them, finite
// and ascending; a bucket without a bound is added. It panics on bounds that
// are not so, and on those that differ from the ones it was made with.
func (r *Registry) Histogram(name string, bounds []float64) *Histogram {
	if err := checkBounds(bounds); err != nil {
		panic(fmt.Sprintf("BUG: histogram %s: %s", name, err))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.kindLocked(name, kindHistogram)
	base, labels := splitName(name)
	at, found := slices.BinarySearchFunc(f.histograms, labels, func(h *Histogram, labels string) int {
		return strings.Compare(h.labels, labels)
	})
	if !found {
		f.histograms = slices.Insert(f.histograms, at, newHistogram(base, labels, bounds))
	}
	h := f.histograms[at]
	if !slices.Equal(h.bounds, bounds) {
		panic(fmt.Sprintf("BUG: histogram %s is asked for with other bounds than it has", name))
	}
	return h
}

func newHistogram(base, labels string, bounds []float64) *Histogram {
	return &Histogram{
		bounds:  slices.Clone(bounds),
		buckets: make([]metrics.Counter, len(bounds)+1),
		text:    newHistogramText(base, labels, bounds),
		labels:  labels,
	}
}

func newHistogramText(base, labels string, bounds []float64) histogramText {
	var t histogramText
	before, braced := labels, ""
	if labels != "" {
		before, braced = labels+",", "{"+labels+"}"
	}
	for _, bound := range append(slices.Clone(bounds), math.Inf(1)) {
		t.buckets = append(t.buckets, fmt.Sprintf(`%s_bucket{%sle="%g"}`, base, before, bound))
	}
	t.sum, t.count = base+"_sum"+braced, base+"_count"+braced
	// The set checks a name as it registers it; a histogram's is checked here.
	check := metrics.NewSet()
	for _, name := range append([]string{t.sum, t.count}, t.buckets...) {
		check.NewCounter(name)
	}
	return t
}

func checkBounds(bounds []float64) error {
	if len(bounds) < 1 || len(bounds) > MaxBounds {
		return fmt.Errorf("%d bounds, want 1 to %d", len(bounds), MaxBounds)
	}
	for i, b := range bounds {
		if math.IsNaN(b) || math.IsInf(b, 0) {
			return fmt.Errorf("bound %g is not finite", b)
		}
		if i > 0 && b <= bounds[i-1] {
			return fmt.Errorf("bound %g does not exceed %g", b, bounds[i-1])
		}
	}
	return nil
}

// Observe counts one observation: seconds for a histogram of times, otherwise
// what its name says. A value that is not a number is left out; a negative one,
// as a clock that is set back yields, counts as 0. It may be called from any
// goroutine and does not allocate.
func (h *Histogram) Observe(v float64) {
	if math.IsNaN(v) {
		return
	}
	v = max(v, 0)
	at := 0
	for at < len(h.bounds) && v > h.bounds[at] {
		at++
	}
	h.buckets[at].Inc()
	h.sum.Add(v)
}

// Count is how many observations were made. It may be called from any goroutine.
func (h *Histogram) Count() uint64 {
	var n uint64
	for i := range h.buckets {
		n += h.buckets[i].Get()
	}
	return n
}

// Sum is the sum of all observations. It may be called from any goroutine.
func (h *Histogram) Sum() float64 { return h.sum.Get() }

func (h *Histogram) writeTo(w *bytes.Buffer) {
	var n uint64
	for i := range h.buckets {
		n += h.buckets[i].Get()
		fmt.Fprintf(w, "%s %d\n", h.text.buckets[i], n)
	}
	fmt.Fprintf(w, "%s %g\n", h.text.sum, h.Sum())
	fmt.Fprintf(w, "%s %d\n", h.text.count, n)
}

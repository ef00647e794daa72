package bench

import (
	"math"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"posthaste/bench/report"
)

// The range of a histogram: a microsecond to an hour, to three digits.
const (
	lowestLatency  = int64(time.Microsecond)
	highestLatency = int64(time.Hour)
	latencyDigits  = 3
)

// latencyShards is how many histograms share the work, so that handlers rarely
// meet at one lock. A power of two.
const latencyShards = 8

// recorder collects durations from any number of goroutines.
type recorder struct {
	shards [latencyShards]struct {
		sync.Mutex // guards hist
		hist       *hdrhistogram.Histogram
		_          [48]byte // a cache line each
	}
}

func newRecorder() *recorder {
	r := new(recorder)
	for i := range r.shards {
		r.shards[i].hist = newHistogram()
	}
	return r
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(lowestLatency, highestLatency, latencyDigits)
}

// record adds a duration. Calls that may come at the same time should pass
// different spreads.
func (r *recorder) record(spread uint64, d time.Duration) {
	s := &r.shards[spread%latencyShards]
	value := min(max(int64(d), lowestLatency), highestLatency)
	s.Lock()
	_ = s.hist.RecordValue(value) // fails only outside the range
	s.Unlock()
}

func (r *recorder) reset() {
	for i := range r.shards {
		s := &r.shards[i]
		s.Lock()
		s.hist.Reset()
		s.Unlock()
	}
}

// merged is all that several recorders hold.
func merged(recorders ...*recorder) *hdrhistogram.Histogram {
	all := newHistogram()
	for _, r := range recorders {
		r.addTo(all)
	}
	return all
}

func (r *recorder) addTo(all *hdrhistogram.Histogram) {
	for i := range r.shards {
		s := &r.shards[i]
		s.Lock()
		all.Merge(s.hist)
		s.Unlock()
	}
}

func (r *recorder) summary() report.Latency { return summarize(merged(r)) }

func summarize(all *hdrhistogram.Histogram) report.Latency {
	if all.TotalCount() == 0 {
		return report.Latency{}
	}
	return report.Latency{
		Count: all.TotalCount(),
		P50:   milliseconds(all.ValueAtPercentile(50)),
		P90:   milliseconds(all.ValueAtPercentile(90)),
		P99:   milliseconds(all.ValueAtPercentile(99)),
		P999:  milliseconds(all.ValueAtPercentile(99.9)),
		Max:   milliseconds(all.Max()),
	}
}

// The positions of a percentile distribution: their unit is a nine, so that 1 is
// the 90th percentile, 2 the 99th and 3 the 99.9th. They go in steps of a tenth.
const (
	nineSteps = 10
	maxNines  = 6
)

// percentiles is the distribution in milliseconds by position, as far as one of
// all the durations lies beyond it.
func percentiles(all *hdrhistogram.Histogram) []report.Point {
	var points []report.Point
	for i := range maxNines*nineSteps + 1 {
		nines := float64(i) / nineSteps
		beyond := math.Pow(10, -nines)
		if float64(all.TotalCount())*beyond < 1 {
			break
		}
		value := milliseconds(all.ValueAtPercentile(100 * (1 - beyond)))
		points = append(points, report.Point{Seconds: nines, Value: value})
	}
	return points
}

func milliseconds(ns int64) float64 { return float64(ns) / float64(time.Millisecond) }

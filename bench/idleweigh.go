package bench

import (
	"context"
	"fmt"
	"time"

	"posthaste/bench/report"
)

// A process in Go collects its garbage at the latest two minutes after the last
// time, and gives memory back after that. What a start leaves behind is only
// then gone, so memory is looked at after that, and over enough samples.
var (
	idlePatience      = steadiness{every: time.Second, steady: 10 * time.Second, least: 150 * time.Second, most: 240 * time.Second}
	idlePatienceQuick = steadiness{every: 100 * time.Millisecond, steady: 500 * time.Millisecond, most: 2 * time.Second}
)

// The two servers that are weighed.
const (
	ofEmpty = iota
	ofFull
	weighed
)

var weighedNames = [weighed]string{"empty store", "all endpoints"}

// idleWeight is the memory of the two servers.
type idleWeight struct {
	more    int               // endpoints that the full store has more
	samples []residenceSample // until the memory had settled
	heaps   [weighed]goHeap   // as it stands then
	live    [weighed]float64  // bytes of objects after a collection of garbage
}

// weigh waits until the memory of both servers has settled.
func (s *idleStudy) weigh(ctx context.Context, empty, full *Server) (*idleWeight, error) {
	w := &idleWeight{more: s.full.endpoints - s.empty.endpoints}
	p := idlePatience
	if s.r.Quick {
		p = idlePatienceQuick
	}
	task := s.r.progress.Start("idle: memory settles", int(p.least.Seconds()))
	defer task.Finish("")
	watch := func(passed time.Duration) { task.Set(int(passed.Seconds())) }
	var err error
	if w.samples, err = awaitSteady(ctx, p, watch, empty.child.pid(), full.child.pid()); err != nil {
		return nil, err
	}
	for i, server := range [weighed]*Server{empty, full} {
		if w.heaps[i], err = heapOf(ctx, server.AdminURL); err != nil {
			return nil, err
		}
		if w.live[i], err = liveHeapOf(ctx, server.AdminURL); err != nil {
			return nil, err
		}
	}
	task.Finish(fmt.Sprintf("%.0f MiB with all endpoints, %.0f MiB with one, after %.0f s",
		w.settled(ofFull).mebibytes(), w.settled(ofEmpty).mebibytes(), w.settledAfter().Seconds()))
	return w, nil
}

func (w *idleWeight) last() *residenceSample { return &w.samples[len(w.samples)-1] }

func (w *idleWeight) settled(of int) residence { return w.last().now[of] }

func (w *idleWeight) settledAfter() time.Duration { return w.last().at }

// each is a figure of the full store less that of the empty one, for each of the
// endpoints that it has more.
func (w *idleWeight) each(full, empty float64) float64 { return (full - empty) / float64(w.more) }

// residentEach is the bytes resident for each endpoint.
func (w *idleWeight) residentEach() float64 {
	return w.each(float64(w.settled(ofFull).all), float64(w.settled(ofEmpty).all))
}

// note adds to a row what the memory consists of.
func (w *idleWeight) note(row *report.Scenario) {
	full, empty := w.settled(ofFull), w.settled(ofEmpty)
	row.Note("resident each, not of files (RssAnon)", w.each(float64(full.anon), float64(empty.anon)), "bytes")
	row.Note("live heap each, after a collection", w.each(w.live[ofFull], w.live[ofEmpty]), "bytes")
	row.Note("heap in use each", w.each(w.heaps[ofFull].inUse, w.heaps[ofEmpty].inUse), "bytes")
	row.Note("memory looked at after", w.settledAfter().Seconds(), "s")
	for of, name := range weighedNames {
		r, h := w.settled(of), w.heaps[of]
		row.Note(name+": resident (VmRSS)", r.mebibytes(), "MiB")
		row.Note(name+": of it files (RssFile)", toMebibytes(float64(r.file)), "MiB")
		row.Note(name+": Go heap in use", toMebibytes(h.inUse), "MiB")
		row.Note(name+": Go heap idle and not given back", toMebibytes(h.idle-h.released), "MiB")
		row.Note(name+": neither of files nor of the Go heap", toMebibytes(float64(r.anon)-h.inUse-h.idle+h.released), "MiB")
		series := report.Series{Name: "resident after the start, " + name, Unit: "MiB"}
		for _, s := range thinned(w.samples) {
			series.Points = append(series.Points, report.Point{Seconds: s.at.Seconds(), Value: s.now[of].mebibytes()})
		}
		row.Series = append(row.Series, series)
	}
}

// thinned leaves at most a thousand samples.
func thinned(samples []residenceSample) []residenceSample {
	step := len(samples)/1000 + 1
	var few []residenceSample
	for i := 0; i < len(samples); i += step {
		few = append(few, samples[i])
	}
	return few
}

func (r residence) mebibytes() float64 { return toMebibytes(float64(r.all)) }

func toMebibytes(bytes float64) float64 { return bytes / (1 << 20) }

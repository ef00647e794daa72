package engine

import "time"

// slowAttempt is how long an attempt takes that makes its endpoint one that is slow.
const slowAttempt = time.Second

// ward holds endpoints that are not well to three quarters of the workers: the rest are
// kept for those that are. Without it, ten thousand endpoints that hang would have every
// worker, with one attempt each, and those that all come back at once as well. One that
// finds no room stands in line, and costs nobody anything there. The shard's lock guards
// it.
type ward struct {
	most   int             // attempts at once
	inside int             // attempts on their way
	called int             // endpoints that were called in, and stand in the ready queue
	line   ring[*endpoint] // the others; those with inLine unset have left it
}

// init sets a shard's part of the ward.
func (w *ward) init(workers, shards int) { w.most = max(1, workers*3/4/shards) }

func (w *ward) hasRoom() bool { return w.inside+w.called < w.most }

// ails reports whether the endpoint is not well: its last attempt was slow, or it had
// failures that cost it its share of workers and were not made up for yet.
func (ep *endpoint) ails() bool {
	return ep.slow || ep.health != nil && ep.health.shift > 0
}

// admits reports whether the endpoint may make an attempt as far as the ward is concerned.
// If not, it stands in line. called: it was called in from there. The caller holds mu.
func (s *Shard) admits(ep *endpoint, called bool) bool {
	w := &s.ward
	if !ep.ails() || called && w.inside < w.most || w.line.len() == 0 && w.hasRoom() {
		return true
	}
	ep.inLine = true
	w.line.pushBack(ep)
	return false
}

// callIn makes those ready that stand in line, the first one first, as far as there is
// room. The caller holds mu.
func (s *Shard) callIn() {
	w := &s.ward
	for w.line.len() > 0 && w.hasRoom() {
		ep := w.line.popFront()
		if !ep.inLine {
			continue
		}
		ep.inLine = false
		if s.list(ep); ep.listed {
			ep.called = true
			w.called++
		}
	}
}

// discharge lets an endpoint that is well again go its way without the ward. The caller
// holds mu, and lists it.
func (ep *endpoint) discharge() {
	if !ep.ails() {
		ep.inLine = false
	}
}

// hasWork reports whether an endpoint may have something to send. The caller holds mu.
func (s *Shard) hasWork() bool {
	return s.ready.len() > 0 || s.ward.line.len() > 0 && s.ward.hasRoom()
}

package engine

import (
	"errors"
	"sync"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// call is one attempt that a fakeSender makes.
type call struct {
	d         *event.Delivery
	ev        *event.Event
	a         *event.Attempt
	cancelled <-chan struct{} // closed by Cancel, and by CancelTo this endpoint
}

// behaviour is what an endpoint does with an attempt.
type behaviour func(c *call)

func answers(code int) behaviour {
	return func(c *call) {
		c.a.StatusCode = code
		c.a.Class = event.ClassNone
		if code < 200 || code > 299 {
			c.a.Class = event.ClassStatus
		}
	}
}

// hangs answers 200 once release is closed.
func hangs(release <-chan struct{}) behaviour {
	return func(c *call) {
		select {
		case <-release:
			answers(200)(c)
		case <-c.cancelled:
			c.a.Class = event.ClassCancelled
		}
	}
}

func slow(d time.Duration, then behaviour) behaviour {
	return func(c *call) {
		select {
		case <-time.After(d):
			then(c)
		case <-c.cancelled:
			c.a.Class = event.ClassCancelled
		}
	}
}

func failsLocally(c *call) { c.a.Class = event.ClassLocal }

func panics(*call) { panic("no such luck") }

// failsFirst answers 500 to the first n attempts of each delivery.
func failsFirst(n int) behaviour {
	return func(c *call) {
		code := 200
		if c.a.Number <= n {
			code = 500
		}
		answers(code)(c)
	}
}

// sent is an attempt that reached its endpoint.
type sent struct {
	endpoint, delivery event.ID
	number             int
	at                 time.Time
}

// fakeSender follows a script for each endpoint, and notes what it did. An
// endpoint without a script answers 200.
type fakeSender struct {
	mu     sync.Mutex
	script map[event.ID]behaviour
	quiet  bool // keep no list of what was sent
	log    []sent
	count  map[event.ID]int // attempts by delivery
	flying map[event.ID]int // attempts in flight by endpoint
	peak   map[event.ID]int
	all    int // attempts in flight
	most   int // of them at once

	cancel sync.Once
	ended  chan struct{}
	cut    map[event.ID]chan struct{} // by endpoint: closed by the next CancelTo it
}

func newSender() *fakeSender {
	return &fakeSender{
		script: make(map[event.ID]behaviour), count: make(map[event.ID]int),
		flying: make(map[event.ID]int), peak: make(map[event.ID]int), ended: make(chan struct{}), cut: make(map[event.ID]chan struct{}),
	}
}

func (f *fakeSender) set(ep event.ID, b behaviour) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script[ep] = b
}

func (f *fakeSender) Attempt(_ *catalog.Project, ep *catalog.Endpoint, d *event.Delivery, ev *event.Event, a *event.Attempt) {
	select {
	case <-f.ended:
		a.Class = event.ClassCancelled
		return
	default:
	}
	b, cut := f.begin(ep.ID, d, a)
	defer f.end(ep.ID)
	b(&call{d, ev, a, cut})
}

func (f *fakeSender) begin(ep event.ID, d *event.Delivery, a *event.Attempt) (behaviour, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	cut := f.cutLocked(ep)
	f.all++
	f.most = max(f.most, f.all)
	f.flying[ep]++
	f.peak[ep] = max(f.peak[ep], f.flying[ep])
	f.count[d.ID]++
	if !f.quiet {
		f.log = append(f.log, sent{ep, d.ID, a.Number, time.Now()})
	}
	if b := f.script[ep]; b != nil {
		return b, cut
	}
	return answers(200), cut
}

// cutLocked is closed when attempts to the endpoint are cancelled.
func (f *fakeSender) cutLocked(ep event.ID) <-chan struct{} {
	select {
	case <-f.ended:
		return f.ended
	default:
	}
	if f.cut[ep] == nil {
		f.cut[ep] = make(chan struct{})
	}
	return f.cut[ep]
}

func (f *fakeSender) end(ep event.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all--
	f.flying[ep]--
}

func (f *fakeSender) Cancel() {
	f.cancel.Do(func() {
		close(f.ended)
		f.CancelTo(func(event.ID) bool { return true })
	})
}

func (f *fakeSender) CancelTo(endpoints func(event.ID) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ep, cut := range f.cut {
		if endpoints(ep) {
			close(cut)
			delete(f.cut, ep)
		}
	}
}

func (f *fakeSender) to(ep event.ID) []sent {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []sent
	for _, s := range f.log {
		if s.endpoint == ep {
			out = append(out, s)
		}
	}
	return out
}

func (f *fakeSender) total() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.log)
}

func (f *fakeSender) inFlight(ep event.ID) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.flying[ep]
}

func (f *fakeSender) peakOfAll() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.most
}

func (f *fakeSender) peakOf(ep event.ID) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.peak[ep]
}

var errPoolFull = errors.New("every worker is busy")

// fakePool runs each worker on a goroutine of its own.
type fakePool struct {
	size int
	run  func(*Shard)

	mu      sync.Mutex
	running int
	peak    int
	closed  bool
	workers sync.WaitGroup
}

func (p *fakePool) Invoke(s *Shard) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.running == p.size {
		return errPoolFull
	}
	p.running++
	p.peak = max(p.peak, p.running)
	p.workers.Go(func() {
		p.run(s)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.running--
	})
	return nil
}

func (p *fakePool) Stop(time.Duration) error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.workers.Wait()
	return nil
}

func (p *fakePool) peakRunning() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.peak
}

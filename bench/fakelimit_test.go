package bench

import (
	"os"
	"path/filepath"
	"sync"
	"time"
)

// fakePace delivers what an endpoint is owed at its rate, without a burst.
type fakePace struct {
	mu    sync.Mutex
	queue []fakeEvent
}

func (p *fakePace) add(ev fakeEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, ev)
}

func (p *fakePace) next() (ev fakeEvent, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		return ev, false
	}
	ev, p.queue = p.queue[0], p.queue[1:]
	return ev, true
}

func (s *fakeServer) newPace(e *fakeEndpoint) *fakePace {
	if e.RateLimit == 0 || s.fault == faultNoLimit {
		return nil
	}
	p := new(fakePace)
	interval := time.Duration(e.RateLimitDuration) * time.Second / time.Duration(e.RateLimit)
	to := *e
	s.work.Go(func() {
		for due := time.Now(); sleep(s.stopped, time.Until(due)) == nil; {
			if ev, ok := p.next(); ok {
				s.dispatch(to, ev)
				due = due.Add(interval)
			} else {
				due = time.Now().Add(time.Millisecond)
			}
		}
	})
	return p
}

// What the fake server has on disk.
const (
	fakeTableName  = "000001.sst"
	fakeTableBytes = 300_000
)

func writeFakeStore(dir string) error {
	return os.WriteFile(filepath.Join(dir, fakeTableName), make([]byte, fakeTableBytes), 0o600)
}

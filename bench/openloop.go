package bench

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"posthaste/bench/report"
)

// Pace is how well an open loop kept to its rate. Waiting for a connection is in
// the latencies, which count from when events were due; this says how much of it
// there was.
type Pace struct {
	Rate       float64        `json:"rate"`        // events a second asked for
	Achieved   float64        `json:"achieved"`    // events a second sent, from the first due time to the last send
	Late       report.Latency `json:"late"`        // from when a request was due to its first send
	Waited     int64          `json:"waited"`      // requests that were due while every connection was busy
	MaxBacklog int64          `json:"max_backlog"` // most events that were due and not yet sent
	Unsent     int            `json:"unsent"`      // events that were due and were given up: not published

	lastSend time.Duration // since the start
}

// paceKept is the share of the asked rate that counts as having held it.
const paceKept = 0.99

// Held reports whether the rate was the one asked for.
func (p *Pace) Held() bool { return p.Unsent == 0 && p.Achieved >= paceKept*p.Rate }

func (p *Pace) finish(published int, late report.Latency) {
	p.Late = late
	// The interval that the last event opens counts, or else n events would
	// take n-1 of them.
	if took := p.lastSend.Seconds() + 1/p.Rate; published > 0 {
		p.Achieved = float64(published) / took
	}
}

// duty is a request and when it is due.
type duty struct {
	first int64 // its first event, counted from 0
	n     int
	due   time.Time
}

// leastOverrun bounds how long past the end of an open loop what was due before it
// is still sent: for as long again as the loop, but at least for this time. What
// is left after that is Unsent.
const leastOverrun = 2 * time.Second

// openLoop starts the pacer and the connections. The result may be read when
// group has been waited for.
func (g *Generator) openLoop(ctx context.Context, run *burstRun, group *errgroup.Group) *Pace {
	pace := &Pace{Rate: run.Rate}
	duties := make(chan duty)
	group.Go(func() error {
		defer close(duties)
		return g.pace(ctx, run, pace, duties)
	})
	for _, w := range g.workers {
		group.Go(func() error { return w.serve(ctx, run, duties) })
	}
	return pace
}

// pace hands each request to a free connection when it is due, and in order: what
// has been handed out is one run of sequence numbers. A batch is due when its
// first event is.
func (g *Generator) pace(ctx context.Context, run *burstRun, p *Pace, duties chan<- duty) error {
	step := g.load.perRequest()
	owed := min(run.Max, int(run.Rate*run.For.Seconds()+0.5))
	giveUp := time.NewTimer(run.For + max(run.For, leastOverrun))
	defer giveUp.Stop()
	for first := 0; first < owed; first += step {
		d := duty{first: int64(first), n: min(step, owed-first), due: run.start.Add(run.dueAfter(first))}
		if err := sleepUntil(ctx, d.due); err != nil {
			return err
		}
		select {
		case duties <- d:
		default:
			p.Waited++
			select {
			case duties <- d:
			case <-giveUp.C:
				p.Unsent = owed - first
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		p.lastSend = time.Since(run.start)
		p.MaxBacklog = max(p.MaxBacklog, min(int64(p.lastSend.Seconds()*run.Rate)+1, int64(owed))-d.first-int64(d.n))
		run.next.Store(d.first + int64(d.n))
	}
	return nil
}

// dueAfter is when an event is due, counted from the start. It is computed anew
// for each, so that roundings do not add up.
func (r *burstRun) dueAfter(event int) time.Duration {
	return time.Duration(float64(event) / r.Rate * float64(time.Second))
}

// serve posts what the pacer hands out until there is no more.
func (w *loadWorker) serve(ctx context.Context, run *burstRun, duties <-chan duty) error {
	for {
		select {
		case d, ok := <-duties:
			if !ok {
				return nil
			}
			w.g.late.record(w.spread, time.Since(d.due))
			if err := w.sendAll(ctx, run.First+uint64(d.first), d.n, d.due); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sendAll posts n events from seq on, in several requests if one does not hold them.
func (w *loadWorker) sendAll(ctx context.Context, seq uint64, n int, due time.Time) error {
	for n > 0 {
		t := w.nextTemplate()
		some := min(n, t.events())
		if err := w.send(ctx, t, seq, some, due); err != nil {
			return err
		}
		seq, n = seq+uint64(some), n-some
	}
	return nil
}

// finestTimer is what the runtime's timers keep to: a process that has nothing
// else to do wakes up as much as a millisecond late.
const finestTimer = 2 * time.Millisecond

// sleepUntil returns at a point in time, or when ctx is done, and then says so. It
// is for one goroutine at a time: it holds a thread while the last of the wait.
func sleepUntil(ctx context.Context, at time.Time) error {
	if left := time.Until(at); left > finestTimer {
		if err := sleep(ctx, left-finestTimer); err != nil {
			return err
		}
	}
	for left := time.Until(at); left > 0; left = time.Until(at) {
		sleepFinely(left)
	}
	return ctx.Err()
}

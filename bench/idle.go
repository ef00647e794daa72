package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posthaste/bench/report"
)

// What is asked of idle endpoints.
const (
	idleEachTarget  = 1024 // bytes resident for each
	idleStartTarget = 10   // seconds
)

// idleProcessLimit is longer than the scenario takes.
const idleProcessLimit = 2 * time.Hour

// idleStudy is the scenario in progress.
type idleStudy struct {
	r   *runner
	leg *leg // the receiver, and what is to be undone

	empty, full *idleStore // with one endpoint, and with all
	begun       uint64     // phases: each has sequence numbers of its own
}

// idle measures what endpoints cost that have nothing to do: the memory of a
// server that was started over a store with all of them, less that of one over a
// store with a single one, and how long these starts take.
func (r *runner) idle(ctx context.Context) (row *report.Scenario, err error) {
	if !residenceIsKnown() {
		return nil, fmt.Errorf("%w: this system does not tell what a process has resident", errLeftOut)
	}
	s := &idleStudy{r: r.lasting(idleProcessLimit)}
	if s.leg, err = r.newLeg(ctx); err != nil {
		return nil, err
	}
	defer s.leg.end(&err)
	if s.empty, err = s.makeStore(ctx, 1); err != nil {
		return nil, fmt.Errorf("empty store: %w", err)
	}
	if s.full, err = s.makeStore(ctx, r.IdleEndpoints); err != nil {
		return nil, fmt.Errorf("store of %d endpoints: %w", r.IdleEndpoints, err)
	}
	return s.measure(ctx)
}

// measure starts servers over both stores in turn, weighs the last two, and has
// the last deliver to many endpoints. A row may come with an error: it was
// measured, and events were lost.
func (s *idleStudy) measure(ctx context.Context) (*report.Scenario, error) {
	starts, err := s.startAll(ctx)
	if err != nil {
		return nil, err
	}
	weight, err := s.weigh(ctx, starts.empty, starts.full)
	if err != nil {
		return nil, err
	}
	phase, err := s.deliverEach(ctx, starts.full, s.full, s.full.awake)
	if err != nil {
		return nil, fmt.Errorf("events to %d idle endpoints: %w", len(s.full.awake), err)
	}
	row := &report.Scenario{
		Name: "idle", Unit: "bytes/endpoint",
		Title: fmt.Sprintf("%d endpoints with a subscription each and nothing to do: resident memory of the server beyond what it has with one", s.full.endpoints),
	}
	row.Add(report.Run{
		Value:      weight.residentEach(),
		Seconds:    phase.Seconds(),
		Published:  phase.Receipts.Published,
		Lost:       phase.Receipts.Lost,
		Duplicates: phase.Receipts.Duplicates,
		Verified:   phase.Receipts.Verified,
		Refused:    phase.Burst.Refused,
		Failed:     phase.Burst.Failed,
		Delivery:   phase.Receipts.Latency,
	})
	row.AtMost("resident each", row.Value, "bytes", idleEachTarget)
	row.AtMost("start until an event is delivered", report.Median(starts.delivered), "s", idleStartTarget)
	row.Note("start until ready", report.Median(starts.ready), "s")
	row.Note("start of the empty store until an event is delivered", report.Median(starts.baseline), "s")
	weight.note(row)
	row.Note("endpoints created one by one", s.full.oneByOne.rate(), "endpoints/s")
	if s.full.onboarded.endpoints > 0 {
		row.Note("endpoints created by bulk onboarding", s.full.onboarded.rate(), "endpoints/s")
	}
	return row, phase.Check()
}

// idleStarts are the starts of servers over both stores.
type idleStarts struct {
	empty, full *Server // the last of each, still running

	baseline  []float64 // seconds from exec until an event was delivered, empty store
	ready     []float64 // seconds from exec until the server says that it is ready, full store
	delivered []float64 // seconds from exec until an event was delivered, full store
}

func (s *idleStudy) startAll(ctx context.Context) (*idleStarts, error) {
	all := new(idleStarts)
	task := s.r.progress.Start("idle starts", 2*s.r.Repeat)
	defer task.Finish("")
	for i := 1; i <= s.r.Repeat; i++ {
		last := i == s.r.Repeat
		server, _, took, err := s.start(ctx, s.empty, last)
		if err != nil {
			return nil, fmt.Errorf("start over the empty store: %w", err)
		}
		task.Set(2*i - 1)
		all.empty, all.baseline = server, append(all.baseline, took.Seconds())
		server, ready, took, err := s.start(ctx, s.full, last)
		if err != nil {
			return nil, fmt.Errorf("start with %d endpoints: %w", s.full.endpoints, err)
		}
		task.Set(2 * i)
		all.full, all.delivered = server, append(all.delivered, took.Seconds())
		all.ready = append(all.ready, ready.Seconds())
	}
	task.Finish(fmt.Sprintf("%.2f s with all endpoints, %.2f s with one", report.Median(all.delivered), report.Median(all.baseline)))
	return all, nil
}

// start starts a server over a store and has it deliver an event to the endpoint
// that was made last. Unless it is kept it is stopped again. ready and took are
// the times from exec until it says that it is ready and until the event had
// been delivered.
func (s *idleStudy) start(ctx context.Context, store *idleStore, keep bool) (_ *Server, ready, took time.Duration, err error) {
	from := time.Now()
	server, err := s.r.StartServer(ctx, store.dir)
	if err != nil {
		return nil, 0, 0, err
	}
	ready = time.Since(from)
	phase, err := s.deliverEach(ctx, server, store, store.awake[len(store.awake)-1:])
	if err == nil {
		err = phase.Check()
	}
	if err != nil || !keep {
		err = errors.Join(err, server.Stop())
	} else {
		s.leg.undo = append(s.leg.undo, server.Stop)
	}
	if err != nil {
		return nil, 0, 0, err
	}
	return server, ready, time.Duration(phase.Receipts.LastNS - from.UnixNano()), nil
}

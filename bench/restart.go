package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"posthaste/bench/report"
)

// emptyStoreBaseline is a restart of a server that owes nothing and holds one event.
const emptyStoreBaseline = "empty_store"

// servesWithin is what is asked of restart, in seconds.
const servesWithin = 3

// arrivalPoll is how often the receiver is asked for a probe.
const arrivalPoll = time.Millisecond

// restarts is what outage has measured for restart.
type restarts struct{ row *report.Scenario }

// restart kills a server that owes much and starts it again. If outage has been run,
// that was done on its data.
func (r *runner) restart(ctx context.Context) (_ *report.Scenario, err error) {
	if r.restarts != nil {
		if r.restarts.row == nil {
			return nil, fmt.Errorf("%w: outage, on whose data it is measured, failed", errLeftOut)
		}
		return r.restarts.row, nil
	}
	b, err := r.newBacklog(ctx)
	if err != nil {
		return nil, err
	}
	defer b.end(&err)
	if _, err := b.goDown(ctx); err != nil {
		return nil, err
	}
	found := new(restarts)
	if found.row, err = b.measureRestarts(ctx); err != nil {
		return nil, err
	}
	d, err := b.drain(ctx)
	if err != nil {
		return nil, err
	}
	found.account(d, b.published)
	return found.row, b.check(d)
}

// account adds what became of all events.
func (f *restarts) account(d *drained, published int) {
	f.row.Published, f.row.Lost, f.row.Duplicates, f.row.Verified = published, d.Lost, d.Duplicates, d.Verified
}

// rising is how long after its start a server did what it is there for.
type rising struct {
	ready     time.Duration // answered so
	accepted  time.Duration // took an event
	delivered time.Duration // the event arrived at an endpoint that is well
	cpu       time.Duration // processor time until it was ready
}

// measureRestarts kills and starts the server and, beside it, one that owes nothing,
// while the other is dead.
func (b *backlog) measureRestarts(ctx context.Context) (*report.Scenario, error) {
	row := &report.Scenario{Name: "restart", Unit: "s", Baseline: emptyStoreBaseline, Title: fmt.Sprintf(
		"from the start of the process after kill -9, with %d deliveries owed and %d events just accepted, until a new event is delivered to an endpoint that is well",
		b.leg.r.Owed, b.plan.tail)}
	empty, err := b.newSite(ctx, downEndpoint+2, retryStrategy)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", emptyStoreBaseline, err)
	}
	if _, err := b.probe(ctx, empty, time.Now()); err != nil {
		return nil, fmt.Errorf("%s: %w", emptyStoreBaseline, err)
	}
	if err := empty.server.Kill(); err != nil {
		return nil, err
	}
	var all []rising
	for i := 1; i <= b.leg.r.Repeat; i++ {
		task := b.leg.r.progress.Start(fmt.Sprintf("restart %d/%d", i, b.leg.r.Repeat), b.plan.tail)
		loaded, bare, err := b.restartBoth(ctx, empty)
		if err != nil {
			task.Finish("")
			return nil, fmt.Errorf("repeat %d: %w", i, err)
		}
		task.Finish(fmt.Sprintf("delivers after %.2f s", loaded.delivered.Seconds()))
		all = append(all, *loaded)
		row.Add(report.Run{
			Value: loaded.delivered.Seconds(), BaselineValue: bare.delivered.Seconds(),
			Ratio: loaded.delivered.Seconds() / bare.delivered.Seconds(), Seconds: loaded.delivered.Seconds(),
		})
	}
	row.AtMost("slowest start to serving", row.ValueMax, "s", servesWithin)
	noteRising(row, "ready", all, func(r rising) time.Duration { return r.ready })
	noteRising(row, "first event accepted", all, func(r rising) time.Duration { return r.accepted })
	noteRising(row, "first event delivered", all, func(r rising) time.Duration { return r.delivered })
	var cpu time.Duration
	for _, r := range all {
		cpu = max(cpu, r.cpu)
	}
	if cpu > 0 {
		row.Note("processor time until ready, at most", cpu.Seconds(), "s")
	}
	row.Note("owed at the last kill", float64(b.owed), "deliveries")
	return row, nil
}

func noteRising(row *report.Scenario, name string, all []rising, of func(rising) time.Duration) {
	var values []float64
	for _, r := range all {
		values = append(values, of(r).Seconds())
	}
	row.Note(name, report.Median(values), "s")
}

// restartBoth kills the server behind a burst of events, in the middle of its
// deliveries, and starts first the empty one and then it.
func (b *backlog) restartBoth(ctx context.Context, empty *site) (loaded, bare *rising, err error) {
	if _, err := b.publish(ctx, b.plan.tail, b.plan.fillLimit, func() {}); err != nil {
		return nil, nil, err
	}
	if err := b.site.server.Kill(); err != nil {
		return nil, nil, err
	}
	if bare, err = b.rise(ctx, empty, func() {}); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", emptyStoreBaseline, err)
	}
	if err := empty.server.Kill(); err != nil {
		return nil, nil, err
	}
	n, err := b.delivered()
	if err != nil {
		return nil, nil, err
	}
	owed := b.published - n
	loaded, err = b.rise(ctx, b.site, func() { b.monitor.follow(b.site.server, owed) })
	return loaded, bare, err
}

// rise starts a site's server again and measures how long it takes to serve.
func (b *backlog) rise(ctx context.Context, s *site, started func()) (*rising, error) {
	start := time.Now()
	if err := b.leg.r.spawn(ctx, s.server); err != nil {
		return nil, err
	}
	started()
	if err := s.server.awaitReady(ctx); err != nil {
		return nil, err
	}
	ready, cpu := time.Since(start), usageOf(s.server.child.pid()).cpu
	r, err := b.probe(ctx, s, start)
	if err != nil {
		return nil, err
	}
	r.ready, r.cpu = ready, cpu
	return r, nil
}

// probe posts one event to an endpoint that is well and waits for it to arrive. Times
// are since start.
func (b *backlog) probe(ctx context.Context, s *site, start time.Time) (*rising, error) {
	ctx, cancel := context.WithTimeout(ctx, serverReadyTimeout)
	defer cancel()
	seq := b.next()
	payload := appendPayload(nil, b.leg.r.PayloadBytes, seq)
	stampPayload(payload, seq, time.Now().UnixNano())
	client := NewClient(s.server.URL, s.key)
	defer client.Close()
	in := object{"endpoint_id": s.endpoints[downEndpoint+1], "event_type": eventType, "data": json.RawMessage(payload)}
	if err := client.untilAccepted(ctx, "/projects/"+s.project+"/events", in); err != nil {
		return nil, fmt.Errorf("first event: %w", err)
	}
	b.published++
	r := &rising{accepted: time.Since(start)}
	for {
		reply, err := b.leg.rig.receiver.call(roleCommand{Op: opArrived, First: seq})
		if err != nil {
			return nil, err
		}
		if reply.Count > 0 {
			r.delivered = time.Since(start)
			return r, nil
		}
		if err := sleep(ctx, arrivalPoll); err != nil {
			return nil, fmt.Errorf("first event: accepted, but not delivered within %s: %w", serverReadyTimeout, err)
		}
	}
}

// untilAccepted posts until the answer is 2xx, or until ctx is done.
func (c *Client) untilAccepted(ctx context.Context, path string, in any) error {
	for {
		err := c.do(ctx, "POST", path, in, nil)
		var status *StatusError
		if err == nil || errors.As(err, &status) && !mayAskAgain(status.Code) {
			return err
		}
		if sleep(ctx, readyPoll) != nil {
			return err
		}
	}
}

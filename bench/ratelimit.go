package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"posthaste/bench/report"
)

// The targets of ratelimit.
const (
	rateErrorTarget  = 0.01
	aboveBurstTarget = 0
)

// limits are of endpoints that are all measured at once. The longest ten windows
// take 24 s, and 2 s in a quick run.
func (r *runner) limits() []limitCase {
	if r.Quick {
		return []limitCase{{500, 1, 200 * time.Millisecond}, {2000, 1, 200 * time.Millisecond}}
	}
	return []limitCase{
		{7, 1, time.Second}, {50, 1, time.Second}, {500, 1, time.Second}, {2000, 1, time.Second},
		{300, 2, 2 * time.Second}, {5000, 60, 2400 * time.Millisecond},
	}
}

// ratelimit measures how well the server keeps to the limits of endpoints that all
// have more owed to them than they take.
func (r *runner) ratelimit(ctx context.Context) (*report.Scenario, error) {
	return r.ratelimitOf(ctx, r.limits())
}

func (r *runner) ratelimitOf(ctx context.Context, limits []limitCase) (*report.Scenario, error) {
	row := &report.Scenario{
		Name: "ratelimit", Unit: deliveriesPerSecond, Baseline: "configured_rate",
		Title: fmt.Sprintf("%d endpoints with limits and a backlog, all at once; rate over %d windows, burst in any span, as the receiver saw them (%s of jitter taken off)",
			len(limits), limitWindows, limitJitter),
	}
	figures := newMedians()
	var errs []error
	var off, above float64
	for i := 1; i <= r.Repeat && ctx.Err() == nil; i++ {
		seen, phase, err := r.measureLimits(ctx, limits, fmt.Sprintf("ratelimit %d/%d", i, r.Repeat))
		if err != nil {
			errs = append(errs, fmt.Errorf("repeat %d: %w", i, err))
		}
		switch {
		case len(seen) == len(limits):
			row.Add(limitRun(seen, phase, figures))
		case phase != nil:
			addCounts(row, phase)
		}
		for _, s := range seen {
			off, above = max(off, s.off()), max(above, s.above)
			if len(row.Series) < len(limits) {
				row.Series = append(row.Series, s.series)
			}
		}
	}
	if len(errs) == 0 {
		errs = append(errs, ctx.Err())
	}
	if len(row.Runs) == 0 {
		return nil, errors.Join(errs...)
	}
	row.AtMost("worst relative error", off, "", rateErrorTarget)
	row.AtMost("most above burst", above, "deliveries", aboveBurstTarget)
	figures.note(row)
	return row, errors.Join(errs...)
}

// limitRun is a repeat: what all endpoints got together, and the figures of each.
func limitRun(seen []*limitSeen, p *Phase, figures *medians) report.Run {
	run := newRun(&Phase{}, p)
	run.Value, run.BaselineValue = 0, 0
	for _, s := range seen {
		run.Value += s.rate
		run.BaselineValue += s.limitCase.rate()
		figures.add(s.String()+": rate", s.rate, deliveriesPerSecond)
		figures.add(s.String()+": relative error", s.off(), "")
		figures.add(s.String()+": bunching seen", milliseconds(int64(s.bunching)), "ms")
	}
	run.Ratio = run.Value / run.BaselineValue
	figures.add("posting took", time.Duration(p.Burst.LastDoneNS-p.Burst.FirstSendNS).Seconds(), "s")
	return run
}

// measureLimits posts a backlog to endpoints with these limits and looks at when it
// arrives. The phase may come with an error: it was measured, and events were lost.
func (r *runner) measureLimits(ctx context.Context, limits []limitCase, label string) (seen []*limitSeen, _ *Phase, err error) {
	l, err := r.newLeg(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer l.end(&err)
	load, err := l.useLimits(ctx, limits)
	if err != nil {
		return nil, nil, err
	}
	p, err := l.postBacklog(ctx, load, limits, label)
	if err != nil {
		return nil, nil, err
	}
	if err := p.Check(); err != nil {
		return nil, p, err
	}
	for i, c := range limits {
		reply, err := l.rig.receiver.call(roleCommand{Op: opArrivals, From: i})
		if err != nil {
			return nil, p, err
		}
		s, err := c.judge(reply.Arrivals, p.Burst.LastDoneNS)
		if err != nil {
			return nil, p, err
		}
		seen = append(seen, s)
	}
	return seen, p, nil
}

// useLimits starts a server with an endpoint for each limit. A request of the load
// holds one window's worth of each.
func (l *leg) useLimits(ctx context.Context, limits []limitCase) (load Load, err error) {
	dir, err := os.MkdirTemp(l.r.DataRoot, "data-*")
	if err != nil {
		return load, err
	}
	l.undo = append(l.undo, func() error { return os.RemoveAll(dir) })
	server, err := l.r.StartServer(ctx, dir)
	if err != nil {
		return load, err
	}
	l.undo = append(l.undo, server.Stop)
	l.rig.server = server.child.pid()
	client := NewClient(server.URL, server.RootKey)
	defer client.Close()
	load = Load{Mode: ModeBatch, URL: server.URL, Connections: 1, PayloadBytes: MinPayloadBytes}
	if load.Project, load.Key, err = client.CreateProject(ctx, "bench"); err != nil {
		return load, err
	}
	for i, c := range limits {
		n := strconv.Itoa(i)
		made, err := client.MakeEndpoint(ctx, load.Project, NewEndpoint{
			Name: "bench " + n, URL: l.endpointURL(n), Secret: l.r.secret, RateLimit: c.count, RateLimitSeconds: c.seconds,
		})
		if err != nil {
			return load, err
		}
		for range c.each() {
			load.Endpoints = append(load.Endpoints, made.ID)
		}
	}
	load.BatchSize = len(load.Endpoints)
	return load, nil
}

// postBacklog posts what lasts for limitPosted windows and waits until the last of it
// has arrived.
func (l *leg) postBacklog(ctx context.Context, load Load, limits []limitCase, label string) (*Phase, error) {
	var longest time.Duration
	most := 0
	for _, c := range limits {
		longest, most = max(longest, limitPosted*c.window), max(most, limitPosted*c.each())
	}
	if _, err := l.rig.receiver.call(roleCommand{Op: opNoteArrivals, To: len(limits), Capacity: 2 * most}); err != nil {
		return nil, err
	}
	gen, err := l.r.startRole(ctx, RoleGenerator, roleConfig{Load: &load})
	if err != nil {
		return nil, err
	}
	l.undo = append(l.undo, gen.stop)
	l.rig.generator = gen
	task := l.r.progress.Start(label, limitPosted*load.BatchSize)
	burst := Burst{First: measuredFirst, Max: limitPosted * load.BatchSize, For: longest}
	p, err := l.rig.phase(ctx, burst, longest+l.r.TailLimit, task.Set)
	if err != nil {
		task.Finish("")
		return nil, err
	}
	task.Finish(fmt.Sprintf("%d delivered in %.2f s", p.Receipts.Delivered, p.Seconds()))
	return p, nil
}

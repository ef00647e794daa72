package bench

import (
	"context"
	"errors"
	"fmt"

	"posthaste/bench/report"
)

// quietBaseline is the same load while all endpoints are well. It counts what
// the noisy measurement counts: deliveries to those that stay healthy there.
const quietBaseline = "quiet"

// noisyMix is who makes the noise.
var noisyMix = Mix{{BehaveHang, 5}, {BehaveFail, 5}}

// minNoisyEndpoints is the least of which each share of noisyMix is one.
const minNoisyEndpoints = 10

// calmFirst is the first sequence number of the calm phase.
const calmFirst = 2 * measuredFirst

// neighbourhood is what one server did with all of its endpoints well, or not.
type neighbourhood struct {
	full *Phase // as much load as it takes: for the throughput
	calm *Phase // half of what quiet took: for the latency
}

// noisy measures what endpoints that hang and fail cost those that do not.
func (r *runner) noisy(ctx context.Context) (*report.Scenario, error) {
	with := *r
	with.Endpoints = r.NoisyEndpoints
	with.Duration = min(r.Duration, maxMixDuration)
	if r.Quick {
		with.Duration = max(r.Duration/2, minDuration) // there are two phases
	}
	row := &report.Scenario{
		Name: "noisy", Unit: deliveriesPerSecond, Baseline: quietBaseline,
		Title: fmt.Sprintf("to the healthy of %d endpoints while others fail (per cent: %s), %d connections, %s; p99 in an open loop at half of quiet's rate",
			with.Endpoints, noisyMix, with.Connections, with.payloadText()),
	}
	var pairs []noisyPair
	err := r.repeated(ctx, row, func(repeat int) (*report.Run, error) {
		p, err := with.noisyPair(ctx, repeat)
		if p == nil {
			return nil, err
		}
		pairs = append(pairs, *p)
		return p.run(), err
	})
	if len(pairs) == 0 {
		return nil, err
	}
	describeNoisy(row, pairs)
	return row, err
}

// noisyPair is one repeat.
type noisyPair struct{ quiet, noisy neighbourhood }

// noisyPair measures quiet and then noisy. A pair may come with an error: it was
// measured, and events were lost.
func (r *runner) noisyPair(ctx context.Context, repeat int) (*noisyPair, error) {
	label := func(what string) string { return fmt.Sprintf("noisy %d/%d %s", repeat, r.Repeat, what) }
	quiet, err := r.neighbourhood(ctx, label("quiet"), "", nil)
	if err == nil {
		err = quiet.check(r, label("quiet"))
	}
	if err != nil {
		return nil, fmt.Errorf("quiet: %w", err)
	}
	noisy, err := r.neighbourhood(ctx, label("noisy"), r.profileOf("noisy", repeat), quiet)
	if noisy == nil {
		return nil, err
	}
	return &noisyPair{*quiet, *noisy}, errors.Join(err, noisy.check(r, label("noisy")))
}

// neighbourhood measures a server of its own, or the target. Without a quiet one
// all of its endpoints are well; otherwise those of the mix misbehave, and the
// calm load is quiet's.
func (r *runner) neighbourhood(ctx context.Context, label, profile string, quiet *neighbourhood) (_ *neighbourhood, err error) {
	l, load, profiler, err := r.failing(noisyMix).prepare(ctx, ModeSingle, profile)
	if err != nil {
		return nil, err
	}
	defer l.end(&err)
	if quiet == nil {
		l.illness.spans = nil
	}
	rate, err := l.begin(ctx, load)
	if err != nil {
		return nil, err
	}
	n := new(neighbourhood)
	if n.full, err = l.measureBurst(ctx, r.measuredBurst(rate), label, profiler); err != nil {
		return nil, err
	}
	if quiet == nil {
		quiet = n
	}
	n.calm, err = l.measureBurst(ctx, r.calmBurst(quiet.full.TotalRate()/2), label+", half the load", nil)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// calmBurst is an open loop, whose latencies count from when events were due.
func (r *runner) calmBurst(rate float64) Burst {
	return Burst{First: calmFirst, Max: r.eventsIn(rate, r.Duration), For: r.Duration, Rate: rate}
}

// check returns what was lost, and notes what makes the figures doubtful.
func (n *neighbourhood) check(r *runner, label string) error {
	var errs []error
	for _, p := range []*Phase{n.full, n.calm} {
		errs = append(errs, p.Check(), r.checkSigned(label, p))
	}
	r.notePace(label, n.calm)
	return errors.Join(errs...)
}

// unsent is how many events the latencies lack.
func (p *noisyPair) unsent() int {
	return p.quiet.calm.Burst.Pace.Unsent + p.noisy.calm.Burst.Pace.Unsent
}

// run is the pair as a row's run: throughput under full load, latency under half.
func (p *noisyPair) run() *report.Run {
	run := newRun(p.quiet.full, p.noisy.full)
	calm := &p.noisy.calm.Receipts
	run.Published += calm.Published
	run.Lost += calm.Lost
	run.Duplicates += calm.Duplicates
	run.Verified += calm.Verified
	run.Refused += p.noisy.calm.Burst.Refused
	run.Failed += p.noisy.calm.Burst.Failed
	run.Delivery = calm.Healthy.Latency
	return &run
}

// describeNoisy adds the checks, and what else the pairs tell, as medians.
func describeNoisy(row *report.Scenario, pairs []noisyPair) {
	of := func(figure func(noisyPair) float64) float64 {
		var all []float64
		for _, p := range pairs {
			all = append(all, figure(p))
		}
		return report.Median(all)
	}
	quietP99 := func(p noisyPair) float64 { return p.quiet.calm.healthyP99() }
	noisyP99 := func(p noisyPair) float64 { return p.noisy.calm.healthyP99() }
	row.AtLeast("healthy throughput", row.Ratio, "of quiet", 0.9)
	row.AtMost("healthy p99", of(func(p noisyPair) float64 { return noisyP99(p) / quietP99(p) }), "of quiet", 2)
	row.AtMost(unsentEvents, of(func(p noisyPair) float64 { return float64(p.unsent()) }), "", 0)
	row.Note("quiet p99", of(quietP99), "ms")
	row.Note("noisy p99", of(noisyP99), "ms")
	row.Note("rate of the p99", of(func(p noisyPair) float64 { return p.noisy.calm.Burst.Pace.Achieved }), "events/s")
	for _, s := range noisyMix {
		row.Note("failed attempts, "+string(s.Behaviour), of(func(p noisyPair) float64 {
			return float64(p.noisy.full.Receipts.Misbehaved[s.Behaviour])
		}), "")
	}
	row.Note("owed to sick endpoints", of(func(p noisyPair) float64 { return float64(p.noisy.full.Receipts.Sick.Delivered) }), "events")
	row.Note("their drain once well", of(func(p noisyPair) float64 { return p.noisy.full.DrainSeconds() }), "s")
	row.Note("duplicates", float64(row.Duplicates), "")
}

// healthyP99 is in milliseconds.
func (p *Phase) healthyP99() float64 { return p.Receipts.Healthy.Latency.P99 }

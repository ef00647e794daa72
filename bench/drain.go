package bench

import (
	"context"
	"fmt"
	"time"
)

// drained is how the backlog was delivered once its endpoint was well again.
type drained struct {
	Receipts
	owed  int           // when it healed
	first time.Duration // until the first of it arrived, to within a poll
	took  time.Duration // until the last did
}

// rate is deliveries a second.
func (d *drained) rate() float64 { return float64(d.owed-d.Lost) / d.took.Seconds() }

// drain heals the endpoint and waits for everything that is owed.
func (b *backlog) drain(ctx context.Context) (*drained, error) {
	before, err := b.delivered()
	if err != nil {
		return nil, err
	}
	if err := b.heal(ctx); err != nil {
		return nil, fmt.Errorf("heal: %w", err)
	}
	d := &drained{owed: b.published - before}
	task := b.leg.r.progress.Start("outage drain", d.owed)
	err = b.awaitDrained(ctx, before, d, task)
	if err != nil {
		task.Finish("")
		return nil, fmt.Errorf("drain: %w", err)
	}
	got, err := b.receipts(b.published)
	if err != nil {
		task.Finish("")
		return nil, err
	}
	d.Receipts, d.took = *got, time.Duration(got.LastNS-b.healed.UnixNano())
	task.Set(d.owed - d.Lost)
	task.Finish(fmt.Sprintf("%d delivered in %.1f s, %.0f/s", d.owed-d.Lost, d.took.Seconds(), d.rate()))
	return d, nil
}

// awaitDrained returns when everything has arrived, when nothing has for too long,
// or when the time is up.
func (b *backlog) awaitDrained(ctx context.Context, before int, d *drained, task *Task) error {
	last, moved := before, b.healed
	for deadline := b.healed.Add(b.plan.drainLimit); ; {
		n, err := b.delivered()
		if err != nil {
			return err
		}
		now := time.Now()
		if n > last {
			last, moved = n, now
		}
		if n > before && d.first == 0 {
			d.first = now.Sub(b.healed)
		}
		task.Set(n - before)
		if n >= b.published || now.Sub(moved) > b.plan.stallLimit || now.After(deadline) {
			return nil
		}
		if err := sleep(ctx, drainingPoll); err != nil {
			return err
		}
	}
}

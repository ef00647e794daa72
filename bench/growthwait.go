package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// growthFilled is how the filling went.
type growthFilled struct {
	took     time.Duration // from the first request to the last delivery
	bytes    int64         // of the store's files when its server had nothing more to do
	receipts Receipts      // of both receivers
}

// fill stores the deliveries of the plan and accounts for each that was to
// arrive.
func (s *growthStudy) fill(ctx context.Context) error {
	receivers := map[*roleProcess]int{s.leg.rig.receiver: s.plan.singles, s.fanout: s.plan.fanouts}
	for receiver, events := range receivers {
		if _, err := receiver.call(roleCommand{Op: opBegin, Capacity: events}); err != nil {
			return err
		}
	}
	filling := newGrowthFilling(s.stock, s.plan)
	task := s.r.progress.Start("growth: fill", s.plan.delivered())
	defer task.Finish("")
	start := time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	posted := make(chan error, 1)
	go func() { // ends with ctx, or when all is posted
		err := filling.post(ctx)
		cancelIf(cancel, err)
		posted <- err
	}()
	err := s.awaitFilled(ctx, task)
	cancelIf(cancel, err)
	if err := errors.Join(err, <-posted); err != nil {
		return err
	}
	s.filled.took = time.Since(start)
	task.Finish(fmt.Sprintf("%d deliveries in %.0f s, %.0f/s", s.plan.delivered(), s.filled.took.Seconds(), float64(s.plan.delivered())/s.filled.took.Seconds()))
	for receiver, events := range receivers {
		if err := s.account(receiver, events); err != nil {
			return err
		}
	}
	return nil
}

func cancelIf(cancel context.CancelCauseFunc, err error) {
	if err != nil {
		cancel(err)
	}
}

// awaitFilled waits until every delivery has arrived. It gives up when none has
// for TailLimit, or when the disk is nearly full.
func (s *growthStudy) awaitFilled(ctx context.Context, task *Task) error {
	last, moved := 0, time.Now()
	for {
		count := 0
		for _, receiver := range []*roleProcess{s.leg.rig.receiver, s.fanout} {
			reply, err := receiver.call(roleCommand{Op: opCount})
			if err != nil {
				return err
			}
			count += reply.Count
		}
		task.Set(count)
		if count >= s.plan.delivered() {
			return nil
		}
		if count > last {
			last, moved = count, time.Now()
		}
		if stalled := time.Since(moved); stalled > s.r.TailLimit {
			return fmt.Errorf("%d of %d deliveries have arrived and no more for %s", count, s.plan.delivered(), stalled.Round(time.Second))
		}
		if free, known := freeBytes(s.dir); known && free < growthReserve/2 {
			return fmt.Errorf("%s has %d MiB free with %d of %d deliveries stored", s.dir, free>>20, count, s.plan.delivered())
		}
		if err := sleep(ctx, runningPoll); err != nil {
			return context.Cause(ctx)
		}
	}
}

// account checks each event of one receiver.
func (s *growthStudy) account(receiver *roleProcess, events int) error {
	reply, err := receiver.call(roleCommand{Op: opReceipts, Published: events})
	if err != nil {
		return err
	}
	phase := Phase{Receipts: *reply.Receipts}
	if err := phase.Check(); err != nil {
		return err
	}
	all := &s.filled.receipts
	all.Published += phase.Receipts.Published
	all.Lost += phase.Receipts.Lost
	all.Duplicates += phase.Receipts.Duplicates
	all.Verified += phase.Receipts.Verified
	return nil
}

// A server has nothing to do when it takes less than a twentieth of a processor
// for so many looks in a row.
const (
	growthQuietLook  = 500 * time.Millisecond
	growthQuietLooks = 6
	growthQuietLimit = 2 * time.Minute
	growthQuietShare = 0.05
)

// awaitQuiet waits until the grown server has flushed and compacted what it was
// given, but not for ever.
func (s *growthStudy) awaitQuiet(ctx context.Context) error {
	looks, limit := growthQuietLooks, growthQuietLimit
	if s.r.Quick {
		looks, limit = 1, growthQuietLook
	}
	start := time.Now()
	for quiet := 0; quiet < looks && time.Since(start) < limit; {
		from, before := time.Now(), usageOf(s.leg.rig.server).cpu
		if err := sleep(ctx, growthQuietLook); err != nil {
			return err
		}
		quiet++
		if used := usageOf(s.leg.rig.server).cpu - before; float64(used) > growthQuietShare*float64(time.Since(from)) {
			quiet = 0
		}
	}
	s.quiet += time.Since(start)
	if s.filled.bytes > 0 {
		return nil
	}
	var err error
	s.filled.bytes, err = bytesOfFiles(s.dir)
	return err
}

package bench

import (
	"context"
	"fmt"
	"time"
)

// settling is how a store is left to itself until its files do not change.
type settling struct {
	quiet time.Duration // without a change: settled
	limit time.Duration // in all
}

const (
	settlePoll = 50 * time.Millisecond

	// settleSlack is a change that does not count: a server that nobody asks
	// anything still writes a line to its log now and then.
	settleSlack = 64 << 10
)

// settle waits until the size of dir has not changed for a while. settled is false
// if it still did at the limit; the use is then the last one seen. watch is told each
// size.
func (s settling) settle(ctx context.Context, dir string, watch func(bytes int)) (u diskUse, settled bool, err error) {
	start := time.Now()
	since, last := start, int64(-2*settleSlack)
	for {
		if u, err = diskUseOf(dir); err != nil {
			return u, false, fmt.Errorf("disk use: %w", err)
		}
		watch(int(u.Total()))
		now := time.Now()
		if change := u.Total() - last; change > settleSlack || change < -settleSlack {
			since, last = now, u.Total()
		}
		if now.Sub(since) >= s.quiet {
			return u, true, nil
		}
		if now.Sub(start) >= s.limit {
			return u, false, nil
		}
		if err := sleep(ctx, settlePoll); err != nil {
			return u, false, err
		}
	}
}

// awaitRecorded waits until the server has written the outcomes of so many
// deliveries to its log. A server that does not tell is taken at its word.
func (s settling) awaitRecorded(ctx context.Context, adminURL string, owed int) error {
	for deadline := time.Now().Add(s.limit); ; {
		recorded, known, err := adminMetric(ctx, adminURL, "posthaste_settlements_total")
		if err != nil || !known || int(recorded) >= owed {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%.0f outcomes are recorded, of %d deliveries, after %s", recorded, owed, s.limit)
		}
		if err := sleep(ctx, settlePoll); err != nil {
			return err
		}
	}
}

package engine

import (
	"time"

	"posthaste/event"
)

// MaxBackoff caps an exponential strategy's wait, as Convoy's default does.
const MaxBackoff = 2 * time.Hour

// decide is what becomes of a delivery after an attempt that is charged to its
// endpoint. It is pure: random is drawn by the caller and the due time it leads to is
// recorded, so a replay of the log needs no chance.
func decide(d event.Delivery, strategy event.Strategy, a *event.Attempt, now time.Time, random uint32) event.Delivery {
	d.Attempts++
	d.Limit = limitOf(d, strategy)
	d.UpdatedAt, d.Due, d.Manual = now, time.Time{}, false
	switch {
	case a.Succeeded():
		d.Status = event.Success
	case d.Attempts >= d.Limit:
		d.Status = event.Failure
	default:
		d.Status = event.Retry
		d.Due = now.Add(backoff(strategy, d.Attempts, random))
	}
	return d
}

// limitOf is how many attempts the delivery may have: what was recorded with its
// first, else what the project says.
func limitOf(d event.Delivery, strategy event.Strategy) int {
	if d.Limit > 0 {
		return d.Limit
	}
	return max(1, strategy.RetryCount)
}

// backoff is the wait after the n-th failed attempt. Linear: the strategy's
// duration, plus up to a tenth. Exponential: duration * 2^(n-1), at most two hours,
// plus or minus a fifth. The spread keeps the retries of an endpoint that was down
// from arriving all at once.
func backoff(s event.Strategy, n int, random uint32) time.Duration {
	base := time.Duration(max(1, s.Duration)) * time.Second
	spread := float64(random) / (1 << 32) // [0, 1)
	if s.Type != event.StrategyExponential {
		return base + time.Duration(spread*float64(base)/10)
	}
	for i := 1; i < n && base < MaxBackoff; i++ {
		base *= 2
	}
	base = min(base, MaxBackoff)
	return time.Duration(float64(base) * (0.8 + 0.4*spread))
}

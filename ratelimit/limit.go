package ratelimit

import "time"

const (
	// maxSpan bounds the interval and the tolerance, so that no sum of them and
	// a present-day time overflows: 36 years, in nanoseconds.
	maxSpan = 1 << 60

	// staleness is how much further ahead than a limit itself puts it a TAT has
	// to lie before it is taken for another clock's or another limit's. It
	// covers callers that read the clock at slightly different times.
	staleness = int64(time.Second)
)

// Limit is a rate and a burst. It is an immutable value that any number of
// goroutines may share; the state that goes with it, a TAT, is the caller's.
// The zero value is no limit.
type Limit struct {
	interval  int64 // nanoseconds a token takes; 0: no limit
	tolerance int64 // nanoseconds a request may come before its TAT
}

// PerDuration is a limit of count requests in each duration per, of which burst
// may come at once. A count or a duration of 0 or less is no limit.
//
// A burst of 0 or less is the default: a tenth of a second's worth, but at
// least 2 and never more than count. It is small, so that requests are spread
// over the duration; 2, because with 1 every request that is late, as those
// woken by a timer are, makes all later ones late, and the rate is never
// reached: at 19 a second, one millisecond is 2%.
//
// An interval that is no whole number of nanoseconds is rounded up. The rate is
// therefore never above count per duration, and below it by less than
// 1 ns/interval: 12 ms for 5000 a minute is exact, 7 a second loses one part in
// 140 million, and 1% is lost only above ten million a second. A limit slower
// than one in 36 years is one in 36 years.
func PerDuration(count int, per time.Duration, burst int) Limit {
	if count <= 0 || per <= 0 {
		return Limit{}
	}
	interval := ceilDiv(int64(per), int64(count))
	if burst <= 0 {
		burst = defaultBurst(count, interval)
	}
	return Limit{
		interval:  min(interval, maxSpan),
		tolerance: saturatingMul(int64(burst-1), interval),
	}
}

func defaultBurst(count int, interval int64) int {
	tenth := int64(100*time.Millisecond) / interval
	return int(min(max(2, tenth), int64(count)))
}

// Unlimited tells whether every request may go at once.
func (l Limit) Unlimited() bool { return l.interval == 0 }

// Interval is the time between two requests at the full rate; 0 without limit.
func (l Limit) Interval() time.Duration { return time.Duration(l.interval) }

// Burst is how many requests may come at once after a pause; 0 without limit.
func (l Limit) Burst() int {
	if l.Unlimited() {
		return 0
	}
	return int(1 + l.tolerance/l.interval)
}

// Take asks for one token at now. tat is what the last successful Take on the
// same state returned, and 0 before the first; it counts nanoseconds since
// 1970. Nothing is remembered: the caller stores newTAT, and serialises the
// calls on one state.
//
// A wait of 0 means that the token is taken. Otherwise it is not, newTAT is
// tat, and wait is exact: at now+wait the token is there, a nanosecond earlier
// it is not. The wall clock decides; a monotonic reading in now is not looked
// at.
//
// A TAT that lies more than a second beyond what this limit can have put there
// by now was put there by a clock that has since been set back, or by a slower
// limit that has since been changed. It is not waited for: the token is given
// and the burst counts as used up.
func (l Limit) Take(tat int64, now time.Time) (newTAT int64, wait time.Duration) {
	if l.interval == 0 {
		return tat, 0
	}
	at := now.UnixNano()
	due := max(tat, at)
	ahead := due - at
	if ahead <= l.tolerance {
		return due + l.interval, 0
	}
	if ahead > l.tolerance+l.interval+staleness {
		return at + l.tolerance + l.interval, 0
	}
	return tat, time.Duration(ahead - l.tolerance)
}

func ceilDiv(a, b int64) int64 { return (a-1)/b + 1 }

// saturatingMul is a*b, at most maxSpan, for a >= 0 and b > 0.
func saturatingMul(a, b int64) int64 {
	if a > maxSpan/b {
		return maxSpan
	}
	return a * b
}

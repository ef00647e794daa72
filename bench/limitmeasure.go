package bench

import (
	"fmt"
	"math"
	"time"

	"posthaste/bench/report"
)

// limitCase is an endpoint's limit and how it is looked at.
type limitCase struct {
	count, seconds int           // deliveries in so many seconds
	window         time.Duration // part of that, in which a whole number is due
}

// limitWindows are measured; limitPosted is how many windows' worth is posted: the
// rest is before the measurement, when the burst is let through and the events are
// still being posted.
const (
	limitWindows = 10
	limitPosted  = 14
)

// limitJitter is by how much two arrivals may come closer together than their sends:
// scheduling and the network, not the limiter.
const limitJitter = 5 * time.Millisecond

func (c limitCase) String() string { return fmt.Sprintf("%d in %d s", c.count, c.seconds) }

// rate is deliveries a second.
func (c limitCase) rate() float64 { return float64(c.count) / float64(c.seconds) }

// each is what is due in one window.
func (c limitCase) each() int { return int(math.Round(c.rate() * c.window.Seconds())) }

// burst is what may come at once after a pause: a tenth of a second's worth and at
// least 2, as the server's documentation says.
func (c limitCase) burst() int { return min(max(2, c.count/(10*c.seconds)), c.count) }

// limitSeen is how an endpoint's arrivals compare with its limit.
type limitSeen struct {
	limitCase
	rate     float64       // deliveries a second over ten windows
	bunching time.Duration // jitter that explains all that came above the burst
	above    float64       // most deliveries above the burst that limitJitter does not explain
	series   report.Series // deliveries in each window since the first
}

// off is how far the rate is from the limit, as a share of it.
func (s *limitSeen) off() float64 { return math.Abs(s.rate/s.limitCase.rate() - 1) }

// judge compares arrivals, in order, with a limit. Until postedNS events were still
// being posted: the ten windows begin after that, after the burst and after one more
// window. If too few arrivals are left then, the last ten windows are taken, and a rate
// that is too low is an error: the server may have had nothing to send.
func (c limitCase) judge(times []int64, postedNS int64) (*limitSeen, error) {
	from := c.burst() + c.each()
	for from < len(times) && times[from] < postedNS {
		from++
	}
	last := len(times) - 1 - limitWindows*c.each()
	if last < 0 {
		return nil, fmt.Errorf("limit of %s: %d arrivals are fewer than ten windows", c, len(times))
	}
	s := &limitSeen{limitCase: c, series: c.windows(times)}
	start := min(from, last)
	span := max(times[start+limitWindows*c.each()]-times[start], 1)
	s.rate = float64(limitWindows*c.each()) / time.Duration(span).Seconds()
	if from > last && s.rate < c.rate() {
		return nil, fmt.Errorf("limit of %s: posting took so long that less than ten windows were left", c)
	}
	most := aboveBurst(times, c.rate(), c.burst())
	s.bunching = time.Duration(most / c.rate() * float64(time.Second))
	s.above = max(most-c.rate()*limitJitter.Seconds(), 0)
	return s, nil
}

// aboveBurst is by how much the arrivals of any span exceed the burst and what the
// rate allows in that span, at most: for all i <= j, (j-i+1) - burst - rate*(t[j]-t[i]).
func aboveBurst(times []int64, rate float64, burst int) float64 {
	most, least := 0.0, math.Inf(1)
	for j, ns := range times {
		ahead := float64(j) - rate*time.Duration(ns-times[0]).Seconds() // of the rate, at this arrival
		least = min(least, ahead)
		most = max(most, ahead-least+1-float64(burst))
	}
	return most
}

// windows are the arrivals in each whole window since the first arrival, as a share of
// what is due in one.
func (c limitCase) windows(times []int64) report.Series {
	s := report.Series{Name: c.String(), Unit: "of the limit in each window"}
	k, count := 1, 0
	for _, ns := range times {
		for ns-times[0] >= int64(k)*int64(c.window) {
			s.Points = append(s.Points, report.Point{Seconds: (time.Duration(k) * c.window).Seconds(), Value: float64(count) / float64(c.each())})
			k, count = k+1, 0
		}
		count++
	}
	return s
}

package engine

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"posthaste/event"
)

func TestDecide(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	linear := event.Strategy{Type: event.StrategyLinear, Duration: 10, RetryCount: 3}
	ok, no := answered(200), answered(500)
	for _, c := range []struct {
		name     string
		d        event.Delivery
		strategy event.Strategy
		a        *event.Attempt
		random   uint32
		want     event.Delivery
	}{
		{"success", event.Delivery{}, linear, ok, 0, event.Delivery{Status: event.Success, Attempts: 1, Limit: 3}},
		{"204", event.Delivery{}, linear, answered(204), 0, event.Delivery{Status: event.Success, Attempts: 1, Limit: 3}},
		{"a redirect is no success", event.Delivery{}, linear, answered(302), 0,
			event.Delivery{Status: event.Retry, Attempts: 1, Limit: 3, Due: now.Add(10 * time.Second)}},
		{"no answer", event.Delivery{}, linear, &event.Attempt{Class: event.ClassTimeout}, 0,
			event.Delivery{Status: event.Retry, Attempts: 1, Limit: 3, Due: now.Add(10 * time.Second)}},
		{"200 and then a reset", event.Delivery{}, linear, &event.Attempt{Class: event.ClassReset, StatusCode: 200}, 0,
			event.Delivery{Status: event.Retry, Attempts: 1, Limit: 3, Due: now.Add(10 * time.Second)}},
		{"second failure", event.Delivery{Status: event.Retry, Attempts: 1, Limit: 3, Due: now}, linear, no, 0,
			event.Delivery{Status: event.Retry, Attempts: 2, Limit: 3, Due: now.Add(10 * time.Second)}},
		{"last failure", event.Delivery{Status: event.Retry, Attempts: 2, Limit: 3, Due: now}, linear, no, 0,
			event.Delivery{Status: event.Failure, Attempts: 3, Limit: 3}},
		{"last success", event.Delivery{Status: event.Retry, Attempts: 2, Limit: 3, Due: now, Manual: true}, linear, ok, 0,
			event.Delivery{Status: event.Success, Attempts: 3, Limit: 3}},
		{"one attempt only", event.Delivery{}, event.Strategy{Type: event.StrategyLinear, Duration: 10, RetryCount: 1}, no, 0,
			event.Delivery{Status: event.Failure, Attempts: 1, Limit: 1}},
		{"none means one", event.Delivery{}, event.Strategy{Duration: 10}, no, 0,
			event.Delivery{Status: event.Failure, Attempts: 1, Limit: 1}},
		{"the recorded limit holds", event.Delivery{Status: event.Retry, Attempts: 1, Limit: 5}, linear, no, math.MaxUint32,
			event.Delivery{Status: event.Retry, Attempts: 2, Limit: 5, Due: now.Add(10*time.Second + 999999999)}},
	} {
		c.want.UpdatedAt = now
		if got := decide(c.d, c.strategy, c.a, now, c.random); got != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
		}
	}
}

func answered(code int) *event.Attempt {
	a := &event.Attempt{StatusCode: code}
	if code < 200 || code > 299 {
		a.Class = event.ClassStatus
	}
	return a
}

func TestBackoffStaysInItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := event.Strategy{
			Type:     rapid.SampledFrom([]string{event.StrategyLinear, event.StrategyExponential}).Draw(t, "type"),
			Duration: rapid.IntRange(0, event.MaxRetrySeconds).Draw(t, "duration"),
		}
		n := rapid.IntRange(1, event.MaxAttempts).Draw(t, "n")
		got := backoff(s, n, rapid.Uint32().Draw(t, "random"))
		d := float64(max(1, s.Duration)) * float64(time.Second)
		lo, hi := d, 1.1*d
		if s.Type == event.StrategyExponential {
			mid := min(d*math.Pow(2, float64(n-1)), float64(MaxBackoff))
			lo, hi = 0.8*mid, 1.2*mid
		}
		if float64(got) < lo-1 || float64(got) > hi+1 {
			t.Fatalf("backoff(%+v, %d) = %s, want it in [%s, %s]", s, n, got, time.Duration(lo), time.Duration(hi))
		}
	})
}

func TestBackoffUsesItsWholeRange(t *testing.T) {
	linear := event.Strategy{Type: event.StrategyLinear, Duration: 100}
	exponential := event.Strategy{Type: event.StrategyExponential, Duration: 100}
	for _, c := range []struct {
		s      event.Strategy
		n      int
		random uint32
		want   time.Duration
	}{
		{linear, 1, 0, 100 * time.Second},
		{linear, 9, 1 << 31, 105 * time.Second},
		{exponential, 1, 0, 80 * time.Second},
		{exponential, 1, 1 << 31, 100 * time.Second},
		{exponential, 3, 1 << 31, 400 * time.Second},
		{exponential, 60, 1 << 31, MaxBackoff},
		{exponential, 1000, 0, MaxBackoff * 8 / 10},
	} {
		if got := backoff(c.s, c.n, c.random); (got - c.want).Abs() > time.Microsecond {
			t.Errorf("backoff(%s, %d, %d) = %s, want %s", c.s.Type, c.n, c.random, got, c.want)
		}
	}
}

func TestDecideEndsAfterTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := event.Strategy{Type: event.StrategyLinear, Duration: 1, RetryCount: rapid.IntRange(1, 50).Draw(t, "count")}
		var d event.Delivery
		attempts := 0
		for now := time.Unix(0, 0); d.Status.Owed(); now = d.Due {
			d = decide(d, s, answered(500), now, rapid.Uint32().Draw(t, "random"))
			attempts++
		}
		if attempts != s.RetryCount || d.Status != event.Failure || !d.Due.IsZero() {
			t.Fatalf("%d attempts, then %+v; want %d, then a failure", attempts, d, s.RetryCount)
		}
	})
}

package engine

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"posthaste/event"
	"posthaste/retry"
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
		{"410", event.Delivery{}, linear, answered(410), 0,
			event.Delivery{Status: event.Failure, Attempts: 1, Limit: 3, Reason: "the endpoint answered 410 Gone"}},
		{"a status that is final", event.Delivery{}, event.Strategy{Type: "linear", Duration: 10, RetryCount: 3, NoRetryStatuses: []int{404}}, answered(404), 0,
			event.Delivery{Status: event.Failure, Attempts: 1, Limit: 3, Reason: "the endpoint answered with a status that is not retried"}},
		{"Retry-After", event.Delivery{}, linear, &event.Attempt{StatusCode: 503, Class: event.ClassStatus, RetryAfter: time.Minute}, 0,
			event.Delivery{Status: event.Retry, Attempts: 1, Limit: 3, Due: now.Add(time.Minute)}},
		{"Retry-After below the schedule's wait", event.Delivery{}, linear, &event.Attempt{StatusCode: 429, Class: event.ClassStatus, RetryAfter: time.Second}, 0,
			event.Delivery{Status: event.Retry, Attempts: 1, Limit: 3, Due: now.Add(10 * time.Second)}},
		{"Retry-After beyond a day", event.Delivery{}, linear, &event.Attempt{StatusCode: 503, Class: event.ClassStatus, RetryAfter: 1000 * time.Hour}, 0,
			event.Delivery{Status: event.Retry, Attempts: 1, Limit: 3, Due: now.Add(24 * time.Hour)}},
		{"at most once, answered", event.Delivery{AtMostOnce: true}, linear, no, 0,
			event.Delivery{AtMostOnce: true, Status: event.Failure, Attempts: 1, Limit: 3, Reason: "it may have arrived, and is to be delivered at most once"}},
		{"at most once, no answer", event.Delivery{AtMostOnce: true}, linear, &event.Attempt{Class: event.ClassTimeout}, 0,
			event.Delivery{AtMostOnce: true, Status: event.Failure, Attempts: 1, Limit: 3, Reason: "it may have arrived, and is to be delivered at most once"}},
		{"at most once, never connected", event.Delivery{AtMostOnce: true}, linear, &event.Attempt{Class: event.ClassConnect}, 0,
			event.Delivery{AtMostOnce: true, Status: event.Retry, Attempts: 1, Limit: 3, Due: now.Add(10 * time.Second)}},
		{"the recorded limit holds", event.Delivery{Status: event.Retry, Attempts: 1, Limit: 5}, linear, no, math.MaxUint32,
			event.Delivery{Status: event.Retry, Attempts: 2, Limit: 5, Due: now.Add(11 * time.Second)}},
	} {
		c.d.ID = event.DeliveryID(uint64(now.UnixMilli()), 1, 1)
		c.want.ID, c.want.UpdatedAt = c.d.ID, now
		if got := decide(c.d, policy(t, c.strategy), c.a, now, c.random); got != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
		}
	}
}

// policy compiles a strategy, with the spread of a linear one as it is by default.
func policy(t interface{ Fatal(...any) }, s event.Strategy) *retry.Policy {
	p, err := retry.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestADeliveryThatIsTooOldIsNotRetried(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := policy(t, event.Strategy{Type: event.StrategyLinear, Duration: 10, RetryCount: 100, MaxAge: 3600})
	for age, want := range map[time.Duration]event.Status{59 * time.Minute: event.Retry, time.Hour: event.Failure} {
		d := event.Delivery{ID: event.DeliveryID(uint64(now.Add(-age).UnixMilli()), 1, 1)}
		if got := decide(d, p, answered(500), now, 0); got.Status != want {
			t.Errorf("after %s: %+v", age, got)
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

func TestDecideEndsAfterTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := event.Strategy{Type: event.StrategyLinear, Duration: 1, RetryCount: rapid.IntRange(1, 50).Draw(t, "count")}
		d := event.Delivery{ID: event.DeliveryID(1, 1, 1)}
		attempts := 0
		for now := time.UnixMilli(1); d.Status.Owed(); now = d.Due {
			d = decide(d, policy(t, s), answered(500), now, rapid.Uint32().Draw(t, "random"))
			attempts++
		}
		if attempts != s.RetryCount || d.Status != event.Failure || !d.Due.IsZero() {
			t.Fatalf("%d attempts, then %+v; want %d, then a failure", attempts, d, s.RetryCount)
		}
	})
}

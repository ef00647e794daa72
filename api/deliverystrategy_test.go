package api

import (
	"testing"

	"posthaste/event"
)

// A delivery shows the strategy of its endpoint, else its project's; its own limit,
// which it has from its first attempt on, wins.
func TestDeliveryStrategy(t *testing.T) {
	schedule := event.Strategy{Type: event.StrategySchedule, Schedule: []int{10, 30, 60}}
	for name, c := range map[string]struct {
		own                          *event.Strategy
		attempts, limit              int
		strategy                     string
		interval, wantLimit, longest float64
	}{
		"the project's":               {nil, 0, 0, "linear", 100, 10, 2592000},
		"its limit wins":              {nil, 2, 4, "linear", 100, 4, 2592000},
		"the endpoint's":              {&event.Strategy{Type: "linear", Duration: 7, RetryCount: 3}, 0, 0, "linear", 7, 3, 2592000},
		"exponential":                 {&event.Strategy{Type: "exponential", Duration: 5, RetryCount: 6}, 1, 0, "exponential", 5, 6, 7200},
		"exponential with a cap":      {&event.Strategy{Type: "exponential", Duration: 5, RetryCount: 6, MaxDuration: 60}, 1, 0, "exponential", 5, 6, 60},
		"schedule before the first":   {&schedule, 0, 0, "schedule", 10, 4, 60},
		"schedule after the first":    {&schedule, 1, 4, "schedule", 10, 4, 60},
		"schedule after the second":   {&schedule, 2, 4, "schedule", 30, 4, 60},
		"schedule by name":            {&event.Strategy{Type: "schedule", ScheduleName: event.ScheduleConvoy}, 2, 0, "schedule", 30, 8, 900},
		"schedule beyond its end":     {&schedule, 9, 12, "schedule", 60, 12, 60},
		"schedule with its own count": {&event.Strategy{Type: "schedule", Schedule: []int{10}, RetryCount: 5}, 0, 0, "schedule", 10, 5, 10},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			furnish(w)
			_, err := w.catalog.UpdateEndpoint(w.project, id('e', 1), func(e *event.Endpoint) error {
				e.Strategy = c.own
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			w.log.addDelivery(event.Delivery{ID: id('d', 3), ProjectID: w.project, EventID: id('f', 1), EndpointID: id('e', 1), Attempts: c.attempts, Limit: c.limit})
			a := w.do("GET", w.in("/eventdeliveries/%s", id('d', 3)), "")
			for field, want := range map[string]any{
				"strategy": c.strategy, "interval_seconds": c.interval, "retry_limit": c.wantLimit, "max_retry_seconds": c.longest, "num_trials": float64(c.attempts),
			} {
				if got := a.field("metadata", field); got != want {
					t.Errorf("%s is %v, want %v", field, got, want)
				}
			}
		})
	}
}

// A schedule without steps is nothing to look up a step in.
func TestIntervalOfAnEmptySchedule(t *testing.T) {
	if n := intervalAfter(&event.Strategy{Type: event.StrategySchedule, Duration: 5}, 3); n != 5 {
		t.Errorf("interval %d", n)
	}
}

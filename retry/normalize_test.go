package retry

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"posthaste/event"
)

func TestNormalize(t *testing.T) {
	convoy, _ := Named(event.ScheduleConvoy)
	standard, _ := Named(event.ScheduleStandard)
	for name, c := range map[string]struct{ in, want event.Strategy }{
		"nothing":              {event.Strategy{}, event.Strategy{Type: "linear"}},
		"default":              {event.Strategy{Type: "default", Duration: 5, RetryCount: 2}, event.Strategy{Type: "linear", Duration: 5, RetryCount: 2}},
		"old, with a duration": {event.Strategy{Type: "exponential-backoff", Duration: 5, RetryCount: 2}, event.Strategy{Type: "exponential", Duration: 5, RetryCount: 2}},
		"old, without": {
			event.Strategy{Type: "exponential-backoff"},
			event.Strategy{Type: "schedule", ScheduleName: "convoy", Schedule: convoy, RetryCount: 8},
		},
		"old, with a number of attempts": {
			event.Strategy{Type: "exponential-backoff", RetryCount: 20},
			event.Strategy{Type: "schedule", ScheduleName: "convoy", Schedule: convoy, RetryCount: 20},
		},
		"a list without a type": {event.Strategy{Schedule: []int{4}}, event.Strategy{Type: "schedule", Schedule: []int{4}, RetryCount: 2}},
		"a name without a type": {
			event.Strategy{ScheduleName: "standard-webhooks"},
			event.Strategy{Type: "schedule", ScheduleName: "standard-webhooks", Schedule: standard, RetryCount: 10},
		},
		"another name": {
			event.Strategy{Type: "schedule", ScheduleName: "standard-webhooks", Schedule: convoy, RetryCount: 8},
			event.Strategy{Type: "schedule", ScheduleName: "standard-webhooks", Schedule: standard, RetryCount: 10},
		},
		"another name, attempts of its own": {
			event.Strategy{Type: "schedule", ScheduleName: "standard-webhooks", Schedule: convoy, RetryCount: 5},
			event.Strategy{Type: "schedule", ScheduleName: "standard-webhooks", Schedule: standard, RetryCount: 5},
		},
		"no name any more": {
			event.Strategy{Type: "schedule", Schedule: convoy, RetryCount: 8},
			event.Strategy{Type: "schedule", Schedule: convoy, RetryCount: 8},
		},
		"what is wrong stays": {
			event.Strategy{Type: "schedule", ScheduleName: "convoy", Schedule: []int{1}},
			event.Strategy{Type: "schedule", ScheduleName: "convoy", Schedule: []int{1}, RetryCount: 2},
		},
		"no schedule at all": {event.Strategy{Type: "schedule"}, event.Strategy{Type: "schedule"}},
		"an unknown type":    {event.Strategy{Type: "Linear"}, event.Strategy{Type: "Linear"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Normalize(c.in); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func TestNormalizeTwiceIsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := Normalize(anyStrategy(t))
		if twice := Normalize(once); !reflect.DeepEqual(once, twice) {
			t.Fatalf("%+v, then %+v", once, twice)
		}
	})
}

func TestNamed(t *testing.T) {
	for name, want := range map[string]int{event.ScheduleConvoy: 7, event.ScheduleStandard: 9} {
		steps, ok := Named(name)
		if !ok || len(steps) != want {
			t.Errorf("%s: %v, %v", name, steps, ok)
		}
		steps[0] = -1
		if again, _ := Named(name); again[0] == -1 {
			t.Errorf("%s can be changed from outside", name)
		}
	}
	if steps, ok := Named("hope"); ok || steps != nil {
		t.Errorf("%v, %v", steps, ok)
	}
}

package breaker

import (
	"errors"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

func compiled(t testing.TB, change func(*event.CircuitBreakerConfig)) Config {
	t.Helper()
	e := event.DefaultCircuitBreaker()
	e.Enabled = true
	if change != nil {
		change(&e)
	}
	c, err := Compile(e)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCompileFillsDefaultsIn(t *testing.T) {
	got, err := Compile(event.CircuitBreakerConfig{Enabled: true})
	if want := compiled(t, nil); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if !got.On() || got.TripLimit() != 10 || got.timeout != int64(30*time.Second) || got.bucket != int64(30*time.Second) || got.lost != int64(time.Minute) {
		t.Errorf("%+v", got)
	}
	if off, err := Compile(event.CircuitBreakerConfig{}); err != nil || off.On() || (Config{}).On() {
		t.Errorf("%+v, %v", off, err)
	}
}

func TestNormalizeKeepsWhatIsSet(t *testing.T) {
	full := event.CircuitBreakerConfig{
		Enabled: true, SampleRate: 1, ErrorTimeout: 2, FailureThreshold: 3, SuccessThreshold: 4,
		MinimumRequestCount: 5, ObservabilityWindow: 6, ConsecutiveFailureThreshold: 7,
	}
	if got := Normalize(full); got != full {
		t.Errorf("%+v", got)
	}
	if got := Normalize(event.CircuitBreakerConfig{}); got != event.DefaultCircuitBreaker() {
		t.Errorf("%+v", got)
	}
}

func TestCompileRefuses(t *testing.T) {
	type config = event.CircuitBreakerConfig
	for field, c := range map[string]struct {
		set  func(c *config) *int
		high int
	}{
		"sample_rate":                   {func(c *config) *int { return &c.SampleRate }, 86400},
		"error_timeout":                 {func(c *config) *int { return &c.ErrorTimeout }, 86400},
		"failure_threshold":             {func(c *config) *int { return &c.FailureThreshold }, 100},
		"success_threshold":             {func(c *config) *int { return &c.SuccessThreshold }, 100},
		"minimum_request_count":         {func(c *config) *int { return &c.MinimumRequestCount }, 1_000_000},
		"observability_window":          {func(c *config) *int { return &c.ObservabilityWindow }, 1440},
		"consecutive_failure_threshold": {func(c *config) *int { return &c.ConsecutiveFailureThreshold }, 1000},
	} {
		for n, ok := range map[int]bool{-1: false, 0: true, 1: true, c.high: true, c.high + 1: false} {
			e := event.DefaultCircuitBreaker() // off: it is checked all the same
			*c.set(&e) = n
			_, err := Compile(e)
			var invalid *event.InvalidError
			if ok && err != nil || !ok && (!errors.As(err, &invalid) || invalid.Field != field || !strings.Contains(invalid.Reason, "it must be 1 to")) {
				t.Errorf("%s = %d: %v", field, n, err)
			}
		}
	}
}

func TestSuccessThresholdInProbes(t *testing.T) {
	for percent, want := range map[int]uint8{1: 1, 5: 1, 6: 2, 10: 2, 50: 10, 99: 20, 100: 20} {
		if c := compiled(t, func(c *event.CircuitBreakerConfig) { c.SuccessThreshold = percent }); c.probes != want {
			t.Errorf("%d%%: %d probes, want %d", percent, c.probes, want)
		}
	}
}

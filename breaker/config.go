package breaker

import (
	"time"

	"posthaste/event"
)

const (
	maxSeconds       = 86400 // of sample_rate and error_timeout
	maxWindowMinutes = 1440
	maxRequestCount  = 1_000_000
	maxTripLimit     = 1000

	// probeRound is of how many probes success_threshold is a percentage.
	probeRound = 20
	// probeTime is how long a probe may be on its way before it counts as lost, if
	// the error timeout is shorter.
	probeTime = event.MaxHTTPTimeoutSeconds * time.Second
)

// Config is a compiled event.CircuitBreakerConfig, a value that is shared. The zero
// value is a breaker that is off.
//
// All times in it are nanoseconds, as are those of a Breaker.
type Config struct {
	on        bool
	failures  uint8  // percent of failures that opens
	probes    uint8  // successful probes in a row that close
	requests  uint32 // outcomes in the window before it may open
	tripLimit int32
	sample    int64 // least time between two evaluations
	timeout   int64 // open for so long
	bucket    int64 // width of a bucket of the window
	lost      int64 // a probe of that age is given up
}

// Normalize gives zero numbers their defaults, those of event.DefaultCircuitBreaker.
func Normalize(c event.CircuitBreakerConfig) event.CircuitBreakerConfig {
	d := event.DefaultCircuitBreaker()
	d.Enabled = c.Enabled
	for _, f := range []struct{ to, from *int }{
		{&d.SampleRate, &c.SampleRate},
		{&d.ErrorTimeout, &c.ErrorTimeout},
		{&d.FailureThreshold, &c.FailureThreshold},
		{&d.SuccessThreshold, &c.SuccessThreshold},
		{&d.MinimumRequestCount, &c.MinimumRequestCount},
		{&d.ObservabilityWindow, &c.ObservabilityWindow},
		{&d.ConsecutiveFailureThreshold, &c.ConsecutiveFailureThreshold},
	} {
		if *f.from != 0 {
			*f.to = *f.from
		}
	}
	return d
}

// Compile checks a configuration. An error is an event.InvalidError whose field is
// relative, as in "failure_threshold". Zero numbers get the defaults.
func Compile(c event.CircuitBreakerConfig) (Config, error) {
	c = Normalize(c)
	for _, r := range []struct {
		field string
		n     int
		high  int
		what  string
	}{
		{"sample_rate", c.SampleRate, maxSeconds, "seconds"},
		{"error_timeout", c.ErrorTimeout, maxSeconds, "seconds"},
		{"failure_threshold", c.FailureThreshold, 100, "percent"},
		{"success_threshold", c.SuccessThreshold, 100, "percent"},
		{"minimum_request_count", c.MinimumRequestCount, maxRequestCount, "attempts"},
		{"observability_window", c.ObservabilityWindow, maxWindowMinutes, "minutes"},
		{"consecutive_failure_threshold", c.ConsecutiveFailureThreshold, maxTripLimit, "openings in a row"},
	} {
		if r.n < 1 || r.n > r.high {
			return Config{}, event.Invalid(r.field, "is %d; it must be 1 to %d %s; 0 is the default", r.n, r.high, r.what)
		}
	}
	timeout := time.Duration(c.ErrorTimeout) * time.Second
	return Config{
		on:        c.Enabled,
		failures:  uint8(c.FailureThreshold),
		probes:    uint8((c.SuccessThreshold*probeRound + 99) / 100),
		requests:  uint32(c.MinimumRequestCount),
		tripLimit: int32(c.ConsecutiveFailureThreshold),
		sample:    int64(time.Duration(c.SampleRate) * time.Second),
		timeout:   int64(timeout),
		bucket:    int64(time.Duration(c.ObservabilityWindow) * time.Minute / buckets),
		lost:      int64(max(timeout, probeTime)),
	}, nil
}

// On reports whether there is a breaker at all.
func (c Config) On() bool { return c.on }

// TripLimit is how many openings in a row disable the endpoint.
func (c Config) TripLimit() int { return int(c.tripLimit) }

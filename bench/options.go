package bench

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// Options says what to measure. The zero value of a field is its default.
type Options struct {
	Launcher

	Scenarios []string      // default all; they run in the order of ScenarioNames
	Repeat    int           // default 3; each is a baseline and then the scenario
	Duration  time.Duration // of a measured phase; default 8 s
	Warmup    time.Duration // before it; default 2 s
	TailLimit time.Duration // to wait for deliveries after the last request; default 60 s

	Connections      int // of the generator; default 128
	BatchConnections int // of the generator in batch; default 16
	BatchSize        int // events of a batch request; default 100
	Endpoints        int // default 16
	PayloadBytes     int // of an event's data; default 1024
	IdleEndpoints    int // that have nothing to do, in idle; default 1,000,000
	Stored           int // deliveries that are stored in growth; default 10,000,000

	DataRoot string // where the server's data directory is made; default the system's temporary directory

	Target  string // measure the server at this URL instead of starting one
	Project string // with Target
	Key     string // with Target: an API key of the project

	ReceiverHost string // address the receiver listens on and is called by; default 127.0.0.1

	CPUProfile string // file for a CPU profile of the server in the last measured phase

	Quick    bool      // seconds in all: to see that it works, not how fast it is
	Progress io.Writer // nil: none
}

// Defaults of the options.
const (
	defaultRepeat           = 3
	defaultDuration         = 8 * time.Second
	defaultWarmup           = 2 * time.Second
	defaultTailLimit        = 60 * time.Second
	defaultConnections      = 128
	defaultBatchConnections = 16
	defaultBatchSize        = 100
	defaultEndpoints        = 16
	defaultPayloadBytes     = 1024
	defaultIdleEndpoints    = 1_000_000
	defaultStored           = 10_000_000
	quickDuration           = time.Second
	quickWarmup             = 300 * time.Millisecond
	quickIdleEndpoints      = 5000
	quickStored             = 20_000
)

// maxEndpoints bounds the endpoints that a receiver plays.
const maxEndpoints = 10_000

// maxEvents bounds the memory of a phase's ledger: 4 bytes an event.
const maxEvents = 20_000_000

// EnsureDefaults fills in what was left out.
func (o *Options) EnsureDefaults() {
	if o.Quick {
		setDefault(&o.Repeat, 1)
		setDefault(&o.Duration, quickDuration)
		setDefault(&o.Warmup, quickWarmup)
		setDefault(&o.IdleEndpoints, quickIdleEndpoints)
		setDefault(&o.Stored, quickStored)
	}
	if len(o.Scenarios) == 0 {
		o.Scenarios = ScenarioNames()
	}
	setDefault(&o.Repeat, defaultRepeat)
	setDefault(&o.Duration, defaultDuration)
	setDefault(&o.Warmup, defaultWarmup)
	setDefault(&o.TailLimit, defaultTailLimit)
	setDefault(&o.Connections, defaultConnections)
	setDefault(&o.BatchConnections, defaultBatchConnections)
	setDefault(&o.BatchSize, defaultBatchSize)
	setDefault(&o.Endpoints, defaultEndpoints)
	setDefault(&o.PayloadBytes, defaultPayloadBytes)
	setDefault(&o.IdleEndpoints, defaultIdleEndpoints)
	setDefault(&o.Stored, defaultStored)
	setDefault(&o.DataRoot, os.TempDir())
	setDefault(&o.ReceiverHost, "127.0.0.1")
	o.Limit = o.legLimit()
}

// asks reports whether a scenario is to be run.
func (o *Options) asks(name string) bool { return slices.Contains(o.Scenarios, name) }

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// legLimit is longer than any measurement takes: a process that is still there
// after it has been forgotten.
func (o *Options) legLimit() time.Duration {
	return 2*(o.Duration+o.Warmup+2*o.TailLimit) + 2*time.Minute
}

// Validate names the option that is out of range.
func (o *Options) Validate() error {
	for _, name := range o.Scenarios {
		if _, ok := scenarioNamed(name); !ok {
			return fmt.Errorf("scenario %q is not one of %s", name, strings.Join(ScenarioNames(), ", "))
		}
	}
	checks := []struct {
		name      string
		value     int
		low, high int
	}{
		{"repeat", o.Repeat, 1, 100},
		{"connections", o.Connections, 1, 10_000},
		{"batch-connections", o.BatchConnections, 1, 10_000},
		{"batch-size", o.BatchSize, 1, 10_000},
		{"endpoints", o.Endpoints, 1, maxEndpoints},
		{"size", o.PayloadBytes, MinPayloadBytes, 1 << 20},
		{"idle-endpoints", o.IdleEndpoints, 2, 10_000_000},
		{"stored", o.Stored, 1000, 100_000_000},
		{"duration in milliseconds", int(o.Duration.Milliseconds()), 100, 3600_000},
		{"warmup in milliseconds", int(o.Warmup.Milliseconds()), 50, 600_000},
		{"tail-limit in milliseconds", int(o.TailLimit.Milliseconds()), 100, 3600_000},
	}
	for _, c := range checks {
		if c.value < c.low || c.value > c.high {
			return fmt.Errorf("%s is %d, must be %d to %d", c.name, c.value, c.low, c.high)
		}
	}
	if net.ParseIP(o.ReceiverHost) == nil {
		return fmt.Errorf("receiver-host %q is not an IP address", o.ReceiverHost)
	}
	return o.validateTarget()
}

func (o *Options) validateTarget() error {
	if o.Target == "" {
		if o.Project != "" || o.Key != "" {
			return errors.New("project and key are for a server that is given as target")
		}
		return nil
	}
	u, err := url.Parse(o.Target)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https"}, u.Scheme) {
		return fmt.Errorf("target %q is not an http or https URL", o.Target)
	}
	if o.Project == "" || o.Key == "" {
		return errors.New("target needs project and key")
	}
	if o.CPUProfile != "" {
		return errors.New("cpuprofile is of a server that bench starts, not of a target")
	}
	return nil
}

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
	Fanout           int // endpoints that one event goes to in fanout; default 100
	Rate             int // events a second of latency's open loop; default half of what single reaches
	PayloadBytes     int // of an event's data; default 1024
	NoisyEndpoints   int // of noisy; default 100
	IdleEndpoints    int // that have nothing to do, in idle; default 1,000,000
	Stored           int // deliveries that are stored in growth; default 10,000,000

	Fail Mix // how some endpoints misbehave in the measured phases of a throughput scenario; default none

	Sizes    []int  // sizes that events take turns with, instead of PayloadBytes
	Payloads string // file of events, one JSON object a line, that are posted instead of generated ones

	Owed   int    // deliveries owed to one endpoint in outage and restart; default 5,000,000
	Outage string // how that endpoint is down: "500", "refused" or "hang"; default 500

	DataRoot string // where the server's data directory is made; default the system's temporary directory

	Target  string   // measure the server at this URL instead of starting one
	Project string   // with Target
	Key     string   // with Target: an API key of the project
	Headers []string // with Target: "Name: value" of every request to it

	ReceiverHost   string // address or name the receiver is called by; default 127.0.0.1
	ReceiverListen string // address it listens on; default ReceiverHost, or all addresses if that is a name

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
	defaultFanout           = 100
	defaultPayloadBytes     = 1024
	defaultOwed             = 5_000_000
	quickOwed               = 40_000
	defaultNoisyEndpoints   = 100
	quickNoisyEndpoints     = 20
	quickDuration           = time.Second
	quickWarmup             = 300 * time.Millisecond
	minDuration             = 100 * time.Millisecond
	defaultIdleEndpoints    = 1_000_000
	defaultStored           = 10_000_000
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
		setDefault(&o.Owed, quickOwed)
		setDefault(&o.NoisyEndpoints, quickNoisyEndpoints)
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
	setDefault(&o.Fanout, defaultFanout)
	setDefault(&o.PayloadBytes, defaultPayloadBytes)
	setDefault(&o.Owed, defaultOwed)
	setDefault(&o.Outage, outageFail)
	setDefault(&o.NoisyEndpoints, defaultNoisyEndpoints)
	setDefault(&o.IdleEndpoints, defaultIdleEndpoints)
	setDefault(&o.Stored, defaultStored)
	setDefault(&o.DataRoot, os.TempDir())
	setDefault(&o.ReceiverHost, "127.0.0.1")
	if net.ParseIP(o.ReceiverHost) != nil {
		setDefault(&o.ReceiverListen, o.ReceiverHost)
	}
	setDefault(&o.ReceiverListen, "0.0.0.0")
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
	return 2*(4*o.Duration+o.Warmup+2*o.TailLimit) + 2*time.Minute
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
		{"fanout", o.Fanout, 2, maxEndpoints},
		{"rate", o.Rate, 0, 1_000_000},
		{"noisy-endpoints", o.NoisyEndpoints, minNoisyEndpoints, maxEndpoints},
		{"size", o.PayloadBytes, MinPayloadBytes, maxPayloadBytes},
		{"owed", o.Owed, 1, maxOwed},
		{"duration in milliseconds", int(o.Duration.Milliseconds()), int(minDuration.Milliseconds()), 3600_000},
		{"idle-endpoints", o.IdleEndpoints, 2, 10_000_000},
		{"stored", o.Stored, 1000, 100_000_000},
		{"warmup in milliseconds", int(o.Warmup.Milliseconds()), 50, 600_000},
		{"tail-limit in milliseconds", int(o.TailLimit.Milliseconds()), 100, 3600_000},
	}
	for _, c := range checks {
		if c.value < c.low || c.value > c.high {
			return fmt.Errorf("%s is %d, must be %d to %d", c.name, c.value, c.low, c.high)
		}
	}
	if !slices.Contains(outageKinds, o.Outage) {
		return fmt.Errorf("outage %q is not one of %s", o.Outage, strings.Join(outageKinds, ", "))
	}
	if err := o.validateFail(); err != nil {
		return fmt.Errorf("fail: %w", err)
	}
	if err := o.validateReceiver(); err != nil {
		return err
	}
	if err := o.validatePayloads(); err != nil {
		return err
	}
	return o.validateTarget()
}

func (o *Options) validateFail() error {
	if err := o.Fail.validate(); err != nil {
		return err
	}
	for name, endpoints := range map[string]int{"single": o.Endpoints, "batch": o.Endpoints, "fanout": o.Fanout} {
		if _, err := o.Fail.over(endpoints); o.asks(name) && err != nil {
			return err
		}
	}
	if len(o.Fail) > 0 && o.Duration > maxMixDuration {
		return fmt.Errorf("duration is %s, must be at most %s while endpoints fail", o.Duration, maxMixDuration)
	}
	return nil
}

// validateReceiver: a server of ours delivers to loopback, and to nowhere else.
func (o *Options) validateReceiver() error {
	if strings.ContainsAny(o.ReceiverHost, "/ @") || net.ParseIP(o.ReceiverHost) == nil && strings.Contains(o.ReceiverHost, ":") {
		return fmt.Errorf("receiver-host %q is not a host name or an IP address without a port", o.ReceiverHost)
	}
	if net.ParseIP(o.ReceiverListen) == nil {
		return fmt.Errorf("receiver-listen %q is not an IP address", o.ReceiverListen)
	}
	if ip := net.ParseIP(o.ReceiverHost); o.Target == "" && (ip.To4() == nil || !ip.IsLoopback()) {
		return fmt.Errorf("receiver-host %q must be in 127.0.0.0/8 unless a target is given", o.ReceiverHost)
	}
	return nil
}

func (o *Options) validateTarget() error {
	for _, text := range o.Headers {
		if _, err := parseHeader(text); err != nil {
			return err
		}
	}
	if o.Target == "" {
		if len(o.Headers) > 0 {
			return errors.New("header is for a server that is given as target")
		}
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

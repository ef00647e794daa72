package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"posthaste/bench/report"
)

// scenario is one row of the report.
type scenario struct {
	name  string
	about string // one line
	// run measures. A row may come with an error: it was measured, and events
	// were lost.
	run func(r *runner, ctx context.Context) (*report.Scenario, error)
	// anyServer: a server that is given with Target can be measured too. The
	// others start, kill and look into servers of their own.
	anyServer bool
}

// The baselines.
const (
	nullPipeBaseline = "null_pipe"
	bareLoopBaseline = "bare_loop"
)

// scenarios are in the order in which they run.
var scenarios = []scenario{
	{name: "single", about: "one event a request, closed loop, against the null pipe", run: (*runner).single, anyServer: true},
	{name: "batch", about: "many events a request, closed loop, against the bare loop", run: (*runner).batch, anyServer: true},
	{name: "fanout", about: "one event to many endpoints, closed loop, against the bare loop", run: (*runner).fanout, anyServer: true},
	{name: "latency", about: "from the intended send to the receipt, open loop at half of single", run: (*runner).latency, anyServer: true},
	{name: "noisy", about: "what endpoints that hang or fail take from those that answer", run: (*runner).noisy, anyServer: true},
	{name: "ratelimit", about: "how close to an endpoint's rate limit deliveries go out", run: (*runner).ratelimit},
	{name: "space", about: "bytes on disk for a byte of payload", run: (*runner).space},
	{name: "idle", about: "memory and start with many endpoints that nobody sends to", run: (*runner).idle},
	{name: "growth", about: "single and the lists over a store that is full", run: (*runner).growth},
	{name: "outage", about: "memory and intake while an endpoint that is down is owed deliveries", run: (*runner).outage},
	{name: "restart", about: "time to serve again with the deliveries of an outage owed", run: (*runner).restart},
}

func scenarioNamed(name string) (scenario, bool) {
	for _, s := range scenarios {
		if s.name == name {
			return s, true
		}
	}
	return scenario{}, false
}

// ScenarioNames are the names of all scenarios, in the order in which they run.
func ScenarioNames() []string {
	var names []string
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	return names
}

// TargetScenarios are the names of those that can be measured at a server given
// with Target.
func TargetScenarios() []string {
	var names []string
	for _, s := range scenarios {
		if s.anyServer {
			names = append(names, s.name)
		}
	}
	return names
}

// ScenarioAbout says in one line what a scenario measures.
func ScenarioAbout(name string) string {
	s, _ := scenarioNamed(name)
	return s.about
}

// errLeftOut is wrapped in why a scenario was not run, which is no failure.
var errLeftOut = errors.New("left out")

// runner is a run in progress.
type runner struct {
	Options
	progress *Progress
	secret   string         // of every endpoint
	report   *report.Report // what is known so far
	shape    shape          // of the load

	restarts *restarts // what outage has measured for restart; nil: nothing
}

// row is the row of a scenario that was measured before in this run, without loss.
func (r *runner) row(name string) (report.Scenario, bool) {
	for _, s := range r.report.Scenarios {
		if s.Name == name {
			return s, s.Lost == 0
		}
	}
	return report.Scenario{}, false
}

// note adds a line to the report.
func (r *runner) note(format string, args ...any) {
	r.report.Notes = append(r.report.Notes, fmt.Sprintf(format, args...))
}

// Run measures. The report is complete as far as it goes even when the error,
// which says what was lost or went wrong, is not nil.
func Run(ctx context.Context, o Options) (*report.Report, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.DataRoot, "posthaste-bench-*")
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	defer os.RemoveAll(dir)
	out := &report.Report{Started: time.Now().UTC(), Quick: o.Quick}
	if out.Machine, err = DescribeMachine(dir); err != nil {
		return nil, err
	}
	out.Notes = machineNotes(out.Machine)
	out.Speed = []report.Speed{probeSpeed("start")}
	r := &runner{Options: o, progress: NewProgress(o.Progress), secret: randomHex(16), report: out}
	r.DataRoot = dir
	defer r.progress.Close()
	if o.Target != "" {
		r.note("the server is the one at %s: what it does to keep events is its own affair", redacted(o.Target))
	}
	var errs []error
	for _, s := range scenarios {
		if ctx.Err() != nil {
			errs = append(errs, ctx.Err())
			break
		}
		if o.asks(s.name) {
			r.announce(s.name, time.Since(out.Started))
			errs = append(errs, r.measure(ctx, s, out))
		}
	}
	out.Notes = append(out.Notes, speedNotes(out)...)
	out.Seconds = time.Since(out.Started).Seconds()
	return out, errors.Join(errs...)
}

// measure runs one scenario and adds its row.
func (r *runner) measure(ctx context.Context, s scenario, out *report.Report) error {
	if r.Target != "" && !s.anyServer {
		out.Notes = append(out.Notes, s.name+" is left out: it starts and looks into a server of its own")
		return nil
	}
	row, err := s.run(r, ctx)
	if errors.Is(err, errLeftOut) {
		out.Notes = append(out.Notes, fmt.Sprintf("%s is %v", s.name, err))
		return nil
	}
	if row != nil {
		out.Scenarios = append(out.Scenarios, *row)
		out.Speed = append(out.Speed, probeSpeed(s.name))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

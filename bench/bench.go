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
	name string
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
	{name: "single", run: (*runner).single, anyServer: true},
	{name: "batch", run: (*runner).batch, anyServer: true},
	{name: "fanout", run: (*runner).fanout, anyServer: true},
	{name: "latency", run: (*runner).latency, anyServer: true},
	{name: "noisy", run: (*runner).noisy, anyServer: true},
	{name: "ratelimit", run: (*runner).ratelimit},
	{name: "space", run: (*runner).space},
	{name: "idle", run: (*runner).idle},
	{name: "growth", run: (*runner).growth},
	{name: "outage", run: (*runner).outage},
	{name: "restart", run: (*runner).restart},
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

// errLeftOut is wrapped in why a scenario was not run, which is no failure.
var errLeftOut = errors.New("left out")

// runner is a run in progress.
type runner struct {
	Options
	progress *Progress
	secret   string // of every endpoint

	restarts *restarts // what outage has measured for restart; nil: nothing
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
	out := &report.Report{Started: time.Now().UTC()}
	if out.Machine, err = DescribeMachine(dir); err != nil {
		return nil, err
	}
	if out.Machine.Filesystem == "tmpfs" {
		out.Notes = append(out.Notes, "the data directory is in memory: durability costs nothing there")
	}
	r := &runner{Options: o, progress: NewProgress(o.Progress), secret: randomHex(16)}
	r.DataRoot = dir
	defer r.progress.Close()
	var errs []error
	for _, s := range scenarios {
		if ctx.Err() != nil {
			errs = append(errs, ctx.Err())
			break
		}
		if o.asks(s.name) {
			errs = append(errs, r.measure(ctx, s, out))
		}
	}
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
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

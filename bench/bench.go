package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// scenario is one kind of load, what it is compared with and what share of that
// it should reach.
type scenario struct {
	name     string
	mode     Mode
	baseline string
	target   float64
}

// The baselines.
const (
	nullPipeBaseline = "null_pipe"
	bareLoopBaseline = "bare_loop"
)

var scenarios = []scenario{
	{name: "single", mode: ModeSingle, baseline: nullPipeBaseline, target: 0.80},
	{name: "batch", mode: ModeBatch, baseline: bareLoopBaseline, target: 0.65},
}

func scenarioNamed(name string) (scenario, bool) {
	for _, s := range scenarios {
		if s.name == name {
			return s, true
		}
	}
	return scenario{}, false
}

func scenarioNames() []string {
	var names []string
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	return names
}

// errNoBatch is why batch is left out.
var errNoBatch = errors.New("the server has no batch route")

// runner is a run in progress.
type runner struct {
	Options
	progress *Progress
	secret   string // of every endpoint
}

// Run measures. The report is complete as far as it goes even when the error,
// which says what was lost or went wrong, is not nil.
func Run(ctx context.Context, o Options) (*Report, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.DataRoot, "posthaste-bench-*")
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	defer os.RemoveAll(dir)
	report := new(Report)
	if report.Machine, err = DescribeMachine(dir); err != nil {
		return nil, err
	}
	if report.Machine.Filesystem == "tmpfs" {
		report.Notes = append(report.Notes, "the data directory is in memory: durability costs nothing there")
	}
	r := &runner{Options: o, progress: NewProgress(o.Progress), secret: randomHex(16)}
	r.DataRoot = dir
	defer r.progress.Close()
	var errs []error
	for _, name := range o.Scenarios {
		s, _ := scenarioNamed(name)
		errs = append(errs, r.scenario(ctx, s, report))
	}
	return report, errors.Join(errs...)
}

// scenario repeats baseline and scenario in turn and adds the result.
func (r *runner) scenario(ctx context.Context, s scenario, report *Report) error {
	var runs []Pair
	var errs []error
	for i := 1; i <= r.Repeat && ctx.Err() == nil; i++ {
		pair, err := r.pair(ctx, s, i)
		if errors.Is(err, errNoBatch) {
			report.Notes = append(report.Notes, "batch is left out: "+err.Error())
			return nil
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s, repeat %d: %w", s.name, i, err))
		}
		if pair != nil {
			runs = append(runs, *pair)
		}
	}
	if len(runs) > 0 {
		report.Scenarios = append(report.Scenarios, newResult(s, runs))
	}
	if len(errs) == 0 && ctx.Err() != nil {
		errs = append(errs, ctx.Err())
	}
	return errors.Join(errs...)
}

// pair measures the baseline and then the scenario. A pair may come with an
// error: it was measured, and events were lost.
func (r *runner) pair(ctx context.Context, s scenario, repeat int) (*Pair, error) {
	label := func(what string) string { return fmt.Sprintf("%s %d/%d %s", s.name, repeat, r.Repeat, what) }
	baseline, err := r.baseline(ctx, s.baseline, label(s.baseline))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.baseline, err)
	}
	if err := baseline.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.baseline, err)
	}
	phase, err := r.underTest(ctx, s, label("server"), r.profileOf(s, repeat))
	if phase == nil {
		return nil, err
	}
	pair := newPair(baseline, phase)
	return &pair, errors.Join(err, phase.Check())
}

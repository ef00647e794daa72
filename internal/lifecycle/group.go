package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// CleanupTimeout bounds how long a Start that failed waits for each of the
// stages it had started to stop again.
const CleanupTimeout = 30 * time.Second

// Group is a Service made of named stages, each of which may use those before
// it. Stages start in order, one after the other, and stop in the reverse order:
//
//	Start:  first → second → third
//	Stop:   third → second → first
//
// A stage stops only after the one above it is gone. If ctx ends before a stage
// is gone, the stages below it stay up, since it may still be using them; the
// next Stop goes on from there.
type Group struct {
	once    once
	stages  []stage
	observe func(Step)

	// Guarded by once.turn.
	up     int     // stages[:up] are running
	faults []error // of stages that are gone
}

type stage struct {
	name    string
	service Service
}

// Step is one stage that has started or stopped, or has failed to.
type Step struct {
	Verb  string // "start" or "stop"
	Stage string
	Took  time.Duration
	Err   error
}

var _ Service = (*Group)(nil)

// NewGroup makes a group without stages. observe, if not nil, is called after
// every step, by the goroutine that is in Start or Stop; it must not block.
func NewGroup(observe func(Step)) *Group {
	if observe == nil {
		observe = func(Step) {}
	}
	return &Group{once: newOnce(), observe: observe}
}

// Add appends a stage. It must not be called after Start or Stop.
func (g *Group) Add(name string, s Service) {
	g.stages = append(g.stages, stage{name, s})
}

// Start starts the stages in order. If one fails, those that had started are
// stopped, and the error names the stage and what else went wrong.
func (g *Group) Start(ctx context.Context) error { return g.once.start(ctx, g.raise) }

// Stop stops the stages in the reverse order, waiting for each, and returns all
// that went wrong, each error naming its stage. A Start in progress is given up.
func (g *Group) Stop(ctx context.Context) error { return g.once.halt(ctx, g.lower) }

func (g *Group) raise(ctx context.Context) error {
	for _, s := range g.stages {
		err := context.Cause(ctx)
		if err == nil {
			err = g.step(ctx, "start", s, s.service.Start)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("start %s: %w", s.name, err), g.unwind(ctx))
		}
		g.up++
	}
	return nil
}

// unwind stops what raise had started, although its ctx may have ended.
func (g *Group) unwind(ctx context.Context) error {
	limit := CleanupTimeout * time.Duration(g.up)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	return g.lower(ctx)
}

func (g *Group) lower(ctx context.Context) error {
	for g.up > 0 {
		s := g.stages[g.up-1]
		err := g.step(ctx, "stop", s, s.service.Stop)
		if err != nil {
			err = fmt.Errorf("stop %s: %w", s.name, err)
			if endedBy(ctx, err) {
				return errors.Join(append(slices.Clip(g.faults), err)...)
			}
			g.faults = append(g.faults, err)
		}
		g.up--
	}
	return errors.Join(g.faults...)
}

// step calls one method of one stage and tells the observer.
func (g *Group) step(ctx context.Context, verb string, s stage, call func(context.Context) error) error {
	began := time.Now()
	err := call(ctx)
	g.observe(Step{Verb: verb, Stage: s.name, Took: time.Since(began), Err: err})
	return err
}

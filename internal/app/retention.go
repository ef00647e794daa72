package app

import (
	"context"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/wal"
)

// retainEvery is how often what is too old is looked for.
const retainEvery = time.Minute

// retain removes what is too old, until ctx ends.
func (a *App) retain(ctx context.Context) error {
	tick := time.NewTicker(retainEvery)
	defer tick.Stop()
	c := caution{gap: a.clockGap}
	for {
		if c.trusts(a.clock.Gap(), time.Now()) {
			a.retainOnce(ctx)
			a.forgetAudits(time.Now())
		}
		giveBack()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// giveBack returns what the start has read and dropped to the operating system. Left
// to itself, the runtime of an idle server keeps it for minutes, and much of it for
// good: of a hundred thousand endpoints, half of what they take themselves. It runs
// once in a process.
var giveBack = sync.OnceFunc(debug.FreeOSMemory)

// cautionTime is how long nothing is removed after the machine's clock was set ahead by as
// much or more: a clock that is wrong for a while must not cost what was to be kept.
const cautionTime = time.Hour

// caution is what retention thinks of the machine's clock.
type caution struct {
	gap  time.Duration // of the clock at the last look, see steady.Clock.Gap
	from time.Time     // when it may be trusted again
}

// trusts reports whether the clock was not set far ahead within cautionTime, or was set
// back since.
func (c *caution) trusts(gap time.Duration, now time.Time) bool {
	by := gap - c.gap
	c.gap = gap
	switch {
	case by >= cautionTime:
		c.from = now.Add(cautionTime)
	case by <= -cautionTime:
		c.from = time.Time{}
	}
	return !now.Before(c.from)
}

func (a *App) retainOnce(ctx context.Context) {
	p := a.policy(time.Now())
	p.Quit = ctx.Done()
	r, err := a.wal.Retain(p)
	if err != nil {
		a.log.Error().Err(err).Msg("what is too old was not removed; trying again in a minute")
		return
	}
	a.m.retained(r)
	if r.Ranges > 0 {
		a.log.Info().Int("hours", r.Hours).Int("ranges", r.Ranges).Int64("bytes_before", r.Before).Int64("bytes_after", r.After).Msg("removed what was too old")
	}
	for _, p := range r.Postponed {
		a.log.Info().Time("hour", p.Hour).Str("reason", p.Reason).Msg("what is too old has to stay")
	}
	if _, err := a.wal.ForgetJobs(p); err != nil {
		a.log.Error().Err(err).Msg("jobs that are too old were not removed; trying again in a minute")
	}
}

// policy is what the projects say today.
func (a *App) policy(now time.Time) wal.Policy {
	snap := a.catalog.Snapshot()
	p := wal.Policy{
		Now:     now,
		Default: wal.Keep{Payload: a.o.RetentionPayload, History: a.o.RetentionHistory, Keys: event.DefaultIdempotencyWindow * time.Second},
		Except:  make(map[event.ID]wal.Keep),
	}
	for _, project := range snap.Projects(event.Range{Limit: math.MaxInt}) {
		if keep := keepOf(p.Default, &project.Config); keep != p.Default {
			p.Except[project.ID] = keep
			p.Except[event.MetaProject(project.ID)] = keep
		}
	}
	p.Longest = longest(snap, p)
	return p
}

// keepOf is what a project says, where it says something. History is kept for at
// least as long as payload.
func keepOf(keep wal.Keep, c *event.ProjectConfig) wal.Keep {
	seconds := func(d *time.Duration, n int) {
		if n > 0 {
			*d = time.Duration(n) * time.Second
		}
	}
	seconds(&keep.Payload, c.Retention.Payload)
	seconds(&keep.History, c.Retention.History)
	seconds(&keep.Keys, c.IdempotencyWindow)
	if keep.History != 0 {
		keep.History = max(keep.History, keep.Payload)
	}
	keep.MaxBytes = c.Retention.MaxBytes
	return keep
}

// longest tells the longest history of the endpoints of a hash. The table behind it
// is made when first asked for.
func longest(snap *catalog.Snapshot, p wal.Policy) func(uint32) (time.Duration, bool) {
	var table map[uint32]time.Duration
	return func(hash uint32) (time.Duration, bool) {
		if table == nil {
			table = histories(snap, p)
		}
		d, known := table[hash]
		return d, known
	}
}

func histories(snap *catalog.Snapshot, p wal.Policy) map[uint32]time.Duration {
	table := make(map[uint32]time.Duration)
	for _, project := range snap.Projects(event.Range{Limit: math.MaxInt}) {
		keep, special := p.Except[project.ID]
		if !special {
			keep = p.Default
		}
		for _, ep := range snap.Endpoints(project.ID, event.Range{Limit: math.MaxInt}, nil) {
			if d, known := table[ep.Hash()]; known && (d == 0 || keep.History != 0 && keep.History < d) {
				continue
			}
			table[ep.Hash()] = keep.History
		}
	}
	return table
}

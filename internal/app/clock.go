package app

import (
	"context"
	"time"
)

const (
	// clockEvery is how often the machine's clock is looked at.
	clockEvery = time.Second
	// clockJump is by how much it has to be set to be worth a line in the log. Smaller
	// steps add up.
	clockJump = 5 * time.Second
	// maxClockBehind is how far the machine's clock may be behind the store at a start.
	maxClockBehind = 24 * time.Hour
)

// awaitClock returns when the machine's clock is not far behind the store. One that is, as
// at the boot of a machine that does not know the time, would sign what it sends with a time
// that no receiver takes. It returns at once where the operator says that the clock is
// right.
func (a *App) awaitClock(ctx context.Context) error {
	newest := a.wal.Newest()
	behind := func() time.Duration { return newest.Sub(a.clock.Wall()) }
	if a.o.IgnoreClock || behind() <= maxClockBehind {
		return nil
	}
	a.log.Error().Time("clock", a.clock.Wall()).Time("newest", newest).Stringer("behind", behind().Round(time.Second)).
		Msg("nothing is served: the machine's clock is more than a day behind what the store holds; waiting until it is set. If it is right, and was wrong when the newest events came, start with --ignore-clock")
	a.awaitsClock.Store(true)
	defer a.awaitsClock.Store(false)
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	for behind() > maxClockBehind {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	a.log.Info().Time("clock", a.clock.Wall()).Msg("the machine's clock was set: starting")
	return nil
}

// watchClock sees to what follows when the machine's clock is set, until ctx ends.
func (a *App) watchClock(ctx context.Context) error {
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	for gap := a.clockGap; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		now := a.clock.Gap()
		if by := now - gap; by.Abs() >= clockJump {
			gap = now
			a.clockWasSet(by)
		}
	}
}

// clockWasSet tells of it, and those who have to know. The log's clock has followed by
// itself.
func (a *App) clockWasSet(by time.Duration) {
	a.m.clockJumps.Inc()
	line := a.log.Warn().Stringer("by", by.Round(time.Millisecond)).Time("clock", a.clock.Wall())
	if by < 0 {
		line.Stringer("ahead", a.clock.Ahead().Round(time.Millisecond)).
			Msg("the machine's clock was set back: ids and due times go on from where they were, a little more slowly, until it has caught up")
		return
	}
	a.engine.ClockSet()
	line.Msg("the machine's clock was set ahead, or the machine slept: retries that are due by it now are made, as fast as limits allow")
}

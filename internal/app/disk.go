package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"posthaste/event"
	"posthaste/internal/diskspace"
	"posthaste/wal"
)

// What the server does while the disk of the data folder is full, or nearly so:
//
//	ok    everything
//	soft  less than the reserve is free: events, replays, jobs and changes are refused;
//	      deliveries, reads and retention go on
//	hard  a quarter of it, or a write was refused: attempts do not begin either
//
// It goes back by itself when there is space again, see diskspace.Watch.

const (
	diskEvery = time.Second      // how often the disk is looked at
	diskShare = 16               // of the reserve: when so much was written, it is looked at again
	diskRetry = 10 * time.Second // Retry-After of what is refused meanwhile
)

// disk is what is known of the disk.
type disk struct {
	poke    chan struct{}            // look at once
	refused atomic.Pointer[error]    // a write was, since the last look
	seen    atomic.Pointer[diskSeen] // nil before the first look
	refusal atomic.Int64             // writes that were refused
	written atomic.Int64             // bytes of groups since the last look

	// Of watchDisk, and before that of startEngine.
	watch diskspace.Watch
	cause error // of the last refused write
	blind bool  // it is known that the last look failed
}

// diskSeen is what came of a look.
type diskSeen struct {
	state diskspace.State
	usage diskspace.Usage
	full  *event.FullError // why, unless it is OK
}

func newDisk(reserve int64) *disk {
	return &disk{poke: make(chan struct{}, 1), watch: diskspace.Watch{Reserve: reserve}}
}

// diskRefused is wal.Options.OnRefused.
func (a *App) diskRefused(err error) {
	a.disk.refusal.Add(1)
	a.disk.refused.Store(&err)
	a.disk.lookSoon()
}

// committed is wal.Options.Observe. A fast intake would be through the reserve between one
// second and the next.
func (a *App) committed(g wal.GroupStats) {
	a.m.committed(g)
	if d := a.disk; d.watch.Reserve > 0 && d.written.Add(int64(g.Bytes)) > d.watch.Reserve/diskShare {
		d.lookSoon()
	}
}

func (d *disk) lookSoon() {
	select {
	case d.poke <- struct{}{}:
	default:
	}
}

// watchDisk looks at the disk every second, and when a write was refused, until ctx ends.
func (a *App) watchDisk(ctx context.Context) error {
	tick := time.NewTicker(diskEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case <-a.disk.poke:
		}
		a.lookAtDisk(time.Now())
	}
}

// lookAtDisk looks once and does what follows from it.
func (a *App) lookAtDisk(now time.Time) {
	d := a.disk
	d.written.Store(0)
	s := a.sampleDisk()
	if err := d.refused.Swap(nil); err != nil {
		s.Refused, d.cause = true, *err
	}
	if s.Owed > 0 && d.watch.Room(now, s) {
		if err := a.restoreBallast(); err != nil {
			s.Refused, d.cause = true, err
		} else {
			s = a.sampleDisk()
		}
	}
	was := d.watch.State()
	seen := &diskSeen{state: d.watch.Look(now, s), usage: s.Usage}
	if seen.state != diskspace.OK {
		seen.full = &event.FullError{Reason: d.why(seen.state, s), After: diskRetry}
	}
	d.seen.Store(seen)
	a.applyDisk(seen)
	if seen.state != was {
		a.tellDisk(seen)
	}
}

// sampleDisk asks the system and the log.
func (a *App) sampleDisk() diskspace.Sample {
	use, err := diskspace.Look(a.o.DataDir)
	if err != nil {
		if !a.disk.blind && !errors.Is(err, errors.ErrUnsupported) {
			a.log.Error().Err(err).Msg("it is not known how full the disk is")
		}
		use = diskspace.Usage{FreeBytes: math.MaxInt64 / 2}
		if seen := a.disk.seen.Load(); seen != nil {
			use = seen.usage
		}
	}
	a.disk.blind = err != nil
	return diskspace.Sample{Usage: use, Owed: a.wal.Ballast()}
}

// restoreBallast returns an error if there is no space for it.
func (a *App) restoreBallast() error {
	err := a.wal.RestoreBallast()
	if err == nil || errors.Is(err, wal.ErrFull) {
		return err
	}
	a.log.Warn().Err(err).Msg("the ballast could not be made; going on without")
	return nil
}

// applyDisk lets go on, or holds, what the state says.
func (a *App) applyDisk(seen *diskSeen) {
	if seen.full == nil {
		a.engine.Refuse(nil)
	} else {
		a.engine.Refuse(seen.full)
	}
	a.engine.Hold(seen.state == diskspace.Hard)
	a.wal.SaveSpace(seen.state != diskspace.OK)
}

func (a *App) tellDisk(seen *diskSeen) {
	line, next := a.log.Error(), "attempts do not begin, and nothing new is taken"
	switch seen.state {
	case diskspace.OK:
		line, next = a.log.Info(), "there is space again: everything goes on"
	case diskspace.Soft:
		line, next = a.log.Warn(), "nothing new is taken; deliveries go on"
	}
	if seen.full != nil {
		line.Str("reason", seen.full.Reason)
	}
	line.Stringer("disk", seen.state).Str("data", a.o.DataDir).Int64("free_bytes", seen.usage.FreeBytes).Msg(next)
}

// why is what is told to whom something is refused: what is full, what is meanwhile, what
// to do.
func (d *disk) why(state diskspace.State, s diskspace.Sample) string {
	what := fmt.Sprintf("the server's disk is full: %s of %s are free, and nothing new is taken before %s are",
		diskspace.Bytes(s.FreeBytes), diskspace.Bytes(s.TotalBytes), diskspace.Bytes(d.watch.Needed(s)))
	switch {
	case s.ReadOnly:
		what = "the server's disk is mounted read-only"
	case d.watch.FewInodes(s):
		what = fmt.Sprintf("the server's disk is full: it has room for %d more files", s.FreeInodes)
	case state == diskspace.Hard && d.watch.Enough(s):
		what = fmt.Sprintf("the server's disk refused a write (%v)", d.cause)
	}
	meanwhile := "what was accepted is delivered meanwhile"
	if state == diskspace.Hard {
		meanwhile = "what was accepted is kept, and delivered then"
	}
	return what + "; " + meanwhile + ". Free space, give it more, or keep events for a shorter time"
}

// state is that of the last look.
func (d *disk) state() diskspace.State {
	if seen := d.seen.Load(); seen != nil {
		return seen.state
	}
	return diskspace.OK
}

// full is api.Options.Full.
func (d *disk) full(relief bool) error {
	seen := d.seen.Load()
	if seen == nil || seen.full == nil || relief && seen.state == diskspace.Soft {
		return nil
	}
	return seen.full
}

// explained adds to a failure of the store what to do about it, if it came of a full disk.
func (a *App) explained(err error) error {
	if !errors.Is(err, wal.ErrFull) {
		return err
	}
	free := "it has no space left"
	if use, lookErr := diskspace.Look(a.o.DataDir); lookErr == nil {
		free = fmt.Sprintf("%s of %s are free", diskspace.Bytes(use.FreeBytes), diskspace.Bytes(use.TotalBytes))
		if use.ReadOnly {
			free = "it is mounted read-only"
		}
	}
	return fmt.Errorf("%w (the file system of %s: %s; make room there and start again: what was accepted is kept)", err, a.o.DataDir, free)
}

// Package diskspace says how full a disk is, and what a server may still do on it.
//
// The one idea: a server stops taking work in long before its disk is full, stops
// making new records before what is on its way could not be written any more, and
// goes on by itself when there is space again, a good deal more than where it stopped.
package diskspace

import "time"

// State is what may be written.
type State int

// The states, each of which allows less than the one before.
const (
	OK   State = iota // everything
	Soft              // nothing new is taken in; what is there is delivered
	Hard              // nothing but what is on its way
)

// States are all of them.
var States = []State{OK, Soft, Hard}

// String is "ok", "soft" or "hard".
func (s State) String() string { return [...]string{"ok", "soft", "hard"}[s] }

// Of the reserve, in quarters: below hardBelow it is hard until hardUntil, and below
// the whole soft until softUntil. What the states save must not bring them back at once.
const (
	quarters  = 4
	hardBelow = 1
	hardUntil = 2
	softBelow = 4
	softUntil = 5
)

// fewInodes is a quarter of the files that there must be room for. A server needs some
// dozens.
const fewInodes = 250

// Doubt is how long a refused write counts, whatever is free: a quota does not show in
// what a file system says of itself.
const Doubt = 3 * time.Second

// Sample is one look at the disk.
type Sample struct {
	Usage
	// Owed are bytes that are to be put aside before anything else is written: a ballast
	// that was given up. While it is not there again, it is Hard.
	Owed int64
	// Refused: a write was refused for lack of space since the last look.
	Refused bool
}

// left is what is free beside what is owed.
func (s *Sample) left() int64 { return s.FreeBytes - s.Owed }

// Watch goes from state to state as it is told what there is. The zero value has no
// reserve, and knows refused writes only.
type Watch struct {
	Reserve int64 // bytes that are to stay free; 0: none

	state State
	doubt time.Time // until when a refused write counts
}

// State is what the last look led to; OK before the first.
func (w *Watch) State() State { return w.state }

// Look notes a sample and returns the state it leads to.
func (w *Watch) Look(now time.Time, s Sample) State {
	if s.Refused {
		w.doubt = now.Add(Doubt)
	}
	switch {
	case s.ReadOnly, s.Owed > 0, now.Before(w.doubt), w.short(&s, w.limit(Hard)):
		w.state = Hard
	case w.short(&s, w.limit(Soft)):
		w.state = Soft
	default:
		w.state = OK
	}
	return w.state
}

// Room reports whether there is enough to leave Hard, once what is owed is put aside.
func (w *Watch) Room(now time.Time, s Sample) bool {
	return !s.Refused && !s.ReadOnly && !now.Before(w.doubt) && s.left() >= 0 && !w.short(&s, w.limit(Hard))
}

// limit is below how many quarters of the reserve the state is the one asked for: more,
// if it was that, or worse, before.
func (w *Watch) limit(state State) int64 {
	switch {
	case state == Hard && w.state == Hard:
		return hardUntil
	case state == Hard:
		return hardBelow
	case w.state != OK:
		return softUntil
	}
	return softBelow
}

func (w *Watch) short(s *Sample, limit int64) bool {
	return s.left() < w.Reserve/quarters*limit || s.TotalInodes > 0 && s.FreeInodes < fewInodes*limit
}

// Needed is how many bytes must be free for everything to be taken in again.
func (w *Watch) Needed(s Sample) int64 { return s.Owed + w.Reserve/quarters*softUntil }

// Enough reports whether the bytes that are free would do.
func (w *Watch) Enough(s Sample) bool { return s.FreeBytes >= w.Needed(s) }

// FewInodes reports whether it is files that the sample is short of.
func (w *Watch) FewInodes(s Sample) bool {
	return s.TotalInodes > 0 && s.FreeInodes < fewInodes*softUntil
}

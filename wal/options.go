package wal

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"

	"posthaste/event"
	"posthaste/internal/steady"
)

// Options set up a Log. The zero value of a field means its default.
type Options struct {
	Dir string // the data folder; required
	FS  vfs.FS // the file system; the disk's by default. Tests crash it

	// Partitions of a new store, 1 to 65534; 256 by default. A store keeps the
	// count that it was made with.
	Partitions int

	// Relaxed acknowledges before the fsync: a power cut or a kill may lose what
	// was acknowledged in the last moments, and on an idle log what the last 32 KiB
	// held. A failing disk is noticed late. Off by default.
	Relaxed bool

	// GroupBytes bounds the group that is being built, and with it what waits
	// for the disk: writers wait beyond it. 4 MiB by default.
	GroupBytes int

	// SettleDelay is how long settlements wait for an intake to share their
	// fsync with, before they are committed for themselves. 5 ms by default.
	SettleDelay time.Duration

	// IdempotencyWindow is how long a key is remembered of which the submission does
	// not say; 24 h by default.
	IdempotencyWindow time.Duration

	CacheBytes    int64  // block cache; 64 MiB by default
	MemTableBytes uint64 // one memtable; 32 MiB by default

	CreatedBy string // the program and version, kept in a new store's header
	Logger    zerolog.Logger

	// Sink takes what is committed. It may be nil for a log that is only read.
	Sink Sink

	// OnFatal is told of a failed write or fsync of the log, after all who waited
	// were. What was not acknowledged by then never will be; the process must end
	// with a code of its own, for a second fsync could succeed without the data. It
	// may be called more than once, from any goroutine, among them the committer
	// and Pebble's own. It must not return; if it does, the log panics. Where it
	// blocks, Close blocks too.
	OnFatal func(error)

	// tablePatience is how long no table may be written before that is final, unless it
	// is for lack of space; 10 s by default.
	tablePatience time.Duration

	// BallastBytes is the size of a file beside the store's that takes space for the case
	// that the disk is full: a write of the log that finds none gives it up and is made
	// once more; see RestoreBallast. 0 by default: there is none.
	BallastBytes int64

	// OnRefused is told of every write that found no space (also one that can be made later,
	// or that the ballast helps), from any goroutine. It must not block. May be nil.
	OnRefused func(error)

	// rewriteAge is how old a blob file must be to be rewritten; an hour by default.
	rewriteAge time.Duration

	// Clock is what ids are dated by; one of its own by default. Open moves it on to the
	// newest id.
	Clock *steady.Clock

	// Tail is told of what becomes durable, for those who watch. It may be nil.
	Tail Tail

	// Observe is told of each committed group. It must not block. May be nil.
	Observe func(GroupStats)
}

// GroupStats is what one commit carried.
type GroupStats struct {
	Events, Settlements, Bytes int
	Wait                       time.Duration // from the start of the commit to durable
}

// Sink takes what the log commits, in commit order, from the committer's
// goroutine. Its methods must not block: the next group waits for them.
type Sink interface {
	// Committed hands over submissions that are durable now, with ids. Those with
	// an Err or Duplicate carry nothing.
	Committed(groups [][]event.Submission)
	// Waiting tells of timers that are in the log now.
	Waiting(timers []event.Timer)
}

// Tail hears of what the log makes durable while somebody listens. Its methods must not
// block.
type Tail interface {
	// Wanted reports whether anybody listens. It is asked for every outcome, under the
	// log's lock: one that is handed to the log after Wanted has become true is told.
	Wanted() bool
	// Durable hands over what a group held, from the committer's goroutine and before
	// the Sink has it. The submissions are only to be read, and only until it returns; the
	// outcomes are the Tail's to keep, but not their slice.
	Durable(groups [][]event.Submission, outcomes []event.Outcome)
}

func (o *Options) ensureDefaults() {
	setDefault(&o.Partitions, event.DefaultPartitions)
	setDefault(&o.GroupBytes, 4<<20)
	setDefault(&o.SettleDelay, 5*time.Millisecond)
	setDefault(&o.rewriteAge, time.Hour)
	setDefault(&o.tablePatience, 10*time.Second)
	setDefault(&o.IdempotencyWindow, 24*time.Hour)
	setDefault(&o.CacheBytes, 64<<20)
	setDefault(&o.MemTableBytes, 32<<20)
	if o.Clock == nil {
		o.Clock = steady.New()
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.OnFatal == nil {
		o.OnFatal = func(error) {}
	}
}

func (o *Options) validate() error {
	switch {
	case o.Dir == "":
		return errors.New("dir: is required")
	case o.Partitions < 1 || o.Partitions >= allPartitions:
		return fmt.Errorf("partitions: %d is not between 1 and %d", o.Partitions, allPartitions-1)
	case o.GroupBytes < 0 || o.SettleDelay < 0 || o.IdempotencyWindow < 0 || o.CacheBytes < 0 || o.BallastBytes < 0:
		return errors.New("group bytes, settle delay, idempotency window, cache bytes and ballast bytes must be positive")
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

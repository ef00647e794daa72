package wal

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/rs/zerolog"

	"posthaste/event"
)

// FormatVersion is the layout that this program writes; it reads this one only.
const FormatVersion = 1

// Log is an open store. All methods may be called from any goroutine, unless
// they say otherwise.
type Log struct {
	o          Options
	db         *pebble.DB
	partitions int
	readOnly   bool

	// node makes the ids of this process differ from those of any other that
	// writes in the same millisecond.
	node uint32

	// mu guards the group that is being built, and the clock and sequence of ids.
	mu     sync.Mutex
	room   sync.Cond // signalled when a group is taken
	group  *group
	clock  uint64 // ms of the newest id; never goes back
	seq    uint64
	closed bool
	// horizon is the clock at the end of Recover.
	horizon uint64

	idem    idemTable
	catalog sync.Mutex // serialises CASCatalog

	failed atomic.Pointer[failure]
	wake   chan struct{} // an intake waits
	lazy   chan struct{} // settlements wait
	done   chan struct{} // closed when the committer is gone
	groups sync.Pool
}

type failure struct{ err error }

// header is the store's own description.
type header struct {
	Magic      string `json:"magic"`
	Format     int    `json:"format"`
	MinReader  int    `json:"min_reader"`
	Partitions int    `json:"partitions"`
	Bucket     int    `json:"bucket_ms"`
	CreatedBy  string `json:"created_by"`
	CreatedAt  string `json:"created_at"`
}

const magic = "posthaste"

var headerKey = []byte{kindHeader}

// Open opens the store in o.Dir, or makes one, and starts its committer. The
// caller closes it. A store of a newer format, a folder that holds something
// else, and a store that another process has open are refused.
func Open(o Options) (*Log, error) {
	o.ensureDefaults()
	if o.Partitions < 1 || o.Partitions >= allPartitions {
		return nil, fmt.Errorf("partitions: %d is not between 1 and %d", o.Partitions, allPartitions-1)
	}
	l := &Log{o: o, node: rand.Uint32(), group: &group{}}
	l.room.L = &l.mu
	l.seq = rand.Uint64N(event.MaxDeliverySeq / 2) // room to count up from
	l.idem.init()
	if err := l.openDB(); err != nil {
		return nil, fmt.Errorf("open log in %s: %w", o.Dir, err)
	}
	if err := l.readClock(); err != nil {
		_ = l.db.Close()
		return nil, fmt.Errorf("open log in %s: %w", o.Dir, err)
	}
	l.group = l.newGroup()
	l.wake, l.lazy, l.done = make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
	go l.commitLoop()
	return l, nil
}

// OpenReadOnly opens a store without changing it, and without a committer.
func OpenReadOnly(o Options) (*Log, error) {
	o.ensureDefaults()
	l := &Log{o: o, readOnly: true}
	var err error
	if l.db, err = pebble.Open(o.Dir, l.pebbleOptions()); err != nil {
		return nil, fmt.Errorf("open log in %s: %w", o.Dir, err)
	}
	if err := l.readHeader(); err != nil {
		_ = l.db.Close()
		return nil, fmt.Errorf("open log in %s: %w", o.Dir, err)
	}
	return l, nil
}

func (l *Log) openDB() (err error) {
	if l.db, err = pebble.Open(l.o.Dir, l.pebbleOptions()); err != nil {
		return err
	}
	err = l.readHeader()
	if !errors.Is(err, pebble.ErrNotFound) {
		if err != nil {
			_ = l.db.Close()
		}
		return err
	}
	if err = l.create(); err != nil {
		_ = l.db.Close()
		return err
	}
	// The first write-ahead log of a new store is written in an older format, in
	// which a flipped bit cuts off all that follows without an error. Flushed,
	// closed and opened again, the store has none of it.
	if err = l.db.Close(); err != nil {
		return err
	}
	l.db, err = pebble.Open(l.o.Dir, l.pebbleOptions())
	return err
}

func (l *Log) create() error {
	it, err := l.db.NewIter(nil)
	if err != nil {
		return err
	}
	other := it.First()
	if err := it.Close(); err != nil {
		return err
	}
	if other {
		return errors.New("the folder holds a store that is not posthaste's")
	}
	l.partitions = l.o.Partitions
	body, err := json.Marshal(header{
		Magic: magic, Format: FormatVersion, MinReader: FormatVersion, Partitions: l.partitions,
		Bucket: bucketMillis, CreatedBy: l.o.CreatedBy, CreatedAt: time.Now().UTC().Format(time.RFC3339),
	})
	if err != nil {
		return err
	}
	value := append(make([]byte, recordHeaderLen), body...)
	seal(value, headerKey)
	if err := l.db.Set(headerKey, value, pebble.Sync); err != nil {
		return err
	}
	return l.db.Flush()
}

func (l *Log) readHeader() error {
	value, closer, err := l.db.Get(headerKey)
	if err != nil {
		return err
	}
	defer closer.Close()
	r, err := open(headerKey, value)
	if err != nil {
		return err
	}
	var h header
	if err := json.Unmarshal(r.b, &h); err != nil || h.Magic != magic {
		return &CorruptError{headerKey, "not the header of a posthaste store"}
	}
	if h.MinReader > FormatVersion {
		return fmt.Errorf("the store has format %d, written by %s; this program reads format %d: use the newer program", h.Format, h.CreatedBy, FormatVersion)
	}
	if h.Bucket != bucketMillis || h.Partitions < 1 || h.Partitions >= allPartitions {
		return &CorruptError{headerKey, "bucket length or partition count out of range"}
	}
	l.partitions = h.Partitions
	return nil
}

// readClock makes sure that new ids are greater than the persisted watermark
// even when this machine's clock went back.
func (l *Log) readClock() error {
	ms, err := l.watermark(allPartitions)
	l.clock = max(ms, 1)
	return err
}

// Partitions is the store's count of partitions; it never changes.
func (l *Log) Partitions() int { return l.partitions }

// Close commits what is waiting, flushes, and closes the store. Writers that
// come later get event.ErrClosed. A second Close does nothing.
func (l *Log) Close() error {
	l.mu.Lock()
	already := l.closed
	l.closed = true
	l.room.Broadcast()
	l.mu.Unlock()
	if already {
		return nil
	}
	if !l.readOnly {
		close(l.wake)
		<-l.done
	}
	err := l.failure()
	return errors.Join(err, l.db.Close())
}

func (l *Log) failure() error {
	if f := l.failed.Load(); f != nil {
		return f.err
	}
	return nil
}

// fail makes an error of the store final.
func (l *Log) fail(err error) {
	l.failed.CompareAndSwap(nil, &failure{fmt.Errorf("log: %w", err)})
	l.o.OnFatal(l.failure())
}

func (l *Log) pebbleOptions() *pebble.Options {
	o := &pebble.Options{
		FS:                          l.o.FS,
		FormatMajorVersion:          pebble.FormatNewest,
		CacheSize:                   l.o.CacheBytes,
		MemTableSize:                l.o.MemTableBytes,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       1000,
		LBaseMaxBytes:               128 << 20,
		MaxOpenFiles:                4096,
		BytesPerSync:                1 << 20,
		Logger:                      pebbleLogger{l: l, log: l.o.Logger},
		ReadOnly:                    l.readOnly,
	}
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionBalanced })
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return o
}

// pebbleLogger passes Pebble's errors on and keeps its chatter for debugging.
type pebbleLogger struct {
	l   *Log
	log zerolog.Logger
}

func (p pebbleLogger) Infof(format string, args ...any) {
	p.log.Trace().Str("component", "pebble").Msgf(format, args...)
}

func (p pebbleLogger) Errorf(format string, args ...any) {
	p.log.Error().Str("component", "pebble").Msgf(format, args...)
}

// Fatalf is how Pebble says that a write or an fsync of its log failed.
func (p pebbleLogger) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	p.l.fail(err)
	panic("FATAL: the log failed and the process was not ended: " + err.Error())
}

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

	"posthaste/event"
)

// FormatVersion is the layout that this program writes; it reads all up to this.
// 2 added events with an origin, deliveries at most once, and the records of health,
// jobs, replays and retention; 3 the index of events and the time of the newest id; 4
// packed headers of attempts; 5 the audit log, and watermarks of single partitions; 6 counts.
const FormatVersion = 6

// Log is an open store. All methods may be called from any goroutine, unless
// they say otherwise.
type Log struct {
	o          Options
	db         *pebble.DB
	space      *spaceFS
	strict     strict
	panics     strict // as strict, and always on
	trouble    trouble
	takeCache  func() (giveBack func()) // leaves the block cache no room for a while
	partitions int
	readOnly   bool

	// node makes the ids of this process differ from those of any other that
	// writes in the same millisecond.
	node uint32

	// mu guards the group that is being built, and the clock and sequence of ids.
	mu    sync.Mutex
	room  sync.Cond // signalled when a group is taken
	group *group
	clock uint64 // ms of the newest id; never goes back
	seq   uint64
	// undecided are the outcomes of the groups that are being built or committed.
	undecided []*outcome
	closed    bool
	closing   bool // a call of Close has begun
	frozen    freeze
	indexer   indexer
	packer    packer
	counter   counter
	// horizon is the clock at the end of Recover.
	horizon uint64
	marked  map[uint16]struct{} // partitions with a watermark of their own

	idem    idemTable
	catalog sync.Mutex // serialises CASCatalog
	// gate is read-locked by writers while they use the store outside the
	// committer; Close locks it before it closes the store.
	gate     sync.RWMutex
	freezing sync.RWMutex // held while what is stored is removed; taken after the gate, before mu
	retained retention

	failed atomic.Pointer[failure]
	// lastRefusal is when a write found no space, in Unix nanoseconds.
	lastRefusal atomic.Int64

	found     atomic.Pointer[DamageError] // the first that a reader found
	wake      chan struct{}               // an intake waits
	lazy      chan struct{}               // settlements wait
	stop      chan struct{}               // closed by Close
	done      chan struct{}               // closed when the committer is gone
	index     chan struct{}               // stretches of the index have ended
	indexQuit chan struct{}               // closed by Close, in front of stop
	indexed   chan struct{}               // closed when indexLoop is gone
	spare     []*group                    // the committer's

	noise noise
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
// else, a store that another process has open and one with damage that can be seen
// without reading all of it (DamageError) are refused.
func Open(o Options) (*Log, error) {
	l, err := newLog(o)
	if err != nil {
		return nil, err
	}
	if err := l.openDB(); err != nil {
		return nil, openError(o.Dir, err)
	}
	if err := l.readClock(); err != nil {
		_ = l.db.Close()
		return nil, openError(o.Dir, err)
	}
	if err := l.openCounts(); err != nil {
		_ = l.db.Close()
		return nil, openError(o.Dir, fmt.Errorf("counts: %w", err))
	}
	l.strict.on.Store(true)
	l.mu.Lock() // damage that was found meanwhile may be on its way to fail
	l.group = l.newGroup()
	l.undecided = append(l.undecided, l.group.outcome)
	l.mu.Unlock()
	l.indexer.start(l.clock)
	go l.commitLoop()
	go l.indexLoop(l.indexQuit)
	go l.foldLoop()
	l.startPacker()
	return l, nil
}

// openError says which store could not be opened, and of one with a damaged record what to do.
func openError(dir string, err error) error {
	if errors.Is(err, ErrCorrupt) && !errors.Is(err, errDamaged) {
		err = fmt.Errorf("%w: %w", err, errDamaged)
	}
	return fmt.Errorf("open log in %s: %w", dir, err)
}

// OpenReadOnly opens a store without changing it, and without a committer. No
// other may have it open meanwhile. Everything that writes returns an error.
func OpenReadOnly(o Options) (*Log, error) {
	l, err := newLog(o)
	if err != nil {
		return nil, err
	}
	l.readOnly = true
	if _, err := l.admit(); err != nil {
		return nil, openError(o.Dir, err)
	}
	if err := l.openPebble(); err != nil {
		return nil, openError(o.Dir, err)
	}
	_, err = l.readHeader()
	if errors.Is(err, pebble.ErrNotFound) {
		err = errForeign
	}
	if err == nil {
		err = l.checkValueFiles(true)
	}
	if err != nil {
		_ = l.db.Close()
		return nil, openError(o.Dir, err)
	}
	return l, nil
}

func newLog(o Options) (*Log, error) {
	o.ensureDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	l := &Log{o: o, node: rand.Uint32()}
	l.strict.fail, l.panics.fail = l.fail, l.fail
	l.panics.on.Store(true)
	l.room.L = &l.mu
	l.seq = rand.Uint64N(event.MaxDeliverySeq / 2) // room to count up from
	l.idem.init()
	l.counter.init()
	l.stop, l.done = make(chan struct{}), make(chan struct{})
	l.space = newSpaceFS(&l.o, l.refused, l.fail, l.stop)
	l.wake, l.lazy = make(chan struct{}, 1), make(chan struct{}, 1)
	l.index, l.indexQuit, l.indexed = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	return l, nil
}

// replayLog writes what the last process left in the write-ahead log to tables. Pebble's
// Open does so, and then waits for the compaction that these tables may set off: with it
// an Open after a crash took 2 to 9 s, and 0.4 s where there was none. So this is done
// first, with a store that compacts nothing.
func (l *Log) replayLog() error {
	o := l.pebbleOptions()
	o.DisableAutomaticCompactions = true
	if err := l.openWith(o); err != nil {
		return err
	}
	return l.db.Close()
}

func (l *Log) openPebble() error { return l.openWith(l.pebbleOptions()) }

func (l *Log) openWith(o *pebble.Options) (err error) {
	defer openPanic(&err)
	cache := pebble.NewCache(l.cacheCapacity())
	defer cache.Unref() // the store has a reference of its own
	l.takeCache = func() func() { return cache.Reserve(int(l.cacheCapacity())) }
	o.Cache = cache
	l.db, err = pebble.Open(l.o.Dir, o)
	return lockError(err)
}

// cacheCapacity is CacheBytes and two memtables. Pebble counts the memory of memtables as
// taken from the cache: of the one that is written to, and of the one that is flushed or
// kept for the next. Without them nothing was cached once 64 MiB had been written. In a
// burst there are up to four, for which the cache makes room.
func (l *Log) cacheCapacity() int64 { return l.o.CacheBytes + 2*int64(l.o.MemTableBytes) }

// openChecked opens the store if it is as the last process left it.
func (l *Log) openChecked() error {
	state, err := l.admit()
	relaxed := l.o.Relaxed || state != nil && state.Relaxed
	if err == nil && state != nil {
		err = l.markRunning(relaxed)
	}
	if err != nil {
		return err
	}
	if err := l.openStore(); err != nil {
		return err
	}
	if err = l.checkNewest(state); err == nil {
		err = l.checkValueFiles(false)
	}
	// Without a state the folder might have been another's until now.
	if err == nil && (state == nil || relaxed != l.o.Relaxed) {
		err = l.markRunning(l.o.Relaxed)
	}
	if err != nil {
		_ = l.db.Close()
	}
	return err
}

func (l *Log) openDB() error {
	l.space.ballast.find()
	l.space.opening.Store(true)
	err := l.openChecked()
	l.space.opening.Store(false)
	if err != nil {
		return err
	}
	if err := l.RestoreBallast(); err != nil {
		l.o.Logger.Warn().Err(err).Msg("the ballast was not made")
	}
	return nil
}

func (l *Log) openStore() error {
	if err := l.replayLog(); err != nil {
		return err
	}
	if err := l.openPebble(); err != nil {
		return err
	}
	h, err := l.readHeader()
	if err == nil && h.Format < FormatVersion {
		h.Format, h.MinReader = FormatVersion, FormatVersion
		err = l.writeHeader(h)
	}
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
	return l.openPebble()
}

var errForeign = errors.New("the folder holds a store that is not posthaste's")

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
		return errForeign
	}
	l.partitions = l.o.Partitions
	err = l.writeHeader(header{
		Magic: magic, Format: FormatVersion, MinReader: FormatVersion, Partitions: l.partitions,
		Bucket: bucketMillis, CreatedBy: l.o.CreatedBy, CreatedAt: time.Now().UTC().Format(time.RFC3339),
	})
	if err != nil {
		return err
	}
	l.strict.on.Store(true) // it begins a new file of the write-ahead log
	defer l.strict.on.Store(false)
	return l.db.Flush()
}

func (l *Log) writeHeader(h header) error {
	body, err := json.Marshal(h)
	if err != nil {
		return err
	}
	value := append(make([]byte, recordHeaderLen), body...)
	seal(value, headerKey)
	return l.db.Set(headerKey, value, pebble.Sync)
}

func (l *Log) readHeader() (h header, err error) {
	value, closer, err := l.get(headerKey)
	if err != nil {
		return h, err
	}
	defer closer.Close()
	r, err := open(headerKey, value)
	if err != nil {
		return h, err
	}
	if err := json.Unmarshal(r.b, &h); err != nil || h.Magic != magic {
		return h, &CorruptError{headerKey, "not the header of a posthaste store"}
	}
	if h.MinReader > FormatVersion {
		return h, fmt.Errorf("the store has format %d, written by %s; this program reads format %d: use the newer program", h.Format, h.CreatedBy, FormatVersion)
	}
	if h.Bucket != bucketMillis || h.Partitions < 1 || h.Partitions >= allPartitions {
		return h, &CorruptError{headerKey, "bucket length or partition count out of range"}
	}
	l.partitions = h.Partitions
	return h, nil
}

// Partitions is the store's count of partitions; it never changes.
func (l *Log) Partitions() int { return l.partitions }

// Close commits what is waiting and closes the store. Writers that come later
// get event.ErrClosed. Readers must have ended. A second Close does nothing.
// After a failure of the store it returns that failure.
func (l *Log) Close() error {
	l.mu.Lock()
	already := l.closing
	l.closing = true
	l.mu.Unlock()
	if already {
		return nil
	}
	if !l.readOnly {
		l.endIndex()
		l.endCounts()
	}
	l.mu.Lock()
	l.closed = true
	l.room.Broadcast()
	l.mu.Unlock()
	if !l.readOnly {
		l.packer.end()
		close(l.stop)
		<-l.done
	}
	l.gate.Lock() // behind those that use the store on their own
	defer l.gate.Unlock()
	err := l.failure()
	if err == nil && !l.readOnly {
		l.flushTables()
	}
	l.strict.on.Store(false)
	if err != nil || l.readOnly {
		return errors.Join(err, l.db.Close())
	}
	newest, unread := l.newestTime()
	if err := l.db.Close(); err != nil {
		return l.withCause(err)
	}
	if unread == nil {
		l.markStopped(newest)
	}
	return nil
}

// maxFlush bounds how long Close waits for tables to be written.
const maxFlush = 10 * time.Second

// flushTables writes what is in memory to tables, so that the next Open has
// next to nothing to read back. It is for speed alone: what is not written in
// time, on a disk that is full say, is in the write-ahead log.
func (l *Log) flushTables() {
	flushed, err := l.db.AsyncFlush()
	if err != nil {
		l.o.Logger.Warn().Err(err).Msg("the tables were not flushed; the next start takes longer")
		return
	}
	t := time.NewTimer(maxFlush)
	defer t.Stop()
	select {
	case <-flushed:
	case <-t.C:
		l.o.Logger.Warn().Stringer("after", maxFlush).Msg("the tables were not flushed in time; the next start takes longer")
	}
}

// refused is told of writes that found no space.
func (l *Log) refused(err error) {
	l.lastRefusal.Store(time.Now().UnixNano())
	if l.o.OnRefused != nil {
		l.o.OnRefused(err)
	}
}

// fullLately is how long after a refused write a failure is put down to it. Pebble does
// not hand on the errors of all its writes as such.
const fullLately = 5 * time.Second

func (l *Log) withCause(err error) error {
	if errors.Is(err, ErrFull) || time.Now().UnixNano()-l.lastRefusal.Load() > int64(fullLately) {
		return fmt.Errorf("log: %w", err)
	}
	return fmt.Errorf("log: %w: %w", ErrFull, err)
}

func (l *Log) failure() error {
	if f := l.failed.Load(); f != nil {
		return f.err
	}
	return nil
}

// fail makes an error of the store final: everybody who waits for the log
// learns it, then the owner, who ends the process. It does not return.
func (l *Log) fail(err error) {
	if l.failed.CompareAndSwap(nil, &failure{l.withCause(err)}) {
		l.mu.Lock()
		l.room.Broadcast()
		for _, o := range l.undecided {
			o.set(l.failure())
		}
		l.undecided = nil
		l.mu.Unlock()
	}
	err = l.failure()
	l.o.OnFatal(err)
	panic("FATAL: the process was not ended after a failure: " + err.Error())
}

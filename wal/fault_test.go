package wal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/rs/zerolog"

	"posthaste/event"
)

// disk fails on demand.
type disk struct {
	mem   *vfs.MemFS
	syncs atomic.Int64 // of write-ahead logs so far
	// failAt is the sync that fails with EIO, alone: the next would succeed.
	failAt atomic.Int64
	// crashed is what a power cut would have left at the moment of the failure.
	crashed *vfs.MemFS
	// hold is called inside the sync that fails.
	hold func()
	err  error // of that sync; EIO
}

func isSync(op errorfs.Op) bool {
	return op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
}

func newDisk() *disk { return &disk{mem: vfs.NewCrashableMem(), hold: func() {}, err: syscall.EIO} }

func (d *disk) fs() vfs.FS {
	return errorfs.Wrap(plainReuse{d.mem}, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if !strings.HasSuffix(op.Path, ".log") || !isSync(op) || d.syncs.Add(1) != d.failAt.Load() {
			return nil
		}
		d.crashed = d.mem.CrashClone(vfs.CrashCloneCfg{})
		d.hold()
		return d.err
	}))
}

// fatalOptions end the goroutine that finds a failure, as os.Exit would, and
// pass it on.
func fatalOptions(fs vfs.FS) (Options, chan error) {
	o, fatal := testOptions(fs), make(chan error, 64)
	o.OnFatal = func(err error) {
		fatal <- err
		runtime.Goexit()
	}
	return o, fatal
}

// closeBroken closes a log that has failed: Close says so.
func closeBroken(t *testing.T, l *Log) {
	t.Helper()
	if err := l.Close(); !errors.Is(err, syscall.EIO) {
		t.Errorf("close: got error %v", err)
	}
}

// wantBroken checks that nothing is taken any more.
func wantBroken(t *testing.T, l *Log) {
	t.Helper()
	s := attempted(event.Delivery{ID: event.DeliveryID(goldenClock, 1, 1)}, event.Success)
	for name, err := range map[string]error{
		"Append":     l.Append(t.Context(), []event.Submission{post(idOf(1), "x", idOf(2))}),
		"Settle":     l.Settle(&s),
		"SetMark":    l.SetMark(event.Mark{Watermark: 1}),
		"Flush":      l.Flush(),
		"CASCatalog": l.CASCatalog([]event.CatalogRecord{rec('p', 5, 1, "x")}),
	} {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%s after the failure: got error %v", name, err)
		}
	}
}

// TestFailedSyncIsFinal fails the n-th sync of the log, for several n, under many
// writers: the owner is told, every writer gets an answer, and what was
// acknowledged, before or after, was on the disk at that moment.
func TestFailedSyncIsFinal(t *testing.T) {
	for _, n := range []int64{1, 2, 3, 10, 25} {
		d := newDisk()
		sink := &recordingSink{}
		o, fatal := fatalOptions(d.fs())
		o.Sink = sink
		l, err := Open(o)
		must(t, err)
		d.failAt.Store(d.syncs.Load() + n)

		var mu sync.Mutex
		var acked []event.ID
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					subs := []event.Submission{post(idOf(1), "x", idOf(2))}
					if err := l.Append(context.Background(), subs); err != nil {
						if !errors.Is(err, syscall.EIO) {
							t.Errorf("got error %v", err)
						}
						return
					}
					mu.Lock()
					acked = append(acked, subs[0].Event.ID)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if err := <-fatal; !errors.Is(err, syscall.EIO) {
			t.Errorf("OnFatal was told %v", err)
		}
		wantBroken(t, l)
		closeBroken(t, l)

		left := openLog(t, testOptions(d.crashed))
		for _, id := range acked {
			if _, err := left.Event(idOf(1), id); err != nil {
				t.Errorf("sync %d: acknowledged and lost: %v", n, err)
			}
		}
		fed, _ := sink.snapshot()
		for _, id := range fed {
			if _, err := left.Event(idOf(1), id); err != nil {
				t.Errorf("sync %d: handed on and lost: %v", n, err)
			}
		}
	}
}

// TestFailureReachesEveryWaiter: those of the group on its way, of the next, and
// those who wait for room.
func TestFailureReachesEveryWaiter(t *testing.T) {
	d := newDisk()
	inSync, release := make(chan struct{}), make(chan struct{})
	d.hold = func() { close(inSync); <-release }
	o, fatal := fatalOptions(d.fs())
	o.GroupBytes = 1 // the second writer of a group waits for room
	l, err := Open(o)
	must(t, err)
	d.failAt.Store(d.syncs.Load() + 1)

	const writers = 20
	results := make(chan error, writers)
	write := func() { results <- l.Append(context.Background(), []event.Submission{post(idOf(1), "x", idOf(2))}) }
	go write()
	<-inSync
	for range writers - 1 {
		go write()
	}
	for l.mu.Lock(); l.group.empty(); l.mu.Lock() { // until one of them has joined the next group
		l.mu.Unlock()
		runtime.Gosched()
	}
	l.mu.Unlock()
	close(release)
	for range writers {
		if err := <-results; !errors.Is(err, syscall.EIO) {
			t.Errorf("got error %v", err)
		}
	}
	<-fatal
	wantBroken(t, l)
	closeBroken(t, l)
}

// TestNoAckAfterAFailure that somebody else saw: the group's own fsync, later,
// succeeds and proves nothing.
func TestNoAckAfterAFailure(t *testing.T) {
	d := newDisk()
	inSync, release := make(chan struct{}), make(chan struct{})
	d.hold, d.err = func() { close(inSync); <-release }, nil
	sink := &recordingSink{}
	o, fatal := fatalOptions(d.fs())
	o.Sink = sink
	l, err := Open(o)
	must(t, err)
	d.failAt.Store(d.syncs.Load() + 1)
	result := make(chan error)
	go func() { result <- l.Append(context.Background(), []event.Submission{post(idOf(1), "x", idOf(2))}) }()
	<-inSync
	go l.fail(syscall.EIO)
	<-fatal
	close(release)
	if err := <-result; !errors.Is(err, syscall.EIO) {
		t.Errorf("got error %v", err)
	}
	closeBroken(t, l)
	if fed, _ := sink.snapshot(); len(fed) != 0 {
		t.Errorf("%d events were handed on", len(fed))
	}
}

// TestPanicsOfTheStore: Pebble panics with an error when its log failed under an
// earlier group, and that is a failure; a bug is not taken for one.
func TestPanicsOfTheStore(t *testing.T) {
	o, fatal := fatalOptions(vfs.NewMem())
	l, err := Open(o)
	must(t, err)
	for _, bug := range []func(){
		func() { panic("BUG: text") },
		func() { var none []int; _ = none[len(none)] },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			defer l.failOnPanic()
			bug()
		}()
	}
	must(t, l.failure())
	go func() {
		defer l.failOnPanic()
		panic(syscall.EIO)
	}()
	if err := <-fatal; !errors.Is(err, syscall.EIO) {
		t.Errorf("OnFatal was told %v", err)
	}
	wantBroken(t, l)
	closeBroken(t, l)
}

// TestFailedCatalogWriteIsFinal too.
func TestFailedCatalogWriteIsFinal(t *testing.T) {
	d := newDisk()
	o, fatal := fatalOptions(d.fs())
	l, err := Open(o)
	must(t, err)
	d.failAt.Store(d.syncs.Load() + 1)
	returned := make(chan bool)
	go func() {
		ok := false
		defer func() { returned <- ok }()
		_ = l.CASCatalog([]event.CatalogRecord{rec('p', 1, 1, "x")})
		ok = true
	}()
	if <-returned {
		t.Error("CASCatalog returned although OnFatal did not")
	}
	if err := <-fatal; !errors.Is(err, syscall.EIO) && !strings.Contains(err.Error(), syscall.EIO.Error()) {
		t.Errorf("OnFatal was told %v", err)
	}
	for name, err := range map[string]error{
		"Append":     l.Append(t.Context(), []event.Submission{post(idOf(1), "x", idOf(2))}),
		"CASCatalog": l.CASCatalog([]event.CatalogRecord{rec('p', 5, 1, "x")}),
		"Close":      l.Close(),
	} {
		if err == nil || !strings.Contains(err.Error(), syscall.EIO.Error()) {
			t.Errorf("%s after the failure: got error %v", name, err)
		}
	}
}

// TestOnFatalThatReturns is a fault of the owner's: the log panics.
func TestOnFatalThatReturns(t *testing.T) {
	l := newLogInMemory(t)
	broken := &Log{o: Options{OnFatal: func(error) {}}}
	broken.room.L = &broken.mu
	defer func() {
		if r := fmt.Sprint(recover()); !strings.Contains(r, "FATAL") || !strings.Contains(r, "no disk") {
			t.Errorf("recovered %s", r)
		}
		appendOne(t, l, post(idOf(1), "x", idOf(2))) // another log is not concerned
	}()
	broken.fail(errors.New("no disk"))
}

// TestFullDiskDuringFlush: tables cannot be written for a while; intake goes on, the
// log tells of it, and the flush is made up for.
func TestFullDiskDuringFlush(t *testing.T) {
	var full atomic.Bool
	told := make(chan struct{})
	var once sync.Once
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && strings.HasSuffix(op.Path, ".sst") && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return syscall.ENOSPC
		}
		return nil
	}))
	o := testOptions(fs)
	o.MemTableBytes = 64 << 10
	o.Logger = zerolog.New(writerFunc(func(line []byte) {
		if bytes.Contains(line, []byte("a flush or compaction failed")) {
			once.Do(func() { close(told) })
		}
	})).Level(zerolog.ErrorLevel)
	l := openLog(t, o)
	full.Store(true)
	var events []*event.Event
	for i := range 60 { // two memtables and more, less than what stops writes
		events = append(events, appendOne(t, l, post(idOf(1), fmt.Sprintf("%02000d", i), idOf(2))))
	}
	<-told
	full.Store(false)
	must(t, l.db.Flush())
	for _, want := range events {
		got, err := l.Event(idOf(1), want.ID)
		must(t, err)
		must(t, sameEvent(got, want))
	}
}

type writerFunc func(line []byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

// TestBackgroundErrorsAreThrottled to one line a second, with a count.
func TestBackgroundErrorsAreThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines []string
		var n noise
		tell := n.backgroundError(zerolog.New(writerFunc(func(line []byte) { lines = append(lines, string(line)) })))
		for range 1000 {
			tell(syscall.ENOSPC)
		}
		if len(lines) != 1 {
			t.Fatalf("%d lines", len(lines))
		}
		time.Sleep(noiseEvery) // in the bubble
		tell(syscall.ENOSPC)
		if len(lines) != 2 || !strings.Contains(lines[1], `"times":1000`) {
			t.Errorf("got %q", lines)
		}
	})
}

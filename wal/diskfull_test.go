package wal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// fullDisk is a disk that is full from one write of a kind on, until the ballast is
// given up or it is told so.
type fullDisk struct {
	err     error                  // what it refuses with
	of      func(errorfs.Op) bool  // the writes that count, and are refused
	at      int64                  // which of them, once armed, is the first to be refused; 0: none
	patient int64                  // of how many refusals it has had enough; 0: never
	free    func() (uint64, error) // bytes that are free, if that is known

	armed         atomic.Bool // writes are counted
	ops, refusals atomic.Int64
	full, through atomic.Bool // through: for the moment writes pass
	gaveUp        atomic.Int64
}

func (d *fullDisk) inject(op errorfs.Op) error {
	if path.Base(op.Path) == ballastName {
		if op.Kind == errorfs.OpRemove && d.full.Swap(false) {
			d.gaveUp.Add(1)
		}
		return nil
	}
	if d.through.Load() || !d.of(op) {
		return nil
	}
	if d.armed.Load() && d.ops.Add(1) == d.at {
		d.full.Store(true)
	}
	if !d.full.Load() {
		return nil
	}
	if d.refusals.Add(1) == d.patient {
		d.full.Store(false)
	}
	return d.err
}

// over is the file system of the disk over another. A write that is refused has
// written the half.
func (d *fullDisk) over(fs vfs.FS) vfs.FS {
	return halfFS{errorfs.Wrap(plainReuse{fs}, errorfs.InjectorFunc(d.inject)), d}
}

type halfFS struct {
	vfs.FS
	d *fullDisk
}

type halfFile struct {
	vfs.File
	d *fullDisk
}

func (fs halfFS) file(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return halfFile{f, fs.d}, nil
}

func (fs halfFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return fs.file(fs.FS.Create(name, c))
}

func (fs halfFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return fs.file(fs.FS.ReuseForWrite(from, to, c))
}

func (fs halfFS) GetDiskUsage(dir string) (vfs.DiskUsage, error) {
	if fs.d.free == nil {
		return fs.FS.GetDiskUsage(dir)
	}
	n, err := fs.d.free()
	return vfs.DiskUsage{AvailBytes: n}, err
}

func (f halfFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	if n == 0 && isFull(err) {
		f.d.through.Store(true)
		n, _ = f.File.Write(p[:len(p)/2])
		f.d.through.Store(false)
	}
	return n, err
}

// The writes that a full disk refuses.
func ofLog(op errorfs.Op) bool { return strings.HasSuffix(op.Path, ".log") && takesSpace(op) }

func ofManifest(op errorfs.Op) bool {
	name := path.Base(op.Path)
	return (strings.HasPrefix(name, "MANIFEST-") || strings.HasPrefix(name, "marker.")) && takesSpace(op)
}

func ofTables(op errorfs.Op) bool { return isTable(op.Path) && takesSpace(op) }

func takesSpace(op errorfs.Op) bool {
	switch op.Kind {
	case errorfs.OpCreate, errorfs.OpReuseForWrite, errorfs.OpRename, errorfs.OpFileWrite, errorfs.OpFileWriteAt:
		return true
	}
	return false
}

const testBallast = 64 << 10

// fullRun is a workload on a disk that is full from its n-th write on.
func fullRun(t *testing.T, d *fullDisk) (c *crashRun, l *Log, mem *vfs.MemFS) {
	t.Helper()
	mem = vfs.NewCrashableMem()
	c = &crashRun{o: crashOptions()}
	c.o.FS, c.o.BallastBytes = d.over(mem), testBallast
	l, err := Open(c.o)
	must(t, err)
	recoverAll(t, l)
	if n := l.Ballast(); n != 0 {
		t.Fatalf("%d bytes of the ballast are missing from the start", n)
	}
	d.armed.Store(true)
	c.workload(t, l)
	return c, l, mem
}

// checkFullRun checks, also after a power cut, that all is there that was acknowledged.
func checkFullRun(t *testing.T, c *crashRun, l *Log, mem *vfs.MemFS) {
	t.Helper()
	must(t, l.Flush())
	left := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(1, 2))})
	must(t, l.Close())
	for what, fs := range map[string]*vfs.MemFS{"power cut": left, "close": mem} {
		if err := c.verify(t, cut{fs: fs, acked: len(c.reqs)}); err != nil {
			t.Fatalf("after a %s: %v", what, err)
		}
	}
}

// TestTheBallastHelps: for every n, the n-th write of the log, or of the manifest, finds
// no space, nor do those after it until the ballast is given up. The log goes on, and loses nothing.
func TestTheBallastHelps(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(errorfs.Op) bool{"log": ofLog, "manifest": ofManifest} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			every := int64(1)
			if testing.Short() {
				every = map[string]int64{"log": 13, "manifest": 4}[name]
			}
			runs := 0
			for at := int64(1); ; at += every {
				d := &fullDisk{err: []error{syscall.ENOSPC, syscall.EDQUOT}[runs%2], of: of, at: at}
				c, l, mem := fullRun(t, d)
				if d.ops.Load() < at {
					must(t, l.Close())
					break
				}
				runs++
				for end := time.Now().Add(20 * time.Second); d.gaveUp.Load() == 0 && time.Now().Before(end); {
					time.Sleep(time.Millisecond) // Pebble may come to it behind the workload
				}
				if d.gaveUp.Load() != 1 || d.refusals.Load() != 1 || l.Ballast() != testBallast {
					t.Fatalf("write %d: the ballast was given up %d times, of %d refusals; %d bytes are owed", at, d.gaveUp.Load(), d.refusals.Load(), l.Ballast())
				}
				must(t, l.RestoreBallast())
				if l.Ballast() != 0 {
					t.Fatal("the ballast was not put back")
				}
				checkFullRun(t, c, l, mem)
			}
			t.Logf("%d runs", runs)
			if runs < 2 {
				t.Error("too little was written")
			}
		})
	}
}

// TestTablesWait: for every n, the n-th write of a table finds no space, nor do the next
// few. The ballast stays, the log goes on, and the tables are written later.
func TestTablesWait(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]struct {
		of           func(errorfs.Op) bool
		every, short int64
	}{
		"tables":     {func(op errorfs.Op) bool { return !isBlob(op.Path) && ofTables(op) }, 7, 41},
		"blob files": {func(op errorfs.Op) bool { return isBlob(op.Path) && takesSpace(op) }, 1, 13}, // some of them are the end of a file
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			every := kind.every
			if testing.Short() {
				every = kind.short
			}
			runs := 0
			for at := int64(1); ; at += every {
				d := &fullDisk{err: syscall.ENOSPC, of: kind.of, at: at, patient: 2}
				c, l, mem := fullRun(t, d)
				if d.ops.Load() < at {
					must(t, l.Close())
					break
				}
				runs++
				if d.gaveUp.Load() != 0 || l.Ballast() != 0 {
					t.Fatalf("write %d of a table took the ballast", at)
				}
				must(t, l.db.Flush())
				checkFullRun(t, c, l, mem)
			}
			t.Logf("%d runs", runs)
			if runs < 2 {
				t.Error("too little was written")
			}
		})
	}
}

// TestAFlushThatFindsNoSpaceIsTriedInPeace: Pebble would try thousands of times a second.
func TestAFlushThatFindsNoSpaceIsTriedInPeace(t *testing.T) {
	t.Parallel()
	d := &fullDisk{err: syscall.ENOSPC, of: ofTables}
	o := testOptions(d.over(vfs.NewMem()))
	told := make(chan error, 1<<16)
	o.OnRefused = func(err error) { told <- err }
	l := openLog(t, o)
	appendOne(t, l, post(idOf(1), "x", idOf(2)))
	d.full.Store(true)
	flushed, err := l.db.AsyncFlush()
	must(t, err)
	began := time.Now()
	time.Sleep(4 * tablePause)
	d.full.Store(false)
	<-flushed
	watched := time.Since(began)
	if n := d.refusals.Load(); n == 0 || n > 2*int64(watched/tablePause+1) {
		t.Errorf("%d tries in %s", n, watched)
	}
	if err := <-told; !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("OnRefused was told %v", err)
	}
}

// TestTablesLeaveTheLastSpaceToTheLog: while the ballast is not there, the half of it.
func TestTablesLeaveTheLastSpaceToTheLog(t *testing.T) {
	t.Parallel()
	var free atomic.Uint64
	d := &fullDisk{err: syscall.ENOSPC, of: ofLog, free: func() (uint64, error) { return free.Load(), nil }}
	o := testOptions(d.over(vfs.NewMem()))
	o.BallastBytes = testBallast
	l := openLog(t, o)
	d.full.Store(true) // until the ballast is given up
	free.Store(testBallast/2 - 1)
	appendOne(t, l, post(idOf(1), "x", idOf(2)))
	flushed, err := l.db.AsyncFlush()
	must(t, err)
	select {
	case <-flushed:
		t.Error("a table was written")
	case <-time.After(2 * tablePause):
	}
	free.Store(testBallast / 2)
	<-flushed
	free.Store(0)
	must(t, l.RestoreBallast())
	must(t, l.db.Flush()) // with it, nothing is looked at
}

// TestOpenOnAFullDisk: for every n, the n-th write of an Open that has a log to read back
// finds no space. With a ballast it opens, and all is there.
func TestOpenOnAFullDisk(t *testing.T) {
	t.Parallel()
	mem := vfs.NewCrashableMem()
	c := &crashRun{o: crashOptions()}
	c.o.FS, c.o.BallastBytes = mem, testBallast
	c.o.MemTableBytes = 256 << 10 // more in the log
	l, err := Open(c.o)
	must(t, err)
	recoverAll(t, l)
	c.workload(t, l)
	must(t, l.Flush())
	crashed := func() *vfs.MemFS {
		return mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(1, 2))})
	}
	writes := 0
	for first, more := int64(1), true; more && !t.Failed(); {
		refused := make([]bool, 16) // each start waits for space, so several do at a time
		var wg sync.WaitGroup
		for i := range refused {
			fs := crashed()
			wg.Go(func() { refused[i] = c.openWithout(t, fs, first+int64(i)) })
		}
		wg.Wait()
		for _, was := range refused {
			if more = was; !more {
				break
			}
			writes++
		}
		first += int64(len(refused))
	}
	must(t, l.Close())
	t.Logf("%d writes", writes)
	if writes < 10 {
		t.Error("too little was written")
	}
}

// openWithout opens a store whose n-th write finds no space, and compares. It reports
// whether there was such a write.
func (c *crashRun) openWithout(t *testing.T, fs vfs.FS, n int64) bool {
	// The note of how the store was left goes without, see markRunning.
	noted := func(op errorfs.Op) bool { return takesSpace(op) && !strings.Contains(op.Path, stateFile) }
	d := &fullDisk{err: syscall.ENOSPC, of: noted, at: n}
	d.armed.Store(true)
	o := c.o
	o.FS = d.over(fs)
	opened, err := Open(o)
	if err == nil {
		err = opened.Close()
	}
	if err != nil {
		t.Errorf("write %d: %v", n, err)
		return false
	}
	if d.gaveUp.Load() > 1 || d.gaveUp.Load() == 0 && d.ops.Load() >= n && d.refusals.Load() > 0 {
		t.Errorf("write %d: the ballast was given up %d times, of %d refusals", n, d.gaveUp.Load(), d.refusals.Load())
	}
	if d.refusals.Load() == 0 {
		return false
	}
	if err := c.verify(t, cut{fs: fs, acked: len(c.reqs)}); err != nil {
		t.Errorf("write %d: %v", n, err)
	}
	return true
}

// TestASlowDisk changes nothing but time: all of it is slow, or one write in the middle
// hangs for a while.
func TestASlowDisk(t *testing.T) {
	t.Parallel()
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	var writes atomic.Int64
	hangsAt := func(n int64) errorfs.InjectorFunc {
		return func(op errorfs.Op) error {
			if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && writes.Add(1) == n {
				time.Sleep(300 * time.Millisecond)
			}
			return nil
		}
	}
	for _, inj := range []errorfs.Injector{
		errorfs.RandomLatency(errorfs.Writes, 200*time.Microsecond, seed, 2*time.Second),
		hangsAt(100), hangsAt(200), hangsAt(400), hangsAt(800),
	} {
		writes.Store(0)
		mem := vfs.NewCrashableMem()
		c := &crashRun{o: crashOptions()}
		c.o.FS = errorfs.Wrap(plainReuse{mem}, inj)
		l, err := Open(c.o)
		must(t, err)
		recoverAll(t, l)
		c.workload(t, l)
		checkFullRun(t, c, l, mem)
	}
}

// TestFullErrors: what a refusal looks like to those above.
func TestFullErrors(t *testing.T) {
	var told []error
	fs := tellingFS{vfs.NewMem(), func(err error) { told = append(told, err) }}
	for _, cause := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS} {
		err := fs.check(fmt.Errorf("write: %w", cause))
		if !errors.Is(err, ErrFull) || !errors.Is(err, cause) || err.Error() != "write: "+cause.Error() {
			t.Errorf("%v: got %v", cause, err)
		}
		if got, want := vfs.IsNoSpaceError(err), cause != syscall.EROFS; got != want {
			t.Errorf("%v is no space for Pebble: %v", cause, got)
		}
	}
	if err := fs.check(syscall.EIO); err != syscall.EIO || len(told) != 3 {
		t.Errorf("got %v; %d refusals were told of", err, len(told))
	}
	must(t, fs.check(nil))
}

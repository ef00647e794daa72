package wal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// sizeOf is the size of a log's ballast, -1 if there is none.
func sizeOf(t *testing.T, disk vfs.FS) int64 {
	t.Helper()
	info, err := disk.Stat("log/" + ballastName)
	if errors.Is(err, fs.ErrNotExist) {
		return -1
	}
	must(t, err)
	return info.Size()
}

// TestBallastOfALog: it is made, kept from one start to the next, follows the setting, and
// is no part of a log that is only read.
func TestBallastOfALog(t *testing.T) {
	mem := vfs.NewMem()
	o := testOptions(mem)
	for _, size := range []int64{10 << 20, 10 << 20, 5 << 20, 0, 1} {
		o.BallastBytes = size
		l, err := Open(o)
		must(t, err)
		if got := sizeOf(t, mem); got != size && !(size == 0 && got == -1) {
			t.Errorf("want %d bytes, got %d", size, got)
		}
		must(t, l.Close())
	}
	o.BallastBytes = 0
	l, err := OpenReadOnly(o)
	must(t, err)
	must(t, l.Close())
	if got := sizeOf(t, mem); got != 1 {
		t.Errorf("reading changed the ballast to %d", got)
	}
	if o.BallastBytes = -1; o.validate() == nil {
		t.Error("a size of -1 was taken")
	}
}

// TestBallastIsWholeOrNotThere.
func TestBallastIsWholeOrNotThere(t *testing.T) {
	var refuse atomic.Pointer[error]
	var writes atomic.Int64
	mem := vfs.NewMem()
	disk := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileWrite && filepath.Base(op.Path) == ballastName && writes.Add(1) == 2 {
			return *refuse.Load()
		}
		return nil
	}))
	o := testOptions(disk)
	o.BallastBytes = 3 * ballastStep
	for _, c := range []struct {
		err  error
		owed int64
	}{
		{syscall.ENOSPC, o.BallastBytes}, {syscall.EDQUOT, o.BallastBytes}, {syscall.EROFS, o.BallastBytes},
		{syscall.EIO, 0}, // the log goes on without
	} {
		writes.Store(0)
		refuse.Store(&c.err)
		l, err := Open(o)
		must(t, err)
		if got := l.Ballast(); got != c.owed || sizeOf(t, mem) != -1 {
			t.Errorf("%v: %d bytes are owed, %d are there", c.err, got, sizeOf(t, mem))
		}
		writes.Store(0)
		if err := l.RestoreBallast(); !errors.Is(err, c.err) || errors.Is(err, ErrFull) != (c.owed > 0) {
			t.Errorf("%v: got error %v", c.err, err)
		}
		must(t, l.RestoreBallast())
		if got := l.Ballast(); got != 0 || sizeOf(t, mem) != o.BallastBytes {
			t.Errorf("%v: %d bytes are owed, %d are there", c.err, got, sizeOf(t, mem))
		}
		must(t, l.Close())
		must(t, mem.Remove("log/"+ballastName))
	}
}

// TestBallastIsGivenUpWhileItIsPutBack: who needs the space has it at once.
func TestBallastIsGivenUpWhileItIsPutBack(t *testing.T) {
	var b *ballast
	var given chan struct{}
	mem := vfs.NewMem()
	must(t, mem.MkdirAll("log", 0o755))
	disk := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind != errorfs.OpFileWrite || given != nil {
			return nil
		}
		given = make(chan struct{})
		go func() {
			defer close(given)
			b.giveUp()
		}()
		for !b.wanted.Load() {
		}
		return nil
	}))
	b = &ballast{fs: disk, dir: "log", size: 3 * ballastStep}
	if err := b.restore(); !errors.Is(err, ErrFull) {
		t.Errorf("got error %v", err)
	}
	<-given
	if b.owed() != b.size || sizeOf(t, mem) != -1 {
		t.Errorf("%d bytes are owed, %d are there", b.owed(), sizeOf(t, mem))
	}
	must(t, b.restore())
}

// TestBallastTakesItsSpace on a real disk, which may not store what is empty.
func TestBallastTakesItsSpace(t *testing.T) {
	dir := t.TempDir()
	b := &ballast{fs: vfs.Default, dir: dir, size: ballastStep + 4096}
	must(t, b.restore())
	info, err := os.Stat(b.path())
	must(t, err)
	if got := info.Sys().(*syscall.Stat_t).Blocks * 512; info.Size() != b.size || got < b.size {
		t.Errorf("a ballast of %d bytes has %d and takes %d", b.size, info.Size(), got)
	}
	b.giveUp()
	if _, err := os.Stat(b.path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

package wal

import (
	"bytes"
	"io/fs"
	"strings"
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

// opens are what takes a descriptor.
var opens = map[errorfs.OpKind]bool{
	errorfs.OpCreate: true, errorfs.OpOpen: true, errorfs.OpOpenDir: true, errorfs.OpReuseForWrite: true, errorfs.OpList: true, errorfs.OpLock: true,
}

// TestNoDescriptorsForAWhile lets files fail to open for want of a descriptor, five times in a row and
// again and again, while the log is opened, rotates its files and is closed: it goes on, and all is
// there.
func TestNoDescriptorsForAWhile(t *testing.T) {
	mem := vfs.NewMem()
	var tries, failures atomic.Int64
	inj := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if opens[op.Kind] && tries.Add(1)%18 < 5 {
			failures.Add(1)
			return syscall.EMFILE
		}
		return nil
	})
	o := testOptions(errorfs.Wrap(mem, inj))
	l, err := Open(o)
	must(t, err)
	recoverAll(t, l)
	before := failures.Load()
	var ids []event.ID
	data := strings.Repeat("x", 32<<10)
	for range 64 { // memtables of 256 KiB
		ids = append(ids, appendOne(t, l, post(idOf(1), data)).ID)
	}
	if failures.Load() == before {
		t.Error("no file failed to open while the log was written")
	}
	must(t, l.Close())
	l = openLog(t, testOptions(mem))
	for _, id := range ids {
		ev, err := l.Event(idOf(1), id)
		must(t, err)
		if string(ev.Data) != data {
			t.Fatalf("event %s reads back as %.80q", id, ev.Data)
		}
	}
}

// A file that was renamed before the open failed is not lost sight of.
func TestReuseThatFailsHalfWay(t *testing.T) {
	half := &halfReuse{FS: vfs.NewMem(), fails: 1}
	p := patient{FS: half}
	old, err := p.Create("old", "test")
	must(t, err)
	must(t, old.Close())
	f, err := p.ReuseForWrite("old", "new", "test")
	must(t, err)
	must(t, f.Close())
	if _, err := p.Stat("old"); err == nil {
		t.Error("the old file is still there")
	}
	_, err = p.Stat("new")
	must(t, err)
}

// halfReuse renames and then has no descriptor.
type halfReuse struct {
	vfs.FS
	fails int
}

func (h *halfReuse) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if h.fails--; h.fails >= 0 {
		if err := h.Rename(oldname, newname); err != nil {
			return nil, err
		}
		return nil, &fs.PathError{Op: "open", Path: newname, Err: syscall.EMFILE}
	}
	return h.FS.ReuseForWrite(oldname, newname, category)
}

// Patience ends, and says in the log what it was for.
func TestPatienceForDescriptorsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		inj := errorfs.InjectorFunc(func(op errorfs.Op) error {
			if opens[op.Kind] {
				return syscall.ENFILE
			}
			return nil
		})
		p := patient{errorfs.Wrap(vfs.NewMem(), inj), zerolog.New(&said)}
		begun := time.Now()
		if _, err := p.Create("name", "test"); !noDescriptor(err) {
			t.Errorf("got error %v", err)
		}
		if took := time.Since(begun); took < filePatience || took > filePatience+time.Second {
			t.Errorf("it waited for %s, want %s", took, filePatience)
		}
		if lines := strings.Count(said.String(), "waits for a descriptor"); lines != 1 {
			t.Errorf("%d lines in the log:\n%s", lines, &said)
		}
	})
}

// Package waltest has a disk for the tests of all packages that need a log: it lives in
// memory, and loses power or fails when the test says so.
package waltest

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// Op is an operation that is about to be made.
type Op struct {
	Path  string
	Write bool  // it changes the disk, or makes a change durable; else it reads
	N     int64 // which of the disk's writes, or of its reads, it is; from 1

	kind errorfs.OpKind
}

// Sync reports whether the operation makes a file or a folder durable.
func (o Op) Sync() bool {
	return o.kind == errorfs.OpFileSync || o.kind == errorfs.OpFileSyncData || o.kind == errorfs.OpFileSyncTo
}

// kinds are the operations by name, as far as there is something to tell of them.
var kinds = map[errorfs.OpKind]string{
	errorfs.OpCreate: "create", errorfs.OpRemove: "remove", errorfs.OpRemoveAll: "remove", errorfs.OpRename: "rename", errorfs.OpLink: "link",
	errorfs.OpReuseForWrite: "reuse", errorfs.OpMkdirAll: "mkdir", errorfs.OpLock: "lock", errorfs.OpFilePreallocate: "preallocate",
	errorfs.OpFileWrite: "write", errorfs.OpFileWriteAt: "write", errorfs.OpFileSync: "sync", errorfs.OpFileSyncData: "sync", errorfs.OpFileSyncTo: "sync",
	errorfs.OpOpen: "open", errorfs.OpOpenDir: "open folder", errorfs.OpList: "list", errorfs.OpStat: "stat", errorfs.OpFileStat: "stat",
	errorfs.OpFileRead: "read", errorfs.OpFileReadAt: "read", errorfs.OpGetDiskUsage: "usage",
}

// What is the operation in words: "sync log/000004.log".
func (o Op) What() string { return kinds[o.kind] + " " + o.Path }

// File says what the operation is about: "log", "table", "manifest", "marker",
// "options", "lock" or, for all else, "folder".
func (o Op) File() string {
	name := o.Path[strings.LastIndexByte(o.Path, '/')+1:]
	switch {
	case strings.HasSuffix(name, ".log"):
		return "log"
	case strings.HasSuffix(name, ".sst"), strings.HasSuffix(name, ".blob"):
		return "table"
	case strings.HasPrefix(name, "MANIFEST"):
		return "manifest"
	case strings.HasPrefix(name, "marker."):
		return "marker"
	case strings.HasPrefix(name, "OPTIONS"), strings.HasPrefix(name, "temporary."):
		return "options"
	case name == "LOCK":
		return "lock"
	}
	return "folder"
}

// Disk is a disk in memory. Its methods may be called from any goroutine.
type Disk struct {
	mem           *vfs.MemFS
	before        atomic.Pointer[func(Op) error]
	writes, reads atomic.Int64
}

// NewDisk is an empty disk.
func NewDisk() *Disk { return &Disk{mem: vfs.NewCrashableMem()} }

// Before has f called at the start of each operation, from the goroutine that makes it.
// An error takes the place of the operation; a wait in f makes the disk slow. nil ends it.
func (d *Disk) Before(f func(Op) error) {
	if f == nil {
		d.before.Store(nil)
		return
	}
	d.before.Store(&f)
}

// Writes is how many operations have changed the disk so far.
func (d *Disk) Writes() int64 { return d.writes.Load() }

// Reads is how many operations have read so far.
func (d *Disk) Reads() int64 { return d.reads.Load() }

// FS is the disk's file system.
func (d *Disk) FS() vfs.FS {
	return errorfs.Wrap(PlainReuse{FS: d.mem}, errorfs.InjectorFunc(func(op errorfs.Op) error {
		o := Op{Path: op.Path, Write: op.Kind.ReadOrWrite() == errorfs.OpIsWrite, kind: op.Kind}
		if o.Write {
			o.N = d.writes.Add(1)
		} else {
			o.N = d.reads.Add(1)
		}
		if f := d.before.Load(); f != nil {
			return (*f)(o)
		}
		return nil
	}))
}

// PowerCut is the disk as a power cut at this moment leaves it: all that was synced,
// and of what was not such a share, in percent, block by block and name by name, by
// the chance that seed makes. It may be called within Before.
func (d *Disk) PowerCut(seed uint64, percent int) *Disk {
	rng := rand.New(rand.NewPCG(seed, 7))
	return &Disk{mem: d.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng})}
}

// PlainReuse reuses a file in two steps. MemFS does it under a lock that it takes
// twice, which deadlocks with a CrashClone that begins in between.
type PlainReuse struct{ vfs.FS }

// ReuseForWrite renames a file and opens it.
func (f PlainReuse) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.Rename(from, to); err != nil {
		return nil, err
	}
	return f.OpenReadWrite(to, c)
}

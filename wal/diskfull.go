package wal

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// ErrFull is wrapped by errors that come of a disk without space: it is full, a quota is
// used up, or it is mounted read-only.
var ErrFull = errors.New("no space left for the log")

// isFull reports whether an error of the system says so.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS)
}

// spaceFS is the file system of the store on a disk that may be full. What the log itself
// writes, and the manifest, may use the ballast: a write that finds no space gives it up
// and is made once more. Tables may not. They can be written later, and what they would
// take of it the log may need.
//
//	log, manifest, markers ─► vfs.OnDiskFull ─► tellingFS ─► the disk
//	tables                 ─► tableFile      ─► tellingFS ─► the disk
//	blob files ─► blobFile ─► tableFile      ─► tellingFS ─► the disk
type spaceFS struct {
	vfs.FS         // a tellingFS
	guarded vfs.FS // the same, with the ballast
	ballast *ballast
	scarce  *atomic.Bool // a write was refused, and no table was finished since
	opening atomic.Bool  // everything may use the ballast: else the store would not open

	fail    func(error)     // makes an error final; does not return
	closing <-chan struct{} // closed when the log closes
}

// newSpaceFS makes the file system of a log's store. told is called with every refusal,
// from any goroutine.
func newSpaceFS(o *Options, told, fail func(error), closing <-chan struct{}) *spaceFS {
	scarce := &atomic.Bool{}
	base := tellingFS{o.FS, func(err error) {
		scarce.Store(true)
		told(err)
	}}
	fs := &spaceFS{FS: base, scarce: scarce, fail: fail, closing: closing}
	fs.ballast = &ballast{fs: quietFS(base), dir: o.Dir, size: o.BallastBytes}
	fs.guarded = vfs.OnDiskFull(base, fs.ballast.giveUp)
	return fs
}

// quietFS is a tellingFS that tells nobody.
func quietFS(fs tellingFS) tellingFS { return tellingFS{fs.FS, func(error) {}} }

// tablePause is how long the next table waits after a write was refused. Pebble itself
// tries a failed flush or compaction again without a pause, thousands of times a second.
const tablePause = 250 * time.Millisecond

// errKept refuses a table what is left of the ballast.
var errKept = fmt.Errorf("%w: what there is is kept for the log itself: %w", ErrFull, syscall.ENOSPC)

func isTable(name string) bool { return strings.HasSuffix(name, ".sst") || isBlob(name) }

// Create creates a file. A table waits a moment after a write was refused.
func (fs *spaceFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if !isTable(name) {
		return fs.guarded.Create(name, category)
	}
	f, err := fs.createTable(name, category)
	if err == nil && isBlob(name) {
		f = &blobFile{f, fs}
	}
	return f, err
}

func (fs *spaceFS) createTable(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if fs.opening.Load() {
		return fs.guarded.Create(name, category)
	}
	if fs.scarce.Load() {
		<-time.After(tablePause)
	}
	if err := fs.keep(); err != nil {
		return nil, err
	}
	f, err := fs.FS.Create(name, category)
	if err != nil {
		return nil, err
	}
	return &tableFile{f, fs}, nil
}

// keep refuses tables space while the ballast is not there and the half of it is not
// free that is for the log alone.
func (fs *spaceFS) keep() error {
	if fs.ballast.owed() == 0 {
		return nil
	}
	use, err := fs.GetDiskUsage(fs.ballast.dir)
	if err == nil && use.AvailBytes < uint64(fs.ballast.size/2) {
		fs.scarce.Store(true)
		return errKept
	}
	return nil
}

// Link, and the others down to MkdirAll, are those of vfs.FS; they may use the ballast.
func (fs *spaceFS) Link(from, to string) error { return fs.guarded.Link(from, to) }

func (fs *spaceFS) Remove(name string) error { return fs.guarded.Remove(name) }

func (fs *spaceFS) Rename(from, to string) error { return fs.guarded.Rename(from, to) }

func (fs *spaceFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return fs.guarded.ReuseForWrite(from, to, c)
}

func (fs *spaceFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return fs.guarded.OpenReadWrite(name, c, opts...)
}

func (fs *spaceFS) OpenDir(name string) (vfs.File, error) { return fs.guarded.OpenDir(name) }

func (fs *spaceFS) MkdirAll(dir string, perm os.FileMode) error {
	return fs.guarded.MkdirAll(dir, perm)
}

// Unwrap is how Pebble finds the file system below.
func (fs *spaceFS) Unwrap() vfs.FS { return fs.FS }

// tableFile is a table, or a blob file, that is being written.
type tableFile struct {
	vfs.File
	fs *spaceFS
}

func (f *tableFile) Write(p []byte) (int, error) {
	if err := f.fs.keep(); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

// Sync ends the writing of a table: when that works, there is space.
func (f *tableFile) Sync() error { return f.synced(f.File.Sync()) }

// SyncData is Sync.
func (f *tableFile) SyncData() error { return f.synced(f.File.SyncData()) }

func (f *tableFile) synced(err error) error {
	if err == nil {
		f.fs.scarce.Store(false)
	}
	return err
}

// tellingFS tells of every write that is refused for lack of space, and makes an ErrFull of
// its error. A quota that is used up looks like a full disk to those above.
type tellingFS struct {
	vfs.FS
	told func(error)
}

func (fs tellingFS) check(err error) error {
	if err == nil || !isFull(err) {
		return err
	}
	fs.told(err)
	return &fullError{err}
}

// fullError is an error that isFull. What Pebble's vfs.OnDiskFull finds at its bottom is
// ENOSPC, except for a disk that is mounted read-only, which no ballast helps.
type fullError struct{ cause error }

func (e *fullError) Error() string { return e.cause.Error() }

func (e *fullError) Unwrap() error {
	if errors.Is(e.cause, syscall.EROFS) {
		return syscall.EROFS
	}
	return syscall.ENOSPC
}

// Is makes errors.Is true for ErrFull and all that the cause is.
func (e *fullError) Is(target error) bool { return target == ErrFull || errors.Is(e.cause, target) }

func (fs tellingFS) file(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, fs.check(err)
	}
	return tellingFile{f, fs}, nil
}

// Create, and the others down to MkdirAll, are those of vfs.FS.
func (fs tellingFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return fs.file(fs.FS.Create(name, c))
}

func (fs tellingFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return fs.file(fs.FS.ReuseForWrite(from, to, c))
}

func (fs tellingFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return fs.file(fs.FS.OpenReadWrite(name, c, opts...))
}

func (fs tellingFS) OpenDir(name string) (vfs.File, error) { return fs.file(fs.FS.OpenDir(name)) }

func (fs tellingFS) Link(from, to string) error { return fs.check(fs.FS.Link(from, to)) }

func (fs tellingFS) Remove(name string) error { return fs.check(fs.FS.Remove(name)) }

func (fs tellingFS) Rename(from, to string) error { return fs.check(fs.FS.Rename(from, to)) }

func (fs tellingFS) MkdirAll(dir string, perm os.FileMode) error {
	return fs.check(fs.FS.MkdirAll(dir, perm))
}

// Unwrap is how Pebble finds the file system below.
func (fs tellingFS) Unwrap() vfs.FS { return fs.FS }

// tellingFile is a file of a tellingFS.
type tellingFile struct {
	vfs.File
	fs tellingFS
}

func (f tellingFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.fs.check(err)
}

func (f tellingFile) WriteAt(p []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(p, at)
	return n, f.fs.check(err)
}

func (f tellingFile) Sync() error { return f.fs.check(f.File.Sync()) }

func (f tellingFile) SyncData() error { return f.fs.check(f.File.SyncData()) }

func (f tellingFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.fs.check(err)
}

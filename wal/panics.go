package wal

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Beside those of logfile.go there are two more errors at which Pebble panics, in
// goroutines of its own, and so with Go's exit code: a folder that cannot be synced,
// when it goes on to a new manifest, and a blob file whose end cannot be written or
// synced (it closes that file twice: v2.1.7, sstable/blob.FileWriter.Close). They are
// made final before Pebble hears of them, too, also while the store is opened and
// closed. A blob file that fails before its end is no panic, and is written again.
type panicFS struct {
	vfs.FS
	s *strict
	t *trouble
}

// Create is that of vfs.FS. A table waits a moment after one that failed.
func (fs panicFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasSuffix(name, ".sst") && fs.t.since.Load() != 0 {
		<-time.After(tableRest)
	}
	f, err := fs.FS.Create(name, c)
	if err != nil || !strings.HasSuffix(name, ".blob") {
		return f, err
	}
	return blobFile{f, fs.s}, nil
}

// OpenDir is that of vfs.FS.
func (fs panicFS) OpenDir(name string) (vfs.File, error) {
	f, err := fs.FS.OpenDir(name)
	if err != nil {
		return f, err
	}
	return folder{f, fs.s}, nil
}

// Unwrap is how Pebble finds the file system below.
func (fs panicFS) Unwrap() vfs.FS { return fs.FS }

// folder is one that is synced.
type folder struct {
	vfs.File
	s *strict
}

func (f folder) Sync() error {
	err := f.File.Sync()
	f.s.check(err)
	return err
}

// blobBuffer is the size of the buffer in front of a blob file, bufio's own. Only at the
// end is less than that written at a time.
const blobBuffer = 4096

// blobFile is a blob file that is being written.
type blobFile struct {
	vfs.File
	s *strict
}

func (f blobFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	if len(p) < blobBuffer {
		return n, f.check(err)
	}
	return n, err
}

func (f blobFile) Sync() error { return f.check(f.File.Sync()) }

func (f blobFile) SyncData() error { return f.check(f.File.SyncData()) }

func (f blobFile) check(err error) error {
	f.s.check(err)
	return err
}

// openPanic, deferred, makes an error of the panic with which pebble.Open ends at some of
// the disk's errors. The panic of a bug goes on.
func openPanic(err *error) {
	p := recover()
	if p == nil {
		return
	}
	cause, isError := p.(error)
	if _, isBug := p.(runtime.Error); isBug || !isError {
		panic(p)
	}
	*err = fmt.Errorf("open the store: %w", cause)
}

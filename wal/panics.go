package wal

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Beside those of logfile.go and blobfile.go there is one more error at which Pebble
// panics, in a goroutine of its own, and so with Go's exit code: a folder that cannot be
// synced, when it goes on to a new manifest. It is made final before Pebble hears of it,
// too, also while the store is opened and closed.
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
	return fs.FS.Create(name, c)
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

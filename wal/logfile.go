package wal

import (
	"strings"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// When Pebble goes on to a new file of its write-ahead log, it panics at any error, without
// a lock that its callers unlock: that cannot be recovered from, and the process ends with
// Go's own exit code and not with that of its owner. So such errors are made final before
// Pebble hears of them: that of a new file in walCreated, that of the old one in its Close.

// strict are the times at which they are: not while the store is opened or closed, when
// Pebble returns them.
type strict struct {
	on   atomic.Bool
	fail func(error)
}

func (s *strict) check(err error) {
	if err != nil && s.on.Load() {
		s.fail(err)
	}
}

// walCreated is Pebble's event of a new file of its log.
func (l *Log) walCreated(info pebble.WALCreateInfo) { l.strict.check(info.Err) }

// strictFS watches the files of the write-ahead log.
type strictFS struct {
	vfs.FS
	s *strict
}

func (fs strictFS) file(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil || !strings.HasSuffix(name, ".log") {
		return f, err
	}
	return &logFile{File: f, s: fs.s}, nil
}

// Create is that of vfs.FS.
func (fs strictFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.Create(name, c)
	return fs.file(name, f, err)
}

// ReuseForWrite is that of vfs.FS.
func (fs strictFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.ReuseForWrite(from, to, c)
	return fs.file(to, f, err)
}

// Unwrap is how Pebble finds the file system below.
func (fs strictFS) Unwrap() vfs.FS { return fs.FS }

// logFile is a file of the write-ahead log. It remembers the first error of a write or a
// sync, which is final; Pebble tells most of them at once, and the last at the end.
type logFile struct {
	vfs.File
	s   *strict
	err atomic.Pointer[error]
}

func (f *logFile) note(err error) error {
	if err != nil {
		f.keep(err)
	}
	return err
}

// keep is apart from note, which would allocate with it where there is no error.
func (f *logFile) keep(err error) { f.err.CompareAndSwap(nil, &err) }

func (f *logFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.note(err)
}

func (f *logFile) Sync() error { return f.note(f.File.Sync()) }

func (f *logFile) SyncData() error { return f.note(f.File.SyncData()) }

func (f *logFile) Close() error {
	err := f.File.Close()
	if first := f.err.Load(); first != nil {
		f.s.check(*first)
	}
	f.s.check(err)
	return err
}

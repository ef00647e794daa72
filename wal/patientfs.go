package wal

import (
	"errors"
	"io"
	"io/fs"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"
)

const (
	// filePatience is how long a file that cannot be opened, because the process or the machine
	// has no descriptor left, is waited for.
	filePatience = 2 * time.Minute
	// filePause is between two tries.
	filePause = 20 * time.Millisecond
)

// patient waits for file descriptors. Without one for the next file of the write-ahead log Pebble
// would panic, though nothing is wrong with the disk, and descriptors come back when connections
// are closed. Meanwhile writers wait, as for a slow disk. When its patience is over, the error is
// the caller's.
type patient struct {
	vfs.FS
	log zerolog.Logger
}

// until calls open until it does not fail for want of a descriptor, or patience is over.
func (p patient) until(name string, open func() error) error {
	err := open()
	if !noDescriptor(err) {
		return err
	}
	p.log.Error().Err(err).Str("file", name).Stringer("patience", filePatience).Msg("the store cannot open a file, and waits for a descriptor")
	for end := time.Now().Add(filePatience); noDescriptor(err) && time.Now().Before(end); err = open() {
		t := time.NewTimer(filePause)
		<-t.C
	}
	return err
}

func noDescriptor(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// file is until for what opens a file.
func (p patient) file(name string, open func() (vfs.File, error)) (f vfs.File, err error) {
	err = p.until(name, func() (err error) { f, err = open(); return err })
	return f, err
}

// Create implements vfs.FS.
func (p patient) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return p.file(name, func() (vfs.File, error) { return p.FS.Create(name, category) })
}

// Open implements vfs.FS.
func (p patient) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	return p.file(name, func() (vfs.File, error) { return p.FS.Open(name, opts...) })
}

// OpenReadWrite implements vfs.FS.
func (p patient) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return p.file(name, func() (vfs.File, error) { return p.FS.OpenReadWrite(name, category, opts...) })
}

// OpenDir implements vfs.FS.
func (p patient) OpenDir(name string) (vfs.File, error) {
	return p.file(name, func() (vfs.File, error) { return p.FS.OpenDir(name) })
}

// ReuseForWrite implements vfs.FS. One that failed may have renamed the file before: then a new one
// takes its place, as the interface allows.
func (p patient) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := p.FS.ReuseForWrite(oldname, newname, category)
	if !noDescriptor(err) {
		return f, err
	}
	if err := p.Remove(oldname); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return p.Create(newname, category)
}

// List implements vfs.FS.
func (p patient) List(dir string) (names []string, err error) {
	err = p.until(dir, func() (err error) { names, err = p.FS.List(dir); return err })
	return names, err
}

// Lock implements vfs.FS.
func (p patient) Lock(name string) (c io.Closer, err error) {
	err = p.until(name, func() (err error) { c, err = p.FS.Lock(name); return err })
	return c, err
}

// Unwrap is how Pebble finds the file system below.
func (p patient) Unwrap() vfs.FS { return p.FS }

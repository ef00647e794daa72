package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// ballast is a file that does nothing but take space. It is given up when the log itself
// finds no space any more, so that what is on its way can still be written, and put
// back once there is space again.
type ballast struct {
	fs   vfs.FS // the disk's own, but that refusals are ErrFull
	dir  string
	size int64 // 0: there is none

	mu      sync.Mutex  // one at a time gives it up or puts it back
	missing atomic.Bool // it is not there
	wanted  atomic.Bool // somebody waits to give it up
}

const (
	ballastName = "ballast"
	// ballastStep is how much is put back at a time: who needs the space does not wait
	// for more.
	ballastStep = 4 << 20
)

func (b *ballast) path() string { return b.fs.PathJoin(b.dir, ballastName) }

// find looks whether the last process left the ballast, of whatever size, which is there
// to be given up then. Without a size it is removed.
func (b *ballast) find() {
	_, err := b.fs.Stat(b.path())
	b.missing.Store(b.size > 0 && err != nil)
	if b.size == 0 && err == nil {
		_ = b.fs.Remove(b.path())
	}
}

// owed is how many bytes are to be put back.
func (b *ballast) owed() int64 {
	if b.missing.Load() {
		return b.size
	}
	return 0
}

// giveUp removes the ballast. If it is being put back it waits for that to stop.
func (b *ballast) giveUp() {
	if b.size == 0 {
		return
	}
	b.wanted.Store(true)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wanted.Store(false)
	b.missing.Store(true)
	_ = b.fs.Remove(b.path()) // it is gone already, or stays and the write fails
}

// restore puts the ballast back, whole or not at all. It does nothing if it is there in
// its size. An error that is ErrFull means that there is no space for it, or that somebody
// needed it meanwhile. After any other there is no ballast.
func (b *ballast) restore() error {
	if b.size == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if info, err := b.fs.Stat(b.path()); err == nil && info.Size() == b.size {
		b.missing.Store(false)
		return nil
	}
	b.missing.Store(true)
	err := b.fill()
	if err != nil {
		if gone := b.fs.Remove(b.path()); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		err = fmt.Errorf("ballast of %d bytes: %w", b.size, err)
	}
	b.missing.Store(errors.Is(err, ErrFull))
	return err
}

// fill makes the file and takes its space.
func (b *ballast) fill() (err error) {
	f, err := b.fs.Create(b.path(), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for at := int64(0); at < b.size; at += ballastStep {
		if b.wanted.Load() {
			return errKept
		}
		if err := take(f, at, min(ballastStep, b.size-at)); err != nil {
			return err
		}
	}
	return nil
}

// take makes a stretch of a file take its space: by asking for it, and where that is not
// possible by writing what no file system can make smaller.
func take(f vfs.File, at, n int64) error {
	err := allocate(f, at, n)
	switch {
	case err != nil && isFull(err):
		return &fullError{err}
	case !errors.Is(err, errors.ErrUnsupported):
		return err
	}
	noise := make([]byte, n)
	rng := rand.NewPCG(uint64(at), uint64(n))
	for i := 0; i+8 <= len(noise); i += 8 {
		binary.LittleEndian.PutUint64(noise[i:], rng.Uint64())
	}
	_, err = f.Write(noise)
	return err
}

// Ballast is how many bytes of the ballast are to be put back: 0, or all of it.
func (l *Log) Ballast() (owed int64) { return l.space.ballast.owed() }

// RestoreBallast puts the ballast back after it was given up, which takes the time of an
// allocation. An error that is ErrFull means that there is no space for it yet. After any
// other the log goes on without. Any goroutine.
func (l *Log) RestoreBallast() error { return l.space.ballast.restore() }

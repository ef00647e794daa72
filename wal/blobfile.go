package wal

import (
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// When the end of a blob file cannot be written, Pebble 2.1.7 closes the file a second
// time, through a nil pointer (blob.FileWriter.Close: Finish, then Abort), and the process
// ends with a stack in the place of a reason. Errors before the end are well received. So
// the end waits for space, and any other error of it is made final here.

// endBytes is the most that the end of a file can be: what the buffer in front of it
// holds. Longer writes are not the last.
const endBytes = 4096

func isBlob(name string) bool { return strings.HasSuffix(name, ".blob") }

// blobFile is a blob file that is being written.
type blobFile struct {
	vfs.File
	fs *spaceFS
}

func (f *blobFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	for err != nil && len(p) <= endBytes {
		if !isFull(err) || f.fs.opening.Load() {
			f.fs.fail(err)
		}
		open := f.fs.pause()
		if !open {
			f.fs.ballast.giveUp() // it is of no use to the log any more
		}
		var more int
		more, err = f.File.Write(p[n:])
		if n += more; err != nil && !open {
			f.fs.fail(err)
		}
	}
	return n, err
}

// pause waits before space is asked for again. It reports false, at once, when the log
// closes.
func (fs *spaceFS) pause() (open bool) {
	t := time.NewTimer(tablePause)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-fs.closing:
		return false
	}
}

func (f *blobFile) Sync() error { return f.end(f.File.Sync()) }

func (f *blobFile) SyncData() error { return f.end(f.File.SyncData()) }

func (f *blobFile) Close() error { return f.end(f.File.Close()) }

func (f *blobFile) end(err error) error {
	if err != nil {
		f.fs.fail(err)
	}
	return err
}

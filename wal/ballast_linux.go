package wal

import (
	"errors"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// allocate takes the space of a stretch of a file without writing it;
// errors.ErrUnsupported if the file system cannot.
func allocate(f vfs.File, at, n int64) error {
	fd := f.Fd()
	if fd == vfs.InvalidFd {
		return errors.ErrUnsupported
	}
	for {
		if err := syscall.Fallocate(int(fd), 0, at, n); err != syscall.EINTR {
			return err
		}
	}
}

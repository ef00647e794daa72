package diskspace

import (
	"fmt"
	"syscall"
)

// readOnly is ST_RDONLY of statvfs(3).
const readOnly = 1

// Look asks how full the file system of a folder is. It waits for nothing but the
// system call. Where that cannot be known, it is errors.ErrUnsupported.
func Look(dir string) (Usage, error) {
	var fs syscall.Statfs_t
	for {
		err := syscall.Statfs(dir, &fs)
		if err == nil {
			break
		}
		if err != syscall.EINTR {
			return Usage{}, fmt.Errorf("statfs %s: %w", dir, err)
		}
	}
	return Usage{
		FreeBytes: int64(fs.Bavail) * fs.Frsize, TotalBytes: int64(fs.Blocks) * fs.Frsize,
		FreeInodes: int64(fs.Ffree), TotalInodes: int64(fs.Files),
		ReadOnly: fs.Flags&readOnly != 0,
	}, nil
}

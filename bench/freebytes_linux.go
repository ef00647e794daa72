package bench

import "syscall"

// freeBytes is how much a user may still write to dir's filesystem.
func freeBytes(dir string) (int64, bool) {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil {
		return 0, false
	}
	return int64(fs.Bavail) * fs.Bsize, true
}

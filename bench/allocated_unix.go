//go:build unix

package bench

import (
	"io/fs"
	"syscall"
)

// blockBytes is the unit of a file's block count, see stat(2).
const blockBytes = 512

// allocated is what a file takes on disk.
func allocated(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int64(stat.Blocks) * blockBytes
	}
	return info.Size()
}

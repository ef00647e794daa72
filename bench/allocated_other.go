//go:build !unix

package bench

import "io/fs"

// allocated is a file's length, where the system does not tell its blocks.
func allocated(info fs.FileInfo) int64 { return info.Size() }

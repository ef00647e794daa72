package diskspace

import "fmt"

// Usage is how full a file system is, for those without privileges.
type Usage struct {
	FreeBytes, TotalBytes   int64
	FreeInodes, TotalInodes int64 // files; 0 of 0 where a file system does not count them
	ReadOnly                bool  // it is mounted so
}

// Bytes is a size as people read it.
func Bytes(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	size, i := float64(max(n, 0)), 0
	for size >= 1024 && i < len(units)-1 {
		size, i = size/1024, i+1
	}
	if size == float64(int64(size)) {
		return fmt.Sprintf("%d %s", int64(size), units[i])
	}
	return fmt.Sprintf("%.1f %s", size, units[i])
}

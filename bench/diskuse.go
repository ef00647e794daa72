package bench

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// diskUse is what the files of a directory take on disk, in bytes: blocks that are
// allocated, whatever length the files have.
type diskUse struct {
	Tables int64 // sorted tables: keys, small values, references to large ones
	Blobs  int64 // large values
	Logs   int64 // write-ahead logs, also those that are kept to be written over
	Other  int64 // manifests, options, keys
}

// Total is of all files.
func (u diskUse) Total() int64 { return u.Tables + u.Blobs + u.Logs + u.Other }

// ballastFile is the server's file that does nothing but take space for the case that the disk
// is full. It is the same in every store, and not counted.
const ballastFile = "ballast"

// diskUseOf adds up the files under dir. One that goes away meanwhile is not
// counted.
func diskUseOf(dir string) (u diskUse, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil && entry.Type().IsRegular() && entry.Name() != ballastFile {
			info, err = entry.Info()
		}
		if errors.Is(err, fs.ErrNotExist) && path != dir {
			return nil
		}
		if info != nil {
			*u.of(path) += allocated(info)
		}
		return err
	})
	return u, err
}

// of is the count that a file belongs to, by its name.
func (u *diskUse) of(path string) *int64 {
	switch filepath.Ext(path) {
	case ".sst":
		return &u.Tables
	case ".blob":
		return &u.Blobs
	case ".log":
		return &u.Logs
	}
	return &u.Other
}

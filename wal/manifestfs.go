package wal

import (
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// manifestFirst makes the name of a new manifest durable before anything can
// point to it. Pebble creates a manifest, then a marker that names it, and syncs
// the folder once, behind both. A power cut between the two may leave the
// marker's entry and not the manifest's, on a file system that does not keep the
// order of a folder's entries, and then the store does not open
// (TestCrashInsideEveryWrite found it in the first open of a store).
type manifestFirst struct{ vfs.FS }

// Create creates a file; the entry of a manifest is durable when it returns.
func (fs manifestFirst) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.Create(name, category)
	if err != nil || !strings.HasPrefix(fs.PathBase(name), "MANIFEST-") {
		return f, err
	}
	if err := fs.syncDir(fs.PathDir(name)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (fs manifestFirst) syncDir(name string) error {
	dir, err := fs.OpenDir(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Unwrap is how Pebble finds the file system below.
func (fs manifestFirst) Unwrap() vfs.FS { return fs.FS }

//go:build !linux

package wal

import (
	"errors"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// allocate is not known on this system.
func allocate(vfs.File, int64, int64) error { return errors.ErrUnsupported }

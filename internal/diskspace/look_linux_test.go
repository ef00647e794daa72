package diskspace

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
)

func TestLook(t *testing.T) {
	dir := t.TempDir()
	use, err := Look(dir)
	if err != nil || use.ReadOnly || use.FreeBytes <= 0 || use.FreeBytes > use.TotalBytes {
		t.Errorf("%+v, %v", use, err)
	}
	if use, err = Look("/proc/sys"); err != nil || use.FreeBytes != 0 {
		t.Errorf("a file system without space: %+v, %v", use, err)
	}
	if _, err := Look(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

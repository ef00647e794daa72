package app

import (
	"errors"
	"fmt"
	"io"

	"posthaste/wal"
)

// DumpOptions say what Dump prints.
type DumpOptions struct {
	Limit int  // records at the most; 0: all
	JSON  bool // one JSON object a line; otherwise columns
}

// Dump prints what the log in a data directory holds, without changing it. No
// server may have it open.
func Dump(w io.Writer, dataDir string, o DumpOptions) error {
	l, err := wal.OpenReadOnly(wal.Options{Dir: dataDir + "/log"})
	switch {
	case errors.Is(err, wal.ErrCorrupt):
		return fmt.Errorf("%w: %w", ErrStorage, err)
	case err != nil:
		return fmt.Errorf("%w (is a server running on it?)", err)
	}
	dump := l.DumpText
	if o.JSON {
		dump = l.Dump
	}
	err = dump(w, o.Limit)
	if cerr := l.Close(); err == nil {
		err = cerr
	}
	return err
}

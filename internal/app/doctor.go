package app

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"posthaste/catalog"
	"posthaste/internal/seal"
	"posthaste/wal"
)

// What Doctor reports.
type (
	Finding  = wal.Finding
	Level    = wal.Level
	KindSize = wal.KindSize
)

// The levels of a Finding.
const (
	Fine    = wal.Fine
	Warning = wal.Warning
	Broken  = wal.Broken
)

// DoctorOptions say what Doctor looks at. Report is called from its goroutine, and so is
// Progress, which may be nil.
type DoctorOptions struct {
	DataDir     string
	InstanceKey string // "": there is none
	Pepper      []byte // nil: there is none
	SecretKeys  []byte // the text of the key file; nil: there is none
	Report      func(Finding)
	Progress    func(step string, done, total int64)
}

// Doctor reads the whole log in a data directory, without changing it, and reports
// whether it is whole and can be read with these keys. No server may have it open. The
// error says why it could not be looked at. Memory beside the block cache is that
// which a server needs for the catalog.
func Doctor(ctx context.Context, o DoctorOptions) ([]KindSize, error) {
	return wal.Verify(ctx, wal.Verification{
		Dir: o.DataDir + "/log", Report: o.Report, Progress: o.Progress,
		Inspect: func(l *wal.Log) { o.Report(o.checkCatalog(l)) },
	})
}

// checkCatalog opens the catalog as a server would.
func (o *DoctorOptions) checkCatalog(l *wal.Log) Finding {
	f := Finding{Check: "catalog", Text: "every record can be read, every secret opens, and nothing belongs to what is not there"}
	broken := func(err error) Finding {
		f.Level, f.Text = Broken, fmt.Sprintf("%s; bring back from a backup what it names", strings.ReplaceAll(err.Error(), "\n", "; "))
		return f
	}
	var box *seal.Box
	if o.SecretKeys != nil {
		keys, err := seal.ParseKeyFile(o.SecretKeys)
		if err == nil {
			box, err = seal.Open(keys)
		}
		if err != nil {
			return broken(fmt.Errorf("the keys for secrets: %w", err))
		}
	}
	// Keys that are missing were reported; the catalog can be read under any of these.
	stand := bytes.Repeat([]byte{'x'}, PepperBytes)
	if o.Pepper == nil {
		o.Pepper = stand
	}
	if len(o.InstanceKey) < minInstanceKeyBytes {
		o.InstanceKey = string(stand)
	}
	_, err := catalog.Open(l, catalog.Options{
		Pepper: o.Pepper, InstanceKey: o.InstanceKey, Seal: box,
		URLPolicy: func(raw string, _ bool) (string, error) { return raw, nil },
	})
	if err != nil {
		return broken(err)
	}
	return f
}

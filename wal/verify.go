package wal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Verification says what Verify looks at, and who is told. The functions are called from
// Verify's goroutine.
type Verification struct {
	Dir string // the store's folder; required
	FS  vfs.FS // the file system; the disk's by default

	CacheBytes int64     // block cache; 64 MiB by default
	Now        time.Time // what times are compared with; time.Now by default

	// Report takes every finding: one for each check that found nothing, and one for
	// each thing that is wrong, up to maxFindings of a check. Required.
	Report func(Finding)
	// Progress, if it is set, is told now and then how far a step is. total is 0 where it
	// is not known.
	Progress func(step string, done, total int64)
	// Inspect, if it is set, is called with the store, open for reading, once its tables
	// have been checked.
	Inspect func(*Log)
}

// Finding is what one check found.
type Finding struct {
	Check string `json:"check"`
	Level Level  `json:"level"`
	Text  string `json:"text"` // one line: what, where, and what to do
}

// Level is how bad a finding is.
type Level int

// The levels.
const (
	Fine    Level = iota
	Warning       // something to know
	Broken        // something is damaged or lost
)

var levelTexts = [...]string{Fine: "ok", Warning: "warning", Broken: "broken"}

func (l Level) String() string { return levelTexts[l] }

// MarshalText is the level's text.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// maxFindings is how many findings of one check are reported one by one.
const maxFindings = 20

// KindSize is how much a store holds of one kind of record.
type KindSize struct {
	Kind    string `json:"kind"`
	Records int64  `json:"records"`
	Bytes   int64  `json:"bytes"` // of keys and values, as they were written
}

// Verify reads all of a store that no process has open, without changing it, and reports
// whether it is whole: manifest and write-ahead logs, the checksums of every table and
// value file, every record and what records say of each other. It needs memory for the
// block cache, for what the write-ahead logs hold, and for each endpoint that is behind,
// whatever the store's size, and time for reading the store twice.
//
// What is wrong with the store is reported; the error says why it could not be looked
// at. ctx ends it early.
func Verify(ctx context.Context, v Verification) ([]KindSize, error) {
	v.ensureDefaults()
	if _, err := v.FS.Stat(v.Dir); err != nil {
		return nil, err
	}
	l, err := newLog(Options{Dir: v.Dir, FS: v.FS, CacheBytes: v.CacheBytes})
	if err != nil {
		return nil, err
	}
	l.readOnly = true
	r := &verifier{ctx: ctx, v: &v, l: l}
	whole, err := r.files()
	if err != nil || !whole {
		return nil, err
	}
	return r.store()
}

func (v *Verification) ensureDefaults() {
	if v.FS == nil {
		v.FS = vfs.Default
	}
	if v.Now.IsZero() {
		v.Now = time.Now()
	}
	if v.Progress == nil {
		v.Progress = func(string, int64, int64) {}
	}
}

// verifier is one call of Verify.
type verifier struct {
	ctx    context.Context
	v      *Verification
	l      *Log
	broken []span // of keys that lie in damaged tables
	values bool   // a value file is damaged
}

// check collects what one check finds.
type check struct {
	v     *Verification
	name  string
	found int
	worst Level
}

func (r *verifier) check(name string) *check { return &check{v: r.v, name: name} }

func (c *check) find(level Level, format string, args ...any) {
	c.worst = max(c.worst, level)
	if c.found++; c.found <= maxFindings {
		c.v.Report(Finding{c.name, level, fmt.Sprintf(format, args...)})
	}
}

// end reports that all is well, or how much more there was.
func (c *check) end(format string, args ...any) {
	switch {
	case c.found == 0:
		c.v.Report(Finding{c.name, Fine, fmt.Sprintf(format, args...)})
	case c.found > maxFindings:
		c.v.Report(Finding{c.name, c.worst, fmt.Sprintf("and %d more", c.found-maxFindings)})
	}
}

// restore is what helps where a file of the store is damaged.
const restore = "bring the store back from a backup"

// files checks what can be read without Pebble. It reports whether there is a store to
// open.
func (r *verifier) files() (whole bool, err error) {
	fs, dir := r.v.FS, r.v.Dir
	lock, err := pebble.LockDirectory(dir, fs)
	if err != nil {
		return false, lockError(err)
	}
	defer lock.Close()
	r.space()

	stop := r.check("clean stop")
	state, err := readState(fs, dir)
	var damage *DamageError
	if errors.As(err, &damage) {
		stop.find(Broken, "%v: it is written last, so the disk may have lost more; %s, or remove it if all else is well", damage, restore)
	} else if err != nil {
		return false, err
	}
	f, err := readFiles(fs, dir, state != nil && !state.Relaxed)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", dir, err)
	}
	if f.manifest == "" && len(f.damage) == 0 && state == nil {
		return false, fmt.Errorf("there is no store in %s: %w", dir, os.ErrNotExist)
	}
	r.reportFiles(f)
	if stop.found == 0 && len(f.damage) == 0 {
		r.reportStop(stop, state, f)
	}
	return f.manifest != "", nil
}

func (r *verifier) reportFiles(f *storeFiles) {
	manifest, logs := r.check("manifest"), r.check("write-ahead log")
	for _, d := range f.damage {
		switch {
		case strings.HasSuffix(d.File, ".log"):
			logs.find(Broken, "%v; what was acknowledged after it may be lost: %s", d, restore)
		case strings.HasPrefix(d.File, "MANIFEST-"):
			manifest.find(Broken, "%v; it names the tables, so whole hours may be lost: %s", d, restore)
		default:
			manifest.find(Broken, "%v; %s", d, restore)
		}
	}
	manifest.end("%s, %d bytes", f.manifest, f.manifestBytes)
	ends := "closed"
	if n := len(f.logs); n > 0 && !f.logs[n-1].end.Closed {
		ends = "ends where its process ended: the next start reads it back"
	}
	logs.end("%d files with %d records, %s", len(f.logs), f.records(), ends)
}

func (r *verifier) reportStop(c *check, state *storeState, f *storeFiles) {
	stale, damage := state.compare(f)
	switch {
	case damage != nil:
		c.find(Broken, "%v; %s, or remove the file %s to go on with what is there", damage, restore, stateFile)
	case state == nil:
		c.end("not noted: the store is of a program that did not do so")
	case stale:
		c.end("there was none: the end of the write-ahead log is taken as it is, as after a crash")
	default:
		c.end("manifest and write-ahead log are as the stop of %s left them", state.At)
	}
}

// little is when free space is worth a warning.
const little = 1 << 30

// space reports what the files take, and what is left.
func (r *verifier) space() {
	c := r.check("disk")
	names, err := r.v.FS.List(r.v.Dir)
	if err != nil {
		c.find(Broken, "%v", err)
		return
	}
	sizes := map[string]int64{}
	for _, name := range names {
		if info, err := r.v.FS.Stat(r.v.FS.PathJoin(r.v.Dir, name)); err == nil {
			sizes[name[strings.LastIndexByte(name, '.')+1:]] += info.Size()
		}
	}
	text := fmt.Sprintf("tables %s, values %s, write-ahead logs %s", sizeText(sizes["sst"]), sizeText(sizes["blob"]), sizeText(sizes["log"]))
	if usage, err := r.v.FS.GetDiskUsage(r.v.Dir); err == nil {
		text += fmt.Sprintf("; %s of %s are free", sizeText(int64(usage.AvailBytes)), sizeText(int64(usage.TotalBytes)))
		if usage.AvailBytes < little {
			c.find(Warning, "%s: make room before the server has none", text)
		}
	}
	c.end("%s", text)
}

func sizeText(n int64) string {
	for _, unit := range []struct {
		bytes int64
		name  string
	}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= unit.bytes {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(unit.bytes), unit.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// store opens the store for reading and checks what is in it.
func (r *verifier) store() (sizes []KindSize, err error) {
	c := r.check("format")
	if err := r.l.openPebble(); err != nil {
		c.find(Broken, "the store does not open: %v; %s", oneLine(err), restore)
		return nil, nil
	}
	defer func() { err = errors.Join(err, r.l.Close()) }()
	h, err := r.l.readHeader()
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		c.find(Broken, "the header is gone: %v, or its first table was lost", errForeign)
	case err != nil:
		c.find(Broken, "%v", oneLine(err))
	default:
		c.end("format %d of %d, Pebble's %s, %d partitions, made by %s at %s", h.Format, FormatVersion, r.l.db.FormatMajorVersion(), h.Partitions, h.CreatedBy, h.CreatedAt)
	}
	if err := r.tables(); err != nil || r.l.partitions == 0 {
		return nil, err
	}
	if r.v.Inspect != nil {
		r.v.Inspect(r.l)
	}
	return r.rows()
}

// oneLine is an error's text on one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// inBroken reports whether a key lies where a damaged table has keys. It is not looked
// up there: Pebble looks for a flipped bit each time that it reads a damaged block, which
// takes up to a second.
func (r *verifier) inBroken(key []byte) bool {
	return slices.ContainsFunc(r.broken, func(s span) bool {
		return string(s.start) <= string(key) && string(key) < string(s.end)
	})
}

// brokenBehind is the end of the first damaged table that ends behind a key; nil if there
// is none.
func (r *verifier) brokenBehind(key []byte) []byte {
	var first []byte
	for _, s := range r.broken {
		if string(s.end) > string(key) && (first == nil || string(s.end) < string(first)) {
			first = s.end
		}
	}
	return slices.Clone(first)
}

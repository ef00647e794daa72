package wal

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

func TestOptionsAreChecked(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"dir":        func(o *Options) { o.Dir = "" },
		"partitions": func(o *Options) { o.Partitions = 65535 },
		"group":      func(o *Options) { o.GroupBytes = -1 },
		"settle":     func(o *Options) { o.SettleDelay = -1 },
		"window":     func(o *Options) { o.IdempotencyWindow = -1 },
	} {
		o := testOptions(vfs.NewMem())
		change(&o)
		if _, err := Open(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v", want, err)
		}
	}
	o := testOptions(vfs.NewMem())
	o.Partitions = -1
	if _, err := Open(o); err == nil {
		t.Error("-1 partitions were taken")
	}
}

// rewriteHeader changes the store's header under its checksum.
func rewriteHeader(t *testing.T, l *Log, change func(*header)) {
	t.Helper()
	value, closer, err := l.db.Get(headerKey)
	must(t, err)
	var h header
	must(t, json.Unmarshal(value[recordHeaderLen:], &h))
	must(t, closer.Close())
	change(&h)
	body, err := json.Marshal(h)
	must(t, err)
	must(t, l.db.Set(headerKey, sealedBody(headerKey, body), pebble.Sync))
}

func TestHeadersThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*header)
		want    string
		corrupt bool
	}{
		"newer format":       {func(h *header) { h.Format, h.MinReader, h.CreatedBy = 7, 7, "posthaste 9" }, "format 7, written by posthaste 9; this program reads format 6: use the newer program", false},
		"another magic":      {func(h *header) { h.Magic = "other" }, "not the header", true},
		"other bucket":       {func(h *header) { h.Bucket = 1 }, "out of range", true},
		"no partitions":      {func(h *header) { h.Partitions = 0 }, "out of range", true},
		"too many":           {func(h *header) { h.Partitions = allPartitions }, "out of range", true},
		"newer but readable": {func(h *header) { h.Format = 6 }, "", false},
	} {
		o := testOptions(vfs.NewMem())
		l, err := Open(o)
		must(t, err)
		rewriteHeader(t, l, c.change)
		must(t, l.Close())
		for _, open := range []func(Options) (*Log, error){Open, OpenReadOnly} {
			l, err := open(o)
			if c.want == "" {
				must(t, err)
				must(t, l.Close())
				continue
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "open log in log") {
				t.Errorf("%s: got error %v", name, err)
			}
			if errors.Is(err, ErrCorrupt) != c.corrupt {
				t.Errorf("%s: is corrupt: %v", name, !c.corrupt)
			}
		}
	}
}

// TestOlderFormatsAreRaised when they are opened for writing, and read as they are
// otherwise. What they lack, the index and the time of the newest id, is done without.
func TestOlderFormatsAreRaised(t *testing.T) {
	for older := 1; older < FormatVersion; older++ {
		o := testOptions(vfs.NewMem())
		l, err := Open(o)
		must(t, err)
		setClock(l, l.now()+30*hour) // later than the machine's
		ev := appendOne(t, l, post(idOf(1), "x"))
		rewriteHeader(t, l, func(h *header) { h.Format, h.MinReader = older, older })
		indexAll(t, l)
		for _, kind := range []byte{kindStretch, kindFind} {
			must(t, l.db.DeleteRange([]byte{kind}, []byte{kind + 1}, nil))
		}
		must(t, l.Flush())
		must(t, l.db.Delete(appendWatermarkKey(nil, newestID), nil))
		must(t, l.Close())
		for _, c := range []struct {
			open func(Options) (*Log, error)
			want int
		}{{OpenReadOnly, older}, {Open, FormatVersion}, {OpenReadOnly, FormatVersion}} {
			l, err := c.open(o)
			must(t, err)
			h, err := l.readHeader()
			if err != nil || h.Format != c.want || h.MinReader != c.want || h.Partitions != 256 || h.CreatedBy != "test" {
				t.Errorf("header %+v, %v, want format %d", h, err, c.want)
			}
			got, _, err := l.Events(idOf(1), event.Range{Limit: 2, Descending: true}, event.EventFilter{EventType: ev.Type})
			if n := len(got); err != nil || n == 0 || sameEvent(got[n-1], ev) != nil {
				t.Errorf("got %+v, %v", got, err)
			}
			if c.want == FormatVersion && !l.readOnly {
				if next := appendOne(t, l, post(idOf(1), "x")); next.ID.Compare(ev.ID) <= 0 {
					t.Errorf("the next id %s is not greater than %s", next.ID, ev.ID)
				}
			}
			must(t, l.Close())
		}
	}
}

func TestCorruptHeaderIsRefused(t *testing.T) {
	o := testOptions(vfs.NewMem())
	l, err := Open(o)
	must(t, err)
	damage(t, l, kindHeader)
	must(t, l.Close())
	if _, err := Open(o); !errors.Is(err, ErrCorrupt) {
		t.Errorf("got error %v", err)
	}
}

// TestForeignStoreIsRefused, and left as it was.
func TestForeignStoreIsRefused(t *testing.T) {
	mem := vfs.NewMem()
	db, err := pebble.Open("log", &pebble.Options{FS: mem, Logger: quiet{}})
	must(t, err)
	must(t, db.Set([]byte("x"), []byte("theirs"), pebble.Sync))
	must(t, db.Close())
	for range 2 {
		for _, open := range []func(Options) (*Log, error){Open, OpenReadOnly} {
			if _, err := open(testOptions(mem)); err == nil || !strings.Contains(err.Error(), "not posthaste's") {
				t.Errorf("got error %v", err)
			}
		}
	}
	db, err = pebble.Open("log", &pebble.Options{FS: mem, Logger: quiet{}, FormatMajorVersion: pebble.FormatNewest})
	must(t, err)
	value, closer, err := db.Get([]byte("x"))
	if err != nil || string(value) != "theirs" {
		t.Errorf("their record reads %q, %v", value, err)
	}
	must(t, closer.Close())
	if _, _, err := db.Get(headerKey); !errors.Is(err, pebble.ErrNotFound) {
		t.Errorf("a header was written: %v", err)
	}
	must(t, db.Close())
}

type quiet struct{}

func (quiet) Infof(string, ...any)           {}
func (quiet) Errorf(string, ...any)          {}
func (quiet) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }

// hashes are the contents of a folder's files.
func hashes(t *testing.T, dir string) map[string]string {
	t.Helper()
	m := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		m[path] = fmt.Sprintf("%d %x", len(b), sha256.Sum256(b))
		return err
	}))
	return m
}

// TestReadOnlyChangesNothing on a folder that was not closed well: its log has to be
// replayed in memory.
func TestReadOnlyChangesNothing(t *testing.T) {
	mem := vfs.NewCrashableMem()
	l := openLog(t, testOptions(mem))
	ev := appendOne(t, l, post(idOf(1), "x", idOf(2)))
	settle(t, l, attempted(ev.Owed[0], event.Retry))
	dir := t.TempDir()
	if ok, err := vfs.Clone(mem.CrashClone(vfs.CrashCloneCfg{}), vfs.Default, "log", dir+"/log"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	before := hashes(t, dir)
	o := testOptions(vfs.Default)
	o.Dir = dir + "/log"
	for range 2 {
		r, err := OpenReadOnly(o)
		must(t, err)
		if got, err := r.Event(idOf(1), ev.ID); err != nil || sameEvent(got, ev) != nil {
			t.Errorf("got %+v, %v", got, err)
		}
		must(t, r.Dump(io.Discard, 0))
		must(t, r.DumpText(io.Discard, 0))
		s := attempted(ev.Owed[0], event.Success)
		for name, err := range map[string]error{
			"Append":          r.Append(t.Context(), []event.Submission{post(idOf(1), "y", idOf(2))}),
			"Append of a key": r.Append(t.Context(), []event.Submission{keyed("k", "x")}),
			"Settle":          r.Settle(&s),
			"SetMark":         r.SetMark(event.Mark{Watermark: 1}),
			"Flush":           r.Flush(),
			"CASCatalog":      r.CASCatalog([]event.CatalogRecord{rec('p', 1, 1, "x")}),
		} {
			if !errors.Is(err, errReadOnly) {
				t.Errorf("%s: got error %v", name, err)
			}
		}
		must(t, r.Close())
		must(t, r.Close())
	}
	if after := hashes(t, dir); !maps.Equal(before, after) {
		t.Errorf("the folder changed:\n before %v\n after %v", before, after)
	}
	if _, err := OpenReadOnly(Options{Dir: dir + "/nothing"}); err == nil {
		t.Error("a folder that is not there was opened")
	}
	if _, err := os.Stat(dir + "/nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("and made: %v", err)
	}
}

// TestDumpShowsEveryKind, and no secrets.
func TestDumpShowsEveryKind(t *testing.T) {
	l := goldenLog(t)
	var out bytes.Buffer
	must(t, l.Dump(&out, 0))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	kinds := map[string]int{}
	for _, line := range lines[:len(lines)-1] {
		var row DumpRow
		must(t, json.Unmarshal([]byte(line), &row))
		kinds[row.Kind]++
	}
	for _, d := range dumpers {
		if kinds[d.name] == 0 {
			t.Errorf("no %s in %v", d.name, kinds)
		}
	}
	var counts dumpCounts
	must(t, json.Unmarshal([]byte(lines[len(lines)-1]), &counts))
	if !maps.Equal(counts.Of, kinds) || counts.Records != len(lines)-1 || !counts.Complete || counts.Partitions != 256 || counts.Format != FormatVersion {
		t.Errorf("counts %+v of %v", counts, kinds)
	}
	var text bytes.Buffer
	must(t, l.DumpText(&text, 0))
	for _, secret := range []string{`\"a\"`, `{"a"`, `"name"`} {
		if strings.Contains(out.String(), secret) || strings.Contains(text.String(), secret) {
			t.Errorf("the dump shows %s", secret)
		}
	}
	for _, line := range []string{`"status":"Retry"`, `"response_body_cut":true`, `"due":"`, ev0(l)} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no %s in the dump", line)
		}
	}

	out.Reset()
	must(t, l.Dump(&out, 3))
	if n := strings.Count(out.String(), "\n"); n != 4 || !strings.Contains(out.String(), `"complete":false`) {
		t.Errorf("%d lines with a limit of 3:\n%s", n, out.String())
	}
}

func ev0(l *Log) string { return goldenEventID(l).String() }

// TestUnknownKindStopsTheDump: refused, never skipped.
func TestUnknownKindStopsTheDump(t *testing.T) {
	l := newLogInMemory(t)
	must(t, l.db.Set([]byte("?x"), []byte("y"), pebble.Sync))
	if err := l.Dump(io.Discard, 0); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "3f78") {
		t.Errorf("got error %v", err)
	}
}

func TestStats(t *testing.T) {
	l := newLogInMemory(t)
	appendOne(t, l, post(idOf(1), "x", idOf(2)))
	must(t, l.db.Flush())
	if s := l.Stats(); s.DiskBytes == 0 || s.MemTableBytes == 0 || s.Flushes == 0 || s.ReadAmp == 0 {
		t.Errorf("got %+v", s)
	}
}

// TestOpenAgainAndAgain with writers in between: everything stays.
func TestOpenAgainAndAgain(t *testing.T) {
	o := testOptions(vfs.NewMem())
	var ids []event.ID
	for round := range 12 {
		l, err := Open(o)
		must(t, err)
		recoverAll(t, l)
		ids = append(ids, appendOne(t, l, post(idOf(1), fmt.Sprint(round), idOf(2))).ID)
		must(t, l.Close())
	}
	l := openLog(t, o)
	sameIDs(t, "events", eventIDs(stored(t, l)), ids)
	if !slices.IsSortedFunc(ids, event.ID.Compare) {
		t.Error("ids do not rise over restarts")
	}
}

package wal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// load reads the catalog as lines of kind, id, revision and value.
func load(t *testing.T, l *Log) (lines []string) {
	t.Helper()
	must(t, l.LoadCatalog(func(r event.CatalogRecord) error {
		lines = append(lines, fmt.Sprintf("%c %x %d %s", r.Kind, r.ID[15:], r.Rev, r.Value))
		return nil
	}))
	return lines
}

func wantCatalog(t *testing.T, l *Log, want ...string) {
	t.Helper()
	if got := load(t, l); !slices.Equal(got, want) {
		t.Errorf("the catalog holds %q, want %q", got, want)
	}
}

func rec(kind byte, id uint64, rev uint64, value string) event.CatalogRecord {
	r := event.CatalogRecord{Kind: kind, ID: idOf(id), Rev: rev}
	if value != "" {
		r.Value = []byte(value)
	}
	return r
}

func TestCatalogCompareAndSet(t *testing.T) {
	mem := vfs.NewCrashableMem()
	l := openLog(t, testOptions(mem))
	must(t, l.CASCatalog([]event.CatalogRecord{rec('p', 2, 1, "b"), rec('e', 9, 1, "c"), rec('p', 1, 1, "a")}))
	wantCatalog(t, l, "e 09 1 c", "p 01 1 a", "p 02 1 b")

	must(t, l.CASCatalog([]event.CatalogRecord{rec('p', 1, 2, "a2"), rec('e', 9, 2, "")}))
	want := []string{"p 01 2 a2", "p 02 1 b"}
	wantCatalog(t, l, want...)

	for name, recs := range map[string][]event.CatalogRecord{
		"exists already":             {rec('p', 1, 1, "x")},
		"stale revision":             {rec('p', 1, 2, "x")},
		"revision from the future":   {rec('p', 1, 4, "x")},
		"does not exist":             {rec('p', 7, 2, "x")},
		"deleted meanwhile":          {rec('e', 9, 3, "x")},
		"delete of a stale revision": {rec('p', 1, 2, "")},
		"one of several":             {rec('p', 3, 1, "new"), rec('p', 2, 2, "b2"), rec('p', 1, 9, "x")},
	} {
		if err := l.CASCatalog(recs); !errors.Is(err, event.ErrConflict) {
			t.Errorf("%s: got error %v", name, err)
		}
		wantCatalog(t, l, want...)
	}
	if err := l.CASCatalog([]event.CatalogRecord{rec('p', 1, 9, "x")}); !strings.Contains(err.Error(), idOf(1).String()) {
		t.Errorf("the error %q does not name the record", err)
	}
	must(t, l.CASCatalog([]event.CatalogRecord{rec('e', 9, 1, "again")}))
	must(t, l.CASCatalog(nil))

	// Durable when it returns.
	crashed := openLog(t, testOptions(mem.CrashClone(vfs.CrashCloneCfg{})))
	wantCatalog(t, crashed, append([]string{"e 09 1 again"}, want...)...)
}

func TestLoadCatalogStopsAtAnError(t *testing.T) {
	l := newLogInMemory(t)
	must(t, l.CASCatalog([]event.CatalogRecord{rec('p', 1, 1, "a"), rec('p', 2, 1, "b")}))
	stop, calls := errors.New("stop"), 0
	err := l.LoadCatalog(func(event.CatalogRecord) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

// TestCatalogConcurrency: writers that read, change and retry count exactly.
func TestCatalogConcurrency(t *testing.T) {
	l := newLogInMemory(t)
	const writers, each = 8, 20
	must(t, l.CASCatalog([]event.CatalogRecord{rec('n', 1, 1, "v")}))
	var conflicts atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for done := 0; done < each; {
				rev, err := l.revision(appendCatalogKey(nil, 'n', idOf(1)))
				if err != nil {
					t.Error(err)
					return
				}
				switch err := l.CASCatalog([]event.CatalogRecord{rec('n', 1, rev+1, "v")}); {
				case err == nil:
					done++
				case errors.Is(err, event.ErrConflict):
					conflicts.Add(1)
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	wantCatalog(t, l, fmt.Sprintf("n 01 %d v", writers*each+1))
	t.Logf("%d conflicts", conflicts.Load())
}

// What was overwritten is not in the store's tables any more after a compaction.
func TestCompactCatalogRemovesWhatWasOverwritten(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	id, planted := event.NewID(), []byte("a secret in clear text, planted")
	for rev, value := range [][]byte{planted, []byte("sealed")} {
		if err := l.CASCatalog([]event.CatalogRecord{{Kind: 'e', ID: id, Rev: uint64(rev + 1), Value: value}}); err != nil {
			t.Fatal(err)
		}
		if err := l.db.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	found := func() (n int) {
		tables, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
		for _, path := range tables {
			if b, _ := os.ReadFile(path); bytes.Contains(b, planted) {
				n++
			}
		}
		return n
	}
	if found() == 0 {
		t.Fatal("nothing to find: the test shows nothing")
	}
	if err := l.CompactCatalog(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); found() != 0; time.Sleep(time.Millisecond) { // Pebble removes files by and by
		if time.Now().After(end) {
			t.Fatal("a table holds what was overwritten")
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

package wal

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"posthaste/event"
)

// files is a store's folder, file by file.
type files map[string][]byte

func (f files) names() []string {
	var names []string
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// load makes a file system of them, with changes: a file of nil bytes is missing.
func (f files) load(t testing.TB, changed files) *vfs.MemFS {
	mem := vfs.NewMem()
	must(t, mem.MkdirAll("log", 0o700))
	for name, data := range f {
		if other, ok := changed[name]; ok {
			if data = other; data == nil {
				continue
			}
		}
		file, err := mem.Create("log/"+name, vfs.WriteCategoryUnspecified)
		must(t, err)
		_, err = file.Write(bytes.Clone(data)) // which a race build spoils
		must(t, err)
		must(t, file.Close())
	}
	return mem
}

func filesOf(t testing.TB, fs vfs.FS) files {
	t.Helper()
	names, err := fs.List("log")
	must(t, err)
	all := files{}
	for _, name := range names {
		if name == "LOCK" {
			continue
		}
		file, err := fs.Open("log/" + name)
		must(t, err)
		all[name], err = io.ReadAll(file)
		must(t, err)
		must(t, file.Close())
	}
	return all
}

// damageStores are a store after a clean stop, and one after a crash that has two
// write-ahead logs to be read back. Both have tables of several levels and value files.
func damageStores(t *testing.T) (clean, crashed files) {
	mem := vfs.NewCrashableMem()
	var hold atomic.Bool // new tables wait
	release := make(chan struct{})
	o := testOptions(errorfs.Wrap(plainReuse{mem}, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if hold.Load() && op.Kind == errorfs.OpCreate && strings.HasSuffix(op.Path, ".sst") {
			<-release
		}
		return nil
	})))
	o.MemTableBytes = 128 << 10
	w := damageWorkload{l: openLog(t, o), rng: rand.New(rand.NewPCG(1, 2))}
	recoverAll(t, w.l)
	for round := range 4 {
		w.round(t, 16)
		must(t, w.l.db.Flush())
		if round == 1 {
			must(t, w.l.db.Compact(t.Context(), []byte{0}, []byte{255}, false))
		}
	}
	must(t, w.l.Close())
	clean = filesOf(t, mem)

	w.l = openLog(t, o)
	recoverAll(t, w.l)
	hold.Store(true)
	for logs := 0; logs < 2; {
		w.round(t, 20)
		f, err := readFiles(mem, "log", true)
		must(t, err)
		logs = 0
		for _, log := range f.logs {
			if log.end.Records > 0 {
				logs++
			}
		}
	}
	w.round(t, 10)
	crashed = filesOf(t, mem.CrashClone(vfs.CrashCloneCfg{}))
	close(release)
	return clean, crashed
}

// damageWorkload writes records of all kinds that matter.
type damageWorkload struct {
	l   *Log
	rng *rand.Rand
	n   uint64
}

func (w *damageWorkload) round(t *testing.T, events int) {
	for range events {
		w.n++
		data := make([]byte, 40+w.rng.IntN(600))
		for i := range data {
			data[i] = byte(w.rng.Uint32())
		}
		ep := idOf(10 + w.n%5)
		s := post(idOf(1+w.n%2), string(data), ep, idOf(20))
		s.Event.IdempotencyKey = fmt.Sprint(w.n)
		ev := appendOne(t, w.l, s)
		status := []event.Status{event.Success, event.Success, event.Retry, event.Failure}[w.n%4]
		st := attempted(ev.Owed[0], status)
		must(t, w.l.Settle(&st))
	}
	must(t, w.l.CASCatalog([]event.CatalogRecord{rec('e', 1000+w.n, 1, strings.Repeat("endpoint ", 20))}))
	must(t, w.l.PutJob(event.Job{ID: idOf(w.n), ProjectID: idOf(1), Kind: event.JobRetry, State: event.JobRunning}))
	must(t, w.l.Flush())
}

// outcomes of opening and reading a damaged store, best first.
const (
	refused  = "refused at the start, file named"
	keyNamed = "refused at the start, key named, and doctor finds it"
	stopped  = "the reader gets an error, file or key named"
	doctored = "content differs, and doctor says so"
	harmless = "harmless: all content is there, unchanged"
	silent   = "SILENT"
	broke    = "PANIC"
)

// reading is what came of opening and reading a store.
type reading struct {
	opened  bool
	err     error
	content map[string]string
}

// readStore opens a store as a server does, and reads every record of it.
func readStore(t testing.TB, fs vfs.FS) (r reading) {
	o := testOptions(fs)
	var fatal atomic.Pointer[error]
	o.OnFatal = func(err error) { // from any goroutine
		fatal.CompareAndSwap(nil, &err)
		runtime.Goexit() // as the end of the process
	}
	var l *Log
	inGoroutine(&r.err, func() {
		var err error
		if l, err = Open(o); err != nil {
			r.err = err
			return
		}
		r.opened = true
		r.content, r.err = contentOf(l)
	})
	if l != nil {
		inGoroutine(nil, func() { _ = l.Close() })
	}
	if why := fatal.Load(); why != nil && r.err == nil {
		r.err = *why
	}
	return r
}

// inGoroutine runs fn in a goroutine of its own, which may end before it returns. A
// panic is an error.
func inGoroutine(failed *error, fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil && failed != nil {
				*failed = fmt.Errorf("%s: %v", broke, p)
			}
		}()
		fn()
	}()
	<-done
}

// contentOf reads and decodes every record.
func contentOf(l *Log) (all map[string]string, err error) {
	it, err := l.db.NewIter(nil)
	if err != nil {
		return nil, err
	}
	defer it.Close()
	all = map[string]string{}
	for valid := it.First(); valid; valid = it.Next() {
		value, err := it.ValueAndErr()
		if err == nil {
			all[string(it.Key())] = string(value) // now: dumpRow reads it again, to another place
			_, err = dumpRow(it)
		}
		if err != nil {
			return nil, fmt.Errorf("%x: %w", it.Key(), err)
		}
	}
	return all, it.Error()
}

// verifyStore is doctor's word on a store.
func verifyStore(t testing.TB, fs vfs.FS) (worst Level, findings []Finding) {
	_, err := Verify(t.Context(), Verification{Dir: "log", FS: fs, CacheBytes: 1 << 20, Report: func(f Finding) {
		worst, findings = max(worst, f.Level), append(findings, f)
	}})
	if err != nil {
		worst, findings = Broken, append(findings, Finding{"verify", Broken, err.Error()})
	}
	return worst, findings
}

// soak is how long the long forms of tests may take; 0 is the short form.
func soak(t testing.TB) time.Duration {
	text := os.Getenv("SOAK")
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("SOAK=%q: %v", text, err)
	}
	return d
}

// kindOf is what a file of a store is for.
func kindOf(name string) string {
	switch {
	case strings.HasPrefix(name, "MANIFEST-"):
		return "manifest"
	case strings.HasPrefix(name, "OPTIONS-"):
		return "options"
	case strings.HasPrefix(name, "marker."):
		return "marker"
	case name == stateFile:
		return "state"
	}
	return strings.TrimPrefix(path.Ext(name), ".")
}

package wal

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// undetectable are the damages that nothing on the disk tells from a crash at another
// moment, by store, way and kind of file. After a clean stop there is none.
var undetectable = map[string]string{
	"crashed, cut off, log":      "the end of the newest write-ahead log: a log that was torn there looks the same",
	"crashed, zeroed, log":       "the newest write-ahead log as a whole: so does one that was just begun",
	"crashed, missing, log":      "the newest write-ahead log: so does a crash before it was begun",
	"crashed, cut off, manifest": "the last record of the manifest, where nothing that it says is needed to read the rest",
}

// damageMatrix is one run over a store.
type damageMatrix struct {
	t       *testing.T
	store   string // clean or crashed
	files   files
	want    map[string]string
	counts  map[string]map[string]int // way and kind of file to outcome to count
	until   time.Time
	skipped int
}

// TestDamageIsNeverSilent damages every file of a store in many ways. SOAK=10m does so at
// every offset, as far as the time goes.
func TestDamageIsNeverSilent(t *testing.T) {
	clean, crashed := damageStores(t)
	for _, m := range []*damageMatrix{{store: "clean", files: clean}, {store: "crashed", files: crashed}} {
		t.Run(m.store, func(t *testing.T) {
			m.t, m.counts = t, map[string]map[string]int{}
			m.run()
		})
	}
}

func (m *damageMatrix) run() {
	t := m.t
	r := readStore(t, m.files.load(t, nil))
	if r.err != nil || len(r.content) == 0 {
		t.Fatalf("the undamaged store: %v, %d records", r.err, len(r.content))
	}
	m.want = r.content
	if worst, findings := verifyStore(t, m.files.load(t, nil)); worst != Fine {
		t.Fatalf("doctor on the undamaged store: %v", findings)
	}
	t.Logf("%d files, %d records: %s", len(m.files), len(m.want), m.inventory())
	if m.until = time.Now().Add(time.Hour); soak(t) > 0 {
		m.until = time.Now().Add(soak(t) / 2)
	}
	for _, name := range m.files.names() {
		m.flips(name)
		m.cuts(name)
		m.judge("missing", name, files{name: nil})
		if n := len(m.files[name]); n > 0 {
			m.judge("zeroed", name, files{name: make([]byte, n)})
		}
	}
	m.swaps()
	m.log()
}

func (m *damageMatrix) inventory() string {
	n := map[string]int{}
	for name, data := range m.files {
		n[kindOf(name)]++
		n[kindOf(name)+" bytes"] += len(data)
	}
	return fmt.Sprint(n)
}

// offsets are the places of a file that are damaged.
func (m *damageMatrix) offsets(n int, places int) (at []int) {
	if testing.Short() {
		places = max(1, places/2)
	}
	step := max(1, n/places)
	if soak(m.t) > 0 {
		step = 1
	}
	for i := step / 3; i < n; i += step {
		at = append(at, i)
	}
	return at
}

func (m *damageMatrix) flips(name string) {
	for _, at := range m.offsets(len(m.files[name]), 12) {
		damaged := slices.Clone(m.files[name])
		damaged[at] ^= 1 << (at % 8)
		m.judge("flipped bit", fmt.Sprintf("%s at %d", name, at), files{name: damaged})
	}
}

func (m *damageMatrix) cuts(name string) {
	for _, n := range append(m.offsets(len(m.files[name]), 4), 0, len(m.files[name])-1) {
		if n >= 0 && n < len(m.files[name]) {
			m.judge("cut off", fmt.Sprintf("%s at %d", name, n), files{name: m.files[name][:n:n]})
		}
	}
}

func (m *damageMatrix) swaps() {
	names := m.files.names()
	for i, a := range names {
		for j, b := range names[i+1:] {
			if len(m.files[a]) == 0 || len(m.files[b]) == 0 || soak(m.t) == 0 && j%5 != 0 {
				continue
			}
			m.judge("swapped", a+" and "+b, files{a: m.files[b], b: m.files[a]})
		}
	}
}

// judge opens and reads the store with files changed.
func (m *damageMatrix) judge(way, what string, changed files) {
	if time.Now().After(m.until) {
		m.skipped++
		return
	}
	names := slices.Sorted(maps.Keys(changed))
	is, said := m.outcome(changed, names)
	kinds := make([]string, len(names))
	for i, name := range names {
		kinds[i] = kindOf(name)
	}
	class := way + ", " + strings.Join(slices.Compact(kinds), " with ")
	if m.counts[class] == nil {
		m.counts[class] = map[string]int{}
	}
	reason := undetectable[m.store+", "+class]
	switch {
	case is == broke, is == silent && (reason == "" || !m.newest(names[0])):
		m.t.Errorf("%s store, %s, %s: %s: %v", m.store, way, what, is, said)
	case is == silent:
		is = "undetectable"
	}
	m.counts[class][is]++
}

// newest reports whether a log is the newest one; other files are.
func (m *damageMatrix) newest(name string) bool {
	for other := range m.files {
		if kindOf(other) == "log" && kindOf(name) == "log" && other > name && len(m.files[other]) > 0 {
			return false
		}
	}
	return true
}

func (m *damageMatrix) outcome(changed files, names []string) (string, any) {
	fs := m.files.load(m.t, changed)
	r := readStore(m.t, fs)
	switch {
	case r.err != nil && strings.HasPrefix(r.err.Error(), broke):
		return broke, r.err
	case r.err != nil && !r.opened:
		m.kept(fs, names, r.err)
		if slices.ContainsFunc(names, func(n string) bool { return named(r.err, n) }) {
			return refused, r.err
		}
		worst, findings := verifyStore(m.t, m.files.load(m.t, changed))
		if record := (*CorruptError)(nil); !errors.As(r.err, &record) || !errors.Is(r.err, errDamaged) || worst != Broken {
			m.t.Errorf("%v: refused, and neither file nor key is named, or no advice given: %v; doctor: %v", names, r.err, findings)
		}
		return keyNamed, r.err
	case r.err != nil:
		if worst, findings := verifyStore(m.t, m.files.load(m.t, changed)); worst != Broken {
			m.t.Errorf("%v: the reader says %v, doctor finds nothing: %v", names, r.err, findings)
		}
		return stopped, r.err
	case maps.Equal(r.content, m.want):
		return harmless, nil
	}
	if worst, findings := verifyStore(m.t, m.files.load(m.t, changed)); worst == Broken {
		return doctored, findings
	}
	return silent, difference(r.content, m.want)
}

// kept checks that a start that refused removed nothing: with the damaged files as they
// were, all is there.
func (m *damageMatrix) kept(fs *vfs.MemFS, names []string, refusal error) {
	after := filesOf(m.t, fs)
	same := true
	for name := range m.files {
		_, there := after[name]
		same = same && (there || slices.Contains(names, name))
	}
	if same {
		return
	}
	for _, name := range names {
		after[name] = m.files[name]
	}
	delete(after, stateFile)
	if r := readStore(m.t, after.load(m.t, nil)); r.err != nil || !maps.Equal(r.content, m.want) {
		m.t.Errorf("after a start that refused, because %v: %v, %s", refusal, r.err, difference(r.content, m.want))
	}
}

// named reports whether an error names a file, by its name or number.
func named(err error, name string) bool {
	text := fmt.Sprintf("%v %+v", err, err)
	number := strings.TrimSuffix(strings.TrimSuffix(name, ".sst"), ".blob")
	var damage *DamageError
	return strings.Contains(text, name) || strings.Contains(text, number) || errors.As(err, &damage)
}

func difference(got, want map[string]string) string {
	lost, changed, more := 0, 0, 0
	for key, value := range want {
		if other, there := got[key]; !there {
			lost++
		} else if other != value {
			changed++
		}
	}
	for key := range got {
		if _, there := want[key]; !there {
			more++
		}
	}
	return fmt.Sprintf("of %d records %d are lost, %d changed, %d are new", len(want), lost, changed, more)
}

// log prints the counts.
func (m *damageMatrix) log() {
	total, cases := map[string]int{}, 0
	var b strings.Builder
	for _, class := range slices.Sorted(maps.Keys(m.counts)) {
		fmt.Fprintf(&b, "\n  %-34s", class)
		for _, is := range slices.Sorted(maps.Keys(m.counts[class])) {
			n := m.counts[class][is]
			total[is], cases = total[is]+n, cases+n
			fmt.Fprintf(&b, "  %d %s;", n, is)
		}
	}
	b.WriteString("\n  all:")
	for _, is := range slices.Sorted(maps.Keys(total)) {
		fmt.Fprintf(&b, "\n    %5d %s", total[is], is)
	}
	m.t.Logf("%s store, %d cases (%d skipped):%s", m.store, cases, m.skipped, b.String())
	for class, reason := range undetectable {
		if strings.HasPrefix(class, m.store) {
			m.t.Logf("undetectable: %s: %s", class, reason)
		}
	}
}

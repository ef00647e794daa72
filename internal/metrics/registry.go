// Package metrics holds the numbers that posthaste shows of itself: counters,
// gauges and histograms, and their text in the Prometheus exposition format.
//
// A Registry belongs to one server and nothing is global, so several servers
// can run in one process. Handles are resolved once, in a constructor; using
// one afterwards takes no lock and allocates nothing.
package metrics

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/VictoriaMetrics/metrics"
)

// Counter counts up from zero: Inc, Add(n int) and Get. It may be used from any
// goroutine and does not allocate.
type Counter = metrics.Counter

// Registry is a set of metrics. Its methods may be called from any goroutine.
//
// A metric's name may carry labels, as Name writes them. Metrics whose names
// differ in labels only are one family and must be of one kind.
type Registry struct {
	mu struct {
		sync.Mutex // guards what follows; not held while values are read
		families   map[string]*family
	}
}

// family is all series of one name. The library orders series by their whole
// name, which would part a family where a longer name sorts in between, and it
// writes HELP and TYPE for the whole process or not at all; a set for each
// family keeps both right.
type family struct {
	name       string
	kind       string
	help       string
	set        *metrics.Set // counters and gauges
	histograms []*Histogram // in the order of their labels
}

// The kinds of metric, as a TYPE line names them.
const (
	kindCounter   = "counter"
	kindGauge     = "gauge"
	kindHistogram = "histogram"
)

// New makes an empty registry.
func New() *Registry {
	r := &Registry{}
	r.mu.families = make(map[string]*family)
	return r
}

// Describe sets the HELP text of a family; name is without labels. A family
// that is described but has no metric is not written.
func (r *Registry) Describe(name, help string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.familyLocked(name).help = escapeHelp(help)
}

// Counter returns the counter of that name, and makes it if there is none. It
// panics on a name that Prometheus would not take or that is of another kind:
// names are constants of the program.
func (r *Registry) Counter(name string) *Counter {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kindLocked(name, kindCounter).set.GetOrCreateCounter(name)
}

// CounterFunc makes a counter whose value another component keeps. f is called
// at each exposition, from any goroutine; it must not block and must never
// return less than before. It panics if the name is taken.
func (r *Registry) CounterFunc(name string, f func() float64) { r.watch(name, kindCounter, f) }

// Gauge makes a gauge that reads its value from f at each exposition. f may be
// called from any goroutine and must not block. It panics if the name is taken.
func (r *Registry) Gauge(name string, f func() float64) { r.watch(name, kindGauge, f) }

func (r *Registry) watch(name, kind string, f func() float64) {
	if f == nil {
		panic(fmt.Sprintf("BUG: %s %s has no function to read", kind, name))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kindLocked(name, kind).set.NewGauge(name, f)
}

// BuildInfo makes posthaste_build_info, which says what is running. Calling it
// again has no effect.
func (r *Registry) BuildInfo(version, revision string) {
	name := Name("posthaste_build_info", "version", version, "revision", revision, "go", runtime.Version())
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.familyLocked("posthaste_build_info")
	if f.kind != "" {
		return
	}
	f.help = "What is running. The value is always 1."
	r.kindLocked(name, kindGauge).set.NewGauge(name, func() float64 { return 1 })
}

// WritePrometheus writes the registry's metrics, ordered by name, to w, and
// then those of the Go runtime and of the process. Values are read while
// nothing is locked. Errors of w are not reported: the reader has gone.
func (r *Registry) WritePrometheus(w io.Writer) {
	var text bytes.Buffer
	for _, f := range r.snapshot() {
		f.writeTo(&text)
	}
	metrics.WriteProcessMetrics(&text)
	_, _ = w.Write(text.Bytes())
}

// snapshot copies what an exposition needs, ordered by name.
func (r *Registry) snapshot() []family {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]family, 0, len(r.mu.families))
	for _, f := range r.mu.families {
		if f.kind == "" {
			continue
		}
		c := *f
		c.histograms = slices.Clone(f.histograms)
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b family) int { return strings.Compare(a.name, b.name) })
	return out
}

func (f *family) writeTo(w *bytes.Buffer) {
	if f.help != "" {
		fmt.Fprintf(w, "# HELP %s %s\n", f.name, f.help)
	}
	fmt.Fprintf(w, "# TYPE %s %s\n", f.name, f.kind)
	f.set.WritePrometheus(w)
	for _, h := range f.histograms {
		h.writeTo(w)
	}
}

// kindLocked returns the family that name belongs to, and panics if it holds
// metrics of another kind.
func (r *Registry) kindLocked(name, kind string) *family {
	base, _ := splitName(name)
	f := r.familyLocked(base)
	if f.kind == "" {
		f.kind = kind
	}
	if f.kind != kind {
		panic(fmt.Sprintf("BUG: metric %s is a %s and is asked for as a %s", name, f.kind, kind))
	}
	return f
}

func (r *Registry) familyLocked(base string) *family {
	f := r.mu.families[base]
	if f == nil {
		f = &family{name: base, set: metrics.NewSet()}
		r.mu.families[base] = f
	}
	return f
}

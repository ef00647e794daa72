package metrics

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// expose reads the registry's text with Prometheus's own parser, which refuses
// split families, wrong types and bad escapes.
func expose(t *testing.T, r *Registry) map[string]*dto.MetricFamily {
	t.Helper()
	var text bytes.Buffer
	r.WritePrometheus(&text)
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(strings.NewReader(text.String()))
	if err != nil {
		t.Fatalf("Prometheus does not take the text: %v\n%s", err, &text)
	}
	return families
}

func TestExposition(t *testing.T) {
	r := New()
	r.Describe("posthaste_requests_total", "Requests, by code.\nA \\ is kept.")
	r.Counter(`posthaste_requests_total{code="201"}`).Add(3)
	r.Counter(`posthaste_requests_total{code="503"}`)
	r.Counter("posthaste_requests_total_other").Inc()
	r.Gauge("posthaste_inflight", func() float64 { return 1.5 })
	r.CounterFunc("posthaste_stall_seconds_total", func() float64 { return 0.25 })
	r.Describe("posthaste_never_made", "A family without a metric.")

	got := expose(t, r)
	requests := got["posthaste_requests_total"]
	if requests.GetType() != dto.MetricType_COUNTER || len(requests.Metric) != 2 {
		t.Fatalf("requests: %v", requests)
	}
	if help := requests.GetHelp(); help != "Requests, by code.\nA \\ is kept." {
		t.Errorf("help is %q", help)
	}
	if m := requests.Metric[0]; m.Label[0].GetValue() != "201" || m.Counter.GetValue() != 3 {
		t.Errorf("first series is %v", m)
	}
	if m := requests.Metric[1]; m.Label[0].GetValue() != "503" || m.Counter.GetValue() != 0 {
		t.Errorf("a counter that never moved is %v, want 0", m)
	}
	if v := got["posthaste_inflight"].Metric[0].Gauge.GetValue(); v != 1.5 {
		t.Errorf("gauge is %v", v)
	}
	if v := got["posthaste_stall_seconds_total"].Metric[0].Counter.GetValue(); v != 0.25 {
		t.Errorf("watched counter is %v", v)
	}
	if got["posthaste_never_made"] != nil {
		t.Error("a family without a metric is written")
	}
	if got["go_goroutines"] == nil || got["process_resident_memory_bytes"] == nil {
		t.Error("runtime or process metrics are missing")
	}
}

func TestBuildInfo(t *testing.T) {
	r := New()
	r.BuildInfo(`v1 "x"`, "abc")
	r.BuildInfo("again", "def")
	info := expose(t, r)["posthaste_build_info"]
	if len(info.Metric) != 1 || info.Metric[0].Gauge.GetValue() != 1 {
		t.Fatalf("build info is %v", info)
	}
	want := map[string]string{"version": `v1 "x"`, "revision": "abc", "go": runtime.Version()}
	for _, l := range info.Metric[0].Label {
		if want[l.GetName()] != l.GetValue() {
			t.Errorf("label %s is %q", l.GetName(), l.GetValue())
		}
	}
}

func TestRegistriesAreApart(t *testing.T) {
	a, b := New(), New()
	a.Counter("posthaste_x_total").Inc()
	b.Counter("posthaste_x_total").Add(5)
	if a.Counter("posthaste_x_total").Get() != 1 || b.Counter("posthaste_x_total").Get() != 5 {
		t.Error("two registries share a counter")
	}
}

func TestMisuse(t *testing.T) {
	r := New()
	r.Counter("posthaste_a_total")
	r.Gauge("posthaste_b", func() float64 { return 0 })
	r.Histogram("posthaste_c_seconds", []float64{1, 2})
	one := func() float64 { return 1 }
	for name, do := range map[string]func(){
		"other kind":        func() { r.Gauge("posthaste_a_total", one) },
		"other kind labels": func() { r.Histogram(`posthaste_a_total{a="b"}`, []float64{1}) },
		"taken gauge":       func() { r.Gauge("posthaste_b", one) },
		"nil function":      func() { r.Gauge("posthaste_d", nil) },
		"bad name":          func() { r.Counter("posthaste e") },
		"bad labels":        func() { r.Counter(`posthaste_e{a=b}`) },
		"bad histogram":     func() { r.Histogram(`posthaste_e{a=b}`, []float64{1}) },
		"label, no value":   func() { Name("posthaste_e", strings.Fields("odd")...) },
		"other bounds":      func() { r.Histogram("posthaste_c_seconds", []float64{1, 3}) },
		"no bounds":         func() { r.Histogram("posthaste_e", nil) },
		"too many bounds":   func() { r.Histogram("posthaste_e", make([]float64, MaxBounds+1)) },
		"descending bounds": func() { r.Histogram("posthaste_e", []float64{2, 1}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			do()
		})
	}
}

func TestName(t *testing.T) {
	for want, got := range map[string]string{
		"a":                     Name("a"),
		`a{b="c"}`:              Name("a", "b", "c"),
		`a{b="\\\"\n",d="ü{,"}`: Name("a", "b", "\\\"\n", "d", "ü{,"),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

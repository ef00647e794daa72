package report

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// example is a report of all scenarios, made up by hand.
func example(t *testing.T) *Report {
	t.Helper()
	f, err := os.Open("testdata/example.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := ReadJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// pageOf writes and parses a page, and checks what holds for every page.
func pageOf(t *testing.T, write func(*bytes.Buffer) error) *html.Node {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		checkNode(t, n)
	}
	return root
}

// numeric are the attributes of SVG that hold a place or a length.
var numeric = regexp.MustCompile(`^-?\d+(\.\d+)?%?$`)

func checkNode(t *testing.T, n *html.Node) {
	t.Helper()
	if n.Type != html.ElementNode {
		return
	}
	switch n.Data {
	case "script", "img", "iframe", "link", "object", "base", "form":
		t.Errorf("the page has a %s", n.Data)
	}
	for _, a := range n.Attr {
		switch a.Key {
		case "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "dx", "dy":
			if !numeric.MatchString(a.Val) {
				t.Errorf("%s %s=%q", n.Data, a.Key, a.Val)
			}
		case "points":
			for p := range strings.FieldsSeq(a.Val) {
				x, y, _ := strings.Cut(p, ",")
				if !numeric.MatchString(x) || !numeric.MatchString(y) {
					t.Errorf("point %q", p)
				}
			}
		case "href":
			if !strings.HasPrefix(a.Val, "#") {
				t.Errorf("link to %q", a.Val)
			}
		case "src", "style", "onclick", "onload":
			t.Errorf("%s has %s=%q", n.Data, a.Key, a.Val)
		}
	}
	if n.Data == "svg" && (attr(n, "role") == "img") && childOf(n, "title") == nil {
		t.Error("a picture without a title")
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func childOf(n *html.Node, name string) *html.Node {
	for c := range n.ChildNodes() {
		if c.Data == name {
			return c
		}
	}
	return nil
}

// counted is how many elements of a class there are.
func counted(root *html.Node, element, class string) int {
	found := 0
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == element && strings.Contains(" "+attr(n, "class")+" ", " "+class+" ") {
			found++
		}
	}
	return found
}

func textOf(root *html.Node) string {
	var text strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			text.WriteString(n.Data)
		}
	}
	return text.String()
}

func writeHTML(r *Report) func(*bytes.Buffer) error {
	return func(b *bytes.Buffer) error { return r.WriteHTML(b) }
}

func TestPage(t *testing.T) {
	r := example(t)
	root := pageOf(t, writeHTML(r))
	checks, floors, ceilings, points := 0, 0, 0, 0
	for _, s := range r.Scenarios {
		for _, c := range s.Checks {
			checks++
			if c.isRatio() {
				floors++
			} else if c.AtMost {
				ceilings++
			}
		}
		points += len(s.Series)
	}
	for _, c := range []struct {
		element, class string
		want           int
	}{
		{"tr", "row", len(r.Scenarios)},
		{"rect", "bar", floors + ceilings},
		{"polyline", "line", points},
		{"line", "limit", 2},
		{"path", "p99", 2*6 + 1}, // six scenarios with latencies, and the legend
	} {
		if got := counted(root, c.element, c.class); got != c.want {
			t.Errorf("%d of %s.%s, want %d", got, c.element, c.class, c.want)
		}
	}
	if got := counted(root, "div", "met") + counted(root, "div", "missed"); got != checks {
		t.Errorf("%d checks, want %d", got, checks)
	}
	text := textOf(root)
	for _, want := range []string{"8 of 11 rows meet their targets. batch, noisy, restart do not.", "24,182 deliveries/s", "limit 512 MiB", "Intel(R) Xeon(R)",
		"posthaste bench --repeat 3", "made up by hand", "at most 15 ms"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestPageOfComparison(t *testing.T) {
	c := Compare([]*Report{example(t), example(t), example(t)})
	root := pageOf(t, func(b *bytes.Buffer) error { return c.WriteHTML(b) })
	if got := counted(root, "h2", "run"); got != 3 {
		t.Errorf("%d runs", got)
	}
	asked := 0
	for _, row := range c.Rows {
		if row.Target > 0 {
			asked++
		}
	}
	if got := counted(root, "svg", "strip"); got != asked || asked == 0 {
		t.Errorf("%d strips, want %d", got, asked)
	}
	if text := textOf(root); !strings.Contains(text, "8 of 11 rows meet their targets in every run.") {
		t.Error("no verdict")
	}
}

// What comes from a file is data, wherever it is shown.
func TestPageEscapes(t *testing.T) {
	const evil = `</title></style><script>alert(1)</script><img src=x onerror=alert(1)>"'` + "`{{.}}\x1b[31m"
	r := example(t)
	r.Version, r.Command, r.Notes = evil, evil, []string{evil}
	r.Machine = Machine{CPU: evil, Kernel: evil, Go: evil, Platform: evil, Filesystem: evil}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		s.Name, s.Title, s.Unit, s.Baseline = evil, evil, evil, evil
		for j := range s.Checks {
			s.Checks[j].Name = evil
			s.Checks[j].Unit = map[bool]string{true: evil}[s.Checks[j].Unit != ""]
		}
		for j := range s.Figures {
			s.Figures[j] = Figure{evil, 1, evil}
		}
		for j := range s.Series {
			s.Series[j].Name, s.Series[j].Unit = evil, evil
		}
	}
	root := pageOf(t, writeHTML(r)) // which finds scripts, pictures, links
	if !strings.Contains(textOf(root), "<script>alert(1)</script>") {
		t.Error("the text is not shown")
	}
	pageOf(t, func(b *bytes.Buffer) error { return Compare([]*Report{r, r}).WriteHTML(b) })
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if err := Compare([]*Report{r, r}).WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsRune(text.String(), '\x1b') {
		t.Error("an escape sequence reaches the terminal")
	}
	var markdown bytes.Buffer
	if err := Compare([]*Report{r, r}).WriteMarkdown(&markdown); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(markdown.String(), "<script") || strings.Contains(markdown.String(), "\x1b") {
		t.Errorf("markup in Markdown:\n%.500s", markdown.String())
	}
}

// Numbers that no measurement gives must not break a page.
func TestPageOfOddNumbers(t *testing.T) {
	odd := []float64{0, -1, 5e-324, 1e300, -1e308, math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN()}
	for _, v := range odd {
		for _, w := range odd {
			s := Scenario{Name: "odd", Unit: "bytes", Baseline: "b"}
			for range 2 {
				l := Latency{Count: 1, P50: v, P90: w, P99: v, P999: w, Max: w}
				u := Usage{Server: v, Generator: w, Receiver: v, Busy: w, MaxRSS: 1}
				s.Add(Run{Value: v, BaselineValue: w, Ratio: v / w, Seconds: v, Request: l, Delivery: l, Usage: u, BaselineUsage: u})
			}
			s.AtLeast("ratio", v, "", w)
			s.AtMost("p99", v, "ms", w)
			s.Note("f", v, "s")
			s.Series = []Series{
				{Name: "pair", Unit: "bytes", Limit: w, Points: []Point{{v, w}, {w, v}, {0, 1}}},
				{Name: "one", Unit: "ms", Limit: v, Points: []Point{{v, w}}},
				{Name: "none", Unit: "ms"},
			}
			r := &Report{Scenarios: []Scenario{s}, Seconds: v, Speed: []Speed{{"start", v}, {"odd", w}}}
			r.Machine.FsyncP50, r.Machine.Load = v, w
			pageOf(t, writeHTML(r))
			var text bytes.Buffer
			if err := Compare([]*Report{r, r}).WriteText(&text); err != nil {
				t.Fatal(err)
			}
			if err := r.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			pageOf(t, func(b *bytes.Buffer) error { return Compare([]*Report{r, r}).WriteHTML(b) })
			if t.Failed() {
				t.Fatalf("with %v and %v", v, w)
			}
		}
	}
}

func TestPageOfNothing(t *testing.T) {
	root := pageOf(t, writeHTML(&Report{}))
	if text := textOf(root); !strings.Contains(text, "Nothing was measured.") || !strings.Contains(text, "0 of 0 rows") {
		t.Errorf("got %s", text)
	}
	pageOf(t, func(b *bytes.Buffer) error { return Compare([]*Report{{}, {}}).WriteHTML(b) })
	pageOf(t, func(b *bytes.Buffer) error { return Compare(nil).WriteHTML(b) })
}

// A series of one point is a dot; of very many, a line of few points that keeps
// the peaks.
func TestSeriesPlot(t *testing.T) {
	one := plotSeries("s", Series{Name: "n", Unit: "bytes", Points: []Point{{3, 7}}}, []Point{{3, 7}})
	if one.DotX != "50%" || len(one.Times) != 0 {
		t.Errorf("one point: %+v", one)
	}
	var many []Point
	for i := range 100_000 {
		many = append(many, Point{float64(i), 1})
	}
	many[54_321].Value = 9
	thin := drawable(many)
	peak := 0.0
	for _, p := range thin {
		peak = max(peak, p.Value)
	}
	if len(thin) > plotPoints || peak != 9 {
		t.Errorf("%d points, peak %v", len(thin), peak)
	}
	p := plotSeries("outage", Series{Name: "memory", Unit: "bytes", Limit: 512 << 20}, []Point{{0, 0}, {50, 256 << 20}, {100, 600 << 20}})
	want := "0,148 500,88.8 1000,9.25"
	if p.Line != want || !p.Over {
		t.Errorf("line %q, want %q; %+v", p.Line, want, p)
	}
	if got := fmt.Sprint(p.Times); got != "[{0% 0 start} {30% 30 s middle} {60% 60 s middle} {90% 90 s middle}]" {
		t.Errorf("times %s", got)
	}
}

func TestAxis(t *testing.T) {
	labels := func(values []float64, unit string) string {
		var all []string
		for _, v := range values {
			all = append(all, axisLabel(v, unit))
		}
		return strings.Join(all, " | ")
	}
	_, ticks := linear(0, 427<<20, binaryStep)
	if got := labels(ticks, "bytes"); got != "0 | 128 MiB | 256 MiB | 384 MiB | 512 MiB" {
		t.Error(got)
	}
	_, ticks = linear(3, 4.7e6, decimalStep)
	if got := labels(ticks, "deliveries"); got != "0 | 1 M | 2 M | 3 M | 4 M | 5 M" {
		t.Error(got)
	}
	a, ticks, ok := decades([]float64{0.92, 180})
	if got := labels(ticks, "ms"); !ok || got != "0.1 ms | 1 ms | 10 ms | 100 ms | 1,000 ms" || a.percent(10) != "50%" || a.percent(0) != "0%" {
		t.Error(got, a.percent(10))
	}
	if _, _, ok := decades([]float64{0, math.NaN(), -1}); ok {
		t.Error("an axis around nothing")
	}
}

func TestBarBeyondTheAxis(t *testing.T) {
	s := Scenario{Name: "restart"}
	s.AtMost("serving", 90, "s", 3)
	row := (&Report{Scenarios: []Scenario{s}}).shareChart().Rows[0]
	if row.Width != "100%" || !row.Beyond || row.Target != "50%" || row.Met {
		t.Errorf("got %+v", row)
	}
	want := "restart, serving: 90 s, at most 3 s"
	if got := row.Desc(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNineLabel(t *testing.T) {
	for nines, want := range map[float64]string{0: "p0", 1: "p90", 2: "p99", 3: "p99.9", 4: "p99.99"} {
		if got := nineLabel(nines); got != want {
			t.Errorf("%v: %s, want %s", nines, got, want)
		}
	}
	s := Series{Name: "x", Unit: "ms", XUnit: Nines, Points: []Point{{0, 1}, {1, 2}, {2, 3}, {3, 9}}}
	if got := plotSeries("latency", s, s.Points).Times; len(got) != 4 || got[2].Label != "p99" {
		t.Errorf("ticks %v", got)
	}
}

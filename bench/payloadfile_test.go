package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const payloadLines = `{"event_type":"push","data":{"ref": "refs/heads/main", "seq":7, "sizes":[1.0,1e5]}}

{"data": { } ,"event_type":"ping \"x\""}
{"id":"bare","data":1}
`

func TestReadPayloads(t *testing.T) {
	set, err := readPayloads(strings.NewReader(payloadLines))
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ eventType, data string }{
		{`"push"`, stampMembers + `,"ref": "refs/heads/main", "seq":7, "sizes":[1.0,1e5]}`},
		{`"ping \"x\""`, stampMembers + `}`},
		{`"bench.order"`, stampMembers + `,"id":"bare","data":1}`},
	}
	if len(set.events) != len(want) {
		t.Fatalf("%d events", len(set.events))
	}
	sum := 0
	for i, w := range want {
		got := set.events[i]
		sum += len(w.data)
		if string(got.eventType) != w.eventType || string(got.data) != w.data || !json.Valid(got.data) {
			t.Errorf("event %d: %s %s", i, got.eventType, got.data)
		}
	}
	if set.bytes != int64(sum) {
		t.Errorf("%d bytes, want %d", set.bytes, sum)
	}
}

func TestReadPayloadsRefuses(t *testing.T) {
	big := func(n int) string { return `{"x":"` + strings.Repeat("x", n) + `"}` }
	for in, want := range map[string]string{
		"\n\n":                           "no events",
		`{"a":1}` + "\n{":                "line 2: ",
		"[1]":                            "line 1: ",
		`{"event_type":5,"data":{}}`:     "event_type is 5",
		`{"event_type":"","data":{}}`:    "event_type is",
		`{"event_type":"x","data":[]}`:   "not an object",
		"\n" + big(maxPayloadBytes):      "line 2: data has 1048638 bytes with its sequence number, must be at most 1048576",
		"{}\n{}\n" + big(maxPayloadLine): "line 3: longer than 2097152",
		`{"data":{},"event_type":"` + strings.Repeat("t", maxPayloadEventType) + `"}`: "must be at most 256",
	} {
		if _, err := readPayloads(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", in, err, want)
		}
	}
}

func writePayloads(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "events.ndjson")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPayloadOptions(t *testing.T) {
	good, bad := writePayloads(t, payloadLines), writePayloads(t, "{}\n{]\n")
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Payloads: good}, ""},
		{Options{Payloads: bad}, bad + ": line 2: "},
		{Options{Payloads: bad + "x"}, "no such file"},
		{Options{Sizes: []int{256, 1024, 65536}}, ""},
		{Options{Sizes: []int{256, 12}}, "size is 12, must be 160 to 1048576"},
		{Options{Sizes: make([]int, maxSizes+1)}, "at most 100"},
		{Options{Sizes: []int{256}, Payloads: good}, "give one of them"},
	} {
		c.o.EnsureDefaults()
		err := c.o.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.want)
		}
	}
}

// Each payload of a file is posted, by few connections and by many, and each event
// carries the type that its payload has in the file.
func TestTemplatesOfAFile(t *testing.T) {
	var lines strings.Builder
	for i := range 30 {
		fmt.Fprintf(&lines, `{"event_type":"t%d","data":{"n":%d,"pad":%q}}`+"\n", i, i, strings.Repeat("x", i))
	}
	for _, l := range []Load{
		{Mode: ModeSingle, Connections: 2}, {Mode: ModeSingle, Connections: 64},
		{Mode: ModeBatch, Connections: 1, BatchSize: 7}, {Mode: ModeBare, Connections: 3},
	} {
		l.Payloads, l.Endpoints = writePayloads(t, lines.String()), placeholders(3)
		if err := l.open(); err != nil {
			t.Fatal(err)
		}
		seen := map[int]bool{}
		for w := range l.Connections {
			for n := range l.templates() {
				noteEvents(t, &l, newTemplate(&l, w, n), seen)
			}
		}
		if len(seen) != 30 {
			t.Errorf("%s, %d connections: %d of 30 events", l.Mode, l.Connections, len(seen))
		}
	}
}

// noteEvents stamps a template and checks what it holds.
func noteEvents(t *testing.T, l *Load, tm *template, seen map[int]bool) {
	t.Helper()
	n := tm.events()
	var bytesOf int64
	for i, line := range bytes.Split(bytes.TrimSuffix(tm.stamp(100, n, 42), []byte("\n")), []byte("\n")) {
		ev := fakeEvent{Data: line}
		if l.Mode != ModeBare {
			if err := json.Unmarshal(line, &ev); err != nil {
				t.Fatal(err)
			}
		}
		var data struct{ N int }
		if err := json.Unmarshal(ev.Data, &data); err != nil {
			t.Fatal(err)
		}
		if seq, _, ok := readStamp(ev.Data); !ok || seq != uint64(100+i) {
			t.Errorf("seq %d, %t in %s", seq, ok, ev.Data)
		}
		if want := fmt.Sprintf("t%d", data.N); l.Mode != ModeBare && ev.EventType != want {
			t.Errorf("event_type %q, want %q", ev.EventType, want)
		}
		seen[data.N] = true
		bytesOf += int64(len(ev.Data))
	}
	if got := tm.payloadBytes(n); got != bytesOf {
		t.Errorf("%d payload bytes, want %d", got, bytesOf)
	}
}

// Every endpoint gets every size, whatever their numbers have in common.
func TestSizesTakeTurns(t *testing.T) {
	for _, n := range []struct{ endpoints, sizes int }{{16, 2}, {16, 3}, {3, 4}, {6, 4}, {1, 5}, {5, 1}} {
		l := Load{Endpoints: placeholders(n.endpoints), Sizes: make([]int, n.sizes)}
		seen := map[[2]int]bool{}
		for event := range 4 * n.endpoints * n.sizes {
			seen[[2]int{event % n.endpoints, l.turn(event)}] = true
		}
		if len(seen) != n.endpoints*n.sizes {
			t.Errorf("%+v: %d pairs", n, len(seen))
		}
	}
	l := &Load{Mode: ModeSingle, Connections: 2, Endpoints: placeholders(8), Sizes: []int{200, 300, 400}}
	total := int64(0)
	for n := range l.templates() {
		total += newTemplate(l, 0, n).payloadBytes(1)
	}
	if total != 200+300+400+200 {
		t.Errorf("four templates hold %d bytes", total)
	}
}

// A batch of large payloads ends before it is more than a server takes.
func TestLargeBatchIsShorter(t *testing.T) {
	l := &Load{Mode: ModeBatch, Connections: 1, BatchSize: 100, Endpoints: placeholders(2), PayloadBytes: 1 << 20}
	tm := newTemplate(l, 0, 0)
	body := tm.stamp(0, tm.events(), 1)
	if tm.events() != 7 || len(body) > maxRequestBytes || bytes.Count(body, []byte("\n")) != 7 {
		t.Errorf("%d events, %d bytes", tm.events(), len(body))
	}
}

func TestFreshPayloads(t *testing.T) {
	l := &Load{Mode: ModeBatch, Connections: 1, BatchSize: 4, Endpoints: placeholders(2), Sizes: []int{200, 300}, Fresh: true}
	for _, l.Kind = range []PayloadKind{PayloadJSON, PayloadIncompressible} {
		tm := newTemplate(l, 0, 0)
		first := bytes.Clone(tm.stamp(10, 4, 1))
		second := tm.stamp(14, 3, 1)
		a, b := bytes.Split(first, []byte("\n")), bytes.Split(second, []byte("\n"))
		if len(a) != 5 || len(b) != 4 {
			t.Fatalf("%d and %d lines", len(a), len(b))
		}
		for i := range 3 {
			if !json.Valid(a[i]) || !json.Valid(b[i]) || len(a[i]) != len(b[i]) || bytes.Equal(a[i][200:], b[i][200:]) {
				t.Errorf("line %d:\n%s\n%s", i, a[i], b[i])
			}
		}
	}
}

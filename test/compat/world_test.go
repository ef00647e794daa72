package compat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
)

type object = map[string]any

// world is one server, what was made on it, and what was found out about it.
type world struct {
	t    *testing.T
	base string
	hook *receiver
	key  string // of the project

	ids     map[string]string // by the name of a path's parameter
	bodies  map[string]any    // of each operation, one that it took
	queries map[string]string

	found  map[string]*verdict // by operation, or by a convention's name
	checks int
	extra  map[string]bool
	spec   *specification // nil: answers are not compared with our own document
}

// verdict is what was found out about an operation.
type verdict struct {
	succeeded bool
	failures  []string
}

// check notes whether something held.
func (w *world) check(about string, ok bool, format string, args ...any) bool {
	w.checks++
	v := w.about(about)
	if !ok {
		if text := fmt.Sprintf(format, args...); !slices.Contains(v.failures, text) {
			v.failures = append(v.failures, text)
		}
	}
	return ok
}

func (w *world) about(name string) *verdict {
	if w.found[name] == nil {
		w.found[name] = &verdict{}
	}
	return w.found[name]
}

// ask is a request to make.
type ask struct {
	op     string
	path   map[string]string // parameters that differ from the world's ids
	query  string
	body   any    // a []byte goes as it is; nil: none
	key    string // "": the project's; "-": none
	method string // "": the operation's
	header map[string]string
}

// answer is what came back.
type answer struct {
	code    int
	header  http.Header
	raw     []byte
	members map[string]any
	status  bool
	message string
	data    any
}

// send makes a request.
func (w *world) send(a ask) answer {
	op, known := operating[a.op]
	if !known {
		w.t.Fatalf("there is no operation %s", a.op)
	}
	path := op.Path
	for _, name := range op.params() {
		id, given := a.path[name]
		if !given {
			id = w.ids[name]
		}
		if id == "" {
			id = "00000000000000000000000000" // what should have been made was not
		}
		path = strings.Replace(path, "{"+name+"}", id, 1)
	}
	if a.query != "" {
		path += "?" + a.query
	}
	method := op.Method
	if a.method != "" {
		method = a.method
	}
	return w.request(method, path, a.body, a.key, a.header)
}

// request makes a request to any path.
func (w *world) request(method, path string, body any, key string, header map[string]string) (got answer) {
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		in = bytes.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			w.t.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, w.base+path, in)
	if err != nil {
		w.t.Fatal(err)
	}
	switch key {
	case "":
		req.Header.Set("Authorization", "Bearer "+w.key)
	case "-":
	default:
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	got.code, got.header = resp.StatusCode, resp.Header
	if got.raw, err = io.ReadAll(resp.Body); err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	d := json.NewDecoder(bytes.NewReader(got.raw))
	d.UseNumber()
	if d.Decode(&got.members) == nil {
		got.status, _ = got.members["status"].(bool)
		got.message, _ = got.members["message"].(string)
		got.data = got.members["data"]
	}
	if w.spec != nil {
		w.spec.compare(w, req, got)
	}
	return got
}

// ok makes a request that has to succeed: with this code, which the operation has to
// have, this message (a pattern behind "~", any for ""), and data of this kind.
func (w *world) ok(a ask, code int, message, kind string) answer {
	got := w.send(a)
	w.common(a.op, got)
	op := operating[a.op]
	if got.code/100 != 2 {
		w.check(a.op, false, "%d %q, want %d", got.code, got.message, code)
		return got
	}
	good := w.check(a.op, got.code == code, "%d, want %d", got.code, code)
	good = w.check(a.op, op.expects(got.code), "%d is none of the document's codes %v", got.code, op.Codes) && good
	good = w.check(a.op, got.status, "status is not true") && good
	good = w.check(a.op, says(got.message, message), "message %q, want %q", got.message, message) && good
	_, there := got.members["data"]
	good = w.check(a.op, there, "no data") && good
	v := validator{extra: w.extra}
	v.data(kind, got.data)
	good = w.check(a.op, len(v.wrong) == 0, "%s", v.outcome()) && good
	if good {
		w.about(a.op).succeeded = true
	}
	w.bodies[a.op], w.queries[a.op] = a.body, a.query
	return got
}

// says compares a message; a pattern follows "~", and "" is any.
func says(got, want string) bool {
	if pattern, ok := strings.CutPrefix(want, "~"); ok {
		return regexp.MustCompile(pattern).MatchString(got)
	}
	return got != "" && (want == "" || got == want)
}

// refused makes a request that has to be refused with this code and message.
func (w *world) refused(what string, a ask, code int, message string) answer {
	got := w.send(a)
	w.common(a.op, got)
	w.check(a.op, got.code == code && !got.status && says(got.message, message), "%s: %d %q, want %d %q", what, got.code, got.message, code, message)
	_, there := got.members["data"]
	w.check(a.op, !there, "%s: an error has data", what)
	return got
}

// common checks what every answer has.
func (w *world) common(about string, got answer) {
	w.check(about, got.header.Get("Content-Type") == "application/json", "Content-Type %q", got.header.Get("Content-Type"))
	w.check(about, got.header.Get("X-Request-Id") != "", "no X-Request-Id")
	w.check(about, got.header.Get("X-Convoy-Version") != "", "no X-Convoy-Version")
	_, status := got.members["status"].(bool)
	_, message := got.members["message"].(string)
	w.check(about, status && message, "not the envelope: %.80s", got.raw)
}

// pick reads a text at a path such as "content.0.uid" of data; "" if it is not there.
func (a answer) pick(path string) string {
	text, _ := a.at(path).(string)
	return text
}

// at reads the value at a path of data; nil if it is not there.
func (a answer) at(path string) any {
	v := a.data
	for _, part := range strings.Split(path, ".") {
		switch in := v.(type) {
		case object:
			v = in[part]
		case []any:
			var i int
			if _, err := fmt.Sscan(part, &i); err != nil || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// list are the rows of a page, or of an array.
func (a answer) list() []any {
	if page, ok := a.data.(object); ok {
		rows, _ := page["content"].([]any)
		return rows
	}
	rows, _ := a.data.([]any)
	return rows
}

// field reads a text of each row.
func (a answer) field(name string) (all []string) {
	for _, row := range a.list() {
		text, _ := row.(object)[name].(string)
		all = append(all, text)
	}
	return all
}

// until asks until the answer is as wanted, for as long as its patience lasts.
func (w *world) until(a ask, wanted func(answer) bool) (got answer) {
	eventually(patience, func() bool {
		got = w.send(a)
		return wanted(got)
	})
	return got
}

// maxLines is how many failures of one operation are printed.
const maxLines = 8

// lines are the failures as lines of a table.
func (v *verdict) lines(name string) (table []string) {
	for i, text := range v.failures {
		if i == maxLines {
			return append(table, fmt.Sprintf("  %-32s and %d more", "", len(v.failures)-i))
		}
		table = append(table, fmt.Sprintf("  %-32s %s", name, text))
		name = ""
	}
	return table
}

// report prints the summary, and a table of what did not conform.
func (w *world) report() {
	passed := 0
	var table []string
	for _, op := range operations {
		v := w.about(op.ID)
		if !v.succeeded && len(v.failures) == 0 {
			v.failures = []string{"never succeeded"}
		}
		if len(v.failures) == 0 {
			passed++
		}
		table = append(table, v.lines(op.ID)...)
	}
	for _, name := range slices.Sorted(maps.Keys(w.found)) {
		if _, isOperation := operating[name]; !isOperation {
			table = append(table, w.found[name].lines(name)...)
		}
	}
	extra := []string{}
	for field := range w.extra {
		extra = append(extra, field)
	}
	sort.Strings(extra)
	w.t.Logf("fields beyond Convoy's: %s", strings.Join(extra, " "))
	w.t.Logf("compat: %d of %d operations passed, %d checks", passed, len(operations), w.checks)
	if len(table) > 0 {
		w.t.Errorf("what does not conform:\n%s", strings.Join(table, "\n"))
	}
}

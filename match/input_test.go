package match

import (
	"encoding/json"
	"strings"
	"testing"

	"posthaste/event"
)

var request = &event.Event{
	Type: "order.created",
	Headers: []event.Header{
		{Name: "X-Source", Value: "billing"}, {Name: "X-Count", Value: "10"}, {Name: "X-Live", Value: "true"},
		{Name: "Tag", Value: "a"}, {Name: "tag", Value: "b"}, {Name: "x.y", Value: "\"quoted\"\n"}, {Name: "X-Bad", Value: " 5"},
	},
	Query: "region=eu&n=1.50&tag=a&tag=b&a.b=c&bad=%zz&empty=",
	Path:  "/v2/orders",
	Data:  []byte(`{"a":1}`),
}

func TestParts(t *testing.T) {
	for _, tc := range []struct {
		part, conditions string
		want             bool
	}{
		{"headers", `{"x-source":"billing"}`, true},
		{"headers", `{"X-SOURCE":"billing"}`, true},
		{"headers", `{"x-source":"Billing"}`, false},
		{"headers", `{"x-sourc":"billing"}`, false},
		{"headers", `{"x-count":10}`, true},
		{"headers", `{"x-count":10.0}`, true},
		{"headers", `{"x-count":"10"}`, true},
		{"headers", `{"x-count":"10.0"}`, false},
		{"headers", `{"x-count":{"$gt":9}}`, true},
		{"headers", `{"x-count":{"$gt":"9"}}`, false}, // as texts
		{"headers", `{"x-count":[7,10]}`, true},
		{"headers", `{"x-count":{"$neq":10}}`, false},
		{"headers", `{"x-live":true}`, true},
		{"headers", `{"x-live":false}`, false},
		{"headers", `{"x-bad":5}`, false},
		{"headers", `{"x-bad":{"$lt":6}}`, false},
		{"headers", `{"x-none":null}`, false},
		{"headers", `{"x-none":{"$exist":false}}`, true},
		{"headers", `{"TAG":"b"}`, true},
		{"headers", `{"tag.1":"b"}`, true},
		{"headers", `{"tag":{"$eq":["a","b"]}}`, true},
		{"headers", `{"x.y":"\"quoted\"\n"}`, true},
		{"headers", `{"x":{"y":{"$regex":"uot"}}}`, true},
		{"query", `{"region":"eu"}`, true},
		{"query", `{"Region":"eu"}`, false},
		{"query", `{"n":1.5}`, true},
		{"query", `{"tag":"b"}`, true},
		{"query", `{"a.b":"c"}`, true},
		{"query", `{"bad":{"$exist":false}}`, true},
		{"query", `{"empty":""}`, true},
		{"path", `{"path":"/v2/orders"}`, true},
		{"path", `{"path":{"$regex":"^/v2/"}}`, true},
		{"path", `{"path":"/v2"}`, false},
		{"body", `{"a":1}`, true},
		{"body", `{"a":"1"}`, false},
	} {
		f := &event.Filter{}
		*map[string]*json.RawMessage{"headers": &f.Headers, "query": &f.Query, "path": &f.Path, "body": &f.Body}[tc.part] = json.RawMessage(tc.conditions)
		compiled, err := CompileFilter(f)
		if err != nil {
			t.Errorf("%s %s: %v", tc.part, tc.conditions, err)
			continue
		}
		in := &Input{}
		in.Reset(request)
		if got := compiled.Match(in); got != tc.want {
			t.Errorf("%s %s: %v, want %v", tc.part, tc.conditions, got, tc.want)
		}
		of, err := InputOf(
			json.RawMessage(`{"a":1}`),
			json.RawMessage(`{"X-Source":"billing","X-Count":10,"X-Live":true,"Tag":["a","b"],"x.y":"\"quoted\"\n","X-Bad":" 5"}`),
			json.RawMessage(`{"region":"eu","n":1.50,"tag":["a","b"],"a":{"b":"c"},"empty":""}`),
			json.RawMessage(`"/v2/orders"`))
		if err != nil {
			t.Fatal(err)
		}
		if got := compiled.Match(of); got != tc.want {
			t.Errorf("%s %s without an event: %v, want %v", tc.part, tc.conditions, got, tc.want)
		}
	}
}

func TestAllPartsMustHold(t *testing.T) {
	f := &event.Filter{
		Body: json.RawMessage(`{"a":1}`), Headers: json.RawMessage(`{"x-source":"billing"}`),
		Query: json.RawMessage(`{"region":"eu"}`), Path: json.RawMessage(`{"path":"/v2/orders"}`),
	}
	compiled, err := CompileFilter(f)
	if err != nil {
		t.Fatal(err)
	}
	in := &Input{}
	in.Reset(request)
	if !compiled.Match(in) || in.Type() != "order.created" {
		t.Error("the request does not pass")
	}
	for _, change := range []func(*event.Event){
		func(e *event.Event) { e.Data = []byte(`{"a":2}`) },
		func(e *event.Event) { e.Headers = nil },
		func(e *event.Event) { e.Query = "" },
		func(e *event.Event) { e.Path = "" },
	} {
		other := *request
		change(&other)
		in.Reset(&other)
		if compiled.Match(in) {
			t.Errorf("passes: %+v", other)
		}
	}
	in.Reset(nil)
	if compiled.Match(in) || in.Type() != "" {
		t.Error("no event passes")
	}
	in.Reset(request)
	if !compiled.Match(in) {
		t.Error("the request does not pass any more")
	}
}

func TestInputRefused(t *testing.T) {
	for _, tc := range []struct{ body, headers, query, path, field, reason string }{
		{body: `{`, field: "body", reason: "is not JSON"},
		{headers: `[]`, field: "headers", reason: "is not a JSON object"},
		{query: `"a=b"`, field: "query", reason: "is not a JSON object"},
		{path: `3`, field: "path", reason: "is not a JSON object"},
		{path: `"a`, field: "path", reason: "is not JSON"},
	} {
		_, err := InputOf(json.RawMessage(tc.body), json.RawMessage(tc.headers), json.RawMessage(tc.query), json.RawMessage(tc.path))
		wantInvalid(t, tc.body+tc.headers+tc.query+tc.path, err, tc.field, tc.reason)
	}
	null := json.RawMessage("null")
	if _, err := InputOf(null, null, null, null); err != nil {
		t.Error(err)
	}
}

func TestBodyThatIsNotJSON(t *testing.T) {
	in := &Input{}
	for _, body := range []string{``, `{`, `{"a":1`, `{"a":1}}`, `a`} {
		in.Reset(&event.Event{Data: []byte(body)})
		if compileBody(t, `{"a":1}`).Match(in) || !compileBody(t, `{"a":{"$neq":2}}`).Match(in) {
			t.Errorf("%q is taken for a body with values", body)
		}
	}
}

// TestResetForgets: an Input in a pool holds neither the event nor a large index.
func TestResetForgets(t *testing.T) {
	in := &Input{}
	in.Reset(&event.Event{Data: []byte(`[` + strings.Repeat("0,", 100_000) + `0]`), Query: strings.Repeat("a=b&", 5000)})
	f, err := CompileFilter(&event.Filter{Body: json.RawMessage(`{"$.a":1}`), Query: json.RawMessage(`{"a":"b"}`)})
	if err != nil {
		t.Fatal(err)
	}
	f.Match(in)
	if len(in.docs[partBody].nodes) != 100_002 {
		t.Errorf("%d nodes", len(in.docs[partBody].nodes))
	}
	in.Reset(nil)
	if in.ev != nil || in.docs[partBody].src != nil || cap(in.docs[partBody].nodes) > maxKeptNodes || cap(in.buf) > maxKeptNodes {
		t.Error("a reset Input keeps what it held")
	}
}

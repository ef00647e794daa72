package api

import (
	"fmt"
	"testing"
)

func TestTestFilter(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		request, schema string
		want            bool
	}{
		{`{}`, `{}`, true},
		{`{"body":{"a":1}}`, `{"header":null,"body":{},"query":null,"path":null}`, true},
		{`{"body":{"a":1}}`, `{"body":{"a":1}}`, true},
		{`{"body":{"a":2}}`, `{"body":{"a":1}}`, false},
		{`{}`, `{"body":{"a":1}}`, false},
		{`{"body":{"price":10.00}}`, `{"body":{"price":{"$gte":10}}}`, true},
		{`{"body":{"items":[{"id":1},{"id":7}]}}`, `{"body":{"items.$.id":7}}`, true},
		{`{"header":{"X-Kind":"a"}}`, `{"header":{"x-kind":"a"}}`, true},
		{`{"header":{"X-Kind":["a","b"]}}`, `{"headers":{"x-kind":"b"}}`, true},
		{`{"headers":{"X-Kind":"a"}}`, `{"header":{"x-kind":"b"}}`, false},
		{`{"query":{"page":2}}`, `{"query":{"page":{"$gt":1}}}`, true},
		{`{"query":{"a":["1","2"]}}`, `{"query":{"a":"2"}}`, true},
		{`{"query":"a=1&a=2"}`, `{"query":{"a":"2"}}`, true},
		{`{"query":"a=1"}`, `{"query":{"a":"2"}}`, false},
		{`{"path":"/v2/orders"}`, `{"path":{"path":{"$regex":"^/v2/"}}}`, true},
		{`{"path":{"path":"/v1/orders"}}`, `{"path":{"path":{"$regex":"^/v2/"}}}`, false},
		{`{"body":{"a":1},"query":"b=1"}`, `{"body":{"a":1},"query":{"b":2}}`, false},
	} {
		a := w.do("POST", w.in("/subscriptions/test_filter"), fmt.Sprintf(`{"request":%s,"schema":%s}`, c.request, c.schema))
		w.want(a, 200, "Filter validated successfully")
		if string(a.Data) != fmt.Sprint(c.want) {
			t.Errorf("%s against %s: %s, want %v", c.request, c.schema, a.Data, c.want)
		}
	}
}

func TestBadTestFilter(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ body, message string }{
		{`{"request":{"headers":["a"]}}`, "request.headers: want an object of names and texts"},
		{`{"request":{"header":{"a":{}}}}`, "request.header.a: want a text, or an array of texts"},
		{`{"request":{"query":{"a":[null]}}}`, "request.query.a: want a text, or an array of texts"},
		{`{"request":{"query":7}}`, "request.query: want an object of names and texts"},
		{`{"request":{"path":{"paths":"/"}}}`, `request.path: want a text like "/orders/1", or {"path": "/orders/1"}`},
		{`{"request":{"path":["/"]}}`, `request.path: want a text like "/orders/1", or {"path": "/orders/1"}`},
	} {
		w.want(w.do("POST", w.in("/subscriptions/test_filter"), c.body), 400, c.message)
	}
	for _, schema := range []string{`{"body":{"a":{"$nothing":1}}}`, `{"body":[1]}`, `{"headers":{"a":{"$gt":[]}}}`} {
		a := w.do("POST", w.in("/subscriptions/test_filter"), `{"request":{},"schema":`+schema+`}`)
		if a.Code != 400 || len(a.Message) < 12 || a.Message[:7] != "schema." {
			t.Errorf("%s: %d %q", schema, a.Code, a.Message)
		}
	}
}

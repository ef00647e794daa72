package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"posthaste/event"
	"posthaste/transform"
)

func TestTestFunction(t *testing.T) {
	const source = "function transform(payload) { return payload }"
	var called string
	w := newWorld(t, func(o *Options) {
		o.Transform = func(_ context.Context, function string, payload []byte) ([]byte, []string, error) {
			called = function + " with " + string(payload)
			return []byte(`{"a": 1.50}`), []string{"<one>", "two"}, nil
		}
	})
	a := w.do("POST", w.in("/subscriptions/test_function"), fmt.Sprintf(`{"payload": { "n" : 12345678901234567890 },"function":%q,"type":"body"}`, source))
	w.want(a, 200, "Transformer function run successfully")
	if string(a.Data) != `{"log":["<one>","two"],"payload":{"a": 1.50}}` {
		t.Errorf("got %s", a.Data)
	}
	if want := source + ` with { "n" : 12345678901234567890 }`; called != want {
		t.Errorf("called %s, want %s", called, want)
	}
}

func TestBadTestFunction(t *testing.T) {
	const body = `{"payload":1,"function":"function transform(p) { return p }"}`
	w := newWorld(t)
	w.want(w.do("POST", w.in("/subscriptions/test_function"), body), 501, "this server runs no functions")
	var fail error
	w = newWorld(t, func(o *Options) {
		o.Transform = func(context.Context, string, []byte) ([]byte, []string, error) { return nil, nil, fail }
	})
	for _, c := range []struct {
		body    string
		err     error
		code    int
		message string
	}{
		{`{}`, nil, 400, "function: is empty; give JavaScript with a function transform(payload) that returns what is sent"},
		{`{"function":"function transform(p) { return p }"}`, nil, 400, "payload: is missing; give the JSON value that the function is called with"},
		{body, nil, 200, "Transformer function run successfully"},
		{body, &transform.Error{Kind: transform.KindException, Message: "1:5 boom"}, 400, "function: exception: 1:5 boom"},
		{`{"payload":1,"function":"` + strings.Repeat(" ", event.MaxFunctionBytes+1) + `"}`, nil, 400, "function: has 65537 bytes; at most 65536 are allowed"},
		{body, context.DeadlineExceeded, 503, "the server is overloaded; try again later"},
		{body, transform.ErrClosed, 503, "the server is stopping; try again later"},
		{body, errors.New("no child could be started"), 500, "internal error"},
		{body, &event.OverloadError{What: "functions", After: time.Second}, 503, "the server is overloaded; try again later"},
	} {
		fail = c.err
		w.want(w.do("POST", w.in("/subscriptions/test_function"), c.body), c.code, c.message)
	}
}

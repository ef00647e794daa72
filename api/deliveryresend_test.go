package api

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"posthaste/catalog/catalogtest"
	"posthaste/event"
)

func TestResend(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	for _, body := range []string{"", "{}", `"{}"`} {
		w.work.calls = nil
		a := w.do("PUT", w.in("/eventdeliveries/%s/resend", id('d', 1)), body)
		w.want(a, 200, "App event processed for retry successfully")
		if a.field("uid") != id('d', 1).String() || a.field("status") != "Scheduled" || a.field("event_metadata", "uid") != id('f', 1).String() {
			t.Errorf("body %q: the delivery is not shown as it is now: %s", body, a.body)
		}
		want := []workCall{{project: w.project, ids: []event.ID{id('d', 1)}}}
		if !reflect.DeepEqual(w.work.calls, want) {
			t.Errorf("body %q: calls %v, want %v", body, w.work.calls, want)
		}
	}
	w.want(w.do("PUT", w.in("/eventdeliveries/%s/resend", id('d', 9)), ""), 404, "Resource not found")
}

// What the worker refuses is answered in its words, and as clients read them: 400.
func TestResendRefused(t *testing.T) {
	for _, c := range []struct {
		err     error
		code    int
		message string
	}{
		{&event.StateError{Reason: "event already sent"}, 400, "event already sent"},
		{fmt.Errorf("retry: %w", &event.StateError{Reason: "cannot resend event that did not fail previously"}), 400, "cannot resend event that did not fail previously"},
		{event.Invalid("", "the endpoint is currently paused"), 400, "the endpoint is currently paused"},
		{event.ErrNotFound, 404, "Resource not found"},
		{event.ErrConflict, 409, "it was changed by somebody else meanwhile; read it again and retry"},
		{event.ErrClosed, 503, "the server is stopping; try again later"},
		{errors.New("disk on fire"), 500, "internal error"},
	} {
		w := newWorld(t)
		furnish(w)
		w.work.refuse = func(event.ID) error { return c.err }
		w.want(w.do("PUT", w.in("/eventdeliveries/%s/resend", id('d', 1)), ""), c.code, c.message)
		w.want(w.do("PUT", w.in("/events/%s/replay", id('f', 1)), ""), c.code, c.message)
		if c.code == 500 && len(w.faults) != 2 {
			t.Errorf("faults %v", w.faults)
		}
	}
}

func idsBody(ids ...event.ID) string {
	texts := make([]string, len(ids))
	for i := range ids {
		texts[i] = `"` + ids[i].String() + `"`
	}
	return `{"ids":[` + strings.Join(texts, ",") + `]}`
}

func TestForceResend(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	w.work.refuse = func(d event.ID) error {
		if d == id('d', 2) {
			return &event.StateError{Reason: "only successful events can be force resent"}
		}
		return nil
	}
	a := w.do("POST", w.in("/eventdeliveries/forceresend"), idsBody(id('d', 1), id('d', 2), id('d', 1), id('d', 7)))
	w.want(a, 200, "1 successful, 2 failed")
	compareGolden(t, "force-resend", []byte(a.body))
	want := []workCall{{project: w.project, ids: []event.ID{id('d', 1), id('d', 2), id('d', 7)}, force: true}}
	if !reflect.DeepEqual(w.work.calls, want) {
		t.Errorf("calls %v, want %v", w.work.calls, want)
	}
}

func TestForceResendRefuses(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	one := `"` + id('d', 1).String() + `"`
	for body, message := range map[string]string{
		`{}`:                         "ids: want the ids of 1 to 10000 deliveries, got 0; send more in several requests",
		`{"ids":[]}`:                 "ids: want the ids of 1 to 10000 deliveries, got 0; send more in several requests",
		`{"ids":null}`:               "ids: want the ids of 1 to 10000 deliveries, got 0; send more in several requests",
		`{"ids":[` + one + `,"x"]}`:  "ids[1]: not an id: want 26 characters of Crockford base 32",
		`{"ids":[1]}`:                "ids: want a string, got number (at byte 9)",
		`{"ids":"` + one[1:27] + `"`: "invalid JSON at byte 35: unexpected end of JSON input",
	} {
		w.want(w.do("POST", w.in("/eventdeliveries/forceresend"), body), 400, message)
	}
	many := `{"ids":[` + strings.Repeat(one+",", event.MaxBatchItems) + one + `]}`
	w.want(w.do("POST", w.in("/eventdeliveries/forceresend"), many), 400, "ids: want the ids of 1 to 10000 deliveries, got 10001; send more in several requests")
	w.want(w.do("POST", w.in("/eventdeliveries/forceresend"), "ids=1", "Content-Type", "text/plain"), 415, errMediaType.message)
	if len(w.work.calls) != 0 {
		t.Errorf("the worker was called: %v", w.work.calls)
	}
}

// A failure of the server's is an answer of its own only if nothing was done: a
// client that repeats the request would else send again what was sent.
func TestForceResendWhenTheServerFails(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	w.work.refuse = func(event.ID) error { return event.ErrClosed }
	w.want(w.do("POST", w.in("/eventdeliveries/forceresend"), idsBody(id('d', 1))), 503, "the server is stopping; try again later")
	w.work.refuse = func(d event.ID) error {
		if d == id('d', 1) {
			return nil
		}
		return event.ErrClosed
	}
	a := w.do("POST", w.in("/eventdeliveries/forceresend"), idsBody(id('d', 1), id('d', 2)))
	w.want(a, 200, "1 successful, 1 failed")
	if !strings.Contains(a.body, `"message":"the server is stopping; try again later"`) || len(w.faults) != 1 {
		t.Errorf("got %s, faults %v", a.body, w.faults)
	}
}

// A request does not wait for attempts on their way without end, nor when the server
// stops.
func TestRetryIsNotWaitedForWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *Options) { o.Work = stuckWorker{} })
		furnish(w)
		start := time.Now()
		w.want(w.do("PUT", w.in("/eventdeliveries/%s/resend", id('d', 1)), ""), 503, "the server is overloaded; try again later")
		if took := time.Since(start); took != retryWait {
			t.Errorf("after %s", took)
		}
		stopping, stop := context.WithCancel(t.Context())
		stop()
		r := httptest.NewRequestWithContext(stopping, "PUT", w.in("/eventdeliveries/%s/resend", id('d', 1)), nil)
		r.Header.Set("Authorization", "Bearer "+catalogtest.InstanceKey)
		rec := httptest.NewRecorder()
		w.api.ServeHTTP(rec, r)
		if rec.Code != 503 || !strings.Contains(rec.Body.String(), "the server is stopping") {
			t.Errorf("while stopping: %d %s", rec.Code, rec.Body)
		}
	})
}

// stuckWorker waits for an attempt that does not end.
type stuckWorker struct{ idle }

func (stuckWorker) Retry(ctx context.Context, _ event.ID, deliveries []event.ID, _ bool) []error {
	<-ctx.Done()
	errs := make([]error, len(deliveries))
	for i := range errs {
		errs[i] = ctx.Err()
	}
	return errs
}

package search

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"posthaste/event"
)

// fakeReader is a Reader over what it holds. What it does not hold is gone.
type fakeReader struct {
	deliveries []event.Delivery // the newest first
	events     map[event.ID]*event.Event
	attempts   map[event.ID][]event.Attempt
	reads      int
	broken     error
}

func (r *fakeReader) Event(project, id event.ID) (*event.Event, error) {
	r.reads++
	if e := r.events[id]; e != nil && e.ProjectID == project {
		return e, nil
	}
	return nil, errors.Join(r.broken, event.ErrNotFound)
}

func (r *fakeReader) Attempts(project, id event.ID) ([]event.Attempt, error) {
	r.reads++
	return r.attempts[id], r.broken
}

func idOf(kind byte, n int) event.ID { return event.ID{0: kind, 15: byte(n)} }

func newReader() *fakeReader {
	return &fakeReader{events: map[event.ID]*event.Event{}, attempts: map[event.ID][]event.Attempt{}}
}

// add adds the n-th delivery, whose number is its event's idempotency key.
func (r *fakeReader) add(n, endpoint int, kind, data string, charged int, attempts ...event.Attempt) {
	project, e, d := idOf('p', 1), idOf('f', n), idOf('d', n)
	r.events[e] = &event.Event{ID: e, ProjectID: project, Type: kind, Data: []byte(data), IdempotencyKey: fmt.Sprint("key-", n)}
	r.attempts[d] = attempts
	r.deliveries = slices.Insert(r.deliveries, 0, event.Delivery{ID: d, EventID: e, ProjectID: project, EndpointID: idOf('e', endpoint), Attempts: charged})
}

// found are the numbers of the deliveries that a query finds.
func (r *fakeReader) found(t *testing.T, q *Query) string {
	t.Helper()
	var found []string
	for i := range r.deliveries {
		fits, _, err := q.Fits(r, &r.deliveries[i])
		if err != nil {
			t.Fatal(err)
		}
		if fits {
			found = append(found, fmt.Sprint(r.deliveries[i].ID[15]))
		}
	}
	return strings.Join(found, " ")
}

// TestQuery: what texts and operators find, and what is said to be understood.
func TestQuery(t *testing.T) {
	r := newReader()
	one := idOf('e', 1)
	r.add(1, 1, "order.paid", `{"customer":{"id":"cus_1","name":"Jane Doe"},"amount":17,"items":[{"sku":"a"},{"sku":"b"}]}`, 1, event.Attempt{StatusCode: 200})
	r.add(2, 1, "order.sent", `{"customer":{"id":"cus_2"},"amount":99.5,"vip":true}`, 4, event.Attempt{StatusCode: 503, Class: event.ClassStatus, ResponseBody: []byte("the Upstream is down")})
	r.add(3, 2, "order.paid", `{"note":"code:5xx"}`, 6, event.Attempt{Class: event.ClassTimeout, Error: "no answer after 10s"})
	r.add(4, 2, "order.paid", `"amount"`, 0)
	r.deliveries[0].Reason = "the Endpoint is paused"

	for _, test := range []struct{ query, want, means string }{
		{"code:5xx", "2", "an attempt was answered 5xx"},
		{"code:200", "1", "an attempt was answered 200"},
		{"code:timeout", "3", "an attempt failed with timeout"},
		{"-code:5xx -code:timeout", "4 1", "not: an attempt was answered 5xx; not: an attempt failed with timeout"},
		{"attempts>3", "3 2", "attempts made: more than 3"},
		{"attempts<=1 type:order.paid", "4 1", "attempts made: at most 1; the event's type is order.paid"},
		{"-type:order.paid", "2", "not: the event's type is order.paid"},
		{"-endpoint:" + one.String(), "4 3", "not: it goes to the endpoint " + one.String()},
		{"data.customer.id=cus_1", "1", "data.customer.id is cus_1"},
		{`data.customer.name="Jane Doe"`, "1", "data.customer.name is Jane Doe"},
		{"data.items.sku=b", "1", "data.items.sku is b"},
		{"data.amount>17.5", "2", "data.amount more than 17.5"},
		{"data.amount=17.0", "1", "data.amount is 17.0"},
		{"data.vip=true", "2", "data.vip is true"},
		{"data.customer=cus_1", "", "data.customer is cus_1"},
		{"upstream IS down", "2", "“upstream IS down” in the idempotency key, the data, why it ended, or what failed attempts got"},
		{"no answer attempts>3", "3", "attempts made: more than 3; “no answer” in the idempotency key, the data, why it ended, or what failed attempts got"},
		{`"code:5xx"`, "3", "“code:5xx” in the idempotency key, the data, why it ended, or what failed attempts got"},
		{"https://x=1", "", "“https://x=1” in the idempotency key, the data, why it ended, or what failed attempts got"},
		{"KEY-3", "3", "“KEY-3” in the idempotency key, the data, why it ended, or what failed attempts got"},
		{"endpoint is paused", "4", "“endpoint is paused” in the idempotency key, the data, why it ended, or what failed attempts got"},
	} {
		q, err := Parse(test.query)
		if err != nil {
			t.Errorf("%s: %v", test.query, err)
			continue
		}
		if got := r.found(t, q); got != test.want {
			t.Errorf("%s finds %q, want %q", test.query, got, test.want)
		}
		var means []string
		for _, term := range q.Terms() {
			means = append(means, term.Means)
		}
		if got := strings.Join(means, "; "); got != test.means {
			t.Errorf("%s is understood as %q, want %q", test.query, got, test.means)
		}
	}
}

// TestParseRefuses: what looks like an operator and is none is refused, not looked for.
func TestParseRefuses(t *testing.T) {
	for line, message := range map[string]string{
		"code:abc":                            `query: "code:abc" is no code`,
		"attempts>x":                          `query: "attempts>x": want a number of attempts`,
		"endpoint:Orders":                     `query: "endpoint:Orders": want the id of an endpoint`,
		"data.amount<abc":                     `query: "data.amount<abc": want a number`,
		strings.Repeat("type:a ", maxTerms+1): "query: has more than 8 operators",
		strings.Repeat("x", MaxBytes+1):       "query: has 257 bytes; look for at most 256",
	} {
		if _, err := Parse(line); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: %v, want %s", line, err, message)
		}
	}
}

// TestOnlyWhatIsAskedForIsRead: an event and its attempts are read once, and where no
// condition before was missed.
func TestOnlyWhatIsAskedForIsRead(t *testing.T) {
	r := newReader()
	r.add(1, 1, "order.paid", `{"a":1}`, 2, event.Attempt{StatusCode: 500, Class: event.ClassStatus, ResponseBody: []byte("down")})
	for line, want := range map[string][2]int{ // reads and bytes
		"attempts>1":                             {0, 0},
		"attempts>2 data.a=1 code:500":           {0, 0},
		"data.a=1 type:order.paid -type:x":       {1, 7},
		"code:500 -code:404 code:5xx":            {1, 4},
		"data.a=1 code:500 down type:order.paid": {2, 11},
	} {
		q, err := Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		r.reads = 0
		_, read, err := q.Fits(r, &r.deliveries[0])
		if err != nil || r.reads != want[0] || read != want[1] {
			t.Errorf("%s: %d reads, %d bytes, %v; want %v", line, r.reads, read, err, want)
		}
	}
}

// TestWhatIsGoneIsNotFound: a delivery whose event has aged is no error, and other errors
// are.
func TestWhatIsGoneIsNotFound(t *testing.T) {
	r := newReader()
	r.add(1, 1, "order.paid", `{"a":1}`, 0)
	clear(r.events)
	q, _ := Parse("order")
	if got := r.found(t, q); got != "" {
		t.Errorf("found %s", got)
	}
	r.broken = errors.New("boom")
	if _, _, err := q.Fits(r, &r.deliveries[0]); !errors.Is(err, r.broken) {
		t.Errorf("a read that failed is %v", err)
	}
}

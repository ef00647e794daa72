package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// repeat posts the same event from so many goroutines at once, and returns the ids that
// were answered, and how many of the answers say that it is a duplicate.
func (p *project) repeat(times int, body any) (ids map[string]int, duplicates int) {
	p.t.Helper()
	type result struct {
		id        string
		duplicate bool
		err       error
	}
	results := make([]result, times)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() {
			r := &results[i]
			code, a, _, err := p.request("POST", "/events", body)
			if r.err = err; err == nil && code != http.StatusCreated {
				r.err = fmt.Errorf("%d %s", code, a.Message)
			}
			var made struct{ UID string }
			if r.err == nil {
				r.err = json.Unmarshal(a.Data, &made)
			}
			r.id, r.duplicate = made.UID, strings.Contains(a.Message, "Duplicate")
		})
	}
	all.Wait()
	ids = make(map[string]int)
	for _, r := range results {
		if r.err != nil {
			p.t.Fatal(r.err)
		}
		ids[r.id]++
		if r.duplicate {
			duplicates++
		}
	}
	return ids, duplicates
}

// TestConcurrentDuplicates: of twenty requests at once with the same key one is
// delivered, and all are answered with its id; the rest can be seen as duplicates.
func TestConcurrentDuplicates(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	ep := p.add(in.URL, nil)
	for round := range 5 {
		key := fmt.Sprint("key-", round)
		ids, duplicates := p.repeat(20, object{"endpoint_id": ep, "event_type": "t", "data": round, "idempotency_key": key})
		if len(ids) != 1 || duplicates != 19 {
			t.Fatalf("answered with %v, %d duplicates", ids, duplicates)
		}
		for id := range ids {
			p.await(id, "Success")
			p.seesDuplicates(t, key, id, 19)
		}
	}
	p.stop()
	if n := len(in.arrivals()); n != 5 {
		t.Errorf("%d requests came, want 5", n)
	}
}

// seesDuplicates checks that so many events of a key are shown as duplicates of one.
func (p *project) seesDuplicates(t *testing.T, key, of string, want int) {
	t.Helper()
	originals, duplicates := 0, 0
	for _, e := range p.events("idempotencyKey=" + key) {
		switch {
		case e.IsDuplicate && e.DuplicateOf == of && len(e.Endpoints) == 0:
			duplicates++
			if n := len(p.deliveriesOf(e.UID)); n != 0 {
				t.Errorf("a duplicate has %d deliveries", n)
			}
		case !e.IsDuplicate && e.UID == of:
			originals++
		default:
			t.Errorf("the list has %+v", e)
		}
	}
	if originals != 1 || duplicates != want {
		t.Errorf("the list has %d originals and %d duplicates, want 1 and %d", originals, duplicates, want)
	}
}

// TestDuplicateAcrossKill: a key is remembered by a server that was killed the moment
// after it had answered; the same key with another body is a conflict, and another
// project's keys are its own.
func TestDuplicateAcrossKill(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	ep := p.add(in.URL, nil)
	body := object{"endpoint_id": ep, "event_type": "t", "data": object{"n": 1}, "idempotency_key": "once"}
	first := p.post("/events", body)
	for restart := range 2 {
		p.kill()
		p.start()
		if again := p.post("/events", body); again != first {
			t.Errorf("posted as %s, after restart %d as %s", first, restart+1, again)
		}
	}
	p.await(first, "Success")
	p.seesDuplicates(t, "once", first, 2)
	for name, other := range map[string]object{
		"other data": {"data": object{"n": 2}},
		"other type": {"event_type": "u"},
	} {
		code, a := p.try("POST", "/events", with(body, other))
		if code != http.StatusConflict || !strings.Contains(a.Message, "idempotency_key") {
			t.Errorf("%s: %d %q, want 409", name, code, a.Message)
		}
	}
	p.seesDuplicates(t, "once", first, 2)
	next := p.another(linear(1, 1))
	if id := next.post("/events", with(body, object{"endpoint_id": next.add(in.URL, nil)})); id == first {
		t.Error("a key of one project is known in another")
	}
}

// TestIdempotencyWindow: a key is free again when the project's window is over, and not
// before.
func TestIdempotencyWindow(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, with(linear(1, 1), object{"idempotency_window": 2}))
	body := object{"endpoint_id": p.add(in.URL, nil), "event_type": "t", "data": 1, "idempotency_key": "k"}
	begin := time.Now()
	first := p.post("/events", body)
	var second string
	eventually(t, "the window ends", func() bool {
		second = p.post("/events", body)
		return second != first
	})
	if took := time.Since(begin); took < 2*time.Second-tick {
		t.Errorf("the window ended after %s", took)
	}
	for _, id := range []string{first, second} {
		p.await(id, "Success")
	}
	if n := len(in.arrivals()); n != 2 {
		t.Errorf("%d requests came, want 2", n)
	}
	p.refused("PUT", "", object{"name": "test", "config": object{"idempotency_window": -1}}, "config.idempotency_window")
	p.refused("PUT", "", object{"name": "test", "config": object{"idempotency_window": "721h"}}, "config.idempotency_window")
}

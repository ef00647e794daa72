package test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// keyState is what is stored under an idempotency key.
type keyState struct {
	body string // "": nothing
	id   string // of the event; "": nobody was told
}

// keyModel says what a key does: the first event under it is stored, its repeats are
// answered with its id, and anything else is refused.
var keyModel = modelOf(keyState{}, func(s keyState, q asked, a told) (keyState, bool) {
	free := s.body == ""
	switch {
	case a.code == 0:
		if free {
			return keyState{body: q.with}, true
		}
		return s, true
	case a.code == http.StatusConflict:
		return s, !free && s.body != q.with
	case a.code != http.StatusCreated:
		return s, false
	case a.n == 0:
		return keyState{q.with, a.is}, free
	case s.id == "":
		return keyState{s.body, a.is}, s.body == q.with
	}
	return s, s.body == q.with && s.id == a.is
})

// post posts an event under a key, and may hang up before it is answered.
func (c *client) post(ctx context.Context, p *project, endpoint, key, body string) told {
	return c.ask(asked{"post", key, body}, func() told {
		code, a, _ := c.send(ctx, p, "POST", "/events", object{"endpoint_id": endpoint, "event_type": "t", "data": body, "idempotency_key": key})
		out := told{code: code}
		if code != http.StatusCreated {
			return out
		}
		var made struct{ UID string }
		if err := json.Unmarshal(a.Data, &made); err != nil {
			c.h.t.Error(err)
		}
		out.is = made.UID
		if strings.Contains(a.Message, "Duplicate") {
			out.n = 1
		}
		return out
	})
}

// TestIntakeIsLinearizable: of many events that are posted at once under the same key,
// while clients hang up before they are answered and the server is killed and started
// again, one is stored and delivered; and all others are told so.
func TestIntakeIsLinearizable(t *testing.T) {
	t.Parallel()
	const kills, perKey = 3, 150
	in := newInbox(t)
	p := newProject(t, traced(linear(1, 100)))
	ep := p.add(in.URL, nil)
	again(t, func() {
		h := newHistory(t)
		var n atomic.Int64
		h.start(8, func(c *client) {
			// Each key is new to several clients at once, and few questions are about it.
			key := fmt.Sprintf("key-%x-%d", h.seed, n.Add(1)/perKey+int64(c.rng.IntN(2)))
			ctx := context.Background()
			if c.rng.IntN(10) == 0 {
				short, cancel := context.WithTimeout(ctx, time.Duration(c.rng.IntN(3000))*time.Microsecond)
				defer cancel()
				ctx = short
			}
			c.post(ctx, p, ep, key, fmt.Sprint("body ", c.rng.IntN(4)/3))
		})
		spoil := saying("post", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
		h.killed(p.server, kills, spoil)
		h.end()
		h.check(keyModel, spoil)
		p.deliversEachKeyOnce(in, h)
	})
}

// deliversEachKeyOnce checks that under each key that was answered one event is listed and
// arrives, the one of the answers.
func (p *project) deliversEachKeyOnce(in *inbox, h *history) {
	p.t.Helper()
	ids, keys, duplicates := make(map[string]string), make(map[string]string), make(map[string]int)
	for _, op := range h.all() {
		q, a := op.Input.(asked), op.Output.(told)
		if a.code != http.StatusCreated {
			continue
		}
		if other, known := keys[a.is]; known && other != q.of {
			p.t.Errorf("event %s is under two keys, %s and %s", a.is, other, q.of)
		}
		ids[q.of], keys[a.is] = a.is, q.of
		duplicates[q.of] += a.n
	}
	for key, id := range ids {
		p.await(id, "Success")
		listed := 0
		for _, e := range p.events("idempotencyKey=" + key) {
			switch {
			case !e.IsDuplicate && e.UID != id:
				p.t.Errorf("%s is listed with %s, and was answered with %s", key, e.UID, id)
			case e.IsDuplicate:
				listed++
			}
		}
		if listed < duplicates[key] {
			p.t.Errorf("%s is listed with %d duplicates, and %d were answered", key, listed, duplicates[key])
		}
	}
	for _, a := range in.arrivals() {
		key, id := a.header.Get("X-Convoy-Idempotency-Key"), a.header.Get("X-Convoy-Event-Id")
		if want := ids[key]; want != "" && id != want {
			p.t.Errorf("event %s arrived under %s, which was answered with %s", id, key, want)
		}
	}
}

func TestTheModelOfKeysFindsMistakes(t *testing.T) {
	t.Parallel()
	post := func(body string) asked { return asked{"post", "k", body} }
	made := func(id string) told { return told{code: 201, is: id} }
	again := func(id string) told { return told{code: 201, is: id, n: 1} }
	conflict := told{code: 409}
	for name, c := range map[string]struct {
		want  porcupine.CheckResult
		lines []line
	}{
		"one after the other":            {porcupine.Ok, []line{{0, 1, post("a"), made("1")}, {2, 3, post("a"), again("1")}, {4, 5, post("b"), conflict}}},
		"at once":                        {porcupine.Ok, []line{{0, 9, post("a"), again("1")}, {1, 8, post("b"), conflict}, {2, 7, post("a"), made("1")}}},
		"stored without an answer":       {porcupine.Ok, []line{{0, 99, post("a"), told{}}, {2, 3, post("a"), again("1")}, {4, 5, post("a"), again("1")}}},
		"lost without an answer":         {porcupine.Ok, []line{{0, 99, post("a"), told{}}, {2, 3, post("b"), made("1")}}},
		"two are the first":              {porcupine.Illegal, []line{{0, 9, post("a"), made("1")}, {1, 8, post("a"), made("2")}}},
		"another id":                     {porcupine.Illegal, []line{{0, 1, post("a"), made("1")}, {2, 3, post("a"), again("2")}}},
		"a duplicate of nothing":         {porcupine.Illegal, []line{{0, 1, post("a"), again("1")}, {2, 3, post("a"), made("1")}}},
		"forgotten":                      {porcupine.Illegal, []line{{0, 1, post("a"), made("1")}, {2, 3, post("a"), made("2")}}},
		"another body passes":            {porcupine.Illegal, []line{{0, 1, post("a"), made("1")}, {2, 3, post("b"), again("1")}}},
		"the same body conflicts":        {porcupine.Illegal, []line{{0, 1, post("a"), made("1")}, {2, 3, post("a"), conflict}}},
		"two ids of an unanswered event": {porcupine.Illegal, []line{{0, 99, post("a"), told{}}, {2, 3, post("a"), again("1")}, {4, 5, post("a"), again("2")}}},
	} {
		t.Run(name, func(t *testing.T) { wantVerdict(t, keyModel, c.want, c.lines...) })
	}
}

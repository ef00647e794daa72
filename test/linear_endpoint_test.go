package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// register is an endpoint as clients see it.
type register struct {
	status, name string
	gone         bool
}

// endpointModel says what an endpoint is after each change. A pause is a compare-and-set
// of the state that its request found: 409 says that it was another by then.
var endpointModel = modelOf(register{status: "active", name: "receiver"}, func(s register, q asked, a told) (register, bool) {
	if s.gone {
		return s, a.code == 0 || a.code == http.StatusNotFound
	}
	next, allowed := s.after(q)
	switch {
	case a.code == 0:
		return next, true
	case a.code == http.StatusConflict:
		return s, q.what == "pause" || q.what == "activate"
	case a.code == http.StatusBadRequest:
		return s, !allowed
	case !allowed || a.code/100 != 2:
		return s, false
	case q.what == "delete":
		return next, true
	}
	return next, a.is == next.text()
})

func (s register) text() string { return s.status + " " + s.name }

// after is what a question makes of the endpoint; not allowed: nothing.
func (s register) after(q asked) (next register, allowed bool) {
	next = s
	switch q.what {
	case "pause":
		states := map[string]string{"active": "paused", "paused": "active"}
		if states[s.status] == "" {
			return s, false
		}
		next.status = states[s.status]
	case "activate":
		next.status = "active"
	case "disable":
		next.status = "inactive"
	case "enable":
		if s.status == "inactive" {
			next.status = "active"
		}
	case "rename":
		next.name = q.with
	case "delete":
		next.gone = true
	}
	return next, true
}

// changeEndpoint asks one of the questions about an endpoint, and reports whether it is
// gone.
func (c *client) changeEndpoint(p *project, id string) (gone bool) {
	path := "/endpoints/" + id
	var shown struct{ Status, Name string }
	ask := func(what, with, method, path string, body any) {
		a := c.ask(asked{what, id, with}, func() told {
			return c.tell(p, method, path, body, func(code int, a answer, _ http.Header) told {
				if code/100 == 2 && what != "delete" {
					if err := json.Unmarshal(a.Data, &shown); err != nil {
						c.h.t.Error(err)
					}
					return told{code: code, is: shown.Status + " " + shown.Name}
				}
				return told{code: code}
			})
		})
		gone = a.code == http.StatusNotFound
	}
	switch n := c.rng.IntN(250); {
	case n < 100:
		ask("read", "", "GET", path, nil)
	case n < 150:
		ask("pause", "", "PUT", path+"/pause", nil)
	case n < 175:
		ask("activate", "", "POST", path+"/activate", nil)
	case n < 200:
		ask("disable", "", "PUT", path, object{"is_disabled": true})
	case n < 220:
		ask("enable", "", "PUT", path, object{"is_disabled": false})
	case n < 249:
		name := fmt.Sprint("name ", c.rng.Uint32())
		ask("rename", name, "PUT", path, object{"name": name})
	default:
		ask("delete", "", "DELETE", path, nil)
	}
	return gone
}

// TestEndpointsAreLinearizable: of changes to an endpoint that come at once, and across
// kills, none is lost, none is undone, and every answer and every reading shows the
// endpoint as of one moment.
func TestEndpointsAreLinearizable(t *testing.T) {
	t.Parallel()
	const kills, perEndpoint = 2, 300
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	again(t, func() {
		h := newHistory(t)
		var mu sync.Mutex
		var current string // the endpoint that is asked about
		left := 0
		h.start(6, func(c *client) {
			mu.Lock()
			if left == 0 {
				left = perEndpoint
				current = ""
			}
			left--
			if current == "" {
				current = c.newEndpoint(p, in.URL)
			}
			id := current
			mu.Unlock()
			if id == "" {
				time.Sleep(2 * time.Millisecond) // the server is down
				return
			}
			if c.changeEndpoint(p, id) && c.rng.IntN(10) == 0 {
				mu.Lock()
				left = 0
				mu.Unlock()
			}
		})
		spoil := saying("read", "active of old")
		h.killed(p.server, kills, spoil)
		h.end()
		h.check(endpointModel, spoil)
	})
}

// newEndpoint makes an endpoint; "" while the server is down.
func (c *client) newEndpoint(p *project, url string) (id string) {
	c.tell(p, "POST", "/endpoints", object{"name": "receiver", "url": url}, func(code int, a answer, _ http.Header) told {
		var made struct{ UID string }
		if err := json.Unmarshal(a.Data, &made); err != nil || code != http.StatusCreated {
			c.h.t.Errorf("an endpoint is made with %d %s", code, a.Message)
		}
		id = made.UID
		return told{}
	})
	return id
}

func TestTheModelOfEndpointsFindsMistakes(t *testing.T) {
	t.Parallel()
	read, pause, rename := asked{"read", "e", ""}, asked{"pause", "e", ""}, asked{"rename", "e", "new"}
	shows := func(text string) told { return told{code: 202, is: text} }
	no, gone, conflict := told{code: 400}, told{code: 404}, told{code: 409}
	remove, removed := asked{"delete", "e", ""}, told{code: 200}
	for name, c := range map[string]struct {
		want  porcupine.CheckResult
		lines []line
	}{
		"one after the other":        {porcupine.Ok, []line{{0, 1, pause, shows("paused receiver")}, {2, 3, read, shows("paused receiver")}}},
		"two pauses at once":         {porcupine.Ok, []line{{0, 9, pause, shows("paused receiver")}, {1, 8, pause, conflict}, {10, 11, read, shows("paused receiver")}}},
		"a pause without an answer":  {porcupine.Ok, []line{{0, 99, pause, told{}}, {2, 3, read, shows("active receiver")}, {4, 5, read, shows("paused receiver")}}},
		"a stale reading":            {porcupine.Illegal, []line{{0, 1, pause, shows("paused receiver")}, {2, 3, read, shows("active receiver")}}},
		"a reading back and forth":   {porcupine.Illegal, []line{{0, 9, pause, shows("paused receiver")}, {1, 2, read, shows("paused receiver")}, {3, 4, read, shows("active receiver")}}},
		"two pauses that both count": {porcupine.Illegal, []line{{0, 9, pause, shows("paused receiver")}, {1, 8, pause, shows("paused receiver")}}},
		"a change that is lost": {porcupine.Illegal, []line{
			{0, 9, pause, shows("paused receiver")}, {1, 8, rename, shows("active new")}, {10, 11, read, shows("active new")}}},
		"refused for no reason":   {porcupine.Illegal, []line{{0, 1, pause, no}}},
		"back from the dead":      {porcupine.Illegal, []line{{0, 1, remove, removed}, {2, 3, read, shows("active receiver")}}},
		"deleted and then gone":   {porcupine.Ok, []line{{0, 1, remove, removed}, {2, 3, read, gone}, {4, 5, pause, gone}}},
		"gone before it was made": {porcupine.Illegal, []line{{0, 1, read, gone}, {2, 3, read, shows("active receiver")}}},
	} {
		t.Run(name, func(t *testing.T) { wantVerdict(t, endpointModel, c.want, c.lines...) })
	}
}

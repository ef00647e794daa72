package ingest

import (
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

func TestRequestIDIsEchoed(t *testing.T) {
	in := new(world).ingest()
	for _, good := range []bool{true, false} {
		body := map[bool]string{true: single(""), false: "{"}[good]
		for id, echoed := range map[string]bool{
			"abc": true, "A.b_c:d-9": true, strings.Repeat("x", 128): true,
			"": false, strings.Repeat("x", 129): false, "a b": false, "a\tb": false, "é": false, "a,b": false, "{}": false,
		} {
			got := string(do(t, in, call{body: body, headers: []string{"X-Request-Id", id}}).header.Peek("X-Request-Id"))
			if (got == id) != echoed || !echoed && len(got) != event.IDTextLen {
				t.Errorf("asked for %q, got %q", id, got)
			}
		}
	}
}

func TestRequestIDsAreIDs(t *testing.T) {
	ids := newRequestIDs()
	one, two := ids.make(), ids.make()
	if one.Compare(two) >= 0 || one == two || event.TimeOf(one).Year() < 2024 {
		t.Errorf("%s, %s", one, two)
	}
	if newRequestIDs().process == ids.process {
		t.Error("two processes are told apart by nothing")
	}
}

func TestVersionIsEchoed(t *testing.T) {
	in := new(world).ingest()
	for asked, want := range map[string]string{
		"": "2025-11-24", "2024-01-01": "2024-01-01", "0001-01-01": "0001-01-01", "2025-11-24": "2025-11-24",
		"2024-13-01": "2025-11-24", "latest": "2025-11-24", "2024-01-01x": "2025-11-24", "2024/01/01": "2025-11-24",
	} {
		for _, key := range []string{projectKey, "bad"} {
			a := do(t, in, call{key: key, body: single(""), headers: []string{"X-Convoy-Version", asked}})
			if got := string(a.header.Peek("X-Convoy-Version")); got != want {
				t.Errorf("asked for %q: %q, want %q", asked, got, want)
			}
		}
	}
}

func TestRefusedIsTold(t *testing.T) {
	w := &world{}
	var told []string
	in := New(Options{Engine: w, Auth: w, Projects: w, Metrics: Metrics{Refused: func(id string, code int, message string) {
		told = append(told, id+" "+fasthttp.StatusMessage(code)+" "+message)
	}}})
	do(t, in, call{body: single("")})
	do(t, in, call{key: "bad", headers: []string{"X-Request-Id", "one"}})
	do(t, in, call{path: "/events/batch", body: "[{}]", headers: []string{"X-Request-Id", "two"}})
	if want := []string{"one Unauthorized authorization failed", "two Bad Request 0 accepted, 1 refused"}; !slices.Equal(told, want) {
		t.Errorf("%q", told)
	}
}

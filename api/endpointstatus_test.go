package api

import (
	"fmt"
	"testing"

	"posthaste/event"
)

func TestPauseAndActivate(t *testing.T) {
	const paused, activated = "endpoint status updated successfully", "endpoint status successfully activated"
	w := newWorld(t)
	path := w.in("/endpoints/%s", w.addEndpoint(w.project, 1))
	step := func(method, what, message, status string) {
		t.Helper()
		a := w.do(method, path+what, `"{}"`) // what an older Go client sends
		w.want(a, 202, message)
		if a.field("status") != status {
			t.Fatalf("status is %v, want %s", a.field("status"), status)
		}
	}
	step("PUT", "/pause", paused, "paused")
	step("PUT", "/pause", paused, "active")
	step("PUT", "/pause", paused, "paused")
	step("POST", "/activate", activated, "active")
	step("POST", "/activate", activated, "active")
	for _, c := range []struct{ from, body, to string }{
		{"active", `{"is_disabled":true}`, "inactive"},
		{"inactive", `{"is_disabled":false}`, "active"},
		{"paused", `{"is_disabled":false}`, "paused"},
		{"paused", `{}`, "paused"},
	} {
		w.setStatus(1, event.EndpointStatus(c.from))
		if got := w.do("PUT", path, c.body).field("status"); got != c.to {
			t.Errorf("%s with %s becomes %v, want %s", c.from, c.body, got, c.to)
		}
	}
	for _, from := range []event.EndpointStatus{event.EndpointInactive, event.EndpointPending} {
		w.setStatus(1, from)
		w.want(w.do("PUT", path+"/pause", ""), 400, "an endpoint that is "+string(from)+" cannot be paused; activate it first")
		step("POST", "/activate", activated, "active")
	}
}

// Every change of state is on record, with its reason.
func TestStatusHistory(t *testing.T) {
	w := newWorld(t)
	path := w.in("/endpoints/%s", w.addEndpoint(w.project, 1))
	w.do("PUT", path+"/pause", "")
	w.do("PUT", path+"/pause", "")
	w.do("POST", path+"/activate", "") // no change
	w.do("PUT", path, `{"is_disabled":true}`)
	w.do("POST", path+"/activate", "")
	var got []string
	for _, row := range w.do("GET", path, "").field("status_history").([]any) {
		change := row.(map[string]any)
		got = append(got, fmt.Sprintf("%s-%s: %s", change["from"], change["to"], change["reason"]))
		if change["at"] != "2026-01-02T03:04:05.678Z" {
			t.Errorf("a change is dated %v", change["at"])
		}
	}
	want := []string{
		"active-paused: paused through the API", "paused-active: resumed through the API",
		"active-inactive: changed through the API", "inactive-active: activated through the API",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("history is %q, want %q", got, want)
	}
}

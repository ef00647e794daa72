package api

import (
	"strings"
	"testing"
)

func TestAWrongMethodIsToldWhereEventsGo(t *testing.T) {
	w := newWorld(t)
	for path, takes := range map[string]bool{
		"/events": true, "/events/fanout": true, "/events/broadcast": true, "/events/dynamic": true, "/events/batch": true,
		"/eventdeliveries": false, "/events/" + id('f', 1).String(): false,
	} {
		a := w.do("PATCH", w.in("%s", path), "")
		w.want(a, 405, errMethod.message)
		if got := a.header.Get("Allow"); strings.Contains(got, "POST") != takes || !strings.Contains(got, "GET") {
			t.Errorf("%s: Allow is %q", path, got)
		}
	}
}

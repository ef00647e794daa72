package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// brief is what records say, in the order of their names.
func brief(trail []event.Audit) string {
	var out []string
	for _, r := range trail {
		out = append(out, fmt.Sprintf("%s %s %s %s %q %d", r.Actor.Kind, r.Action, r.Outcome, r.ProjectName, r.Object.Name, r.Count))
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// TestBlocks: the first refusal is recorded at once, those of an hour together, and what
// could not be written is not forgotten.
func TestBlocks(t *testing.T) {
	b, now := newBlocks(), time.Unix(1_000_000, 0)
	p := &catalog.Project{Project: event.Project{ID: event.NewID(), Name: "shop"}}
	one := &catalog.Endpoint{Endpoint: event.Endpoint{ID: event.NewID(), Name: "one"}}
	refuse := func(ep *catalog.Endpoint, n int) {
		for range n {
			b.add(p, ep, "private")
		}
	}
	want := func(what, want string, all bool) (put func()) {
		t.Helper()
		trail, put := b.take(now, all)
		if got := brief(trail); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
		return put
	}
	of := func(name string, n int) string {
		return fmt.Sprintf("server endpoint.block refused shop %q %d", name, n)
	}
	want("nothing", "", true)
	refuse(one, 3)
	want("the first", of("one", 3), false)
	refuse(one, 4)
	now = now.Add(blockEvery - 1)
	want("within the hour", "", false)
	now = now.Add(1)
	put := want("after it", of("one", 4), false)
	put() // it could not be written
	refuse(one, 1)
	want("again", of("one", 5), false)
	refuse(one, 2)
	want("at the end", of("one", 2), true)
	now = now.Add(blockEvery)
	want("it is forgotten", "", false)
	if len(b.of) != 0 {
		t.Errorf("%d are left", len(b.of))
	}

	for range maxBlocks + 7 {
		refuse(&catalog.Endpoint{Endpoint: event.Endpoint{ID: event.NewID(), Name: "many"}}, 1)
	}
	trail, _ := b.take(now, false)
	others := slices.IndexFunc(trail, func(r event.Audit) bool { return r.Object.ID.IsZero() })
	if len(trail) != maxBlocks+1 || others < 0 || trail[others].Count != 7 || !trail[others].ProjectID.IsZero() {
		t.Errorf("%d records; of others: %d", len(trail), others)
	}
}

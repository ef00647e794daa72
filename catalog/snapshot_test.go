package catalog_test

import (
	"slices"
	"testing"

	"posthaste/catalog"
	"posthaste/event"
)

func endpointID(e *catalog.Endpoint) event.ID { return e.ID }

func TestListings(t *testing.T) {
	w := setup(t)
	other, _, _, err := w.CreateProject(event.Project{Name: "other"})
	must(t, err)
	var all []event.ID
	for range 300 { // several tree nodes, with another project's in between
		all = append(all, w.endpoint(t, "a").ID)
		_, err := w.CreateEndpoint(event.Endpoint{ProjectID: other.ID, Name: "o", URL: "https://x"})
		must(t, err)
	}
	reversed := slices.Clone(all)
	slices.Reverse(reversed)
	gap := all[99] // an id that is in no listing, just behind all[99]
	for i := len(gap) - 1; ; i-- {
		if gap[i]++; gap[i] != 0 { // else it carries over
			break
		}
	}
	for name, c := range map[string]struct {
		r    event.Range
		want []event.ID
	}{
		"all":                     {event.Range{Limit: 1000}, all},
		"all, newest first":       {event.Range{Limit: 1000, Descending: true}, reversed},
		"limit":                   {event.Range{Limit: 7}, all[:7]},
		"limit, newest first":     {event.Range{Limit: 7, Descending: true}, reversed[:7]},
		"from":                    {event.Range{From: all[290], Limit: 1000}, all[290:]},
		"to":                      {event.Range{To: all[9], Limit: 1000}, all[:10]},
		"from and to":             {event.Range{From: all[100], To: all[199], Limit: 1000}, all[100:200]},
		"descending from and to":  {event.Range{From: all[100], To: all[199], Limit: 1000, Descending: true}, reversed[100:200]},
		"one":                     {event.Range{From: all[5], To: all[5], Limit: 10}, all[5:6]},
		"from between two":        {event.Range{From: gap, To: all[101], Limit: 10}, all[100:102]},
		"to between two":          {event.Range{From: all[98], To: gap, Limit: 10, Descending: true}, reversed[200:202]},
		"from behind to":          {event.Range{From: all[2], To: all[1], Limit: 10}, nil},
		"no limit is no row":      {event.Range{}, nil},
		"descending to and limit": {event.Range{To: all[50], Limit: 2, Descending: true}, []event.ID{all[50], all[49]}},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.Snapshot().Endpoints(w.project.ID, c.r, nil)
			want := ids(c.want, func(id event.ID) event.ID { return id })
			if ids(got, endpointID) != want {
				t.Errorf("%d rows, want %d:\n%s\n%s", len(got), len(c.want), ids(got, endpointID), want)
			}
		})
	}
}

func TestListingsMatch(t *testing.T) {
	w := setup(t)
	var subs []*event.Subscription
	for range 10 {
		subs = append(subs, w.subscription(t, w.endpoint(t, "a")))
	}
	subID := func(s *event.Subscription) event.ID { return s.ID }
	s := w.Snapshot()
	got := s.Subscriptions(w.project.ID, event.Range{Limit: 2}, func(sub *event.Subscription) bool { return sub.ID.Compare(subs[4].ID) > 0 })
	if ids(got, subID) != ids(subs[5:7], subID) {
		t.Errorf("subscriptions %s", ids(got, subID))
	}
	got = s.Subscriptions(w.project.ID, event.Range{Limit: 2, Descending: true}, nil)
	if len(got) != 2 || got[0] != subs[9] || got[1] != subs[8] {
		t.Errorf("newest subscriptions %s", ids(got, subID))
	}
	endpoints := s.Endpoints(w.project.ID, event.Range{Limit: 100}, func(e *catalog.Endpoint) bool { return e.ID == subs[3].EndpointID })
	if len(endpoints) != 1 {
		t.Errorf("%d endpoints match, want 1", len(endpoints))
	}
	if got := s.Subscriptions(event.NewID(), event.Range{Limit: 2}, nil); len(got) != 0 {
		t.Errorf("another project has %d subscriptions", len(got))
	}
}

func TestListProjects(t *testing.T) {
	w := setup(t)
	b, _, _, err := w.CreateProject(event.Project{Name: "b"})
	must(t, err)
	s := w.Snapshot()
	if got := s.Projects(event.Range{Limit: 10, Descending: true}); len(got) != 2 || got[0] != b || got[1] != w.project {
		t.Errorf("projects %v", got)
	}
	if got := s.Projects(event.Range{From: b.ID, Limit: 10}); len(got) != 1 || got[0] != b {
		t.Errorf("projects from b: %v", got)
	}
}

func TestAnOldSnapshotDoesNotChange(t *testing.T) {
	w := setup(t)
	for range 200 {
		w.endpoint(t, "a")
	}
	kept, gone := w.endpoint(t, "kept"), w.endpoint(t, "gone")
	sub := w.subscription(t, gone)
	old := w.Snapshot()
	everything := event.Range{Limit: 10_000}
	before := ids(old.Endpoints(w.project.ID, everything, nil), endpointID)

	must(t, w.DeleteEndpoint(w.project.ID, gone.ID))
	_, err := w.UpdateEndpoint(w.project.ID, kept.ID, func(e *event.Endpoint) error { e.Name, e.OwnerID = "changed", "o"; return nil })
	must(t, err)
	w.subscription(t, kept)
	for range 200 {
		w.endpoint(t, "b")
	}
	must(t, w.DeleteProject(w.project.ID))

	if got := ids(old.Endpoints(w.project.ID, everything, nil), endpointID); got != before {
		t.Error("the listing changed")
	}
	if old.Endpoint(gone.ID) == nil || old.Subscription(sub.ID) == nil || len(old.SubscriptionsOf(gone.ID)) != 1 {
		t.Error("what was deleted later is missing")
	}
	if old.Endpoint(kept.ID).Name != "kept" || len(old.SubscriptionsOf(kept.ID)) != 0 || old.Project(w.project.ID) == nil {
		t.Error("what was changed later shows the change")
	}
	if projects, endpoints, subs := old.Counts(); projects != 1 || endpoints != 202 || subs != 1 {
		t.Errorf("counts %d %d %d", projects, endpoints, subs)
	}
	for e := range old.Owner(w.project.ID, "o") {
		t.Errorf("owner o has %s", e.ID)
	}
}

func TestAbsent(t *testing.T) {
	s := setup(t).Snapshot()
	id := event.NewID()
	if s.Project(id) != nil || s.Endpoint(id) != nil || s.Subscription(id) != nil || s.SubscriptionsOf(id) != nil || s.Keys(id) != nil {
		t.Error("something is there")
	}
}

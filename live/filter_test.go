package live

import (
	"slices"
	"testing"

	"posthaste/event"
)

func TestFilter(t *testing.T) {
	project, one, two, source := event.NewID(), event.NewID(), event.NewID(), event.NewID()
	sub := event.NewID()
	ev := event.Event{ID: event.NewID(), ProjectID: project, Type: "order.paid", IdempotencyKey: "k1", OwnerID: "acme", SourceID: source,
		Owed: []event.Delivery{{ProjectID: project, EndpointID: one, SubscriptionID: sub}, {ProjectID: project, EndpointID: two}}}
	for i := range ev.Owed {
		ev.Owed[i].EventID = ev.ID
	}
	replay := ev
	replay.ID, replay.Of, replay.Origin = event.NewID(), ev.ID, event.Replayed
	all := ofSubmission(nil, &event.Submission{Event: ev})
	all = ofSubmission(all, &event.Submission{Event: replay})
	all = append(all, ofOutcome(event.Outcome{Type: "order.paid", Delivery: event.Delivery{ProjectID: project, EndpointID: two, EventID: ev.ID, Status: event.Failure}}))
	// 0 the event; 1, 2 its deliveries; 3, 4 those of its replay; 5 a failure, event not at hand
	only := func(ids ...event.ID) func(event.ID) bool {
		return func(id event.ID) bool { return slices.Contains(ids, id) }
	}
	for name, c := range map[string]struct {
		f    Filter
		want []int
	}{
		"deliveries":      {Filter{}, []int{1, 2, 3, 4, 5}},
		"events":          {Filter{Kind: OfEvent}, []int{0}},
		"project":         {Filter{Project: event.NewID()}, nil},
		"status":          {Filter{Statuses: []event.Status{event.Failure, event.Retry}}, []int{5}},
		"endpoint":        {Filter{Endpoints: []event.ID{one}}, []int{1, 3}},
		"subscription":    {Filter{Subscription: sub}, []int{1, 3}},
		"event":           {Filter{Event: ev.ID}, []int{1, 2, 3, 4, 5}},
		"its replay":      {Filter{Event: replay.ID}, nil}, // it goes by the event
		"type":            {Filter{Type: "order.lost"}, nil},
		"key":             {Filter{Key: "k1"}, []int{1, 2, 3, 4, 5}}, // the last is not sure
		"another key":     {Filter{Key: "k2"}, []int{5}},
		"source":          {Filter{Sources: []event.ID{source}}, []int{1, 2, 3, 4, 5}},
		"reach":           {Filter{Reach: only(two)}, []int{2, 4, 5}},
		"reach, none":     {Filter{Reach: only()}, nil},
		"reach and other": {Filter{Reach: only(two), Endpoints: []event.ID{one}}, nil},
		"events of owner": {Filter{Kind: OfEvent, Owner: "acme"}, []int{0}},
		"another owner":   {Filter{Kind: OfEvent, Owner: "other"}, nil},
		"events in reach": {Filter{Kind: OfEvent, Reach: only(two)}, []int{0}},
		"events beyond":   {Filter{Kind: OfEvent, Reach: only(source)}, nil},
		"events, asked":   {Filter{Kind: OfEvent, Reach: only(two), Endpoints: []event.ID{one}}, nil},
	} {
		if c.f.Project.IsZero() {
			c.f.Project = project
		}
		var got []int
		for i, m := range all {
			if c.f.Match(m) {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	sure := Filter{Key: "k2"}
	if sure.Sure(all[5]) || !sure.Sure(all[1]) || sure.MatchEvent(&ev) {
		t.Error("a key is not known without the event")
	}
}

// TestMessagesOwnTheirMemory: what producers sent in one piece is not held by a word of it.
func TestMessagesOwnTheirMemory(t *testing.T) {
	request := []byte(`order.paid`)
	ev := event.Event{Type: string(request), Data: request, Owed: make([]event.Delivery, 1), Headers: []event.Header{{Name: "X-A", Value: "1"}}}
	ev.Owed[0].Status = event.Scheduled
	for _, m := range ofSubmission(nil, &event.Submission{Event: ev}) {
		if m.Event.Data != nil || m.Event.Owed != nil || &m.Event.Headers[0] == &ev.Headers[0] {
			t.Errorf("%+v shares memory", m.Event)
		}
	}
	if n := len(ofSubmission(nil, &event.Submission{Event: ev, Duplicate: true})); n != 0 {
		t.Errorf("%d messages of an event that was there", n)
	}
}

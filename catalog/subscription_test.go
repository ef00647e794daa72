package catalog_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/match"
)

func TestSubscriptionValidation(t *testing.T) {
	long := strings.Repeat("x", event.MaxNameBytes+1)
	for name, c := range map[string]struct {
		change func(*event.Subscription)
		field  string
	}{
		"fine":           {func(s *event.Subscription) {}, ""},
		"at most once":   {func(s *event.Subscription) { s.DeliveryMode = "at_most_once" }, ""},
		"types":          {func(s *event.Subscription) { s.FilterConfig.EventTypes = []string{"a", "b"} }, ""},
		"no name":        {func(s *event.Subscription) { s.Name = "" }, "name"},
		"long name":      {func(s *event.Subscription) { s.Name = long }, "name"},
		"delivery mode":  {func(s *event.Subscription) { s.DeliveryMode = "maybe" }, "delivery_mode"},
		"empty type":     {func(s *event.Subscription) { s.FilterConfig.EventTypes = []string{"a", ""} }, "filter_config.event_types[1]"},
		"long type":      {func(s *event.Subscription) { s.FilterConfig.EventTypes = []string{long} }, "filter_config.event_types[0]"},
		"too many types": {func(s *event.Subscription) { s.FilterConfig.EventTypes = make([]string, 1001) }, "filter_config.event_types"},
		"glob":           {func(s *event.Subscription) { s.FilterConfig.EventTypes = []string{"order.*"} }, ""},
		"bad expression": {func(s *event.Subscription) { s.FilterConfig.EventTypes = []string{"a", "regex:("} }, "filter_config.event_types[1]"},
		"filter":         {func(s *event.Subscription) { s.FilterConfig.Filter = filter(`{"amount":{"$gt":5}}`) }, ""},
		"bad filter":     {func(s *event.Subscription) { s.FilterConfig.Filter = filter(`{"amount":{"$hm":1}}`) }, "filter_config.filter.body.amount.$hm"},
		"large filter": {func(s *event.Subscription) {
			s.FilterConfig.Filter = filter(`{"a":"` + strings.Repeat("x", event.MaxFilterBytes) + `"}`)
		}, "filter_config.filter"},
		"function":         {func(s *event.Subscription) { s.Function = "function transform(p) { return p }" }, ""},
		"long function":    {func(s *event.Subscription) { s.Function = strings.Repeat("x", event.MaxFunctionBytes+1) }, "function"},
		"NUL in function":  {func(s *event.Subscription) { s.Function = "a\x00" }, "function"},
		"unknown endpoint": {func(s *event.Subscription) { s.EndpointID = event.NewID() }, "endpoint_id"},
		"no endpoint":      {func(s *event.Subscription) { s.EndpointID = event.ID{} }, "endpoint_id"},
	} {
		t.Run(name, func(t *testing.T) {
			w := setup(t)
			s := event.Subscription{Name: "s", ProjectID: w.project.ID, EndpointID: w.endpoint(t, "a").ID}
			c.change(&s)
			_, err := w.CreateSubscription(s)
			wantInvalid(t, err, c.field)
			if _, _, n := w.Snapshot().Counts(); c.field != "" && n != 0 {
				t.Error("a refused subscription was stored")
			}
		})
	}
}

func filter(body string) *event.Filter { return &event.Filter{Body: json.RawMessage(body)} }

// A subscription wants what its types name and its filter lets pass, also after a
// restart.
func TestWants(t *testing.T) {
	w := setup(t)
	w.configure(t, func(c *event.ProjectConfig) { c.MultipleEndpointSubscriptions = true })
	e := w.endpoint(t, "a")
	create := func(f *event.Filter, types ...string) event.ID {
		s, err := w.CreateSubscription(event.Subscription{Name: "s", ProjectID: w.project.ID, EndpointID: e.ID, Function: "  ",
			FilterConfig: event.FilterConfig{EventTypes: types, Filter: f}})
		must(t, err)
		return s.ID
	}
	all, exact, glob := create(nil), create(nil, "order.paid", "order.sent"), create(nil, "order.*")
	large, empty := create(filter(`{"amount":{"$gt":5}}`), "order.paid"), create(&event.Filter{})
	for _, snap := range []*catalog.Snapshot{w.Snapshot(), w.open(t).Snapshot()} {
		for _, c := range []struct {
			eventType, data string
			want            []event.ID
		}{
			{"order.paid", `{"amount":6}`, []event.ID{all, exact, glob, large, empty}},
			{"order.paid", `{"amount":5}`, []event.ID{all, exact, glob, empty}},
			{"order.new", `{"amount":6}`, []event.ID{all, glob, empty}},
			{"user", `{}`, []event.ID{all, empty}},
			{"Order.paid", `{}`, []event.ID{all, empty}},
		} {
			var in match.Input
			in.Reset(&event.Event{Type: c.eventType, Data: []byte(c.data)})
			var got []event.ID
			for _, s := range snap.SubscriptionsOf(e.ID) {
				if s.Wants(&in) {
					got = append(got, s.ID)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s %s: wanted by %v, want %v", c.eventType, c.data, got, c.want)
			}
		}
		ep := snap.Endpoint(e.ID)
		if s := ep.Subscription(large); s == nil || s.ID != large || s.FilterConfig.Filter == nil || ep.Subscription(event.NewID()) != nil {
			t.Errorf("subscription %v", s)
		}
		if s := ep.Subscription(empty); s.FilterConfig.Filter != nil || s.Function != "" {
			t.Errorf("an empty filter and function are kept: %+v", s)
		}
	}
}

// Subscriptions to the same types share one compiled list when they are loaded.
func TestLoadedTypesAreShared(t *testing.T) {
	w := setup(t)
	one, two := w.endpoint(t, "a"), w.endpoint(t, "b")
	w.subscription(t, one, "x", "y")
	w.subscription(t, two, "x", "y")
	s := w.open(t).Snapshot()
	if a, b := s.SubscriptionsOf(one.ID)[0], s.SubscriptionsOf(two.ID)[0]; a.Types != b.Types {
		t.Error("two lists for the same types")
	}
}

func TestCreateSubscriptionFillsDefaults(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	s := w.subscription(t, e)
	if s.Type != "api" || s.DeliveryMode != "at_least_once" || !slices.Equal(s.FilterConfig.EventTypes, []string{"*"}) || s.ID.IsZero() {
		t.Errorf("subscription %+v", s)
	}
	if got := w.Snapshot().SubscriptionsOf(e.ID); len(got) != 1 || &got[0].Subscription != s || w.Snapshot().Subscription(s.ID) != s {
		t.Errorf("the snapshot has %v", got)
	}
	other := w.subscription(t, w.endpoint(t, "b"), "x", "y", "x")
	if got := strings.Join(other.FilterConfig.EventTypes, " "); got != "x y" {
		t.Errorf("event types %q, want each once", got)
	}
	_, err := w.CreateSubscription(event.Subscription{Name: "s", ProjectID: event.NewID(), EndpointID: e.ID})
	wantIs(t, err, event.ErrNotFound)
}

func TestSubscriptionToAnotherProjectsEndpoint(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	other, _, _, err := w.CreateProject(event.Project{Name: "other"})
	must(t, err)
	_, err = w.CreateSubscription(event.Subscription{Name: "s", ProjectID: other.ID, EndpointID: e.ID})
	wantInvalid(t, err, "endpoint_id")
}

func TestOneSubscriptionPerEndpoint(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	first := w.subscription(t, e)
	_, err := w.CreateSubscription(event.Subscription{Name: "s", ProjectID: w.project.ID, EndpointID: e.ID})
	wantInvalid(t, err, "endpoint_id")
	if !strings.Contains(err.Error(), "a subscription for this endpoint already exists") {
		t.Errorf("error %q", err)
	}
	_, err = w.UpdateProject(w.project.ID, func(p *event.Project) error {
		p.Config.MultipleEndpointSubscriptions = true
		return nil
	})
	must(t, err)
	second := w.subscription(t, e, "x")
	subs := w.Snapshot().SubscriptionsOf(e.ID)
	if len(subs) != 2 || subs[0].ID != first.ID || subs[1].ID != second.ID {
		t.Errorf("subscriptions %v, want the older first", subs)
	}
	must(t, w.DeleteSubscription(w.project.ID, first.ID))
	if subs = w.Snapshot().SubscriptionsOf(e.ID); len(subs) != 1 || subs[0].ID != second.ID {
		t.Errorf("subscriptions %v after the deletion", subs)
	}
}

func TestUpdateSubscription(t *testing.T) {
	w := setup(t)
	from, to := w.endpoint(t, "a"), w.endpoint(t, "b")
	old := w.subscription(t, from, "x")
	w.clock.Advance(time.Minute)
	s, err := w.UpdateSubscription(w.project.ID, old.ID, func(s *event.Subscription) error {
		s.ID, s.ProjectID, s.CreatedAt = event.NewID(), event.NewID(), 0
		s.EndpointID = to.ID
		s.FilterConfig.EventTypes[0] = "y"
		return nil
	})
	must(t, err)
	if s.ID != old.ID || s.ProjectID != old.ProjectID || s.CreatedAt != old.CreatedAt || !s.UpdatedAt.Time().Equal(w.clock.Now()) {
		t.Errorf("subscription %+v", s)
	}
	if !slices.Equal(s.FilterConfig.EventTypes, []string{"y"}) || !slices.Equal(old.FilterConfig.EventTypes, []string{"x"}) {
		t.Error("the event types are not the updated ones, or reached the older value")
	}
	snap := w.Snapshot()
	if len(snap.SubscriptionsOf(from.ID)) != 0 || len(snap.SubscriptionsOf(to.ID)) != 1 || snap.Subscription(s.ID) != s {
		t.Error("the subscription did not move")
	}
	w.subscription(t, from)
	_, err = w.UpdateSubscription(w.project.ID, s.ID, func(s *event.Subscription) error { s.EndpointID = from.ID; return nil })
	wantInvalid(t, err, "endpoint_id")
}

func TestSubscriptionOfAnotherProject(t *testing.T) {
	w := setup(t)
	s := w.subscription(t, w.endpoint(t, "a"))
	other, _, _, err := w.CreateProject(event.Project{Name: "other"})
	must(t, err)
	_, err = w.UpdateSubscription(other.ID, s.ID, func(*event.Subscription) error { return nil })
	wantIs(t, err, event.ErrNotFound)
	wantIs(t, w.DeleteSubscription(other.ID, s.ID), event.ErrNotFound)
}

func TestEnsureSubscription(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "orders")
	s, err := w.EnsureSubscription(w.project.ID, e.ID)
	must(t, err)
	if s.Name != "orders subscription" || !slices.Equal(s.FilterConfig.EventTypes, []string{"*"}) || s.EndpointID != e.ID {
		t.Errorf("subscription %+v", s)
	}
	again, err := w.EnsureSubscription(w.project.ID, e.ID)
	must(t, err)
	if again != s {
		t.Error("it made another one")
	}
	_, err = w.EnsureSubscription(event.NewID(), e.ID)
	wantIs(t, err, event.ErrNotFound)
	_, err = w.EnsureSubscription(w.project.ID, event.NewID())
	wantIs(t, err, event.ErrNotFound)
}

func TestEnsureSubscriptionOfALongName(t *testing.T) {
	w := setup(t)
	e, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, URL: "https://x", Name: strings.Repeat("é", event.MaxNameBytes/2)})
	must(t, err)
	s, err := w.EnsureSubscription(w.project.ID, e.ID)
	must(t, err)
	if !strings.HasSuffix(s.Name, "é subscription") {
		t.Errorf("name %q", s.Name)
	}
}

func TestASubscriptionKeepsTheSigner(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	signer := e.Signer(w.project)
	w.subscription(t, e)
	now := w.Snapshot().Endpoint(e.ID)
	if now.Signer(w.project) != signer {
		t.Error("a subscription made the endpoint build its signer again")
	}
	if len(now.Subscriptions()) != 1 || len(e.Subscriptions()) != 0 {
		t.Error("the subscription is not on the new value alone")
	}
}

package catalog_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/match"
)

func typeFilter(eventType, body string, enabled bool) event.TypeFilter {
	f := event.TypeFilter{EventType: eventType, Filter: event.Filter{Body: json.RawMessage(body)}}
	if enabled {
		f.EnabledAt = new(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	}
	return f
}

// withExtra makes a subscription of a new endpoint.
func (w *world) withExtra(t testing.TB, x *event.SubscriptionExtra, types ...string) (*event.Subscription, error) {
	t.Helper()
	return w.CreateSubscription(event.Subscription{
		Name: "sub", ProjectID: w.project.ID, EndpointID: w.endpoint(t, "e").ID, Extra: x, FilterConfig: event.FilterConfig{EventTypes: types},
	})
}

func TestWantsByTypeFilter(t *testing.T) {
	w := setup(t)
	for name, c := range map[string]struct {
		own     string
		filters []event.TypeFilter
		types   []string
		want    map[string]bool // by type and body
	}{
		"of the type": {filters: []event.TypeFilter{typeFilter("a", `{"n":1}`, true)},
			want: map[string]bool{`a {"n":1}`: true, `a {"n":2}`: false, `b {"n":2}`: true}},
		"others": {filters: []event.TypeFilter{typeFilter("a", `{"n":1}`, true), typeFilter("*", `{"n":2}`, true)},
			want: map[string]bool{`a {"n":1}`: true, `a {"n":2}`: false, `b {"n":1}`: false, `b {"n":2}`: true}},
		"disabled": {filters: []event.TypeFilter{typeFilter("a", `{"n":1}`, false), typeFilter("*", `{"n":2}`, true)},
			want: map[string]bool{`a {"n":1}`: false, `a {"n":2}`: true}},
		"others disabled": {filters: []event.TypeFilter{typeFilter("*", `{"n":2}`, false)},
			want: map[string]bool{`a {"n":1}`: true}},
		"empty one of the type": {filters: []event.TypeFilter{typeFilter("a", "", true), typeFilter("*", `{"n":2}`, true)},
			want: map[string]bool{`a {"n":1}`: true, `b {"n":1}`: false}},
		"beside its own": {own: `{"m":1}`, filters: []event.TypeFilter{typeFilter("a", `{"n":1}`, true)},
			want: map[string]bool{`a {"n":1,"m":1}`: true, `a {"n":1}`: false, `a {"m":1}`: false, `b {"m":1}`: true, `b {"n":1}`: false}},
		"beside its types": {types: []string{"a"}, filters: []event.TypeFilter{typeFilter("b", `{"n":1}`, true), typeFilter("*", `{"n":1}`, true)},
			want: map[string]bool{`b {"n":1}`: false, `a {"n":1}`: true, `a {"n":2}`: false}},
		"many": {filters: []event.TypeFilter{typeFilter("c", `{"n":3}`, true), typeFilter("a", `{"n":1}`, true), typeFilter("b", `{"n":2}`, true)},
			want: map[string]bool{`a {"n":1}`: true, `b {"n":2}`: true, `c {"n":3}`: true, `c {"n":2}`: false, `d {}`: true}},
	} {
		t.Run(name, func(t *testing.T) {
			sub := event.Subscription{Name: "s", ProjectID: w.project.ID, EndpointID: w.endpoint(t, "e").ID, Extra: &event.SubscriptionExtra{Filters: c.filters}}
			sub.FilterConfig.EventTypes = c.types
			if c.own != "" {
				sub.FilterConfig.Filter = filter(c.own)
			}
			made, err := w.CreateSubscription(sub)
			must(t, err)
			for _, snap := range []*catalog.Snapshot{w.Snapshot(), w.open(t).Snapshot()} {
				for ev, want := range c.want {
					eventType, body, _ := strings.Cut(ev, " ")
					var in match.Input
					in.Reset(&event.Event{Type: eventType, Data: []byte(body)})
					if got := snap.SubscriptionsOf(made.EndpointID)[0].Wants(&in); got != want {
						t.Errorf("%s: %v, want %v", ev, got, want)
					}
				}
			}
		})
	}
}

func TestExtraValidation(t *testing.T) {
	w := setup(t)
	source := w.source(t, "s")
	other, _, _, err := w.CreateProject(event.Project{Name: "other"})
	must(t, err)
	foreign, err := w.CreateSource(event.Source{ProjectID: other.ID, Name: "x"})
	must(t, err)
	one := typeFilter("a", `{"n":1}`, true)
	var many, large []event.TypeFilter
	for i := range event.MaxTypeFilters + 1 {
		many = append(many, typeFilter(fmt.Sprint("t", i), "", true))
	}
	for i := range 5 {
		large = append(large, typeFilter(fmt.Sprint("t", i), `{"a":"`+strings.Repeat("x", 60<<10)+`"}`, true))
	}
	same := one
	same.ID, same.EventType = event.NewID(), "b"
	again := same
	again.EventType = "c"
	for name, c := range map[string]struct {
		x     event.SubscriptionExtra
		field string
	}{
		"nothing":          {event.SubscriptionExtra{}, ""},
		"source":           {event.SubscriptionExtra{SourceID: source.ID}, ""},
		"no such source":   {event.SubscriptionExtra{SourceID: event.NewID()}, "source_id"},
		"another's source": {event.SubscriptionExtra{SourceID: foreign.ID}, "source_id"},
		"filters":          {event.SubscriptionExtra{Filters: []event.TypeFilter{one, typeFilter("*", "", true)}}, ""},
		"two of a type":    {event.SubscriptionExtra{Filters: []event.TypeFilter{one, one}}, "filters[1].event_type"},
		"two of an id":     {event.SubscriptionExtra{Filters: []event.TypeFilter{same, again}}, "filters[1].uid"},
		"no type":          {event.SubscriptionExtra{Filters: []event.TypeFilter{typeFilter("", "", true)}}, "filters[0].event_type"},
		"glob":             {event.SubscriptionExtra{Filters: []event.TypeFilter{typeFilter("a.*", "", true)}}, "filters[0].event_type"},
		"regex":            {event.SubscriptionExtra{Filters: []event.TypeFilter{typeFilter("regex:a", "", true)}}, "filters[0].event_type"},
		"too many":         {event.SubscriptionExtra{Filters: many}, "filters"},
		"too large":        {event.SubscriptionExtra{Filters: large}, "filters"},
		"bad filter":       {event.SubscriptionExtra{Filters: []event.TypeFilter{one, typeFilter("b", `{"a":{"$no":1}}`, true)}}, "filters[1].body.a.$no"},
		"disabled bad one": {event.SubscriptionExtra{Filters: []event.TypeFilter{typeFilter("b", `{`, false)}}, "filters[0].body"},
		"alert":            {event.SubscriptionExtra{AlertConfig: &event.AlertConfig{Count: 4, Threshold: "1h30m"}}, ""},
		"alert, no text":   {event.SubscriptionExtra{AlertConfig: &event.AlertConfig{Count: 4}}, ""},
		"alert, threshold": {event.SubscriptionExtra{AlertConfig: &event.AlertConfig{Threshold: "an hour"}}, "alert_config.threshold"},
		"alert, negative":  {event.SubscriptionExtra{AlertConfig: &event.AlertConfig{Count: 1, Threshold: "-1h"}}, "alert_config.threshold"},
		"alert, count":     {event.SubscriptionExtra{AlertConfig: &event.AlertConfig{Count: -1}}, "alert_config.count"},
		"limit":            {event.SubscriptionExtra{RateLimitConfig: &event.RateLimitConfig{Count: 1, Duration: 60}}, ""},
		"limit, count":     {event.SubscriptionExtra{RateLimitConfig: &event.RateLimitConfig{Count: -1}}, "rate_limit_config.count"},
		"limit, duration":  {event.SubscriptionExtra{RateLimitConfig: &event.RateLimitConfig{Duration: 1e6}}, "rate_limit_config.duration"},
		"retry":            {event.SubscriptionExtra{RetryConfig: &event.RetryConfig{Type: "exponential", Duration: 3, RetryCount: 10}}, ""},
		"retry, type":      {event.SubscriptionExtra{RetryConfig: &event.RetryConfig{Type: "schedule"}}, "retry_config.type"},
		"retry, duration":  {event.SubscriptionExtra{RetryConfig: &event.RetryConfig{Duration: -1}}, "retry_config.duration"},
		"retry, interval":  {event.SubscriptionExtra{RetryConfig: &event.RetryConfig{IntervalSeconds: -1}}, "retry_config.interval_seconds"},
		"retry, count":     {event.SubscriptionExtra{RetryConfig: &event.RetryConfig{RetryCount: event.MaxAttempts + 1}}, "retry_config.retry_count"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.withExtra(t, &c.x)
			wantInvalid(t, err, c.field)
		})
	}
}

func TestExtraThatSaysNothingIsNone(t *testing.T) {
	w := setup(t)
	s, err := w.withExtra(t, &event.SubscriptionExtra{
		Filters: []event.TypeFilter{}, AlertConfig: &event.AlertConfig{}, RateLimitConfig: &event.RateLimitConfig{Enabled: true}, RetryConfig: &event.RetryConfig{},
	})
	must(t, err)
	if s.Extra != nil {
		t.Errorf("extra %+v", s.Extra)
	}
}

func TestTypeFiltersKeepTheirDates(t *testing.T) {
	w := setup(t)
	given := []event.TypeFilter{typeFilter("a", ` { "n" : "<" } `, true), typeFilter("b", "null", false)}
	s, err := w.withExtra(t, &event.SubscriptionExtra{Filters: given})
	must(t, err)
	if !given[0].ID.IsZero() || string(given[0].Filter.Body) != ` { "n" : "<" } ` {
		t.Error("the caller's list was changed")
	}
	first := s.Extra.Filters
	if first[0].ID.IsZero() || !first[0].CreatedAt.Equal(w.clock.Now()) || string(first[0].Filter.Body) != `{"n":"<"}` || first[1].Filter.Body != nil {
		t.Errorf("filters %+v", first)
	}
	start := w.clock.Now()
	w.clock.Advance(time.Second)
	c := w.open(t) // as it was stored
	got, err := c.UpdateSubscription(w.project.ID, s.ID, func(s *event.Subscription) error {
		s.Extra.Filters[0].CreatedAt = time.Time{}
		s.Extra.Filters[1].EnabledAt = new(w.clock.Now())
		s.Extra.Filters = append(s.Extra.Filters, typeFilter("c", "", true))
		return nil
	})
	must(t, err)
	f := got.Extra.Filters
	if len(f) != 3 || !reflect.DeepEqual(f[0], first[0]) {
		t.Errorf("the filter that was left alone is %+v, was %+v", f[0], first[0])
	}
	if f[1].ID != first[1].ID || !f[1].CreatedAt.Equal(start) || !f[1].UpdatedAt.Equal(w.clock.Now()) || !f[2].CreatedAt.Equal(w.clock.Now()) {
		t.Errorf("filters %+v", f)
	}
	if w.Snapshot().Subscription(s.ID).Extra.Filters[1].EnabledAt != nil {
		t.Error("the value of before changed")
	}
	no := errors.New("no")
	_, err = c.UpdateSubscription(w.project.ID, s.ID, func(s *event.Subscription) error {
		s.Extra.Filters[0].Filter.Body[1] = 'x'
		s.Extra.Filters[0].EventType = "x"
		return no
	})
	wantIs(t, err, no)
	if got := c.Snapshot().Subscription(s.ID).Extra.Filters[0]; !reflect.DeepEqual(got, first[0]) {
		t.Errorf("a refused change shows: %+v", got)
	}
}

func TestAllSubscriptions(t *testing.T) {
	w := setup(t)
	other, _, _, err := w.CreateProject(event.Project{Name: "other"})
	must(t, err)
	e, err := w.CreateEndpoint(event.Endpoint{ProjectID: other.ID, Name: "o", URL: "https://x"})
	must(t, err)
	_, err = w.EnsureSubscription(other.ID, e.ID)
	must(t, err)
	a, b := w.subscription(t, w.endpoint(t, "a")), w.subscriptionTo(t, w.source(t, "s").ID, w.endpoint(t, "b").ID)
	var got []event.ID
	for s := range w.Snapshot().AllSubscriptions(w.project.ID) {
		got = append(got, s.ID)
	}
	if !reflect.DeepEqual(got, []event.ID{a.ID, b.ID}) {
		t.Errorf("subscriptions %s", got)
	}
	for range w.Snapshot().AllSubscriptions(w.project.ID) {
		break
	}
}

// What a million objects have is not made larger by what few have.
func TestSizes(t *testing.T) {
	if n := unsafe.Sizeof(catalog.Subscription{}); n > 224 {
		t.Errorf("a subscription has %d bytes, want at most 224", n)
	}
	if n := unsafe.Sizeof(catalog.Endpoint{}); n > 416 {
		t.Errorf("an endpoint has %d bytes, want at most 416", n)
	}
}

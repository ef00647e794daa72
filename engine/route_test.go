package engine

import (
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// addressed is an event of the world's project for to, of type paid.
func (w *world) addressed(to event.Addressee) event.Submission {
	return event.Submission{To: to, Event: event.Event{
		ProjectID: w.project.ID, Type: "paid", Data: []byte(`{"n":1}`), ReceivedAt: time.Now(),
	}}
}

// subscribeTo makes a subscription of an endpoint to a source; zero: to the API.
func (w *world) subscribeTo(ep *catalog.Endpoint, source event.ID, types ...string) *event.Subscription {
	w.t.Helper()
	sub := event.Subscription{Name: "s", ProjectID: ep.ProjectID, EndpointID: ep.ID, FilterConfig: event.FilterConfig{EventTypes: types}}
	if !source.IsZero() {
		sub.Extra = &event.SubscriptionExtra{SourceID: source}
	}
	s, err := w.catalog.CreateSubscription(sub)
	w.must(err)
	return s
}

func (w *world) source() *event.Source {
	w.t.Helper()
	s, err := w.catalog.CreateSource(event.Source{ProjectID: w.project.ID, Name: "github", Type: event.SourceHTTP})
	w.must(err)
	return s
}

// owedTo is the set of endpoints that an event is owed to.
func owedTo(owed []event.Delivery) map[event.ID]int {
	to := make(map[event.ID]int)
	for i := range owed {
		to[owed[i].EndpointID]++
	}
	return to
}

func (w *world) wantOwed(s event.Submission, endpoints ...*catalog.Endpoint) {
	w.t.Helper()
	owed, err := w.routed(s)
	w.must(err)
	got := owedTo(owed)
	if len(owed) != len(endpoints) || len(got) != len(endpoints) {
		w.t.Fatalf("owed %v, want %d endpoints once each", got, len(endpoints))
	}
	for _, ep := range endpoints {
		if got[ep.ID] != 1 {
			w.t.Errorf("endpoint %s is owed %d", ep.ID, got[ep.ID])
		}
	}
}

func TestABroadcastReachesEverySubscriptionThatWantsIt(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		paid, all, refunded, ofSource := w.endpoint(), w.endpoint(owner("ann")), w.endpoint(), w.endpoint()
		w.endpoint() // without subscription: a broadcast makes none
		w.subscribeTo(paid, event.ID{}, "paid")
		w.subscribeTo(paid, event.ID{}, "*") // an endpoint gets an event once
		w.subscribeTo(all, event.ID{}, "*")
		w.subscribeTo(refunded, event.ID{}, "refunded")
		w.subscribeTo(ofSource, w.source().ID, "*")
		w.wantOwed(w.addressed(event.ToSubscribers), paid, all)
		latest := w.endpoint()
		w.subscribeTo(latest, event.ID{}, "*") // the moment before
		w.wantOwed(w.addressed(event.ToSubscribers), paid, all, latest)
		w.settled(time.Second)
		w.want(map[event.Status]int{event.Success: 5})
	})
}

func TestABroadcastOfAnotherProjectReachesNobodyHere(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		w.subscribeTo(w.endpoint(), event.ID{}, "*")
		s := w.addressed(event.ToSubscribers)
		s.Event.ProjectID = w.newProject(event.Strategy{}).ID
		w.wantOwed(s)
	})
}

func TestASourcesEventReachesItsSubscriptionsOnly(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		mine, other := w.source(), w.source()
		first, second, foreign, ofAPI := w.endpoint(), w.endpoint(), w.endpoint(), w.endpoint()
		w.subscribeTo(first, mine.ID, "*")
		w.subscribeTo(second, mine.ID, "paid")
		w.subscribeTo(foreign, other.ID, "*")
		w.subscribeTo(ofAPI, event.ID{}, "*")
		s := w.addressed(event.ToSource)
		s.Event.SourceID = mine.ID
		w.wantOwed(s, first, second)
		s.Event.Type = "refunded"
		w.wantOwed(s, first)
		// What is posted to an endpoint is not for its subscription to a source.
		single := w.single(first, `{}`)
		w.wantOwed(single)
	})
}

func TestASourcesEventIsReplayedToItsSubscriptionsOfToday(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		source := w.source()
		early, late := w.endpoint(), w.endpoint()
		sub := w.subscribeTo(early, source.ID, "*")
		s := w.addressed(event.ToSource)
		s.Event.SourceID = source.ID
		subs := []event.Submission{s}
		w.must(w.engine.Submit(t.Context(), subs))
		w.settled(time.Second)
		w.must(w.catalog.DeleteSubscription(w.project.ID, sub.ID))
		w.subscribeTo(late, source.ID, "*")
		w.must(w.engine.Replay(t.Context(), w.project.ID, subs[0].Event.ID))
		w.settled(time.Second)
		sent := make(map[event.ID]int)
		for _, a := range w.sender.log {
			sent[a.endpoint]++
		}
		if sent[early.ID] != 1 || sent[late.ID] != 1 {
			t.Errorf("sent %v, want one to each of %s and %s", sent, early.ID, late.ID)
		}
	})
}

func TestAnApplicationsEventReachesAllItsEndpoints(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		app, err := w.catalog.CreateApplication(event.Application{ProjectID: w.project.ID, Name: "shop"})
		w.must(err)
		s := w.addressed(event.ToApp)
		s.AppID = app.ID
		w.wantRefused(s, "app_id") // no endpoint yet
		ofApp := func(e *event.Endpoint) { e.AppID = &app.ID }
		plain, subscribed, other := w.endpoint(ofApp), w.endpoint(ofApp), w.endpoint(ofApp)
		w.endpoint()
		w.subscribeTo(subscribed, event.ID{}, "paid")
		w.subscribeTo(other, event.ID{}, "refunded")
		w.wantOwed(s, plain, subscribed)
		s.AppID = event.NewID()
		w.wantRefused(s, "app_id")
		s.AppID, s.Event.ProjectID = app.ID, w.newProject(event.Strategy{}).ID
		w.wantRefused(s, "app_id")
	})
}

func TestADynamicEventMakesItsEndpointOnce(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		s := w.addressed(event.ToDynamic)
		s.Dynamic = &event.Dynamic{URL: "https://dynamic.example/hook", Secret: "a secret of sixteen"}
		first, err := w.routed(s)
		w.must(err)
		second, err := w.routed(s)
		w.must(err)
		if len(first) != 1 || len(second) != 1 || first[0].EndpointID != second[0].EndpointID {
			t.Fatalf("owed %v and %v, want the same endpoint twice", owedTo(first), owedTo(second))
		}
		s.Dynamic = &event.Dynamic{URL: "https://dynamic.example/hook", EventTypes: []string{"refunded"}}
		if owed, err := w.routed(s); err != nil || len(owed) != 0 {
			t.Errorf("owed %v, error %v, for a type that its subscription takes no more", owedTo(owed), err)
		}
		w.settled(time.Second)
		w.want(map[event.Status]int{event.Success: 2})
	})
}

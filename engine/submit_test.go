package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

func (w *world) fanout(owner, eventType string) event.Submission {
	return event.Submission{To: event.ToOwner, Event: event.Event{
		ProjectID: w.project.ID, OwnerID: owner, Type: eventType, Data: []byte(`{}`), ReceivedAt: time.Now(),
	}}
}

func (w *world) subscribe(ep *catalog.Endpoint, types ...string) *event.Subscription {
	w.t.Helper()
	s, err := w.catalog.CreateSubscription(event.Subscription{
		Name: "s", ProjectID: ep.ProjectID, EndpointID: ep.ID, FilterConfig: event.FilterConfig{EventTypes: types},
	})
	w.must(err)
	return s
}

func owner(name string) func(*event.Endpoint) {
	return func(e *event.Endpoint) { e.OwnerID = name }
}

func status(s event.EndpointStatus) func(*event.Endpoint) {
	return func(e *event.Endpoint) { e.Status = s }
}

// routed submits one event and returns what it is owed to.
func (w *world) routed(s event.Submission) ([]event.Delivery, error) {
	w.t.Helper()
	subs := []event.Submission{s}
	w.must(w.engine.Submit(w.t.Context(), subs))
	return subs[0].Event.Owed, subs[0].Err
}

func (w *world) wantRefused(s event.Submission, field string) {
	w.t.Helper()
	_, err := w.routed(s)
	var invalid *event.InvalidError
	if !errors.As(err, &invalid) || invalid.Field != field {
		w.t.Errorf("error %v, want a refusal of %s", err, field)
	}
}

func TestASingleEventGoesToItsEndpoint(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		sub := w.subscribe(ep, "paid")
		owed, err := w.routed(w.single(ep, `{}`))
		w.must(err)
		if len(owed) != 1 || owed[0].EndpointID != ep.ID || owed[0].SubscriptionID != sub.ID || owed[0].Status != event.Scheduled {
			t.Fatalf("owed %+v", owed)
		}
		w.settled(time.Second)
		w.want(map[event.Status]int{event.Success: 1})
	})
}

func TestAnEndpointWithoutSubscriptionGetsOne(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.post(ep, 1)
		w.post(ep, 2)
		subs := w.catalog.Snapshot().SubscriptionsOf(ep.ID)
		if len(subs) != 1 || !subs[0].Types.Match("anything") {
			t.Fatalf("subscriptions %+v", subs)
		}
		w.settled(time.Second)
		w.want(map[event.Status]int{event.Success: 3})
	})
}

func TestAnEventNobodyWantsIsAcceptedAndOwedToNobody(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint(owner("ann"))
		w.subscribe(ep, "refunded")
		for _, s := range []event.Submission{w.single(ep, `{}`), w.fanout("ann", "paid")} {
			if owed, err := w.routed(s); err != nil || len(owed) != 0 {
				t.Errorf("owed %+v, error %v", owed, err)
			}
		}
		if n := w.store.events(); n != 2 {
			t.Errorf("%d events stored, want 2", n)
		}
	})
}

func TestRefusedEventsDoNotHoldUpOthers(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep, other := w.endpoint(), w.newProject(event.Strategy{})
		unknown := w.single(ep, `{}`)
		unknown.EndpointID = event.NewID()
		foreign := w.single(ep, `{}`)
		foreign.Event.ProjectID = other.ID
		for _, s := range []event.Submission{unknown, foreign} {
			w.wantRefused(s, "endpoint_id")
		}
		w.wantRefused(w.fanout("nobody", "paid"), "owner_id")
		w.wantRefused(w.fanout("", "paid"), "owner_id")
		subs := []event.Submission{unknown, w.single(ep, `{}`), foreign}
		early := errors.New("refused before")
		subs = append(subs, event.Submission{EndpointID: ep.ID, Err: early, Event: subs[1].Event})
		w.must(w.engine.Submit(t.Context(), subs))
		if subs[0].Err == nil || subs[1].Err != nil || subs[2].Err == nil || subs[3].Err != early {
			t.Fatalf("errors %v %v %v %v", subs[0].Err, subs[1].Err, subs[2].Err, subs[3].Err)
		}
		w.settled(time.Second)
		w.want(map[event.Status]int{event.Success: 1})
	})
}

func TestFanOutReachesEachEndpointThatWantsIt(t *testing.T) {
	inTime(t, Options{Shards: 4}, func(t *testing.T, w *world) {
		wants := make(map[event.ID]int)
		for range 50 {
			ep := w.endpoint(owner("ann"))
			w.subscribe(ep, "paid", "refunded")
			w.subscribe(ep, "*") // an endpoint gets an event once
			wants[ep.ID] = 1
		}
		w.subscribe(w.endpoint(owner("ann")), "refunded")
		w.subscribe(w.endpoint(owner("bob")), "paid")
		w.endpoint(owner("ann")) // no subscription: no event of a fan-out
		w.submit([]event.Submission{w.fanout("ann", "paid"), w.fanout("ann", "paid")})
		w.settled(time.Second)
		w.want(map[event.Status]int{event.Success: 100})
		for _, s := range w.sender.log {
			wants[s.endpoint]++
		}
		for ep, n := range wants {
			if n != 3 {
				t.Errorf("endpoint %s got %d events, want 2", ep, n-1)
			}
		}
	})
}

func TestFanOutIsBounded(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		full := w.fanout("ann", "paid")
		full.Event.Owed = make([]event.Delivery, event.MaxFanout)
		w.subscribe(w.endpoint(owner("ann")), "refunded")
		if err := w.engine.route(w.catalog.Snapshot(), &full, newInput()); err != nil {
			t.Errorf("an endpoint that does not want the event counted: %v", err)
		}
		w.subscribe(w.endpoint(owner("ann")), "paid")
		var invalid *event.InvalidError
		if err := w.engine.route(w.catalog.Snapshot(), &full, newInput()); !errors.As(err, &invalid) || invalid.Field != "owner_id" {
			t.Errorf("one too many: %v", err)
		}
	})
}

func TestAnEndpointThatTakesNothingIsOwedDiscardedDeliveries(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		for _, s := range []event.EndpointStatus{event.EndpointPaused, event.EndpointInactive} {
			owed, err := w.routed(w.single(w.endpoint(status(s)), `{}`))
			w.must(err)
			if len(owed) != 1 || owed[0].Status != event.Discarded || !strings.Contains(owed[0].Reason, string(s)) {
				t.Errorf("%s: owed %+v", s, owed)
			}
		}
		time.Sleep(time.Second)
		w.want(map[event.Status]int{event.Discarded: 2})
		if n := w.sender.total(); n != 0 {
			t.Errorf("%d attempts", n)
		}
	})
}

func TestSubmitReportsOverload(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := w.engine.Submit(ctx, []event.Submission{w.single(w.endpoint(), `{}`)})
		var overload *event.OverloadError
		if !errors.Is(err, event.ErrOverloaded) || !errors.As(err, &overload) || overload.After <= 0 {
			t.Fatalf("Submit = %v", err)
		}
	})
}

func TestARequestOwesABoundedNumber(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		first, second := w.single(ep, `{}`), w.single(ep, `{}`)
		owed := event.MaxOwedPerRequest - 1
		snap := w.catalog.Snapshot()
		w.must(w.engine.routeWithin(snap, &first, newInput(), &owed))
		var invalid *event.InvalidError
		if err := w.engine.routeWithin(snap, &second, newInput(), &owed); !errors.As(err, &invalid) || len(second.Event.Owed) != 0 {
			t.Errorf("one too many: %v, owed %d", err, len(second.Event.Owed))
		}
		if owed != event.MaxOwedPerRequest {
			t.Errorf("%d owed by the request", owed)
		}
	})
}

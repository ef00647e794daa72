package engine

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"posthaste/event"
)

// onceEndpoint is an endpoint whose deliveries are made at most once.
func (w *world) onceEndpoint() event.ID {
	w.t.Helper()
	ep := w.endpoint()
	_, err := w.catalog.CreateSubscription(event.Subscription{
		Name: "s", ProjectID: ep.ProjectID, EndpointID: ep.ID, DeliveryMode: event.AtMostOnce,
		FilterConfig: event.FilterConfig{EventTypes: []string{"*"}},
	})
	w.must(err)
	return ep.ID
}

func TestAtMostOnce(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ok, no, unreachable := w.onceEndpoint(), w.onceEndpoint(), w.onceEndpoint()
		w.sender.set(no, answers(500))
		w.sender.set(unreachable, func(c *call) { c.a.Class = event.ClassConnect })
		for _, ep := range []event.ID{ok, no, unreachable} {
			w.post(w.catalog.Snapshot().Endpoint(ep), 5)
		}
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Success: 5, event.Failure: 10})
		if a, b := len(w.sender.to(no)), len(w.sender.to(unreachable)); a != 5 || b != 15 {
			t.Errorf("%d attempts where it was answered, want 5; %d where nothing could be sent, want 15", a, b)
		}
		w.wantCaughtUp()
	})
}

// What was under way at most once when the process was killed is not sent again.
func TestAtMostOnceAcrossACrash(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		id := w.onceEndpoint()
		release := make(chan struct{})
		defer close(release)
		w.sender.set(id, hangs(release))
		w.post(w.catalog.Snapshot().Endpoint(id), 5)
		time.Sleep(time.Second)
		w.crash(rand.New(rand.NewPCG(1, 2)))
		time.Sleep(time.Hour)
		if n := w.sender.total(); n != 0 {
			t.Errorf("%d attempts after the crash", n)
		}
		for _, id := range w.posted {
			if d := w.store.delivery(id); d.Status != event.Failure || d.Reason != writtenOff {
				t.Errorf("%+v", d)
			}
		}
	})
}

func TestALocalFailureIsNoAttemptAtMostOnceEither(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		id := w.onceEndpoint()
		w.sender.set(id, failsLocally)
		w.post(w.catalog.Snapshot().Endpoint(id), 3)
		time.Sleep(10 * time.Second)
		w.sender.set(id, answers(200))
		w.settled(time.Minute)
		for _, id := range w.posted {
			if d := w.store.delivery(id); d.Status != event.Success || d.Attempts != 1 {
				t.Errorf("%+v", d)
			}
		}
	})
}

func TestAFunctionMakesWhatIsSent(t *testing.T) {
	transform := func(function string, _ *event.Delivery, ev *event.Event) ([]byte, error) {
		if strings.Contains(string(ev.Data), `"n":1`) {
			return nil, event.Invalid("function", "TypeError: no")
		}
		return append([]byte(function), ev.Data...), nil
	}
	inTime(t, Options{Transform: transform}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		_, err := w.catalog.CreateSubscription(event.Subscription{
			Name: "s", ProjectID: ep.ProjectID, EndpointID: ep.ID, Function: "f:", FilterConfig: event.FilterConfig{EventTypes: []string{"*"}},
		})
		w.must(err)
		var mu sync.Mutex
		var got []string
		w.sender.set(ep.ID, func(c *call) {
			mu.Lock()
			got = append(got, string(c.ev.Data))
			mu.Unlock()
			failsFirst(1)(c)
		})
		w.post(ep, 2)
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Success: 1, event.Failure: 1})
		mu.Lock()
		defer mu.Unlock()
		if len(got) != 2 || got[0] != `f:{"n":0}` || got[1] != got[0] {
			t.Errorf("sent %q", got)
		}
		if errs := w.store.errorsOf(w.posted[1]); len(errs) != 3 || errs[0] != "function: TypeError: no" {
			t.Errorf("recorded %q", errs)
		}
		if _, failures := w.engine.Health(ep.ID); failures != 0 {
			t.Errorf("%d failures are the endpoint's", failures)
		}
	})
}

func TestAFilterDecides(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		_, err := w.catalog.CreateSubscription(event.Subscription{
			Name: "s", ProjectID: ep.ProjectID, EndpointID: ep.ID,
			FilterConfig: event.FilterConfig{EventTypes: []string{"pa*"}, Filter: &event.Filter{Body: json.RawMessage(`{"n":{"$gte":3}}`)}},
		})
		w.must(err)
		w.post(ep, 10)
		w.settled(time.Minute)
		if n := len(w.posted); n != 7 {
			t.Errorf("%d deliveries, want 7", n)
		}
	})
}

func TestAReplayedEventIsDeliveredAgain(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		subs := []event.Submission{w.single(ep, `{"a":1}`)}
		w.submit(subs)
		w.settled(time.Minute)
		first := subs[0].Event.ID
		var mu sync.Mutex
		var got []event.ID
		w.sender.set(ep.ID, func(c *call) {
			mu.Lock()
			got = append(got, c.ev.PublicID())
			mu.Unlock()
			answers(200)(c)
		})
		w.must(w.engine.Replay(t.Context(), w.project.ID, first))
		w.settled(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if len(got) != 1 || got[0] != first {
			t.Errorf("the replay carried %v, want %s", got, first)
		}
		w.want(map[event.Status]int{event.Success: 2})
		w.must(w.catalog.DeleteEndpoint(ep.ProjectID, ep.ID))
		var invalid *event.InvalidError
		if err := w.engine.Replay(t.Context(), w.project.ID, first); !errors.As(err, &invalid) {
			t.Errorf("a replay to nobody: %v", err)
		}
		if err := w.engine.Replay(t.Context(), w.project.ID, event.NewID()); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("a replay of nothing: %v", err)
		}
	})
}

func TestOperationalEvents(t *testing.T) {
	inTime(t, Options{EndpointCap: 1}, func(t *testing.T, w *world) {
		w.config(func(p *event.ProjectConfig) {
			p.MetaEvent.IsEnabled, p.MetaEvent.URL, p.MetaEvent.Secret = true, "https://example.com/meta", "a secret of ours"
			p.DisableEndpoint = true
		})
		var mu sync.Mutex
		got := make(map[string]int)
		w.sender.set(event.MetaEndpoint(w.project.ID), func(c *call) {
			var body struct {
				Type string          `json:"event_type"`
				Data json.RawMessage `json:"data"`
			}
			if err := json.Unmarshal(c.ev.Data, &body); err != nil || len(body.Data) < 10 {
				t.Errorf("%s: %v", c.ev.Data, err)
			}
			mu.Lock()
			got[body.Type]++
			mu.Unlock()
			answers(200)(c)
		})
		ep := w.endpoint()
		w.sender.set(ep.ID, failsFirst(1))
		w.post(ep, 1)
		w.settled(time.Minute)
		w.sender.set(ep.ID, answers(500))
		w.post(ep, 1)
		w.settled(time.Minute)
		time.Sleep(time.Second)
		w.setStatus(ep, event.EndpointActive)
		w.must(w.catalog.DeleteEndpoint(ep.ProjectID, ep.ID))
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		for kind, want := range map[string]int{
			event.MetaEndpointCreated: 1, event.MetaEndpointDisabled: 1, event.MetaEndpointEnabled: 1, event.MetaEndpointDeleted: 1,
			event.MetaDeliverySuccess: 1, event.MetaDeliveryFailed: 1, event.MetaDeliveryExhausted: 1, event.MetaDeliveryUpdated: 5,
		} {
			if got[kind] != want {
				t.Errorf("%d of %s, want %d; all: %v", got[kind], kind, want, got)
			}
		}
	})
}

// Operational events that cannot be delivered tell of nothing, and end nothing.
func TestOperationalEventsDoNotBreedMore(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		w.config(func(p *event.ProjectConfig) {
			p.MetaEvent.IsEnabled, p.MetaEvent.URL, p.MetaEvent.Secret = true, "https://example.com/meta", "a secret of ours"
			p.DisableEndpoint = true
		})
		w.sender.set(event.MetaEndpoint(w.project.ID), answers(410))
		ep := w.endpoint()
		w.post(ep, 10)
		w.settled(time.Hour)
		time.Sleep(time.Hour)
		if n := w.store.events(); n > 10+1+2*10+2 {
			t.Errorf("%d events", n)
		}
		w.post(ep, 1)
		w.settled(time.Minute)
	})
}

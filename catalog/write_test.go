package catalog_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"posthaste/catalog"
	"posthaste/event"
)

// Two catalogs over one store: the one that read an older revision loses.
func TestConflict(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	s := w.subscription(t, e)
	stale := w.open(t)
	_, err := w.UpdateProject(w.project.ID, func(p *event.Project) error { p.Name = "first"; return nil })
	must(t, err)
	_, err = w.UpdateEndpoint(w.project.ID, e.ID, func(e *event.Endpoint) error { e.Name = "first"; return nil })
	must(t, err)
	_, err = w.UpdateSubscription(w.project.ID, s.ID, func(s *event.Subscription) error { s.Name = "first"; return nil })
	must(t, err)

	_, err = stale.UpdateProject(w.project.ID, func(p *event.Project) error { p.Name = "second"; return nil })
	wantIs(t, err, event.ErrConflict)
	_, err = stale.UpdateEndpoint(w.project.ID, e.ID, func(e *event.Endpoint) error { e.Name = "second"; return nil })
	wantIs(t, err, event.ErrConflict)
	_, err = stale.UpdateSubscription(w.project.ID, s.ID, func(s *event.Subscription) error { s.Name = "second"; return nil })
	wantIs(t, err, event.ErrConflict)
	wantIs(t, stale.DeleteEndpoint(w.project.ID, e.ID), event.ErrConflict)
	wantIs(t, stale.DeleteSubscription(w.project.ID, s.ID), event.ErrConflict)
	if got := stale.Snapshot().Project(w.project.ID).Name; got != "shop" {
		t.Errorf("a refused write shows: %q", got)
	}
	if got := w.open(t).Snapshot().Endpoint(e.ID).Name; got != "first" {
		t.Errorf("the store has %q, want the first write", got)
	}
}

func TestAnIDIsTakenOnce(t *testing.T) {
	w := setup(t)
	e := event.Endpoint{ID: event.NewID(), ProjectID: w.project.ID, Name: "e", URL: "https://x"}
	made, err := w.CreateEndpoint(e)
	must(t, err)
	if made.ID != e.ID {
		t.Errorf("id %s, want the given one", made.ID)
	}
	_, err = w.CreateEndpoint(e)
	wantIs(t, err, event.ErrConflict)
}

func TestAFailedWriteLeavesNoTrace(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	var changes []catalog.Change
	defer w.Watch(func(c catalog.Change) { changes = append(changes, c) })()
	broken := errors.New("disk")
	w.store.Fail(broken)
	before := w.Snapshot()
	_, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "b", URL: "https://x"})
	wantIs(t, err, broken)
	_, _, _, err = w.CreateProject(event.Project{Name: "p"})
	wantIs(t, err, broken)
	_, err = w.EnsureSubscription(w.project.ID, e.ID)
	wantIs(t, err, broken)
	_, _, err = w.CreateKey(event.APIKey{ProjectID: w.project.ID, Name: "k"})
	wantIs(t, err, broken)
	_, err = w.CreateSource(event.Source{ProjectID: w.project.ID, Name: "s"})
	wantIs(t, err, broken)
	_, err = w.CreatePortalLink(event.PortalLink{ProjectID: w.project.ID, Name: "l", OwnerID: "o"})
	wantIs(t, err, broken)
	_, err = w.CreateApplication(event.Application{ProjectID: w.project.ID, Name: "a"})
	wantIs(t, err, broken)
	if w.Snapshot() != before || len(changes) != 0 {
		t.Errorf("a failed write was published; changes %v", changes)
	}
	w.store.Fail(nil)
	w.endpoint(t, "b")
}

func TestWatch(t *testing.T) {
	w := setup(t)
	var got []string
	kinds := map[byte]string{
		'p': "project", 'e': "endpoint", 's': "subscription", 'k': "key", 't': "type", 'o': "source", 'l': "link", 'a': "application",
	}
	cancel := w.Watch(func(c catalog.Change) {
		shown := w.Snapshot().Source(c.ProjectID, c.ID) != nil || w.Snapshot().PortalLink(c.ProjectID, c.ID) != nil ||
			w.Snapshot().Application(c.ProjectID, c.ID) != nil || w.Snapshot().Project(c.ID) != nil || w.Snapshot().Endpoint(c.ID) != nil || w.Snapshot().Subscription(c.ID) != nil
		if c.Kind != catalog.KindKey && c.Kind != catalog.KindEventType && shown == c.Deleted {
			t.Errorf("%+v was told before it was published", c)
		}
		got = append(got, fmt.Sprintf("%s %v", kinds[c.Kind], c.Deleted))
	})
	second := 0
	defer w.Watch(func(c catalog.Change) { second++ })()
	e := w.endpoint(t, "a")
	w.subscription(t, e)
	_, err := w.UpdateEndpoint(w.project.ID, e.ID, func(e *event.Endpoint) error { e.Name = "b"; return nil })
	must(t, err)
	must(t, w.DeleteEndpoint(w.project.ID, e.ID))
	_, _, _, err = w.CreateProject(event.Project{Name: "p"})
	must(t, err)
	source := w.source(t, "s")
	w.subscriptionTo(t, source.ID, w.endpoint(t, "b").ID)
	must(t, w.DeleteSource(w.project.ID, source.ID))
	must(t, w.DeleteApplication(w.project.ID, w.application(t, "a").ID))
	must(t, w.RevokePortalLink(w.project.ID, w.link(t, event.PortalStatic).ID))
	w.dynamic(t, event.Dynamic{URL: "https://dynamic"})
	cancel()
	cancel()
	w.endpoint(t, "unheard")
	want := []string{"endpoint false", "subscription false", "endpoint false", "subscription true", "endpoint true", "project false", "key false", "type false",
		"source false", "endpoint false", "subscription false", "subscription true", "source true", "application false", "application true",
		"link false", "link true", "endpoint false", "subscription false"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("changes %v\nwant %v", got, want)
	}
	if second != len(want)+1 {
		t.Errorf("the second watcher heard %d changes, want %d", second, len(want)+1)
	}
}

func TestParallelWritesAndReads(t *testing.T) {
	w := setup(t)
	const writers, each = 8, 50
	var order []event.ID // watchers are called by one writer at a time
	defer w.Watch(func(c catalog.Change) {
		if c.Kind == catalog.KindEndpoint {
			order = append(order, c.ID)
		}
	})()
	done := make(chan struct{})
	var readers, wg sync.WaitGroup
	readers.Go(func() { readUntil(t, w, done) })
	readers.Go(func() { readUntil(t, w, done) })
	for range writers {
		wg.Go(func() {
			for range each {
				e, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://x", OwnerID: "o"})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := w.EnsureSubscription(w.project.ID, e.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	close(done)
	readers.Wait()
	if _, endpoints, subs := w.Snapshot().Counts(); endpoints != writers*each || subs != endpoints || len(order) != endpoints {
		t.Errorf("%d endpoints, %d subscriptions, %d changes; want %d of each", endpoints, subs, len(order), writers*each)
	}
}

// readUntil reads whole snapshots: in each, what the indexes say agrees.
func readUntil(t *testing.T, w *world, done chan struct{}) {
	for {
		s := w.Snapshot()
		_, endpoints, subs := s.Counts()
		attached, listed := 0, s.Endpoints(w.project.ID, event.Range{Limit: 1 << 30}, nil)
		for _, e := range listed {
			attached += len(e.Subscriptions())
			if s.Endpoint(e.ID) != e {
				t.Errorf("two indexes have two values of %s", e.ID)
			}
			e.Signer(s.Project(w.project.ID))
		}
		if len(listed) != endpoints || attached != subs {
			t.Errorf("%d of %d endpoints listed, %d of %d subscriptions attached", len(listed), endpoints, attached, subs)
		}
		w.Authenticate([]byte(w.key))
		select {
		case <-done:
			return
		default:
		}
	}
}

func TestEnsureSubscriptionRace(t *testing.T) {
	w := setup(t)
	for range 20 {
		e := w.endpoint(t, "a")
		var wg sync.WaitGroup
		got := make([]*event.Subscription, 8)
		for i := range got {
			wg.Go(func() { got[i], _ = w.EnsureSubscription(w.project.ID, e.ID) })
		}
		wg.Wait()
		for _, s := range got {
			if s == nil || s != got[0] {
				t.Fatalf("callers got %v", got)
			}
		}
		if n := len(w.Snapshot().SubscriptionsOf(e.ID)); n != 1 {
			t.Fatalf("%d subscriptions, want 1", n)
		}
	}
}

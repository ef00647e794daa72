package wal

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

func replayOf(first *event.Event, endpoints ...event.ID) event.Submission {
	s := post(first.ProjectID, string(first.Data), endpoints...)
	s.Event.Origin, s.Event.Of = event.Replayed, first.ID
	return s
}

func listed(t *testing.T, l *Log, project event.ID, r event.Range, f event.DeliveryFilter) []event.ID {
	t.Helper()
	ds, _, err := l.Deliveries(project, r, f)
	must(t, err)
	return idsOf(ds)
}

func sorted(ids ...[]event.ID) []event.ID {
	return slices.SortedFunc(slices.Values(slices.Concat(ids...)), event.ID.Compare)
}

// TestReplays: an event's deliveries are those of its replays too; a replay is no
// event in a listing, and its deliveries are the project's.
func TestReplays(t *testing.T) {
	o := testOptions(vfs.NewMem())
	l := openLog(t, o)
	first := appendOne(t, l, post(idOf(1), "x", idOf(2), idOf(3)))
	other := appendOne(t, l, post(idOf(1), "y", idOf(2)))
	advance(l, 3*hour)
	replay := appendOne(t, l, replayOf(first, idOf(2), idOf(4)))
	advance(l, hour)
	second := appendOne(t, l, replayOf(first, idOf(3)))
	l = reopen(t, l, o)

	all := event.Range{Limit: 100}
	family := sorted(idsOf(first.Owed), idsOf(replay.Owed), idsOf(second.Owed))
	sameIDs(t, "of the original", listed(t, l, idOf(1), all, event.DeliveryFilter{EventID: first.ID}), family)
	sameIDs(t, "of the replay", listed(t, l, idOf(1), all, event.DeliveryFilter{EventID: replay.ID}), sorted(idsOf(replay.Owed)))
	sameIDs(t, "newest first, a page", listed(t, l, idOf(1), event.Range{Limit: 2, Descending: true}, event.DeliveryFilter{EventID: first.ID}),
		[]event.ID{family[4], family[3]})
	sameIDs(t, "of another project", listed(t, l, idOf(9), all, event.DeliveryFilter{EventID: first.ID}), nil)
	sameIDs(t, "of the project", listed(t, l, idOf(1), all, event.DeliveryFilter{}), sorted(family, idsOf(other.Owed)))

	events, _, err := l.Events(idOf(1), all, event.EventFilter{})
	must(t, err)
	if len(events) != 2 {
		t.Errorf("%d events are listed", len(events))
	}
	got, err := l.Event(idOf(1), replay.ID)
	if err != nil || got.PublicID() != first.ID || got.Origin != event.Replayed || string(got.Data) != "x" {
		t.Errorf("got %+v, %v", got, err)
	}
	d, err := l.Delivery(idOf(1), replay.Owed[0].ID)
	if err != nil || d.EventID != replay.ID {
		t.Errorf("its delivery names event %s, %v", d.EventID, err)
	}
}

func TestAtMostOnceIsKept(t *testing.T) {
	l := newLogInMemory(t)
	s := post(idOf(1), "x", idOf(2), idOf(3))
	s.Event.Owed[0].AtMostOnce = true
	s.Event.Owed[0].Status, s.Event.Owed[0].Reason = event.Discarded, "paused"
	ev := appendOne(t, l, s)
	for i, want := range []bool{true, false} {
		d, err := l.Delivery(idOf(1), ev.Owed[i].ID)
		if err != nil || d.AtMostOnce != want || d.Status != ev.Owed[i].Status {
			t.Errorf("delivery %d as created: %+v, %v", i, d, err)
		}
		settle(t, l, attempted(d, event.Retry))
		if d, err = l.Delivery(idOf(1), d.ID); err != nil || d.AtMostOnce != want || d.Status != event.Retry {
			t.Errorf("delivery %d in retry: %+v, %v", i, d, err)
		}
		timers, _, err := l.ReadTimers(nil, d.EndpointID, 0, event.ID{}, maxMillis, 10)
		if err != nil || len(timers) != 1 || timers[0].AtMostOnce != want || timers[0].Manual {
			t.Errorf("timers of delivery %d: %+v, %v", i, timers, err)
		}
	}
}

func TestDeleteContent(t *testing.T) {
	o := testOptions(vfs.NewMem())
	l := openLog(t, o)
	first := appendOne(t, l, post(idOf(1), "the secret", idOf(2), idOf(3)))
	replay := appendOne(t, l, replayOf(first, idOf(2)))
	dup := submit(t, l, keyed("k", "kept"))
	submit(t, l, keyed("k", "kept"))
	end := func(d event.Delivery) event.Delivery {
		s := attempted(d, event.Success)
		s.Attempt.RequestHeaders, s.Attempt.ResponseHeaders, s.Attempt.ResponseBody = []byte("the secret"), []byte("the secret"), []byte("the secret")
		return settle(t, l, s)
	}
	ended := end(first.Owed[0])
	end(first.Owed[1])

	var state *event.StateError
	if err := l.DeleteContent(idOf(1), first.ID); !errors.Is(err, event.ErrConflict) || !errors.As(err, &state) {
		t.Errorf("while a replay's delivery is owed: %v", err)
	}
	if ev, err := l.Event(idOf(1), first.ID); err != nil || string(ev.Data) != "the secret" {
		t.Errorf("after a refusal: %+v, %v", ev, err)
	}
	end(replay.Owed[0])
	for range 2 {
		must(t, l.DeleteContent(idOf(1), first.ID))
	}
	l = reopen(t, l, o)
	for _, want := range []*event.Event{first, replay} {
		ev, err := l.Event(idOf(1), want.ID)
		must(t, err)
		withoutData := *want
		withoutData.Data = nil
		if err := sameEvent(ev, &withoutData); err != nil || ev.Origin != want.Origin || ev.Of != want.Of {
			t.Errorf("%v; got %+v", err, ev)
		}
		for i := range want.Owed {
			attempts, err := l.Attempts(idOf(1), want.Owed[i].ID)
			if err != nil || len(attempts) != 1 || attempts[0].StatusCode != 200 ||
				len(attempts[0].RequestHeaders)+len(attempts[0].ResponseHeaders)+len(attempts[0].ResponseBody) != 0 {
				t.Errorf("attempts %+v, %v", attempts, err)
			}
			if d, err := l.Delivery(idOf(1), want.Owed[i].ID); err != nil || d.Status != event.Success || d.Limit != 5 {
				t.Errorf("delivery %+v, %v", d, err)
			}
		}
	}
	for _, r := range records(t, l) {
		if slices.Contains([]byte{kindEvent, kindDelivery}, r.key[0]) && containsText(r.value, "the secret") {
			t.Errorf("the record at %x still holds it", r.key)
		}
	}

	again := event.Settlement{Delivery: ended, Was: event.Success}
	again.Delivery.Status, again.Delivery.Due = event.Retry, ended.UpdatedAt
	if err := l.Settle(&again); !errors.Is(err, event.ErrConflict) {
		t.Errorf("a retry without content: %v", err)
	}
	if got := submit(t, l, replayOf(first, idOf(2))); !errors.Is(got.Err, event.ErrConflict) {
		t.Errorf("a replay without content: %+v", got)
	}
	if err := l.DeleteContent(idOf(1), idOf(99)); !errors.Is(err, event.ErrNotFound) {
		t.Errorf("of no event: %v", err)
	}
	if err := l.DeleteContent(idOf(1), duplicatesOf(t, l, idOf(1))[0].ID); !errors.Is(err, event.ErrConflict) {
		t.Errorf("of a duplicate of %s: %v", dup.Event.ID, err)
	}
}

// TestDeleteContentOrRetry: of a deletion and a retry or a replay at the same time
// one is refused, and nothing is owed without its content.
func TestDeleteContentOrRetry(t *testing.T) {
	l := newLogInMemory(t)
	deleted := 0
	for i := range 60 {
		ev := appendOne(t, l, post(idOf(1), "x", idOf(2)))
		ended := settle(t, l, attempted(ev.Owed[0], event.Failure))
		var wg sync.WaitGroup
		var deletion error
		wg.Go(func() { deletion = l.DeleteContent(idOf(1), ev.ID) })
		wg.Go(func() {
			if i%2 == 0 {
				retry := event.Settlement{Delivery: ended, Was: event.Failure}
				retry.Delivery.Status, retry.Delivery.Due = event.Retry, ended.UpdatedAt
				if err := l.Settle(&retry); err != nil && !errors.Is(err, event.ErrConflict) {
					t.Error(err)
				}
				return
			}
			if err := l.Append(t.Context(), []event.Submission{replayOf(ev, idOf(2))}); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		must(t, l.Flush())
		owed := slices.ContainsFunc(deliveries(t, l, ev.ID), func(d event.Delivery) bool { return d.Status.Owed() })
		got, err := l.Event(idOf(1), ev.ID)
		must(t, err)
		if deletion == nil {
			deleted++
		}
		if owed != (len(got.Data) > 0) || owed != errors.Is(deletion, event.ErrConflict) {
			t.Fatalf("owed: %v, data %q, deletion: %v", owed, got.Data, deletion)
		}
	}
	t.Logf("%d of 60 were deleted", deleted)
}

func deliveries(t *testing.T, l *Log, id event.ID) []event.Delivery {
	t.Helper()
	ds, _, err := l.Deliveries(idOf(1), event.Range{Limit: 100}, event.DeliveryFilter{EventID: id})
	must(t, err)
	return ds
}

func containsText(b []byte, text string) bool {
	for i := 0; i+len(text) <= len(b); i++ {
		if string(b[i:i+len(text)]) == text {
			return true
		}
	}
	return false
}

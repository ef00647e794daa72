package catalog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

func to(s event.EndpointStatus) func(event.EndpointStatus) (event.EndpointStatus, error) {
	return func(event.EndpointStatus) (event.EndpointStatus, error) { return s, nil }
}

func TestChangeStatus(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	var changes []catalog.Change
	defer w.Watch(func(c catalog.Change) { changes = append(changes, c) })()
	w.clock.Advance(time.Minute)
	paused, err := w.ChangeStatus(w.project.ID, e.ID, "asked for", to(event.EndpointPaused))
	must(t, err)
	if paused.Status != event.EndpointPaused || !paused.UpdatedAt.Time().Equal(w.clock.Now()) || e.Status != event.EndpointActive {
		t.Errorf("endpoint %+v", paused.Endpoint)
	}
	want := event.StatusChange{From: event.EndpointActive, To: event.EndpointPaused, Reason: "asked for", At: w.clock.Now()}
	if len(paused.StatusHistory) != 1 || paused.StatusHistory[0] != want {
		t.Errorf("history %+v", paused.StatusHistory)
	}
	if len(changes) != 1 || changes[0].Before != e || changes[0].After != paused {
		t.Errorf("changes %+v", changes)
	}
	same, err := w.ChangeStatus(w.project.ID, e.ID, "again", to(event.EndpointPaused))
	must(t, err)
	if same != paused || len(changes) != 1 {
		t.Error("a status that stays was written")
	}
	if got := w.open(t).Snapshot().Endpoint(e.ID); got.Status != event.EndpointPaused || len(got.StatusHistory) != 1 || got.StatusHistory[0] != want {
		t.Errorf("after a restart %q, %+v", got.Status, got.StatusHistory)
	}
}

func TestChangeStatusRefused(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	_, err := w.ChangeStatus(w.project.ID, event.NewID(), "", to(event.EndpointPaused))
	wantIs(t, err, event.ErrNotFound)
	_, err = w.ChangeStatus(event.NewID(), e.ID, "", to(event.EndpointPaused))
	wantIs(t, err, event.ErrNotFound)
	no := errors.New("no")
	_, err = w.ChangeStatus(w.project.ID, e.ID, "", func(now event.EndpointStatus) (event.EndpointStatus, error) {
		if now != event.EndpointActive {
			t.Errorf("the status of the moment is %q", now)
		}
		return event.EndpointPaused, no
	})
	wantIs(t, err, no)
	_, err = w.ChangeStatus(w.project.ID, e.ID, "", to("asleep"))
	wantInvalid(t, err, "status")
	if w.Snapshot().Endpoint(e.ID) != e {
		t.Error("a refused change left a trace")
	}
}

func TestStatusHistoryIsBounded(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	const n = event.MaxStatusHistory + 3
	for i := range n {
		status := []event.EndpointStatus{event.EndpointInactive, event.EndpointActive}[i%2]
		_, err := w.ChangeStatus(w.project.ID, e.ID, fmt.Sprint(i, strings.Repeat("é", 200)), to(status))
		must(t, err)
	}
	h := w.Snapshot().Endpoint(e.ID).StatusHistory
	if len(h) != event.MaxStatusHistory || !strings.HasPrefix(h[0].Reason, "3é") || len(h[0].Reason) > event.MaxNameBytes {
		t.Errorf("%d changes are remembered, the first %q", len(h), h[0].Reason)
	}
}

// An endpoint that would be refused today can be disabled, and loses its ended
// secrets on the way.
func TestChangeStatusDoesNotValidate(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	_, err := w.ExpireSecret(w.project.ID, e.ID, "next", time.Hour)
	must(t, err)
	w.clock.Advance(time.Hour)
	changed, err := w.ChangeStatus(w.project.ID, e.ID, "", to(event.EndpointInactive))
	must(t, err)
	if len(changed.Secrets) != 1 || changed.Secrets[0].Value != "next" {
		t.Errorf("secrets %+v", changed.Secrets)
	}
}

func TestUpdateEndpointRemembersItsStatus(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	updated, err := w.UpdateEndpoint(w.project.ID, e.ID, func(e *event.Endpoint) error {
		e.StatusHistory = []event.StatusChange{{Reason: "forged"}}
		e.Status = event.EndpointInactive
		return nil
	})
	must(t, err)
	want := event.StatusChange{From: event.EndpointActive, To: event.EndpointInactive, Reason: "changed through the API", At: w.clock.Now()}
	if len(updated.StatusHistory) != 1 || updated.StatusHistory[0] != want {
		t.Errorf("history %+v", updated.StatusHistory)
	}
	renamed, err := w.UpdateEndpoint(w.project.ID, e.ID, func(e *event.Endpoint) error { e.Name = "b"; return nil })
	must(t, err)
	if len(renamed.StatusHistory) != 1 {
		t.Errorf("history %+v after another change", renamed.StatusHistory)
	}
	made, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://x", StatusHistory: []event.StatusChange{{}}})
	must(t, err)
	if made.StatusHistory != nil {
		t.Error("an endpoint can be made with a history")
	}
}

func TestChangesTellBeforeAndAfter(t *testing.T) {
	w := setup(t)
	var got []catalog.Change
	defer w.Watch(func(c catalog.Change) { got = append(got, c) })()
	made := w.endpoint(t, "a")
	w.subscription(t, made)
	withSub := w.Snapshot().Endpoint(made.ID)
	renamed, err := w.UpdateEndpoint(w.project.ID, made.ID, func(e *event.Endpoint) error { e.Name = "b"; return nil })
	must(t, err)
	must(t, w.DeleteEndpoint(w.project.ID, made.ID))
	want := [][2]*catalog.Endpoint{{nil, made}, {nil, nil}, {withSub, renamed}, {nil, nil}, {renamed, nil}}
	if len(got) != len(want) {
		t.Fatalf("%d changes, want %d", len(got), len(want))
	}
	for i, c := range got {
		if c.Before != want[i][0] || c.After != want[i][1] {
			t.Errorf("change %d: before %p, after %p; want %p, %p", i, c.Before, c.After, want[i][0], want[i][1])
		}
	}
}

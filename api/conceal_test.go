package api

import (
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

// How an event came in is shown in full to those who may manage only: its headers may
// hold a source's own credential, and its path is where anybody may post.
func TestHowAnEventCameInIsConcealed(t *testing.T) {
	w := newWorld(t)
	endpoint := w.addEndpoint(w.project, 1)
	_, err := w.catalog.UpdateEndpoint(w.project, endpoint, func(e *event.Endpoint) error { e.OwnerID = "A"; return nil })
	if err != nil {
		t.Fatal(err)
	}
	e := &event.Event{
		ID: id('f', 1), ProjectID: w.project, Type: "t", Data: []byte("{}"), ReceivedAt: epoch.Add(time.Second),
		Path: "/ingest/MASK", Query: "token=QUERY",
		Headers: []event.Header{{Name: "X-Api-Key", Value: "SECRET"}, {Name: "X-Plain", Value: "plain"}},
	}
	w.log.addEvent(e)
	w.log.addDelivery(event.Delivery{ID: id('d', 1), ProjectID: w.project, EventID: e.ID, EndpointID: endpoint, Status: event.Success})
	reader, _ := w.newKey(w.in("/keys"), `{"name":"r","scopes":["read"]}`)
	owners, _ := w.newKey(w.in("/keys"), `{"name":"o","owner_id":"A"}`)
	ownersReader, _ := w.newKey(w.in("/keys"), `{"name":"or","owner_id":"A","scopes":["read"]}`)
	for _, c := range []struct {
		name, key     string
		secret, place bool // are shown
	}{
		{"project's", w.key, true, true},
		{"reader's", reader, false, true},
		{"owner's", owners, true, false},
		{"owner's reader", ownersReader, false, false},
	} {
		for _, path := range []string{"/events", "/events/" + e.ID.String(), "/eventdeliveries", "/eventdeliveries/" + id('d', 1).String()} {
			a := w.do("GET", w.in("%s", path), "", as(c.key)...)
			if a.Code != 200 || !strings.Contains(a.body, "plain") {
				t.Fatalf("%s: %s shows %s", c.name, path, a.body)
			}
			if strings.Contains(a.body, "SECRET") != c.secret || strings.Contains(a.body, "MASK") != c.place || strings.Contains(a.body, "QUERY") != c.place {
				t.Errorf("%s: %s shows %s", c.name, path, a.body)
			}
		}
	}
	if e.Headers[0].Value != "SECRET" {
		t.Error("the event itself was changed")
	}
}

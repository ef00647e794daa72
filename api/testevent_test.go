package api

import (
	"context"
	"strings"
	"testing"

	"posthaste/event"
)

// intake takes submissions in as an engine would.
type intake struct {
	taken []event.Submission
	err   error
	bad   error // of each event
}

func (in *intake) submit(_ context.Context, subs []event.Submission) error {
	for i := range subs {
		subs[i].Event.ID, subs[i].Err = id('f', 1), in.bad
		subs[i].Event.Owed = make([]event.Delivery, 1)
	}
	in.taken = append(in.taken, subs...)
	return in.err
}

func TestTestEvent(t *testing.T) {
	var in intake
	w := newWorld(t, func(o *Options) { o.Submit = in.submit })
	path := w.in("/endpoints/%s/test", w.addEndpoint(w.project, 1))
	a := w.do("POST", path, "")
	w.want(a, 201, "Test event queued successfully")
	if a.field("uid") != id('f', 1).String() || a.field("event_type") != "posthaste.test" || a.field("deliveries") != 1.0 {
		t.Errorf("answered %s", a.body)
	}
	s := in.taken[0]
	if s.To != event.ToEndpoint || s.EndpointID != id('e', 1) || s.Event.ProjectID != w.project || s.Event.Type != "posthaste.test" || s.Event.Origin != event.Test || !s.Event.ReceivedAt.Equal(epoch) {
		t.Errorf("submitted %+v", s)
	}
	if want := `{"test":true,"message":"a test event","endpoint_id":"` + id('e', 1).String() + `","sent_at":"2026-01-02T03:04:05Z"}`; string(s.Event.Data) != want {
		t.Errorf("data is %s", s.Event.Data)
	}
	w.want(w.do("POST", path, `{"event_type":"order.paid","data":[ 1.50, "<" ]}`), 201, "Test event queued successfully")
	if s = in.taken[1]; s.Event.Type != "order.paid" || string(s.Event.Data) != `[ 1.50, "<" ]` {
		t.Errorf("submitted %q of %s", s.Event.Data, s.Event.Type)
	}
	w.want(w.do("POST", path, `{"event_type":"`+strings.Repeat("x", 257)+`"}`), 400, "event_type: has 257 bytes; at most 256 are allowed")
	w.do("PUT", w.in(""), `{"config":{"max_payload_read_size":20}}`)
	w.want(w.do("POST", path, `{"data":"0123456789012345678"}`), 413, "data: 21 bytes, and this project takes at most 20")
	w.want(w.do("POST", w.in("/endpoints/%s/test", id('e', 9)), ""), 404, "Resource not found")
	in.bad = event.Invalid("endpoint_id", "endpoint not found")
	w.want(w.do("POST", path, `{"data":1}`), 400, "endpoint_id: endpoint not found")
	in.err = event.ErrOverloaded
	w.want(w.do("POST", path, `{"data":1}`), 503, "the server is overloaded; try again later")
	without := newWorld(t)
	without.want(without.do("POST", without.in("/endpoints/%s/test", without.addEndpoint(without.project, 1)), ""), 501, "this server takes no test events")
}

func TestDeleteContent(t *testing.T) {
	var deleted []event.ID
	var fail error
	w := newWorld(t, func(o *Options) {
		o.DeleteContent = func(project, id event.ID) error { deleted = append(deleted, project, id); return fail }
	})
	path := w.in("/events/%s/content", w.addEvent(w.project, 1))
	a := w.do("DELETE", path, "")
	w.want(a, 200, "Event content deleted successfully")
	if string(a.Data) != "null" || len(deleted) != 2 || deleted[0] != w.project || deleted[1] != id('f', 1) {
		t.Errorf("deleted %v, answered %s", deleted, a.body)
	}
	fail = &event.StateError{Reason: "it is still owed"}
	w.want(w.do("DELETE", path, ""), 400, "it is still owed")
	stranger, key := w.addProject(2)
	w.want(w.do("DELETE", "/api/v1/projects/"+stranger.String()+"/events/"+id('f', 1).String()+"/content", "", "Authorization", "Bearer "+key), 404, "Resource not found")
	if len(deleted) != 4 {
		t.Errorf("another project deleted it: %v", deleted)
	}
	w.want(w.do("DELETE", w.in("/events/%s", id('f', 1)), ""), 405, "this route does not take this method")
	without := newWorld(t)
	without.want(without.do("DELETE", without.in("/events/%s/content", without.addEvent(without.project, 1)), ""), 501, "this server does not delete the content of events")
}

package test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// metaEvent is an operational event as it arrives.
type metaEvent struct {
	Type string `json:"event_type"`
	Data struct {
		UID         string
		Status      string
		Reason      string
		NumTrials   int `json:"num_trials"`
		Description string
	}
}

// metaEvents reads what came, and checks that it is signed.
func (in *inbox) metaEvents(t *testing.T, secret string) (all []metaEvent) {
	t.Helper()
	for _, a := range in.arrivals() {
		if got, want := a.header.Get("X-Convoy-Signature"), hexHMAC(secret, a.body); got != want {
			t.Errorf("%s is signed %q, want %q", a.body, got, want)
		}
		var m metaEvent
		if err := json.Unmarshal([]byte(a.body), &m); err != nil || a.header.Get("Convoy-Timestamp") != "" {
			t.Errorf("%s: %v", a.body, err)
		}
		all = append(all, m)
	}
	return all
}

func hasMeta(all []metaEvent, kind, uid string, is func(metaEvent) bool) bool {
	return slices.ContainsFunc(all, func(m metaEvent) bool { return m.Type == kind && m.Data.UID == uid && (is == nil || is(m)) })
}

// TestMetaEvents: what happens to endpoints and deliveries is told to the project's URL,
// signed; one that is not taken is sent again.
func TestMetaEvents(t *testing.T) {
	t.Parallel()
	in, own := newInbox(t), newInbox(t)
	own.reply(script(500, 200))
	p := newProject(t, with(linear(1, 2), object{"meta_event": object{"is_enabled": true, "type": "http", "url": own.URL, "secret": "meta secret"}}))
	ep := p.add(in.URL, nil)
	sent := p.await(p.send(ep, `1`), "Success")
	in.reply(status(http.StatusInternalServerError))
	failed := p.await(p.send(ep, `2`), "Failure")
	in.reply(status(http.StatusGone))
	gone := p.await(p.send(ep, `3`), "Failure")
	p.awaitEndpoint(ep, "inactive")
	p.do("POST", "/endpoints/"+ep+"/activate", nil, nil)
	p.do("DELETE", "/endpoints/"+ep, nil, nil)

	var all []metaEvent
	for _, want := range []struct {
		kind, uid string
		is        func(metaEvent) bool
	}{
		{"endpoint.created", ep, func(m metaEvent) bool { return m.Data.Status == "active" }},
		{"eventdelivery.success", sent.UID, func(m metaEvent) bool { return m.Data.Status == "Success" && m.Data.NumTrials == 1 }},
		{"eventdelivery.updated", failed.UID, func(m metaEvent) bool { return m.Data.Status == "Retry" && m.Data.NumTrials == 1 }},
		{"eventdelivery.failed", failed.UID, func(m metaEvent) bool { return m.Data.Status == "Failure" }},
		{"eventdelivery.exhausted", failed.UID, func(m metaEvent) bool { return m.Data.NumTrials == 2 }},
		{"eventdelivery.failed", gone.UID, func(m metaEvent) bool { return strings.Contains(m.Data.Description, "410") }},
		{"endpoint.disabled", ep, func(m metaEvent) bool { return strings.Contains(m.Data.Reason, "410") && m.Data.Status == "inactive" }},
		{"endpoint.enabled", ep, func(m metaEvent) bool { return m.Data.Status == "active" }},
		{"endpoint.updated", ep, nil},
		{"endpoint.deleted", ep, nil},
	} {
		eventually(t, want.kind+" arrives", func() bool {
			all = own.metaEvents(t, "meta secret")
			return hasMeta(all, want.kind, want.uid, want.is)
		})
	}
	if hasMeta(all, "eventdelivery.exhausted", gone.UID, nil) {
		t.Error("a delivery that was given up after one of two attempts is called exhausted")
	}
	first := own.arrivals()[0].body
	if eventually(t, "the one that was not taken comes again", func() bool { return own.bodies()[first] == 2 }); t.Failed() {
		for _, m := range all {
			t.Logf("%+v", m)
		}
	}
}

// TestMetaEventsAreApart: they are listed, read and resent on their own, and are no
// events, deliveries or endpoints of the project's; only the types it wants are sent.
func TestMetaEventsAreApart(t *testing.T) {
	t.Parallel()
	in, own := newInbox(t), newInbox(t)
	p := newProject(t, with(linear(1, 1), object{"meta_event": object{
		"is_enabled": true, "type": "http", "url": own.URL, "secret": "s", "event_type": []string{"endpoint.created"},
	}}))
	ep := p.add(in.URL, nil)
	id := p.send(ep, `1`)
	p.await(id, "Success")
	p.do("PUT", "/endpoints/"+ep, object{"name": "renamed"}, nil)

	type meta struct {
		UID       string
		EventType string `json:"event_type"`
		Status    string
		Attempt   struct {
			HTTPStatus string `json:"http_status"`
		}
	}
	var all page[meta]
	eventually(t, "it is sent", func() bool {
		p.do("GET", "/meta-events", nil, &all)
		return len(all.Content) > 0 && all.Content[0].Status == "Success"
	})
	m := all.Content[0]
	if len(all.Content) != 1 || m.EventType != "endpoint.created" || m.Attempt.HTTPStatus != "200 OK" {
		t.Errorf("the meta events are %+v", all.Content)
	}
	if events := p.events(""); len(events) != 1 || events[0].UID != id {
		t.Errorf("the events are %+v", events)
	}
	var deliveries page[deliveryView]
	if p.do("GET", "/eventdeliveries", nil, &deliveries); len(deliveries.Content) != 1 || deliveries.Content[0].EventID != id {
		t.Errorf("the deliveries are %+v", deliveries.Content)
	}
	var endpoints page[endpointView]
	if p.do("GET", "/endpoints", nil, &endpoints); len(endpoints.Content) != 1 || endpoints.Content[0].UID != ep {
		t.Errorf("the endpoints are %+v", endpoints.Content)
	}
	if code, _ := p.try("GET", "/events/"+m.UID, nil); code != http.StatusNotFound {
		t.Errorf("as an event it answers %d", code)
	}
	p.do("PUT", "/meta-events/"+m.UID+"/resend", nil, nil)
	for _, got := range own.await(t, 2) {
		if got.body != own.arrivals()[0].body {
			t.Errorf("came: %s", got.body)
		}
	}
	for _, got := range own.metaEvents(t, "s") {
		if got.Type != "endpoint.created" || got.Data.UID != ep {
			t.Errorf("came: %+v", got)
		}
	}
	p.refused("PUT", "", object{"name": "test", "config": object{"meta_event": object{"event_type": []string{"endpoint.sneezed"}}}}, "event_type[0]")
	p.refused("PUT", "", object{"name": "test", "config": object{"meta_event": object{"url": "http://169.254.169.254/"}}}, "config.meta_event.url")
}

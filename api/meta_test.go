package api

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

func init() {
	listings["/meta-events"] = func(w *world, n int) event.ID { return w.addMetaEvent(n, event.Success) }
}

const metaData = `{"event_type":"endpoint.created","data":{"url": "https://example.com/<1>"}}`

// addMetaEvent adds the n-th operational event of the world's project, with its
// delivery and, unless that still waits, two attempts.
func (w *world) addMetaEvent(n int, status event.Status) event.ID {
	project := event.MetaProject(w.project)
	w.log.addEvent(&event.Event{ID: id('m', n), ProjectID: project, Type: event.MetaEndpointCreated, Origin: event.Meta,
		Data: []byte(metaData), ReceivedAt: epoch.Add(time.Duration(n) * time.Second)})
	d := event.Delivery{ID: id('n', n), EventID: id('m', n), ProjectID: project, EndpointID: event.MetaEndpoint(w.project), Status: status}
	if status == event.Scheduled {
		w.log.addDelivery(d)
		return id('m', n)
	}
	d.Attempts, d.Limit, d.UpdatedAt = 2, 10, epoch.Add(time.Minute)
	w.log.addDelivery(d, failedAttempt(d), goodAttempt(d))
	return id('m', n)
}

// enableMeta switches the operational events of the world's project on.
func (w *world) enableMeta(on bool) {
	w.t.Helper()
	_, err := w.catalog.UpdateProject(w.project, func(p *event.Project) error {
		p.Config.MetaEvent = event.MetaEventConfig{IsEnabled: on, Type: "http", URL: "https://example.com/meta", Secret: "s3cret"}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestMetaEvents(t *testing.T) {
	w := newWorld(t)
	w.addEvent(w.project, 1) // not one of them
	w.addMetaEvent(1, event.Success)
	w.addMetaEvent(2, event.Scheduled)
	a := w.do("GET", w.in("/meta-events"), "")
	w.want(a, 200, "Meta events fetched successfully")
	compareGolden(t, "meta-events", []byte(a.body))
	a = w.do("GET", w.in("/meta-events/%s", id('m', 1)), "")
	w.want(a, 200, "Meta event fetched successfully")
	if !strings.Contains(a.body, `"data":`+metaData) || a.field("project_id") != w.project.String() || a.field("attempt", "http_status") != "200 OK" {
		t.Errorf("got %s", a.body)
	}
	if got := w.rows(w.in("/meta-events?startDate=%s", epoch.Add(2*time.Second).Format(dateLayout))); len(got.Content) != 1 {
		t.Errorf("%d meta events of the last second", len(got.Content))
	}
	for _, path := range []string{"/events", "/eventdeliveries"} {
		if got := w.rows(w.in("%s", path)); len(got.Content) > 1 {
			t.Errorf("%s shows meta events", path)
		}
	}
}

func TestResendMetaEvent(t *testing.T) {
	for _, c := range []struct {
		status event.Status
		force  bool
	}{{event.Success, true}, {event.Failure, false}, {event.Discarded, false}} {
		w := newWorld(t)
		w.enableMeta(true)
		w.addMetaEvent(1, c.status)
		a := w.do("PUT", w.in("/meta-events/%s/resend", id('m', 1)), `"{}"`)
		w.want(a, 200, "Meta event processed for retry successfully")
		if a.field("uid") != id('m', 1).String() || a.field("status") != "Scheduled" {
			t.Errorf("%s: the meta event is not shown as it is now: %s", c.status, a.body)
		}
		want := []workCall{{project: event.MetaProject(w.project), ids: []event.ID{id('n', 1)}, force: c.force}}
		if !reflect.DeepEqual(w.work.calls, want) {
			t.Errorf("%s: calls %v, want %v", c.status, w.work.calls, want)
		}
	}
}

func TestResendMetaEventRefused(t *testing.T) {
	w := newWorld(t)
	w.enableMeta(true)
	w.addMetaEvent(1, event.Scheduled)
	w.work.refuse = func(event.ID) error {
		return &event.StateError{Reason: "cannot resend event that did not fail previously"}
	}
	w.want(w.do("PUT", w.in("/meta-events/%s/resend", id('m', 1)), ""), 400, "cannot resend event that did not fail previously")
	w.want(w.do("PUT", w.in("/meta-events/%s/resend", id('m', 2)), ""), 404, "Resource not found")

	w.log.addEvent(&event.Event{ID: id('m', 3), ProjectID: event.MetaProject(w.project), Type: event.MetaEndpointDeleted, Origin: event.Meta})
	w.want(w.do("PUT", w.in("/meta-events/%s/resend", id('m', 3)), ""), 400, "the delivery of this meta event is gone; it cannot be resent")
	if a := w.do("GET", w.in("/meta-events/%s", id('m', 3)), ""); a.field("status") != "Discarded" || a.field("attempt") != nil {
		t.Errorf("without a delivery: %s", a.body)
	}

	w.enableMeta(false)
	w.want(w.do("PUT", w.in("/meta-events/%s/resend", id('m', 1)), ""), 400,
		"config.meta_event.is_enabled: is false, so this project's meta events are not sent; set it to true and resend then")
}

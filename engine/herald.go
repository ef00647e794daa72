package engine

import (
	"context"
	"encoding/json"
	"runtime/pprof"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

const (
	// heraldQueue is how many operational events may wait to be written.
	heraldQueue = 4096
	// heraldBatch is how many are written at once.
	heraldBatch = 256
)

// herald turns what happens in a project into operational events: events of the
// engine's own, which are stored and delivered as all others are, under the
// project's event.MetaProject and to its event.MetaEndpoint.
//
// They are written behind what they tell of. So a crash may swallow those of its last
// moment; while the process runs, none is left out: who has news waits for room.
type herald struct {
	news chan news
}

// news is an operational event that is to be written.
type news struct {
	project event.ID // whose it is
	kind    string
	data    any
	at      time.Time
}

func (h *herald) init() { h.news = make(chan news, heraldQueue) }

// tell hands news to the herald. It blocks while there is no room, and drops them
// only once the engine has stopped.
func (e *Engine) tell(n news) {
	select {
	case e.herald.news <- n:
	case <-e.stop:
	}
}

// heraldLoop writes news until the engine stops, and then what is left.
func (e *Engine) heraldLoop() {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("posthaste", "herald")))
	for {
		select {
		case n := <-e.herald.news:
			e.publish(n)
		case <-e.stop:
			for len(e.herald.news) > 0 {
				e.publish(<-e.herald.news)
			}
			return
		}
	}
}

// publish writes n, and what else waits.
func (e *Engine) publish(n news) {
	snap := e.o.Catalog.Snapshot()
	subs := appendNews(nil, snap, n)
	for len(e.herald.news) > 0 && len(subs) < heraldBatch {
		subs = appendNews(subs, snap, <-e.herald.news)
	}
	if len(subs) == 0 {
		return
	}
	if err := e.o.Store.Append(context.Background(), subs); err != nil {
		e.o.Logger.Error().Err(err).Int("events", len(subs)).Msg("operational events were not written")
	}
}

// appendNews appends n as an event, if the project still wants such.
func appendNews(subs []event.Submission, snap *catalog.Snapshot, n news) []event.Submission {
	p, ep := snap.Project(event.MetaProject(n.project)), snap.Endpoint(event.MetaEndpoint(n.project))
	if p == nil || ep == nil {
		return subs
	}
	data, err := json.Marshal(map[string]any{"event_type": n.kind, "data": n.data})
	if err != nil {
		return subs
	}
	return append(subs, event.Submission{Event: event.Event{
		ProjectID: p.ID, Type: n.kind, Data: data, ReceivedAt: n.at, Origin: event.Meta,
		Owed: []event.Delivery{{EndpointID: ep.ID, Status: event.Scheduled}},
	}})
}

// tellDelivery tells of a delivery's new state. a is nil if no attempt led to it.
func (e *Engine) tellDelivery(p *catalog.Project, d *event.Delivery, a *event.Attempt) {
	if !p.Config.MetaEvent.IsEnabled || p.IsMeta() {
		return
	}
	kinds := [...]string{event.MetaDeliveryUpdated, outcomeKind(d), exhaustedKind(d)}
	var report *deliveryReport
	for _, kind := range kinds {
		if kind == "" || !p.WantsMeta(kind) {
			continue
		}
		if report == nil {
			report = reportOf(d, a)
		}
		e.tell(news{p.ID, kind, report, d.UpdatedAt})
	}
}

func outcomeKind(d *event.Delivery) string {
	switch d.Status {
	case event.Success:
		return event.MetaDeliverySuccess
	case event.Failure:
		return event.MetaDeliveryFailed
	}
	return ""
}

func exhaustedKind(d *event.Delivery) string {
	if d.Status == event.Failure && d.Attempts >= d.Limit {
		return event.MetaDeliveryExhausted
	}
	return ""
}

// deliveryReport is the data of an operational event about a delivery.
type deliveryReport struct {
	ID             event.ID       `json:"uid"`
	ProjectID      event.ID       `json:"project_id"`
	EventID        event.ID       `json:"event_id"`
	EndpointID     event.ID       `json:"endpoint_id"`
	SubscriptionID event.ID       `json:"subscription_id"`
	Status         string         `json:"status"`
	Attempts       int            `json:"num_trials"`
	Limit          int            `json:"retry_limit"`
	NextSendTime   *time.Time     `json:"next_send_time"`
	Description    string         `json:"description"`
	UpdatedAt      time.Time      `json:"updated_at"`
	Attempt        *attemptReport `json:"attempt"`
}

type attemptReport struct {
	Number     int       `json:"number"`
	Manual     bool      `json:"manual"`
	URL        string    `json:"url"`
	HTTPStatus int       `json:"http_status"`
	Class      string    `json:"error_class"`
	Error      string    `json:"error"`
	StartedAt  time.Time `json:"requested_at"`
	Millis     int64     `json:"duration_ms"`
}

func reportOf(d *event.Delivery, a *event.Attempt) *deliveryReport {
	r := &deliveryReport{
		ID: d.ID, ProjectID: d.ProjectID, EventID: d.EventID, EndpointID: d.EndpointID, SubscriptionID: d.SubscriptionID,
		Status: d.Status.String(), Attempts: d.Attempts, Limit: d.Limit, Description: d.Reason, UpdatedAt: d.UpdatedAt,
	}
	if !d.Due.IsZero() {
		due := d.Due // d is the worker's, and used again
		r.NextSendTime = &due
	}
	if a != nil {
		r.Attempt = &attemptReport{a.Number, a.Manual, a.URL, a.StatusCode, a.Class.String(), a.Error, a.StartedAt, a.Duration.Milliseconds()}
	}
	return r
}

// endpointReport is the data of an operational event about an endpoint.
type endpointReport struct {
	ID        event.ID             `json:"uid"`
	ProjectID event.ID             `json:"project_id"`
	OwnerID   string               `json:"owner_id"`
	Name      string               `json:"name"`
	URL       string               `json:"url"`
	Status    event.EndpointStatus `json:"status"`
	Reason    string               `json:"reason"` // of the last change of its state
	UpdatedAt time.Time            `json:"updated_at"`
}

// tellEndpoint tells of a change of an endpoint.
func (e *Engine) tellEndpoint(c catalog.Change) {
	p := e.o.Catalog.Snapshot().Project(c.ProjectID)
	if p == nil || !p.Config.MetaEvent.IsEnabled {
		return
	}
	ep := c.After
	if ep == nil {
		ep = c.Before
	}
	if ep == nil {
		return
	}
	for _, kind := range kindsOf(c) {
		if p.WantsMeta(kind) {
			e.tell(news{p.ID, kind, reportOfEndpoint(ep), time.Now().UTC()})
		}
	}
}

// kindsOf lists what a change of an endpoint is called.
func kindsOf(c catalog.Change) []string {
	switch {
	case c.Deleted:
		return []string{event.MetaEndpointDeleted}
	case c.Before == nil:
		return []string{event.MetaEndpointCreated}
	}
	kinds := []string{event.MetaEndpointUpdated}
	was, is := c.Before.Status, c.After.Status
	switch {
	case was != is && is == event.EndpointInactive:
		kinds = append(kinds, event.MetaEndpointDisabled)
	case was != is && is == event.EndpointActive:
		kinds = append(kinds, event.MetaEndpointEnabled)
	}
	return kinds
}

func reportOfEndpoint(ep *catalog.Endpoint) *endpointReport {
	r := &endpointReport{ep.ID, ep.ProjectID, ep.OwnerID, ep.Name, ep.URL, ep.Status, "", ep.UpdatedAt.Time()}
	if n := len(ep.StatusHistory); n > 0 {
		r.Reason = ep.StatusHistory[n-1].Reason
	}
	return r
}

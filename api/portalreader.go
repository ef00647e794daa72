package api

import (
	"posthaste/event"
)

// portalReader is a Reader for a portal grant: what goes to no endpoint within the
// grant's reach is absent. It serves one request, in one goroutine.
type portalReader struct {
	inner Reader
	reach *reach
	given map[event.ID]bool // the events of deliveries that were handed out
}

// Event is an event of which a delivery goes to an endpoint within reach.
func (p *portalReader) Event(project, id event.ID) (*event.Event, error) {
	if project != p.reach.grant.ProjectID {
		return nil, event.ErrNotFound
	}
	if !p.given[id] {
		deliveries, _, err := p.Deliveries(project, event.Range{Limit: 1}, event.DeliveryFilter{EventID: id})
		if err != nil {
			return nil, err
		}
		if len(deliveries) == 0 {
			return nil, event.ErrNotFound
		}
	}
	e, err := p.inner.Event(project, id)
	if err != nil {
		return nil, err
	}
	return p.narrow(e), nil
}

// Events are those that Event would return.
func (p *portalReader) Events(project event.ID, r event.Range, f event.EventFilter) ([]*event.Event, event.Scan, error) {
	var ok bool
	if f.Endpoints, ok = p.reach.among(f.Endpoints); !ok || project != p.reach.grant.ProjectID {
		return nil, event.Scan{}, nil
	}
	events, scan, err := p.inner.Events(project, r, f)
	narrowed := make([]*event.Event, len(events))
	for i, e := range events {
		narrowed[i] = p.narrow(e)
	}
	return narrowed, scan, err
}

// narrow is an event that is owed to the endpoints within reach, and to no others.
func (p *portalReader) narrow(e *event.Event) *event.Event {
	if e.Owed == nil {
		return e
	}
	own := *e
	own.Owed = []event.Delivery{}
	for _, d := range e.Owed {
		if p.reach.has(d.EndpointID) {
			own.Owed = append(own.Owed, d)
		}
	}
	return &own
}

// Delivery is one that goes to an endpoint within reach.
func (p *portalReader) Delivery(project, id event.ID) (event.Delivery, error) {
	if project != p.reach.grant.ProjectID {
		return event.Delivery{}, event.ErrNotFound
	}
	d, err := p.inner.Delivery(project, id)
	if err != nil {
		return event.Delivery{}, err
	}
	if !p.reach.has(d.EndpointID) {
		return event.Delivery{}, event.ErrNotFound
	}
	p.note(d)
	return d, nil
}

// Deliveries are those that Delivery would return.
func (p *portalReader) Deliveries(project event.ID, r event.Range, f event.DeliveryFilter) ([]event.Delivery, event.Scan, error) {
	var ok bool
	if f.Endpoints, ok = p.reach.among(f.Endpoints); !ok || project != p.reach.grant.ProjectID {
		return nil, event.Scan{}, nil
	}
	deliveries, scan, err := p.inner.Deliveries(project, r, f)
	for _, d := range deliveries {
		p.note(d)
	}
	return deliveries, scan, err
}

// note remembers that an event goes to an endpoint within reach.
func (p *portalReader) note(d event.Delivery) {
	if p.given == nil {
		p.given = make(map[event.ID]bool)
	}
	p.given[d.EventID] = true
}

// Attempts are those of a delivery that Delivery would return.
func (p *portalReader) Attempts(project, delivery event.ID) ([]event.Attempt, error) {
	if _, err := p.Delivery(project, delivery); err != nil {
		return nil, err
	}
	return p.inner.Attempts(project, delivery)
}

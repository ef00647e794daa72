package api

import (
	"net/http"

	"posthaste/event"
)

// maxEndpointsInList bounds the endpoints shown of each event in a list; an event
// that is asked for alone shows all.
const maxEndpointsInList = 100

// eventRow is an event and the endpoints that it is owed to.
type eventRow struct {
	event     *event.Event
	endpoints []event.ID
}

func (a *API) listEvents(c *call) (reply, error) {
	q, filter, err := parseEventQuery(c.r.URL.Query())
	if err != nil {
		return reply{}, err
	}
	p, err := readPage(q, a.eventListing(c, filter), a.o.MaxPageBytes)
	if err != nil {
		return reply{}, err
	}
	data, err := p.encode(func(dst []byte, e *event.Event) ([]byte, error) {
		return a.appendEvent(dst, c, e, maxEndpointsInList)
	})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "App events fetched successfully", data)
}

func (a *API) eventListing(c *call, filter event.EventFilter) listing[*event.Event] {
	return listing[*event.Event]{
		scan: func(r event.Range) ([]*event.Event, event.Scan, error) {
			return a.o.Reader.Events(c.project.ID, r, filter)
		},
		id:     func(e *event.Event) event.ID { return e.ID },
		bytes:  func(e *event.Event) int { return int(e.SizeBytes()) },
		budget: a.budgetOf(&filter),
	}
}

// budgetOf is larger where each row has to be looked through.
func (a *API) budgetOf(f *event.EventFilter) int {
	if f.Query != "" || len(f.Body) > 0 {
		return a.o.MaxSearchRows
	}
	return a.o.MaxScanRows
}

func (a *API) getEvent(c *call) (reply, error) {
	e, err := a.event(c)
	if err != nil {
		return reply{}, err
	}
	return a.showEvent(c, e, "Endpoint event fetched successfully")
}

// event is the event in the path, if the project has it. A replay is not: it goes
// by the event that it repeats.
func (a *API) event(c *call) (*event.Event, error) {
	id, err := pathID(c.r, "eventID")
	if err != nil {
		return nil, err
	}
	e, err := a.o.Reader.Event(c.project.ID, id)
	if err == nil && e.Origin == event.Replayed {
		return nil, event.ErrNotFound
	}
	return e, err
}

// showEvent answers with one event.
func (a *API) showEvent(c *call, e *event.Event, message string) (reply, error) {
	data, err := a.appendEvent(nil, c, e, event.MaxFanout)
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, message, verbatim(data))
}

func (a *API) appendEvent(dst []byte, c *call, e *event.Event, maxEndpoints int) ([]byte, error) {
	endpoints, err := a.endpointsOf(e, maxEndpoints)
	if err != nil {
		return nil, err
	}
	v := newEventView(eventRow{e, endpoints}, c.snap)
	c.conceal(v.Headers, &v.URLPath, &v.URLQueryParams)
	v.SourceMetadata = a.sourceMetadata(c.snap, e.ProjectID, e.SourceID)
	return appendEventView(dst, v, e.Data)
}

// endpointsOf lists the endpoints that an event is owed to, each once, out of at
// most limit deliveries. Those of its replays come last.
func (a *API) endpointsOf(e *event.Event, limit int) ([]event.ID, error) {
	if e.Origin == event.Duplicate {
		return []event.ID{}, nil
	}
	owed := e.Owed
	if owed == nil {
		var err error
		owed, _, err = a.o.Reader.Deliveries(e.ProjectID, event.Range{Limit: limit}, event.DeliveryFilter{EventID: e.ID})
		if err != nil {
			return nil, err
		}
	}
	owed = owed[:min(len(owed), limit)]
	ids, seen := make([]event.ID, 0, len(owed)), make(map[event.ID]bool, len(owed))
	for i := range owed {
		if id := owed[i].EndpointID; !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, nil
}

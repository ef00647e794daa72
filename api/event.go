package api

import (
	"net/http"
	"net/url"

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
	p, err := readPage(q, listing[*event.Event]{
		fetch: func(r event.Range) ([]*event.Event, error) {
			return a.o.Reader.Events(c.project.ID, r, filter)
		},
		id:    func(e *event.Event) event.ID { return e.ID },
		bytes: func(e *event.Event) int { return int(e.SizeBytes()) },
	}, a.o.MaxPageBytes)
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

// parseEventQuery reads what selects events, and how they are paged.
func parseEventQuery(params url.Values) (pageQuery, event.EventFilter, error) {
	q, err := parseDatedQuery(params)
	if err != nil {
		return pageQuery{}, event.EventFilter{}, err
	}
	filter, err := parseEventFilter(params)
	return q, filter, err
}

func parseEventFilter(params url.Values) (f event.EventFilter, err error) {
	if err = refuseParams(params, "sourceId", "query", "body", "brokerMessageId"); err != nil {
		return f, err
	}
	f.IdempotencyKey, f.OwnerID = params.Get("idempotencyKey"), params.Get("ownerId")
	f.Endpoints, err = idParams(params, "endpointId")
	return f, err
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
	return appendEventView(dst, newEventView(eventRow{e, endpoints}, c.snap), e.Data)
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
		owed, err = a.o.Reader.Deliveries(e.ProjectID, event.Range{Limit: limit}, event.DeliveryFilter{EventID: e.ID})
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

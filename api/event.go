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
	params := c.r.URL.Query()
	q, err := parseDatedQuery(params)
	if err != nil {
		return reply{}, err
	}
	filter, err := parseEventFilter(params)
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

func parseEventFilter(params url.Values) (f event.EventFilter, err error) {
	if err = refuseParams(params, "sourceId", "query", "body", "brokerMessageId"); err != nil {
		return f, err
	}
	f.IdempotencyKey, f.OwnerID = params.Get("idempotencyKey"), params.Get("ownerId")
	f.Endpoints, err = idParams(params, "endpointId")
	return f, err
}

func (a *API) getEvent(c *call) (reply, error) {
	id, err := pathID(c.r, "eventID")
	if err != nil {
		return reply{}, err
	}
	e, err := a.o.Reader.Event(c.project.ID, id)
	if err != nil {
		return reply{}, err
	}
	data, err := a.appendEvent(nil, c, e, event.MaxFanout)
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Endpoint event fetched successfully", verbatim(data))
}

func (a *API) appendEvent(dst []byte, c *call, e *event.Event, maxEndpoints int) ([]byte, error) {
	endpoints, err := a.endpointsOf(e, maxEndpoints)
	if err != nil {
		return nil, err
	}
	return appendEventView(dst, newEventView(eventRow{e, endpoints}, c.snap), e.Data)
}

// endpointsOf lists the endpoints that an event is owed to, at most limit of them.
func (a *API) endpointsOf(e *event.Event, limit int) ([]event.ID, error) {
	owed := e.Owed
	if owed == nil {
		var err error
		owed, err = a.o.Reader.Deliveries(e.ProjectID, event.Range{Limit: limit}, event.DeliveryFilter{EventID: e.ID})
		if err != nil {
			return nil, err
		}
	}
	owed = owed[:min(len(owed), limit)]
	ids := make([]event.ID, len(owed))
	for i := range owed {
		ids[i] = owed[i].EndpointID
	}
	return ids, nil
}

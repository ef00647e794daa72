package api

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"posthaste/event"
)

// deliveryRow is a delivery and its event; the event is nil if it is gone.
type deliveryRow struct {
	event.Delivery
	event *event.Event
}

// bytes is what a row costs: the event is shown in each, as text and as JSON.
func (d deliveryRow) bytes() int {
	if d.event == nil {
		return 256
	}
	return int(d.event.SizeBytes())
}

func (a *API) listDeliveries(c *call) (reply, error) {
	q, filter, err := parseDeliveryQuery(c.r.URL.Query())
	if err != nil {
		return reply{}, err
	}
	events := a.eventCache(c)
	p, err := readPage(q, listing[deliveryRow]{
		fetch: func(r event.Range) ([]deliveryRow, error) {
			deliveries, err := a.o.Reader.Deliveries(c.project.ID, r, filter)
			if err != nil {
				return nil, err
			}
			return events.rows(deliveries)
		},
		id:    func(d deliveryRow) event.ID { return d.ID },
		bytes: deliveryRow.bytes,
	}, a.o.MaxPageBytes)
	if err != nil {
		return reply{}, err
	}
	data, err := p.encode(func(dst []byte, d deliveryRow) ([]byte, error) {
		return a.appendDelivery(dst, c, d)
	})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Event deliveries fetched successfully", data)
}

func (a *API) getDelivery(c *call) (reply, error) {
	d, err := a.delivery(c)
	if err != nil {
		return reply{}, err
	}
	return a.showDelivery(c, d, "Event Delivery fetched successfully")
}

// showDelivery answers with one delivery.
func (a *API) showDelivery(c *call, d event.Delivery, message string) (reply, error) {
	rows, err := a.eventCache(c).rows([]event.Delivery{d})
	if err != nil {
		return reply{}, err
	}
	data, err := a.appendDelivery(nil, c, rows[0])
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, message, verbatim(data))
}

// delivery is the delivery in the path, if the project has it.
func (a *API) delivery(c *call) (event.Delivery, error) {
	id, err := pathID(c.r, "eventDeliveryID")
	if err != nil {
		return event.Delivery{}, err
	}
	return a.o.Reader.Delivery(c.project.ID, id)
}

// parseDeliveryQuery reads what selects deliveries, and how they are paged.
func parseDeliveryQuery(params url.Values) (pageQuery, event.DeliveryFilter, error) {
	q, err := parseDatedQuery(params)
	if err != nil {
		return pageQuery{}, event.DeliveryFilter{}, err
	}
	filter, err := parseDeliveryFilter(params)
	return q, filter, err
}

// parseDeliveryFilter takes the event type under both names that clients use.
func parseDeliveryFilter(params url.Values) (f event.DeliveryFilter, err error) {
	if err = refuseParams(params, "idempotencyKey", "brokerMessageId"); err != nil {
		return f, err
	}
	if f.Endpoints, err = idParams(params, "endpointId"); err != nil {
		return f, err
	}
	if f.EventID, err = idParam(params, "eventId"); err != nil {
		return f, err
	}
	if f.SubscriptionID, err = idParam(params, "subscriptionId"); err != nil {
		return f, err
	}
	if f.EventType = params.Get("eventType"); f.EventType == "" {
		f.EventType = params.Get("event_type")
	}
	f.Statuses, err = statusParams(params)
	return f, err
}

func statusParams(params url.Values) ([]event.Status, error) {
	var statuses []event.Status
	for _, text := range params["status"] {
		if text == "" {
			continue
		}
		s, ok := event.ParseStatus(text)
		if !ok {
			return nil, event.Invalid("status", "want one of %s", strings.Join(statusNames(), ", "))
		}
		statuses = append(statuses, s)
	}
	return statuses, nil
}

func statusNames() []string {
	var names []string
	for s := event.Scheduled; s <= event.Discarded; s++ {
		names = append(names, s.String())
	}
	return names
}

// eventCache reads each event of one request once. One goroutine uses it.
type eventCache struct {
	reader  Reader
	project event.ID
	seen    map[event.ID]*event.Event // nil for one that is gone
}

func (a *API) eventCache(c *call) *eventCache {
	return &eventCache{reader: a.o.Reader, project: c.project.ID, seen: make(map[event.ID]*event.Event)}
}

func (c *eventCache) rows(deliveries []event.Delivery) ([]deliveryRow, error) {
	rows := make([]deliveryRow, len(deliveries))
	for i, d := range deliveries {
		e, err := c.get(d.EventID)
		if err != nil {
			return nil, err
		}
		rows[i] = deliveryRow{d, e}
	}
	return rows, nil
}

func (c *eventCache) get(id event.ID) (*event.Event, error) {
	if e, ok := c.seen[id]; ok {
		return e, nil
	}
	e, err := c.reader.Event(c.project, id)
	if errors.Is(err, event.ErrNotFound) {
		e, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	c.seen[id] = e
	return e, nil
}

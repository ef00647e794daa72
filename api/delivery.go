package api

import (
	"errors"
	"net/http"

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
	q, filter, err := parseDeliveryQuery(c)
	if err != nil {
		return reply{}, err
	}
	deliveries, search, err := a.deliveriesThat(c, filter, searchParam(c), 1)
	if err != nil {
		return reply{}, err
	}
	events := a.eventCache(c)
	p, err := readPage(q, listing[deliveryRow]{
		scan: func(r event.Range) ([]deliveryRow, event.Scan, error) {
			found, scan, err := deliveries.scan(r)
			if err != nil {
				return nil, scan, err
			}
			rows, err := events.rows(found)
			return rows, scan, err
		},
		id:     func(d deliveryRow) event.ID { return d.ID },
		bytes:  deliveryRow.bytes,
		budget: deliveries.budget,
	}, a.o.MaxPageBytes)
	if err != nil {
		return reply{}, err
	}
	if search != nil && !c.grant.Portal { // how much was read tells of other owners
		p.search = searchView{search.query.Terms(), p.looked}
	}
	data, err := p.encode(func(dst []byte, d deliveryRow) ([]byte, error) {
		return a.appendDelivery(dst, c, d)
	})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Event deliveries fetched successfully", data)
}

func (a *API) deliveryListing(c *call, filter event.DeliveryFilter) listing[event.Delivery] {
	return listing[event.Delivery]{
		scan: func(r event.Range) ([]event.Delivery, event.Scan, error) {
			return a.o.Reader.Deliveries(c.project.ID, r, filter)
		},
		id:     func(d event.Delivery) event.ID { return d.ID },
		budget: a.o.MaxScanRows,
	}
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

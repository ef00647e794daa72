package api

import (
	"net/http"

	"posthaste/event"
)

// metaRow is an operational event, its delivery and that one's last attempt. It has
// neither once they are gone, and no attempt before the first.
type metaRow struct {
	event    *event.Event
	delivery *event.Delivery
	attempt  *event.Attempt
}

// bytes is what a row costs: the event is shown as text and as JSON.
func (m metaRow) bytes() int {
	n := int(m.event.SizeBytes())
	if a := m.attempt; a != nil {
		n += len(a.RequestHeaders) + len(a.ResponseHeaders) + len(a.ResponseBody)
	}
	return n
}

func (a *API) listMetaEvents(c *call) (reply, error) {
	q, err := parseDatedQuery(c.r.URL.Query())
	if err != nil {
		return reply{}, err
	}
	p, err := readPage(q, listing[metaRow]{
		fetch: func(r event.Range) ([]metaRow, error) { return a.metaRows(c, r) },
		id:    func(m metaRow) event.ID { return m.event.ID },
		bytes: metaRow.bytes,
	}, a.o.MaxPageBytes)
	if err != nil {
		return reply{}, err
	}
	data, err := p.encode(func(dst []byte, m metaRow) ([]byte, error) { return a.appendMetaEvent(dst, c, m) })
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Meta events fetched successfully", data)
}

func (a *API) getMetaEvent(c *call) (reply, error) {
	m, err := a.metaEvent(c)
	if err != nil {
		return reply{}, err
	}
	return a.showMetaEvent(c, m, "Meta event fetched successfully")
}

// resendMetaEvent sends an operational event once more, also one that was taken.
func (a *API) resendMetaEvent(c *call) (reply, error) {
	m, err := a.metaEvent(c)
	if err != nil {
		return reply{}, err
	}
	if !c.project.Config.MetaEvent.IsEnabled {
		return reply{}, event.Invalid("config.meta_event.is_enabled", "is false, so this project's meta events are not sent; set it to true and resend then")
	}
	if m.delivery == nil {
		return reply{}, event.Invalid("", "the delivery of this meta event is gone; it cannot be resent")
	}
	if err := a.retryOne(c, event.MetaProject(c.project.ID), m.delivery.ID, m.delivery.Status == event.Success); err != nil {
		return reply{}, err
	}
	c.did("delivery.retry", "delivery", m.delivery.ID, "")
	if m, err = a.metaRow(c, m.event); err != nil {
		return reply{}, err
	}
	return a.showMetaEvent(c, m, "Meta event processed for retry successfully")
}

// metaEvent is the operational event in the path, if the project has it.
func (a *API) metaEvent(c *call) (metaRow, error) {
	id, err := pathID(c.r, "metaEventID")
	if err != nil {
		return metaRow{}, err
	}
	e, err := a.o.Reader.Event(event.MetaProject(c.project.ID), id)
	if err != nil {
		return metaRow{}, err
	}
	return a.metaRow(c, e)
}

func (a *API) metaRows(c *call, r event.Range) ([]metaRow, error) {
	events, _, err := a.o.Reader.Events(event.MetaProject(c.project.ID), r, event.EventFilter{})
	if err != nil {
		return nil, err
	}
	rows := make([]metaRow, len(events))
	for i, e := range events {
		if rows[i], err = a.metaRow(c, e); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func (a *API) metaRow(c *call, e *event.Event) (metaRow, error) {
	project := event.MetaProject(c.project.ID)
	deliveries, _, err := a.o.Reader.Deliveries(project, event.Range{Limit: 1}, event.DeliveryFilter{EventID: e.ID})
	if err != nil || len(deliveries) == 0 {
		return metaRow{event: e}, err
	}
	row := metaRow{event: e, delivery: &deliveries[0]}
	attempts, err := a.o.Reader.Attempts(project, deliveries[0].ID)
	if n := len(attempts); n > 0 {
		row.attempt = &attempts[n-1]
	}
	return row, err
}

func (a *API) showMetaEvent(c *call, m metaRow, message string) (reply, error) {
	data, err := a.appendMetaEvent(nil, c, m)
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, message, verbatim(data))
}

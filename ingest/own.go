package ingest

import "posthaste/event"

// own copies what the accepted items keep out of the request, each byte once,
// and makes their submissions. Nothing else of the body is kept, and each event has
// memory of its own: one that waits for long holds on to nothing but itself.
func (r *request) own() {
	count := 0
	for i := range r.items {
		if r.items[i].no == nil {
			count++
		}
	}
	if count == 0 {
		return
	}
	r.subs = make([]event.Submission, 0, count)
	for i := range r.items {
		if it := &r.items[i]; it.no == nil {
			r.subs = append(r.subs, r.addressed(it))
			r.ownItem(&r.subs[len(r.subs)-1].Event, it)
		}
	}
}

// addressed is a submission without its event.
func (r *request) addressed(it *item) event.Submission {
	sub := event.Submission{To: it.to}
	switch it.to {
	case event.ToEndpoint:
		sub.EndpointID = it.target
	case event.ToApp:
		sub.AppID = it.target
	case event.ToDynamic:
		sub.Dynamic = r.dynamic.own()
	}
	return sub
}

func (r *request) ownItem(e *event.Event, it *item) {
	w := make(room, 0, it.size(r.headers))
	e.ProjectID, e.ReceivedAt = r.project, r.receivedAt
	e.Data = w.copy(it.data)
	e.Type = stringOf(w.copy(it.eventType))
	e.IdempotencyKey = stringOf(w.copy(it.key))
	e.OwnerID = stringOf(w.copy(it.owner))
	if it.headersFrom == it.headersTo {
		return
	}
	e.Headers = make([]event.Header, 0, it.headersTo-it.headersFrom)
	for _, h := range r.headers[it.headersFrom:it.headersTo] {
		e.Headers = append(e.Headers, event.Header{Name: stringOf(w.copy(h.name)), Value: stringOf(w.copy(h.value))})
	}
}

// size is the number of bytes that the item's event keeps.
func (it *item) size(headers []headerSpan) int {
	n := len(it.data) + len(it.eventType) + len(it.key) + len(it.owner)
	for _, h := range headers[it.headersFrom:it.headersTo] {
		n += len(h.name) + len(h.value)
	}
	return n
}

// room is memory of one event, filled from the front.
type room []byte

// copy puts b into the room and returns it there.
func (w *room) copy(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	n := len(*w)
	*w = append(*w, b...)
	return (*w)[n:len(*w):len(*w)]
}

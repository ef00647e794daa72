package ingest

import "posthaste/event"

// own copies what the accepted items keep out of the request, each byte once,
// and makes their submissions. Nothing else of the body is kept: an event that
// waits for long does not hold on to the request it came in.
func (r *request) own() {
	count, size := 0, 0
	for i := range r.items {
		if it := &r.items[i]; it.no == nil {
			count++
			size += it.size(r.headers)
		}
	}
	if count == 0 {
		return
	}
	r.subs = make([]event.Submission, 0, count)
	a := arena{rest: size}
	for i := range r.items {
		if it := &r.items[i]; it.no == nil {
			r.subs = append(r.subs, r.addressed(it))
			r.ownItem(&r.subs[len(r.subs)-1].Event, it, &a)
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

func (r *request) ownItem(e *event.Event, it *item, a *arena) {
	w := a.reserve(it.size(r.headers))
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

// chunkBytes is how much memory events of a batch share: few allocations, and
// an event that outlives the others holds on to no more than this. The largest
// size that the allocator serves without a page run of its own.
const chunkBytes = 32 << 10

// arena hands out memory for the events of one request, in chunks.
type arena struct {
	chunk []byte // its free part is what lies beyond its length
	rest  int    // bytes still to be asked for
}

// room is memory of one event, filled from the front.
type room []byte

// reserve gives size bytes. An event that is large has memory of its own.
func (a *arena) reserve(size int) room {
	a.rest -= size
	if size > chunkBytes/4 {
		return make(room, 0, size)
	}
	if cap(a.chunk)-len(a.chunk) < size {
		a.chunk = make([]byte, 0, min(size+a.rest, chunkBytes))
	}
	n := len(a.chunk)
	a.chunk = a.chunk[:n+size]
	return room(a.chunk[n : n : n+size])
}

// copy puts b into the room and returns it there.
func (w *room) copy(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	n := len(*w)
	*w = append(*w, b...)
	return (*w)[n:len(*w):len(*w)]
}

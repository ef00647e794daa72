package ingest

import (
	"sync"
	"time"

	"posthaste/event"
	"posthaste/internal/jsonscan"
)

// request is everything that one request needs while it is served. It is kept
// for the next one, so that serving allocates only what the events keep.
type request struct {
	route      route
	project    event.ID
	maxData    int
	requireKey bool
	receivedAt time.Time

	items   []item       // one for each event of the request, in order
	headers []headerSpan // custom headers of all items, one after the other
	subs    []event.Submission
	err     error // of the engine, for all of them
	results bool  // a refusal lists the items' results, too
	dynamic dynamic
	stands  standing // with the limits on what is taken in

	batch, member, header jsonscan.Scanner
	out                   []byte // the answer's body
}

// item is one event of a request. Its byte slices are spans of the body, valid
// until own has copied them.
type item struct {
	no  *refusal          // nil as long as nothing speaks against the event
	sub *event.Submission // set once the engine has spoken, nil before and for an item refused earlier

	data, eventType, key, owner []byte
	to                          event.Addressee
	target                      event.ID // the endpoint or the application
	headersFrom, headersTo      int      // in request.headers
}

type headerSpan struct{ name, value []byte }

// parse takes the events out of the body, copies what they keep, and makes the
// submissions. It refuses the request as a whole, or else single items.
func (r *request) parse(m media, body []byte) *refusal {
	no := r.scan(m, body)
	if no == nil {
		r.own()
	}
	return no
}

func (r *request) scan(m media, body []byte) *refusal {
	switch {
	case r.route != routeBatch:
		return r.scanSingle(body)
	case m == mediaNDJSON:
		return r.scanLines(body)
	default:
		return r.scanArray(body)
	}
}

// requestPool keeps requests for reuse.
type requestPool struct{ pool sync.Pool }

// Above these a request's buffers are dropped after use rather than kept.
const (
	keepItems    = 256
	keepHeaders  = 512
	keepOutBytes = 64 << 10
)

func (p *requestPool) get() *request {
	if r, ok := p.pool.Get().(*request); ok {
		return r
	}
	return new(request)
}

// put takes a request back. It clears everything that refers to memory of the
// request or of its events.
func (p *requestPool) put(r *request) {
	clear(r.items)
	clear(r.headers)
	r.items, r.headers, r.out = r.items[:0], r.headers[:0], r.out[:0]
	r.subs, r.err, r.results, r.stands = nil, nil, false, standing{}
	r.dynamic.release()
	r.batch.Release()
	r.member.Release()
	r.header.Release()
	if cap(r.items) > keepItems {
		r.items = nil
	}
	if cap(r.headers) > keepHeaders {
		r.headers = nil
	}
	if cap(r.out) > keepOutBytes {
		r.out = nil
	}
	p.pool.Put(r)
}

package ingest

import (
	"context"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

// Ingest serves the routes that take events. It has no goroutine of its own.
type Ingest struct {
	o        Options
	ids      *requestIDs
	inflater *inflater
	requests requestPool
}

// New makes an Ingest. It panics if a required option is missing.
func New(o Options) *Ingest {
	o.ensureDefaults()
	return &Ingest{
		o:        o,
		ids:      newRequestIDs(),
		inflater: newInflater(o.MaxInflating, o.MaxRequestBytes),
	}
}

// Handle answers the request if it is for one of ingest's routes: POST to
// /api/v1/projects/{project}/events, .../events/fanout or .../events/batch,
// spelt exactly so. It returns false, with ctx untouched, for any other. It may
// be called from any goroutine and keeps nothing of ctx.
func (in *Ingest) Handle(ctx *fasthttp.RequestCtx) bool {
	route, project, ok := match(ctx)
	if !ok {
		return false
	}
	start := time.Now()
	r := in.requests.get()
	r.route, r.receivedAt = route, start.UTC()
	code := in.serve(ctx, r, project)
	in.requests.put(r)
	in.o.Metrics.Observe(code, time.Since(start))
	return true
}

// serve answers a request of one of the routes and returns the status code.
func (in *Ingest) serve(ctx *fasthttp.RequestCtx, r *request, project []byte) int {
	no := in.authorize(ctx, r, project)
	if no == nil {
		no = in.read(ctx, r)
	}
	if no == nil {
		r.submit(in.o.Engine)
		no = r.refusal()
	}
	r.out = r.out[:0]
	code := fasthttp.StatusCreated
	if no == nil {
		r.out = r.appendAccepted(r.out)
	} else {
		in.o.Metrics.Rejected(no.reason)
		code = no.code
		r.out = r.appendRefused(r.out, no)
	}
	in.ids.set(ctx)
	answer(ctx, code, no, r.out)
	return code
}

// read takes the events out of the body. When it returns, the request's memory
// is not referred to any more.
func (in *Ingest) read(ctx *fasthttp.RequestCtx, r *request) *refusal {
	media, no := r.route.accepts(ctx)
	if no != nil {
		return no
	}
	encoding, no := contentEncoding(ctx)
	if no != nil {
		return no
	}
	body := ctx.Request.Body()
	if len(body) > in.o.MaxRequestBytes {
		return tooLarge(in.o.MaxRequestBytes)
	}
	if encoding == identity {
		return r.parse(media, body)
	}
	space := in.inflater.acquire()
	defer in.inflater.release(space)
	body, no = space.inflate(encoding, body)
	if no != nil {
		return no
	}
	return r.parse(media, body)
}

// submit hands what was accepted so far to the engine, in one call.
func (r *request) submit(engine Engine) {
	if len(r.subs) == 0 {
		return
	}
	// Not the request's own context: that one ends when the server begins to
	// stop, and requests under way are to be finished then.
	r.err = engine.Submit(context.Background(), r.subs)
}

// refusal decides whether the request is refused as a whole, now that the
// engine has spoken.
func (r *request) refusal() *refusal {
	if r.err != nil {
		return refusalOf(r.err)
	}
	r.settle()
	if r.route == routeBatch {
		return r.batchRefusal()
	}
	return r.items[0].no
}

// settle takes the engine's verdict on each submission over into its item.
func (r *request) settle() {
	n := 0
	for i := range r.items {
		it := &r.items[i]
		if it.no != nil {
			continue
		}
		it.sub = &r.subs[n]
		n++
		if it.sub.Err != nil {
			it.no = itemRefusal(it.sub.Err, it.sub.EndpointID == event.ID{})
		}
	}
}

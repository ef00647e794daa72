package ingest

import (
	"context"
	"time"

	"github.com/valyala/fasthttp"
)

// Ingest serves the routes that take events. It has no goroutine of its own.
type Ingest struct {
	o        Options
	ids      *requestIDs
	limits   *limiter // nil: none
	inflater *inflater
	requests requestPool
}

// New makes an Ingest. It panics if a required option is missing.
func New(o Options) *Ingest {
	o.ensureDefaults()
	return &Ingest{
		o:        o,
		ids:      newRequestIDs(),
		limits:   newLimiter(o.Limits),
		inflater: newInflater(o.MaxInflating, o.MaxRequestBytes),
	}
}

// Handle answers the request if it is for one of ingest's routes: POST to
// /api/v1/projects/{project}/events or to fanout, broadcast, dynamic or batch
// below it, or to the older /api/v1/events and those below it, where the project
// is the key's; spelt exactly so. It returns false, with ctx untouched, for any
// other. It may be called from any goroutine and keeps nothing of ctx.
func (in *Ingest) Handle(ctx *fasthttp.RequestCtx) bool {
	t, ok := match(ctx)
	if !ok {
		return false
	}
	start := time.Now()
	r := in.requests.get()
	r.route, r.receivedAt = t.route, start.UTC()
	code := in.serve(ctx, r, t)
	in.requests.put(r)
	in.o.Metrics.Observe(code, time.Since(start))
	return true
}

// serve answers a request of one of the routes and returns the status code.
func (in *Ingest) serve(ctx *fasthttp.RequestCtx, r *request, t target) int {
	in.ids.set(ctx)
	setVersion(ctx)
	no := in.authorize(ctx, r, t)
	if no == nil {
		no = in.accept(ctx, r)
		r.stands.set(&ctx.Response.Header)
	}
	r.out = r.out[:0]
	code := fasthttp.StatusCreated
	if no == nil {
		r.out = r.appendAccepted(r.out)
	} else {
		code = no.code
		in.o.Metrics.Rejected(no.reason)
		if in.o.Metrics.Refused != nil {
			in.o.Metrics.Refused(requestIDOf(ctx), code, no.message)
		}
		r.out = r.appendRefused(r.out, no)
	}
	answer(ctx, code, no, r.out)
	return code
}

// accept reads the events, asks the limits for as many, and hands them over.
func (in *Ingest) accept(ctx *fasthttp.RequestCtx, r *request) *refusal {
	no := in.read(ctx, r)
	var over *refusal
	r.stands, over = in.limits.take(r.project, len(r.subs))
	if no == nil {
		no = over
	}
	if no != nil {
		return no
	}
	r.submit(in.o.Engine)
	if r.err != nil {
		in.limits.give(r.project, len(r.subs))
	}
	return r.refusal()
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
			it.no = itemRefusal(it.sub.Err, it.sub.To)
		}
	}
}

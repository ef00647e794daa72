package inbound

import (
	"context"
	"errors"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

// Inbound serves the route that takes webhooks in. It has no goroutine of its own.
type Inbound struct {
	o        Options
	ids      *requestIDs
	plans    *plans
	inflater inflater
}

// New makes an Inbound. It panics if a required option is missing.
func New(o Options) *Inbound {
	o.ensureDefaults()
	return &Inbound{
		o:        o,
		ids:      newRequestIDs(),
		plans:    newPlans(),
		inflater: newInflater(o.MaxInflating, o.MaxRequestBytes),
	}
}

// Handle answers the request if its path is /ingest/{mask}, whatever its method. It
// returns false, with ctx untouched, for any other. It may be called from any
// goroutine and keeps nothing of ctx.
func (in *Inbound) Handle(ctx *fasthttp.RequestCtx) bool {
	mask, query, ok := match(ctx)
	if !ok {
		return false
	}
	start := time.Now()
	r := request{head: &ctx.Request.Header, now: start.UTC(), query: query}
	no := in.find(&r, mask)
	if no == nil {
		no = in.serve(ctx, &r)
	}
	in.ids.set(ctx)
	code := fasthttp.StatusOK
	if no == nil {
		r.accept(ctx)
	} else {
		code = no.code
		no.answer(ctx)
		in.o.Metrics.Rejected(no.reason)
	}
	in.o.Metrics.Observe(code, time.Since(start))
	return true
}

// serve does what a request to a source asks for.
func (in *Inbound) serve(ctx *fasthttp.RequestCtx, r *request) *refusal {
	if ctx.IsGet() && r.plan.challenges {
		return in.challenge(r)
	}
	if !ctx.IsPost() {
		return r.plan.wrongMethod()
	}
	no := in.receive(r, ctx.Request.Body())
	if no != nil {
		return no
	}
	return in.submit(r)
}

// receive makes the submission of a body. When it returns, the request's memory is not
// referred to by what the engine will keep.
func (in *Inbound) receive(r *request, body []byte) *refusal {
	coding, no := contentEncoding(r.head)
	if no != nil {
		return no
	}
	r.limit = min(r.maxData, in.o.MaxRequestBytes)
	if len(body) > r.limit {
		return tooLarge(r.limit)
	}
	if coding == identity {
		return r.read(body)
	}
	space := in.inflater.acquire()
	defer in.inflater.release(space)
	body, no = space.inflate(coding, body, r.limit)
	if no != nil {
		return no
	}
	return r.read(body)
}

// submit hands the event to the engine.
func (in *Inbound) submit(r *request) *refusal {
	if wait := in.o.Admit(r.subs[0].Event.ProjectID); wait > 0 {
		return overRate(wait)
	}
	// Not the request's own context: that one ends when the server begins to stop, and
	// requests under way are to be finished then.
	err := in.o.Engine.Submit(context.Background(), r.subs)
	if err == nil {
		err = r.subs[0].Err
	}
	r.duplicate = r.subs[0].Duplicate
	if state := (*event.StateError)(nil); errors.Is(err, event.ErrConflict) && !errors.As(err, &state) {
		r.duplicate, err = true, nil // the same key with other content: see the package's comment
	}
	return refusalOf(err)
}

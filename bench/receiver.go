package bench

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/bench/report"
)

// verifyEvery is the share of signed receipts whose signature is checked: one
// in 64, or else the check would be what is measured.
const verifyEvery = 64

// signatureTolerance is how old a signature may be. Retries sign anew.
const signatureTolerance = 5 * time.Minute

// Receiver plays all endpoints of a measurement and accounts for every delivery.
// Endpoint n is the path /e/n. It answers 200 at once unless told to behave
// otherwise.
type Receiver struct {
	secret string
	fanout uint64 // endpoints that each event is owed to, 0 to fanout-1; 1: to any one
	server *httpServer

	behaviours [maxEndpoints]atomic.Pointer[Behaviour] // by endpoint; nil: well

	arrivals atomic.Pointer[arrivals] // nil: not kept

	ledger  atomic.Pointer[Ledger]
	latency *recorder // from the time in the payload to the receipt

	verified   atomic.Int64
	unverified atomic.Int64
	unreadable atomic.Int64
}

// Receipts is what a receiver knows of a phase.
type Receipts struct {
	Tally
	Latency    report.Latency `json:"latency"`
	Verified   int64          `json:"signatures_verified"`
	Unverified int64          `json:"signatures_wrong"`
	Unreadable int64          `json:"unreadable"` // bodies without a sequence number
}

// StartReceiver listens on a free port of host. secret is that of all endpoints.
// With a fanout of more than one each event is owed to every one of so many
// endpoints, and each of these deliveries is counted.
func StartReceiver(host, secret string, fanout int) (*Receiver, error) {
	r := &Receiver{secret: secret, fanout: uint64(max(fanout, 1)), latency: newRecorder()}
	r.ledger.Store(NewLedger(0, 0))
	server, err := startHTTP(host, r.handle)
	if err != nil {
		return nil, fmt.Errorf("receiver: %w", err)
	}
	r.server = server
	return r, nil
}

// Addr is host:port of the listener.
func (r *Receiver) Addr() string { return r.server.addr }

// Behave has the endpoints from up to, not including, to answer in a certain way
// from now on.
func (r *Receiver) Behave(from, to int, b Behaviour) error {
	if from < 0 || to > maxEndpoints || from > to {
		return fmt.Errorf("endpoints %d to %d are not among 0 to %d", from, to, maxEndpoints)
	}
	for i := from; i < to; i++ {
		r.behaviours[i].Store(&b)
	}
	return nil
}

// NoteArrivals has the times of requests to the endpoints from 0 up to, not including,
// endpoints kept from now on, up to capacity of each. Those kept before are forgotten.
func (r *Receiver) NoteArrivals(endpoints, capacity int) error {
	a, err := newArrivals(endpoints, capacity)
	if err == nil {
		r.arrivals.Store(a)
	}
	return err
}

// Arrivals are the times that were kept of an endpoint, in order, as Unix nanoseconds.
func (r *Receiver) Arrivals(endpoint int) []int64 { return r.arrivals.Load().times(endpoint) }

// Begin starts a phase that expects at most capacity sequence numbers from first
// on. What was counted before is forgotten.
func (r *Receiver) Begin(first uint64, capacity int) {
	r.latency.reset()
	r.verified.Store(0)
	r.unverified.Store(0)
	r.unreadable.Store(0)
	r.ledger.Store(NewLedger(first*r.fanout, capacity*int(r.fanout)))
}

// Distinct is how many deliveries of the phase have arrived.
func (r *Receiver) Distinct() int { return r.ledger.Load().Distinct() }

// Receipts checks the first published events of the phase one by one.
func (r *Receiver) Receipts(published int) Receipts {
	return Receipts{
		Tally:      r.ledger.Load().Tally(published * int(r.fanout)),
		Latency:    r.latency.summary(),
		Verified:   r.verified.Load(),
		Unverified: r.unverified.Load(),
		Unreadable: r.unreadable.Load(),
	}
}

// Close stops listening and waits for requests in progress.
func (r *Receiver) Close() error { return r.server.close() }

func (r *Receiver) handle(ctx *fasthttp.RequestCtx) {
	now := time.Now()
	body := ctx.PostBody()
	seq, sentNS, ok := readStamp(body)
	if !ok {
		r.unreadable.Add(1)
		ctx.SetStatusCode(fasthttp.StatusBadRequest)
		return
	}
	endpoint := endpointOf(ctx.Path())
	r.arrivals.Load().note(endpoint, now.UnixNano())
	if endpoint < maxEndpoints {
		if b := r.behaviours[endpoint].Load(); b != nil && *b != BehaveWell {
			r.misbehave(ctx, *b)
			return
		}
	}
	slot := seq
	if r.fanout > 1 {
		slot = seq*r.fanout + min(endpoint, r.fanout-1)
	}
	if r.ledger.Load().Receive(slot, now.UnixNano()) {
		r.latency.record(seq, time.Duration(now.UnixNano()-sentNS))
	}
	if seq%verifyEvery == 0 {
		r.check(ctx.Request.Header.Peek(SignatureHeader), body, now)
	}
}

// endpointOf is the number n of the path /e/n, or maxEndpoints.
func endpointOf(path []byte) uint64 {
	text, ok := bytes.CutPrefix(path, []byte("/e/"))
	n, isNumber := digits(text)
	if !ok || !isNumber || len(text) == 0 {
		return maxEndpoints
	}
	return min(n, maxEndpoints)
}

// misbehave answers in one of the ways that are not well.
func (r *Receiver) misbehave(ctx *fasthttp.RequestCtx, _ Behaviour) {
	ctx.SetStatusCode(fasthttp.StatusInternalServerError)
}

// check verifies a signature if there is one; the baselines send none.
func (r *Receiver) check(header, body []byte, now time.Time) {
	if len(header) == 0 {
		return
	}
	if VerifySignature(header, body, r.secret, now, signatureTolerance) != nil {
		r.unverified.Add(1)
		return
	}
	r.verified.Add(1)
}

package bench

import (
	"bytes"
	"errors"
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
	misbehaved map[Behaviour]*atomic.Int64             // requests, by how they were answered
	held       held
	holdLimit  time.Duration

	arrivals atomic.Pointer[arrivals] // nil: not kept

	ledger        atomic.Pointer[Ledger]
	healthyBelow  atomic.Uint64 // endpoints from this on are of the class sick; 0: none is
	healthy, sick classCount

	verified   atomic.Int64
	unverified atomic.Int64
	unreadable atomic.Int64
	unsigned   atomic.Int64
}

// Receipts is what a receiver knows of a phase.
type Receipts struct {
	Tally
	Latency     report.Latency `json:"latency"`
	Verified    int64          `json:"signatures_verified"`
	Unverified  int64          `json:"signatures_wrong"`
	Unreadable  int64          `json:"unreadable"`            // bodies without a sequence number
	Unsigned    int64          `json:"unsigned"`              // of those to check, without a signature of the form that is read
	Percentiles []report.Point `json:"percentiles,omitempty"` // Latency in full, see recorder.percentiles

	Healthy ClassTally `json:"healthy"` // all, unless the receiver is split
	Sick    ClassTally `json:"sick"`

	// requests that were no receipts since the endpoint misbehaved, by how it did
	Misbehaved map[Behaviour]int64 `json:"misbehaved,omitempty"`
}

// StartReceiver listens on a free port of host. secret is that of all endpoints.
// With a fanout of more than one each event is owed to every one of so many
// endpoints, and each of these deliveries is counted.
func StartReceiver(host, secret string, fanout int) (*Receiver, error) {
	r := &Receiver{secret: secret, fanout: uint64(max(fanout, 1)), holdLimit: holdLimit}
	r.healthy.latency, r.sick.latency = newRecorder(), newRecorder()
	r.misbehaved = make(map[Behaviour]*atomic.Int64)
	for _, b := range misbehaviours {
		r.misbehaved[b] = new(atomic.Int64)
	}
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
// from now on. Their requests that wait for an answer end without one.
func (r *Receiver) Behave(from, to int, b Behaviour) error {
	if from < 0 || to > maxEndpoints || from > to {
		return fmt.Errorf("endpoints %d to %d are not among 0 to %d", from, to, maxEndpoints)
	}
	if err := b.check(); err != nil {
		return err
	}
	for i := from; i < to; i++ {
		r.behaviours[i].Store(&b)
	}
	r.held.release(from, to)
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
	r.ledger.Store(NewLedger(first*r.fanout, capacity*int(r.fanout)))
	r.healthy.reset()
	r.sick.reset()
	r.verified.Store(0)
	r.unverified.Store(0)
	r.unreadable.Store(0)
	for _, n := range r.misbehaved {
		n.Store(0)
	}
	r.unsigned.Store(0)
}

// Distinct is how many deliveries of the phase have arrived.
func (r *Receiver) Distinct() int { return r.ledger.Load().Distinct() }

// Receipts checks the first published events of the phase one by one.
func (r *Receiver) Receipts(published int) Receipts {
	misbehaved := make(map[Behaviour]int64)
	for b, n := range r.misbehaved {
		if n.Load() > 0 {
			misbehaved[b] = n.Load()
		}
	}
	all := merged(r.healthy.latency, r.sick.latency)
	return Receipts{
		Misbehaved:  misbehaved,
		Tally:       r.ledger.Load().Tally(published * int(r.fanout)),
		Latency:     summarize(all),
		Healthy:     r.healthy.tally(),
		Sick:        r.sick.tally(),
		Verified:    r.verified.Load(),
		Unverified:  r.unverified.Load(),
		Unreadable:  r.unreadable.Load(),
		Unsigned:    r.unsigned.Load(),
		Percentiles: percentiles(all),
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
			r.misbehave(ctx, endpoint, b)
			return
		}
	}
	slot := seq
	if r.fanout > 1 {
		slot = seq*r.fanout + min(endpoint, r.fanout-1)
	}
	if r.ledger.Load().Receive(slot, now.UnixNano()) {
		r.classOf(endpoint).record(seq, now, time.Duration(now.UnixNano()-sentNS))
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

// check verifies a signature, or counts that there is none that can be verified:
// the baselines send none, and a target may have ways of its own.
func (r *Receiver) check(header, body []byte, now time.Time) {
	switch err := VerifySignature(header, body, r.secret, now, signatureTolerance); {
	case err == nil:
		r.verified.Add(1)
	case errors.Is(err, ErrSignatureMissing), errors.Is(err, ErrSignatureForm):
		r.unsigned.Add(1)
	default:
		r.unverified.Add(1)
	}
}

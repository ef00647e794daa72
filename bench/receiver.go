package bench

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// verifyEvery is the share of signed receipts whose signature is checked: one
// in 64, or else the check would be what is measured.
const verifyEvery = 64

// signatureTolerance is how old a signature may be. Retries sign anew.
const signatureTolerance = 5 * time.Minute

// Receiver is the endpoint of a measurement: it answers 200 at once and accounts
// for every sequence number. Requests come on any path.
type Receiver struct {
	secret string
	server *httpServer

	ledger  atomic.Pointer[Ledger]
	latency *recorder // from the time in the payload to the receipt

	verified   atomic.Int64
	unverified atomic.Int64
	unreadable atomic.Int64
}

// Receipts is what a receiver knows of a phase.
type Receipts struct {
	Tally
	Latency    Latency `json:"latency"`
	Verified   int64   `json:"signatures_verified"`
	Unverified int64   `json:"signatures_wrong"`
	Unreadable int64   `json:"unreadable"` // bodies without a sequence number
}

// StartReceiver listens on a free port of host. secret is that of all endpoints.
func StartReceiver(host, secret string) (*Receiver, error) {
	r := &Receiver{secret: secret, latency: newRecorder()}
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

// Begin starts a phase that expects at most capacity sequence numbers from first
// on. What was counted before is forgotten.
func (r *Receiver) Begin(first uint64, capacity int) {
	r.latency.reset()
	r.verified.Store(0)
	r.unverified.Store(0)
	r.unreadable.Store(0)
	r.ledger.Store(NewLedger(first, capacity))
}

// Distinct is how many events of the phase have arrived.
func (r *Receiver) Distinct() int { return r.ledger.Load().Distinct() }

// Receipts checks the first published events of the phase one by one.
func (r *Receiver) Receipts(published int) Receipts {
	return Receipts{
		Tally:      r.ledger.Load().Tally(published),
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
	if r.ledger.Load().Receive(seq, now.UnixNano()) {
		r.latency.record(seq, time.Duration(now.UnixNano()-sentNS))
	}
	if seq%verifyEvery == 0 {
		r.check(ctx.Request.Header.Peek(SignatureHeader), body, now)
	}
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

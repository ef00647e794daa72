package bench

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// demoReceiver plays every endpoint of the demonstration. It verifies each
// signature and compares each body with what was posted.
type demoReceiver struct {
	server  *httpServer
	secrets []string            // by endpoint
	sums    [][sha256.Size]byte // of the samples' data; event i is sample i modulo their number
	events  []demoEvent
	healAt  atomic.Int64 // Unix nanoseconds: until then the last endpoint answers 500

	attempts, turnedAway              atomic.Int64
	verified, unverified              atomic.Int64
	identical, different              atomic.Int64
	delivered, firstTry, retried      atomic.Int64
	repeats, strays                   atomic.Int64
	lastFirstTryNS                    atomic.Int64
	firstTryLatency, recoveredLatency *recorder

	problem atomic.Pointer[string] // the first thing that did not hold
}

// demoEvent is what is known of one posted event.
type demoEvent struct {
	sentNS    atomic.Int64
	attempts  atomic.Int32
	delivered atomic.Int32 // attempts answered 200
}

// startDemoReceiver plays endpoints that get count events.
func startDemoReceiver(samples []Sample, count, endpoints int) (*demoReceiver, error) {
	r := &demoReceiver{
		events:           make([]demoEvent, count),
		firstTryLatency:  newRecorder(),
		recoveredLatency: newRecorder(),
	}
	for range endpoints {
		r.secrets = append(r.secrets, randomHex(16))
	}
	for _, s := range samples {
		r.sums = append(r.sums, sha256.Sum256(s.Data))
	}
	server, err := startHTTP("127.0.0.1", r.handle)
	if err != nil {
		return nil, fmt.Errorf("receiver: %w", err)
	}
	r.server = server
	return r, nil
}

func (r *demoReceiver) close() error { return r.server.close() }

func (r *demoReceiver) failUntil(t time.Time) { r.healAt.Store(t.UnixNano()) }

// sending notes the time at which event i is posted for the first time.
func (r *demoReceiver) sending(i int) { r.events[i].sentNS.Store(time.Now().UnixNano()) }

func (r *demoReceiver) deliveredCount() int { return int(r.delivered.Load()) }

func (r *demoReceiver) handle(ctx *fasthttp.RequestCtx) {
	now := time.Now()
	endpoint, known := r.endpointOf(ctx.Path())
	i, isDemo := demoEventNumber(ctx.Request.Header.Peek(IdempotencyHeader))
	if !known || !isDemo || i >= len(r.events) {
		r.strays.Add(1) // somebody looks around, or the key was lost
		return
	}
	r.attempts.Add(1)
	r.check(ctx, endpoint, i, now)
	attempt := r.events[i].attempts.Add(1)
	if attempt == 2 {
		r.retried.Add(1)
	}
	if endpoint == len(r.secrets)-1 && now.UnixNano() < r.healAt.Load() {
		r.turnedAway.Add(1)
		ctx.Error("not yet", fasthttp.StatusInternalServerError)
		return
	}
	r.deliver(i, attempt, now)
}

// endpointOf reads the number of an endpoint from its path, /e/<n>.
func (r *demoReceiver) endpointOf(path []byte) (int, bool) {
	text, ok := bytes.CutPrefix(path, []byte("/e/"))
	n, err := strconv.Atoi(string(text))
	return n, ok && err == nil && n >= 0 && n < len(r.secrets)
}

// check verifies signature and bytes of one attempt at event i.
func (r *demoReceiver) check(ctx *fasthttp.RequestCtx, endpoint, i int, now time.Time) {
	body := ctx.PostBody()
	header := ctx.Request.Header.Peek(SignatureHeader)
	if err := VerifySignature(header, body, r.secrets[endpoint], now, signatureTolerance); err != nil {
		r.unverified.Add(1)
		r.note("event %d, signature %q: %v", i, header, err)
	} else {
		r.verified.Add(1)
	}
	if sha256.Sum256(body) != r.sums[i%len(r.sums)] || endpoint != i%len(r.secrets) {
		r.different.Add(1)
		r.note("event %d at endpoint %d: not what was posted there: %.200q", i, endpoint, body)
	} else {
		r.identical.Add(1)
	}
}

func (r *demoReceiver) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.problem.CompareAndSwap(nil, &text)
}

// deliver counts an attempt that is answered 200.
func (r *demoReceiver) deliver(i int, attempt int32, now time.Time) {
	e := &r.events[i]
	if e.delivered.Add(1) > 1 {
		r.repeats.Add(1)
		return
	}
	took := time.Duration(now.UnixNano() - e.sentNS.Load())
	if attempt == 1 {
		r.firstTryLatency.record(uint64(i), took)
		raise(&r.lastFirstTryNS, now.UnixNano())
		r.firstTry.Add(1)
	} else {
		r.recoveredLatency.record(uint64(i), took)
	}
	r.delivered.Add(1)
}

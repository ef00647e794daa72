package bench

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"
)

const (
	growthBatch       = 500 // events of a request
	growthConnections = 8
	growthKnocks      = 10      // requests to the source, spread over the filling
	growthReserve     = 1 << 30 // bytes of disk that are left to others
)

// growthFilling posts the events of a plan. Those to single endpoints and those
// to owners are numbered apart, since each kind has a receiver of its own that
// accounts for it.
type growthFilling struct {
	stock    *growthStock
	plan     growthPlan
	posted   atomic.Int64
	payloads [growthVariants][]byte

	mu struct {
		sync.Mutex
		next           int // event
		single, fanout uint64
		odd            uint64
		knocks         int
	}
}

// Where the numbers of the events begin that no receiver accounts for.
const growthOddFirst = measuredFirst

func newGrowthFilling(stock *growthStock, plan growthPlan) *growthFilling {
	f := &growthFilling{stock: stock, plan: plan}
	for i := range f.payloads {
		f.payloads[i] = appendPayload(nil, growthPayload, uint64(i))
	}
	return f
}

// post posts all events over several connections. Each was accepted when it
// returns without an error.
func (f *growthFilling) post(ctx context.Context) error {
	base, err := url.Parse(f.stock.url)
	if err != nil {
		return err
	}
	client := newHostClient(hostPort(base), base.Scheme == "https", growthConnections)
	defer client.CloseIdleConnections()
	group, ctx := errgroup.WithContext(ctx)
	for range growthConnections {
		group.Go(func() error { return f.postBatches(ctx, client) })
	}
	return group.Wait()
}

// postBatches is one connection's worth of posting.
func (f *growthFilling) postBatches(ctx context.Context, client *fasthttp.HostClient) error {
	p := new(poster)
	p.prepare(client, f.stock.key)
	var body []byte
	for ctx.Err() == nil {
		var n int
		if body, n = f.nextBatch(body[:0]); n == 0 {
			return nil
		}
		p.address(f.stock.url+"/api/v1/projects/"+f.stock.project+"/events/batch", "application/x-ndjson")
		if err := p.post(ctx, body); err != nil {
			return err
		}
		if !f.mayKnock(int(f.posted.Add(int64(n)))) {
			continue
		}
		p.address(f.stock.inlet, "application/json")
		if err := p.post(ctx, []byte(`{"from":"a source"}`)); err != nil {
			return fmt.Errorf("source: %w", err)
		}
	}
	return ctx.Err()
}

// mayKnock reports whether it is time for another request to the source.
func (f *growthFilling) mayKnock(posted int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if posted*growthKnocks < f.mu.knocks*f.plan.events {
		return false
	}
	f.mu.knocks++
	return true
}

// nextBatch claims the next events and appends them; n is 0 when all are claimed.
func (f *growthFilling) nextBatch(dst []byte) (_ []byte, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ; n < growthBatch && f.mu.next < f.plan.events; n++ {
		dst = f.appendEventLocked(dst, f.mu.next)
		f.mu.next++
	}
	return dst, n
}

func (f *growthFilling) appendEventLocked(dst []byte, i int) []byte {
	var seq uint64
	to, id := "endpoint_id", ""
	switch f.plan.route(i) {
	case toSingle:
		seq, id = f.mu.single, f.stock.singles[i%len(f.stock.singles)]
		f.mu.single++
	case toOwner:
		seq, to, id = f.mu.fanout, "owner_id", growthOwnerPrefix+strconv.Itoa(i%growthOwners)
		f.mu.fanout++
	default:
		seq, id = growthOddFirst+f.mu.odd, f.oddEndpoint(i)
		f.mu.odd++
	}
	dst = append(dst, `{"`+to+`":"`+id+`","event_type":"`+f.plan.eventType(i)+`"`...)
	if key := f.plan.key(i); key != "" {
		dst = append(dst, `,"idempotency_key":"`+key+`"`...)
	}
	dst = append(dst, `,"data":`...)
	at := len(dst)
	dst = append(dst, f.payloads[i%growthVariants]...)
	stampPayload(dst[at:], seq, time.Now().UnixNano())
	return append(dst, "}\n"...)
}

func (f *growthFilling) oddEndpoint(i int) string {
	switch f.plan.route(i) {
	case toFailing:
		return f.stock.failing
	case toWaiting:
		return f.stock.waiting
	}
	return f.stock.paused
}

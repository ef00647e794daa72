package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// demoKeyPrefix begins the idempotency key of the demonstration's events; their
// number follows.
const demoKeyPrefix = "demo-"

// post posts every event over a few connections and returns when each has been
// accepted, with how many were.
func (d *demo) post(ctx context.Context) (demoPosted, error) {
	types, err := quotedTypes(d.Samples)
	if err != nil {
		return demoPosted{}, err
	}
	base, err := url.Parse(d.server.URL)
	if err != nil {
		return demoPosted{}, err
	}
	client := newHostClient(hostPort(base), false, demoConnections)
	defer client.CloseIdleConnections()
	start := time.Now()
	var next, accepted atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range demoConnections {
		group.Go(func() error {
			p := new(poster)
			p.prepare(client, d.key)
			p.address(d.server.URL+"/api/v1/projects/"+d.project+"/events", "application/json")
			var body []byte
			for i := int(next.Add(1) - 1); i < d.Count; i = int(next.Add(1) - 1) {
				body = d.appendRequest(body[:0], i, types[i%len(types)])
				d.receiver.sending(i)
				if err := p.post(ctx, body); err != nil {
					return fmt.Errorf("event %d: %w", i, err)
				}
				accepted.Add(1)
			}
			return nil
		})
	}
	err = group.Wait()
	return demoPosted{accepted: int(accepted.Load()), took: time.Since(start)}, err
}

// appendRequest builds the request of event i around the sample's data, which it
// leaves as it is.
func (d *demo) appendRequest(dst []byte, i int, quotedType []byte) []byte {
	dst = append(dst, `{"endpoint_id":"`...)
	dst = append(dst, d.endpoints[i%len(d.endpoints)]...)
	dst = append(dst, `","event_type":`...)
	dst = append(dst, quotedType...)
	dst = append(dst, `,"idempotency_key":"`+demoKeyPrefix...)
	dst = strconv.AppendInt(dst, int64(i), 10)
	dst = append(dst, `","data":`...)
	dst = append(dst, d.Samples[i%len(d.Samples)].Data...)
	return append(dst, '}')
}

// quotedTypes are the samples' event types as JSON strings.
func quotedTypes(samples []Sample) ([][]byte, error) {
	var types [][]byte
	for _, s := range samples {
		text, err := json.Marshal(s.EventType)
		if err != nil {
			return nil, err
		}
		types = append(types, text)
	}
	return types, nil
}

// demoEventNumber reads the number out of an idempotency key.
func demoEventNumber(key []byte) (int, bool) {
	text, ok := bytes.CutPrefix(key, []byte(demoKeyPrefix))
	if !ok {
		return 0, false
	}
	i, err := strconv.Atoi(string(text))
	return i, err == nil && i >= 0
}

package bench

import (
	"context"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// idleConnections is how many connections make endpoints and post events.
const idleConnections = 32

// idlePhaseSpan is how far apart the sequence numbers of two phases are.
const idlePhaseSpan = 1 << 20

// deliverEach posts one event to each endpoint, one event a request, and waits
// until all have arrived or the time for that is up.
func (s *idleStudy) deliverEach(ctx context.Context, server *Server, store *idleStore, ids []string) (*Phase, error) {
	receiver := s.leg.rig.receiver
	s.begun++
	first := s.begun * idlePhaseSpan
	if _, err := receiver.call(roleCommand{Op: opBegin, First: first, Capacity: len(ids)}); err != nil {
		return nil, err
	}
	phase := &Phase{Burst: BurstResult{FirstSendNS: time.Now().UnixNano()}}
	load := s.r.load(ModeSingle, server.URL)
	load.Project, load.Key = store.project, store.key
	counts, err := postToEach(ctx, load, ids, first)
	if err != nil {
		return nil, err
	}
	phase.Burst.LastDoneNS = time.Now().UnixNano()
	phase.Burst.Published, phase.Burst.Requests = len(ids), counts.accepted
	phase.Burst.Refused, phase.Burst.Failed = counts.refused, counts.failed
	if err := s.leg.rig.drain(ctx, len(ids), s.r.TailLimit, func(int) {}); err != nil {
		return nil, err
	}
	reply, err := receiver.call(roleCommand{Op: opReceipts, Published: len(ids)})
	if err != nil {
		return nil, err
	}
	phase.Receipts = *reply.Receipts
	return phase, nil
}

// postToEach posts one event to each of a load's endpoints, numbered from first
// on. An error means that some event was not accepted.
func postToEach(ctx context.Context, load Load, ids []string, first uint64) (total postCounts, err error) {
	base, err := url.Parse(load.URL)
	if err != nil {
		return total, err
	}
	client := newHostClient(hostPort(base), base.Scheme == "https", idleConnections)
	defer client.CloseIdleConnections()
	posters := make([]poster, min(idleConnections, len(ids)))
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for i := range posters {
		group.Go(func() error {
			p := &posters[i]
			p.prepare(client, load.Key)
			p.address(load.URL+"/api/v1/projects/"+load.Project+"/events", "application/json")
			for n := int(next.Add(1) - 1); n < len(ids) && ctx.Err() == nil; n = int(next.Add(1) - 1) {
				own := load
				own.Endpoints = ids[n : n+1]
				body := newTemplate(&own, n, 0).stamp(first+uint64(n), 1, time.Now().UnixNano())
				if err := p.post(ctx, body); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	err = group.Wait()
	for i := range posters {
		total.accepted += posters[i].accepted
		total.refused += posters[i].refused
		total.failed += posters[i].failed
	}
	return total, err
}

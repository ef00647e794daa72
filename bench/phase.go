package bench

import (
	"context"
	"fmt"
	"time"

	"posthaste/bench/report"
)

// How often a phase asks the receiver how far it is: while the generator runs,
// and while the rest arrives.
const (
	runningPoll  = 100 * time.Millisecond
	drainingPoll = 10 * time.Millisecond
)

// rig is the pair of processes that measures.
type rig struct {
	receiver, generator *roleProcess
	server              int    // process id of what stands between them; 0: none, or not ours
	fanout              int    // endpoints that each event is owed to; 0: one
	healthy             int    // endpoints that stay healthy, the first so many; 0: all
	ill                 []span // how others misbehave in each phase
}

func (r *rig) copies() int { return max(r.fanout, 1) }

func (r *rig) meter() *meter {
	return &meter{server: r.server, generator: r.generator.pid(), receiver: r.receiver.pid()}
}

// Phase is one burst of load and all of its receipts.
type Phase struct {
	Burst    BurstResult `json:"burst"`
	Receipts Receipts    `json:"receipts"`

	Usage report.Usage `json:"usage"`

	HealedNS int64 `json:"healed_ns,omitempty"` // Unix time when all were told to behave well; 0: none was ill
}

// Seconds is the time from the first send to the last first receipt at an
// endpoint that stays healthy. A backlog of theirs does not shorten it; what the
// others are owed does not lengthen it.
func (p *Phase) Seconds() float64 {
	return time.Duration(p.Receipts.Healthy.LastNS - p.Burst.FirstSendNS).Seconds()
}

// Rate is deliveries a second over Seconds to the endpoints that stay healthy;
// each event counts once.
func (p *Phase) Rate() float64 {
	if p.Receipts.Healthy.Delivered == 0 {
		return 0
	}
	return float64(p.Receipts.Healthy.Delivered) / p.Seconds()
}

// TotalRate is deliveries a second to all endpoints, over the same time.
func (p *Phase) TotalRate() float64 {
	if p.Receipts.Healthy.Delivered == 0 {
		return 0
	}
	return float64(p.Receipts.Delivered) / p.Seconds()
}

// PayloadRate is payload delivered a second over Seconds, in MB (10^6 bytes).
func (p *Phase) PayloadRate() float64 {
	return p.Rate() * float64(p.Burst.PayloadBytes) / float64(max(p.Burst.Published, 1)) / 1e6
}

// Check returns an error if an event was lost or a body or signature was wrong.
func (p *Phase) Check() error {
	r := &p.Receipts
	switch {
	case r.Published == 0:
		return fmt.Errorf("no event was published")
	case r.Lost > 0:
		return fmt.Errorf("%d of %d accepted events did not arrive, among them %d", r.Lost, r.Published, r.Missing)
	case r.Unverified > 0:
		return fmt.Errorf("%d of %d signatures checked are wrong", r.Unverified, r.Unverified+r.Verified)
	case r.Unreadable > 0:
		return fmt.Errorf("%d deliveries carried no sequence number", r.Unreadable)
	}
	return nil
}

type burstAnswer struct {
	reply roleReply
	err   error
}

// phase runs one burst, waits for its events for at most tailLimit after the
// generator has ended, and takes stock. It returns an error only if it could not
// measure; what was measured is for Check. watch is told the count of deliveries.
func (r *rig) phase(ctx context.Context, b Burst, tailLimit time.Duration, watch func(done int)) (*Phase, error) {
	if _, err := r.receiver.call(roleCommand{Op: opBegin, First: b.First, Capacity: b.Max}); err != nil {
		return nil, err
	}
	if err := r.fallIll(); err != nil {
		return nil, err
	}
	meter := r.meter()
	meter.begin()
	answered := make(chan burstAnswer, 1)
	go func() { // ends with the generator's answer, or its process
		reply, err := r.generator.call(roleCommand{Op: opRun, Burst: &b})
		answered <- burstAnswer{reply, err}
	}()
	answer, err := r.watchBurst(ctx, answered, watch)
	if err != nil {
		return nil, err
	}
	p := &Phase{Burst: *answer.reply.Burst}
	healthy := r.owedHealthy(&p.Burst)
	if err := r.drainHealthy(ctx, healthy, tailLimit, watch); err != nil {
		return nil, err
	}
	p.Usage = meter.end(healthy)
	if err := r.heal(ctx, p, b.illTailLimit(tailLimit), watch); err != nil {
		return nil, err
	}
	reply, err := r.receiver.call(roleCommand{Op: opReceipts, Published: p.Burst.Published})
	if err != nil {
		return nil, err
	}
	p.Receipts = *reply.Receipts
	return p, nil
}

// watchBurst reports progress until the generator answers. When ctx is done its
// process is killed, so it always does.
func (r *rig) watchBurst(ctx context.Context, answered <-chan burstAnswer, watch func(int)) (burstAnswer, error) {
	tick := time.NewTicker(runningPoll)
	defer tick.Stop()
	for {
		select {
		case a := <-answered:
			if a.err == nil {
				a.err = ctx.Err()
			}
			return a, a.err
		case <-tick.C:
			reply, err := r.receiver.call(roleCommand{Op: opCount})
			if err != nil {
				a := <-answered
				return a, fmt.Errorf("receiver: %w", err)
			}
			watch(reply.Count)
		}
	}
}

// drain waits until so many deliveries have arrived or the limit has passed.
func (r *rig) drain(ctx context.Context, owed int, limit time.Duration, watch func(int)) error {
	return r.await(ctx, limit, watch, func(reply *roleReply) bool { return reply.Count >= owed })
}

// await asks the receiver until it has what it should or the limit has passed.
func (r *rig) await(ctx context.Context, limit time.Duration, watch func(int), has func(*roleReply) bool) error {
	deadline := time.Now().Add(limit)
	for {
		reply, err := r.receiver.call(roleCommand{Op: opCount})
		if err != nil {
			return err
		}
		watch(reply.Count)
		if has(&reply) || time.Now().After(deadline) {
			return nil
		}
		if err := sleep(ctx, drainingPoll); err != nil {
			return err
		}
	}
}

package bench

import (
	"context"
	"fmt"
	"math"
	"time"
)

// illness says which endpoints of a measurement misbehave: the last ones, so that
// those that stay healthy are the first.
type illness struct {
	healthy int // the endpoints below this one; 0: all
	spans   []span
}

// span is the endpoints from up to, not including, to.
type span struct {
	from, to  int
	behaviour Behaviour
}

// over applies the mix to so many endpoints, each share rounded to whole ones. A
// share that comes to none is an error, and so is a mix that leaves none healthy.
func (m Mix) over(endpoints int) (illness, error) {
	if len(m) == 0 {
		return illness{}, nil
	}
	i := illness{healthy: endpoints}
	for _, s := range m {
		n := int(math.Round(s.Percent / 100 * float64(endpoints)))
		if n == 0 {
			return i, fmt.Errorf("%s=%g comes to none of %d endpoints, needs at least %g per cent or %.0f endpoints",
				s.Behaviour, s.Percent, endpoints, 50/float64(endpoints), math.Ceil(50/s.Percent))
		}
		i.spans = append(i.spans, span{from: i.healthy - n, to: i.healthy, behaviour: s.Behaviour})
		i.healthy -= n
	}
	if i.healthy < 1 {
		return i, fmt.Errorf("%s leaves none of %d endpoints healthy", m, endpoints)
	}
	return i, nil
}

// split has the phases that follow tell the endpoints that stay healthy from the
// others, which misbehave in each.
func (r *rig) split(i illness) error {
	r.healthy, r.ill = i.healthy, i.spans
	_, err := r.receiver.call(roleCommand{Op: opSplit, To: i.healthy})
	return err
}

// fallIll has the endpoints misbehave that are to do so in this phase.
func (r *rig) fallIll() error {
	for _, s := range r.ill {
		if _, err := r.receiver.call(roleCommand{Op: opBehave, From: s.from, To: s.to, Behaviour: s.behaviour}); err != nil {
			return err
		}
	}
	return nil
}

// owedHealthy is how many deliveries of a burst go to endpoints that stay healthy.
func (r *rig) owedHealthy(b *BurstResult) int {
	switch {
	case r.healthy == 0:
		return b.Published * r.copies()
	case r.fanout > 1:
		return b.Published * min(r.fanout, r.healthy)
	default:
		return b.Healthy
	}
}

// drainHealthy waits until so many deliveries have arrived at endpoints that stay
// healthy, or the limit has passed.
func (r *rig) drainHealthy(ctx context.Context, owed int, limit time.Duration, watch func(int)) error {
	return r.await(ctx, limit, watch, func(reply *roleReply) bool { return reply.Healthy >= owed })
}

// heal tells every endpoint to behave well, if one does not, and waits for all
// that is still owed, for at most limit. This is outside the measured time.
func (r *rig) heal(ctx context.Context, p *Phase, limit time.Duration, watch func(int)) error {
	if len(r.ill) == 0 {
		return nil
	}
	if _, err := r.receiver.call(roleCommand{Op: opBehave, To: maxEndpoints}); err != nil {
		return err
	}
	p.HealedNS = time.Now().UnixNano()
	return r.drain(ctx, p.Burst.Published*r.copies(), limit, watch)
}

// illTailLimit is how long to wait for what endpoints missed that misbehaved
// during the burst: what failed all the time waits as long again for its next
// attempt (see retryStrategy).
func (b *Burst) illTailLimit(tailLimit time.Duration) time.Duration { return tailLimit + 2*b.For }

// DrainSeconds is the time from when all were told to behave well to the last
// first receipt.
func (p *Phase) DrainSeconds() float64 {
	return max(time.Duration(p.Receipts.LastNS-p.HealedNS).Seconds(), 0)
}

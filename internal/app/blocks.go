package app

import (
	"sync"
	"time"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/internal/diskspace"
)

const (
	// blockEvery is how often, at most, it is recorded that attempts to one endpoint were
	// refused by the egress rules. The first time is recorded within keyUseEvery.
	blockEvery = time.Hour
	maxBlocks  = 1000 // endpoints that are named in an hour; the rest are only counted
)

// blocks are attempts that the egress rules refused, and that the audit log does not know
// of yet. Any goroutine may call its methods. What a crash finds here is lost, and what is
// refused once a stop has written the rest; the attempts themselves are recorded as all are.
type blocks struct {
	mu     sync.Mutex
	of     map[event.ID]*block // by endpoint
	others block
}

func newBlocks() *blocks {
	return &blocks{of: make(map[event.ID]*block), others: block{record: event.Audit{
		Object: event.AuditObject{Kind: "endpoint"}, Reason: "attempts to other endpoints were refused by the egress rules",
	}}}
}

// block is what is known of one endpoint.
type block struct {
	record event.Audit
	n      int       // attempts since it was recorded
	last   time.Time // when it was; zero: never
}

// add counts an attempt that was refused, for this reason.
func (b *blocks) add(p *catalog.Project, ep *catalog.Endpoint, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.of[ep.ID]
	switch {
	case k == nil && len(b.of) >= maxBlocks:
		b.others.n++
		return
	case k == nil:
		k = new(block)
		b.of[ep.ID] = k
	}
	k.n++
	k.record.ProjectID, k.record.ProjectName = p.ID, p.Name
	k.record.Object = event.AuditObject{Kind: "endpoint", ID: ep.ID, Name: ep.Name}
	k.record.Reason = reason
}

// take is what is due to be recorded at now, or all; put undoes it if that failed.
func (b *blocks) take(now time.Time, all bool) (trail []event.Audit, put func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := make(map[*block]block)
	due := func(k *block) {
		before[k] = *k
		k.record.Actor, k.record.Action, k.record.Outcome = event.Actor{Kind: event.ActorServer}, "endpoint.block", event.AuditRefused
		k.record.Count = k.n
		trail = append(trail, k.record)
		k.n, k.last = 0, now
	}
	for id, k := range b.of {
		switch since := now.Sub(k.last); {
		case k.n > 0 && (all || since >= blockEvery):
			due(k)
		case k.n == 0 && since >= blockEvery:
			delete(b.of, id)
		}
	}
	if k := &b.others; k.n > 0 && (all || now.Sub(k.last) >= blockEvery) {
		due(k)
	}
	return trail, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for k, was := range before {
			k.n, k.last = k.n+was.n, was.last
		}
	}
}

// flushBlocks records what is due, or all.
func (a *App) flushBlocks(all bool) {
	if a.disk.state() == diskspace.Hard {
		return
	}
	trail, put := a.blocks.take(time.Now(), all)
	if err := a.wal.Audit(trail...); err != nil {
		put()
		a.log.Warn().Err(err).Msg("attempts that the egress rules refused were not put into the audit log; trying again in a minute")
	}
}

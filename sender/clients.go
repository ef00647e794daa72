package sender

import (
	"sync"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

const (
	clientShards = 64
	// evictionSample is how many clients are looked at when one has to make way;
	// the one that has rested longest goes. Map order makes the sample random.
	evictionSample = 8
)

// clients is the table of endpoints that attempts were made to of late. Nothing
// of an endpoint that is not in it is held in memory.
type clients struct {
	options  *Options
	dialer   *dialer
	perShard int
	shards   [clientShards]clientShard
}

type clientShard struct {
	sync.RWMutex
	byID map[event.ID]*client
}

func (t *clients) init(o *Options, d *dialer) {
	t.options, t.dialer = o, d
	t.perShard = max(1, o.MaxClients/clientShards)
	for i := range t.shards {
		t.shards[i].byID = make(map[event.ID]*client)
	}
}

// get is the client for an attempt that starts now.
func (t *clients) get(p *catalog.Project, ep *catalog.Endpoint, now time.Time) *client {
	sh := &t.shards[ep.Hash()%clientShards]
	sh.RLock()
	c := sh.byID[ep.ID]
	sh.RUnlock()
	if c == nil || !c.fits(p, ep) {
		c = t.replace(sh, p, ep, now)
	}
	c.touch(now)
	return c
}

// replace puts a client made from the newer of each value in the place of the
// one that is there.
func (t *clients) replace(sh *clientShard, p *catalog.Project, ep *catalog.Endpoint, now time.Time) *client {
	c, gone := sh.replace(t, p, ep, now)
	for _, g := range gone {
		g.retire()
	}
	return c
}

// replace returns also the targets that nobody uses after it, to be retired
// without the lock.
func (sh *clientShard) replace(t *clients, p *catalog.Project, ep *catalog.Endpoint, now time.Time) (*client, []*target) {
	sh.Lock()
	defer sh.Unlock()
	old := sh.byID[ep.ID]
	if old == nil {
		c := newClient(p, ep, nil, t.options, t.dialer)
		c.touch(now)
		sh.byID[ep.ID] = c
		return c, sh.shrinkLocked(t.perShard, ep.ID)
	}
	if old.fits(p, ep) {
		return old, nil
	}
	if old.endpoint.UpdatedAt > ep.UpdatedAt {
		ep = old.endpoint
	}
	if old.project.UpdatedAt.After(p.UpdatedAt) {
		p = old.project
	}
	c := newClient(p, ep, old.target, t.options, t.dialer)
	sh.byID[ep.ID] = c
	if old.target != nil && old.target != c.target {
		return c, []*target{old.target}
	}
	return c, nil
}

// shrinkLocked drops clients until the shard is within its bound; never keep.
func (sh *clientShard) shrinkLocked(bound int, keep event.ID) (gone []*target) {
	for len(sh.byID) > bound && len(sh.byID) > 1 {
		id, c := sh.restingLocked(keep)
		delete(sh.byID, id)
		if c.target != nil {
			gone = append(gone, c.target)
		}
	}
	return gone
}

// restingLocked is the client of a sample that has rested longest.
func (sh *clientShard) restingLocked(keep event.ID) (id event.ID, oldest *client) {
	seen := 0
	for i, c := range sh.byID {
		if i == keep {
			continue
		}
		if oldest == nil || c.used.Load() < oldest.used.Load() {
			id, oldest = i, c
		}
		if seen++; seen == evictionSample {
			break
		}
	}
	return id, oldest
}

// sweep forgets the endpoints that have rested for IdleClient and closes the
// connections of those that have rested for IdleConn.
func (t *clients) sweep(now time.Time) {
	forget := now.Add(-t.options.IdleClient).Unix()
	rest := now.Add(-t.options.IdleConn).Unix()
	for i := range t.shards {
		gone, resting := t.shards[i].sweep(forget, rest)
		for _, g := range gone {
			g.retire()
		}
		for _, r := range resting {
			r.host.CloseIdleConnections()
		}
	}
}

func (sh *clientShard) sweep(forget, rest int64) (gone, resting []*target) {
	sh.Lock()
	defer sh.Unlock()
	for id, c := range sh.byID {
		used := c.used.Load()
		if used < forget {
			delete(sh.byID, id)
		}
		switch {
		case c.target == nil:
		case used < forget:
			gone = append(gone, c.target)
		case used < rest:
			resting = append(resting, c.target)
		}
	}
	return gone, resting
}

// drop forgets some endpoints and returns their targets.
func (t *clients) drop(which func(id event.ID) bool) (gone []*target) {
	for i := range t.shards {
		sh := &t.shards[i]
		sh.Lock()
		for id, c := range sh.byID {
			if !which(id) {
				continue
			}
			delete(sh.byID, id)
			if c.target != nil {
				gone = append(gone, c.target)
			}
		}
		sh.Unlock()
	}
	return gone
}

// retireAll empties the table.
func (t *clients) retireAll() {
	for i := range t.shards {
		sh := &t.shards[i]
		sh.Lock()
		old := sh.byID
		sh.byID = make(map[event.ID]*client)
		sh.Unlock()
		for _, c := range old {
			if c.target != nil {
				c.target.retire()
			}
		}
	}
}

func (t *clients) count() int {
	n := 0
	for i := range t.shards {
		sh := &t.shards[i]
		sh.RLock()
		n += len(sh.byID)
		sh.RUnlock()
	}
	return n
}

package netguard

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

const (
	positiveTTL = 30 * time.Second
	negativeTTL = 5 * time.Second

	// patience is how long a name may go unanswered before that counts as an
	// answer for everybody. Who has less time than that gives up for himself.
	patience = 2 * time.Second
)

// lookupFunc finds the addresses of a host name; IPv4 ones may come in IPv6
// clothes.
type lookupFunc func(ctx context.Context, host string) ([]netip.Addr, error)

// resolver remembers what lookup found, and asks once for all who want to know
// the same name at the same time. It has no goroutines: the first who asks does
// the lookup, and the others wait for his answer.
type resolver struct {
	lookup lookupFunc
	limit  int // bound of hosts, but for lookups in progress

	mu    sync.Mutex
	hosts map[string]*answer // guarded by mu
}

// answer is what is known of one host name. The lookup that fills it in owns
// it until ready is closed; then it does not change any more.
type answer struct {
	ready chan struct{}
	addrs []netip.Addr
	err   error
	gone  bool      // the lookup was given up, so this is no answer: ask again
	until time.Time // guarded by resolver.mu; zero while the lookup is in progress
}

func newResolver(lookup lookupFunc, limit int) *resolver {
	return &resolver{lookup: lookup, limit: limit, hosts: make(map[string]*answer)}
}

// resolve returns the addresses of host, or the error of its lookup. The slice
// is shared and must not be changed.
func (r *resolver) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	for {
		a, mine := r.join(host)
		if mine {
			r.ask(ctx, host, a)
			return a.addrs, a.err
		}
		select {
		case <-a.ready:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if !a.gone {
			return a.addrs, a.err
		}
	}
}

// join finds the answer for host that is fresh or on its way, or makes a new one
// that the caller has to fill in.
func (r *resolver) join(host string) (a *answer, mine bool) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if a = r.hosts[host]; a != nil && (a.until.IsZero() || now.Before(a.until)) {
		return a, false
	}
	if len(r.hosts) >= r.limit {
		r.evictLocked()
	}
	a = &answer{ready: make(chan struct{}), gone: true}
	r.hosts[host] = a
	return a, true
}

// evictLocked forgets any one host that is not being looked up.
func (r *resolver) evictLocked() {
	for host, a := range r.hosts {
		if !a.until.IsZero() {
			delete(r.hosts, host)
			return
		}
	}
}

// ask fills in a and wakes those who wait for it, even if lookup panics.
func (r *resolver) ask(ctx context.Context, host string, a *answer) {
	began := time.Now()
	var ttl time.Duration
	defer func() { r.settle(host, a, ttl) }()
	a.addrs, a.err = r.lookup(ctx, host)
	a.gone = a.err != nil && ctx.Err() != nil && time.Since(began) < patience
	switch {
	case a.gone || IsLocal(a.err):
	case a.err != nil:
		ttl = negativeTTL
	default:
		ttl = positiveTTL
	}
}

// settle keeps a for ttl, or forgets it.
func (r *resolver) settle(host string, a *answer, ttl time.Duration) {
	r.mu.Lock()
	if ttl > 0 {
		a.until = time.Now().Add(ttl)
	} else {
		delete(r.hosts, host)
	}
	r.mu.Unlock()
	close(a.ready)
}

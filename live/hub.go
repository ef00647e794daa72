package live

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"posthaste/event"
)

// ErrTooMany and ErrTooManyOfHolder refuse a subscription.
var (
	ErrTooMany         = errors.New("too many streams are open")
	ErrTooManyOfHolder = errors.New("too many streams of one holder are open")
)

// Hub hands messages to those who listen. Any goroutine may use it.
type Hub struct {
	o      Options
	epoch  string // names the run of the server
	wanted atomic.Bool
	wake   chan struct{} // there are messages to hand out
	quit   chan struct{} // closed by Close
	pumps  sync.WaitGroup

	dropped, refused, refusedHolder atomic.Uint64 // see Stats

	starting sync.Mutex // held by who subscribes

	mu      sync.Mutex // guards what follows
	ring    ring
	pumped  uint64 // the place of the first message that the pump has not seen
	subs    map[*Subscription]struct{}
	open    int            // subscriptions, and those that are being made
	holders map[string]int // of them, by holder
	left    time.Time      // since when nobody listens
	closed  bool
}

// New makes a Hub. It starts nothing until somebody listens.
func New(o Options) *Hub {
	o.ensureDefaults()
	return &Hub{
		o: o, epoch: rand.Text()[:12], wake: make(chan struct{}, 1), quit: make(chan struct{}),
		ring: newRing(o.Entries, o.Bytes), pumped: 1,
		subs: make(map[*Subscription]struct{}), holders: make(map[string]int),
	}
}

// Wanted reports whether anybody listens, or did a short while ago.
func (h *Hub) Wanted() bool { return h.wanted.Load() }

// Stats are what a Hub counts.
type Stats struct {
	Open          int    // subscriptions now
	Dropped       uint64 // messages that readers lost because they were too slow
	Refused       uint64 // subscriptions that were refused with ErrTooMany
	RefusedHolder uint64 // those refused with ErrTooManyOfHolder
}

// Stats are counted from the start of the Hub.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	open := h.open
	h.mu.Unlock()
	return Stats{Open: open, Dropped: h.dropped.Load(), Refused: h.refused.Load(), RefusedHolder: h.refusedHolder.Load()}
}

// Durable takes what became durable, from the log's committer. It copies what it keeps of
// the submissions, and does not wait for readers.
func (h *Hub) Durable(groups [][]event.Submission, outcomes []event.Outcome) {
	if !h.wanted.Load() {
		return
	}
	var made []*Message
	for _, subs := range groups {
		for i := range subs {
			made = ofSubmission(made, &subs[i])
		}
	}
	for i := range outcomes {
		made = append(made, ofOutcome(outcomes[i]))
	}
	if len(made) == 0 {
		return
	}
	h.mu.Lock()
	for _, m := range made {
		h.ring.add(m)
	}
	h.mu.Unlock()
	poke(h.wake)
}

// Request is what a reader asks for.
type Request struct {
	Holder string // whose limit it counts against
	Most   int    // that limit; 0 is Options.MaxPerHolder
	Filter Filter
	// After is the name of the last message that the reader saw: it is given all since.
	// "" begins with the present.
	After string
	// Latest bounds a batch: of more messages only the newest so many are kept, and the
	// others counted. 0 keeps all, as far as the queue goes.
	Latest int
}

// Subscribe begins to listen. All that is handed to the log after it returned is told.
// The error is ErrTooMany, ErrTooManyOfHolder, event.ErrClosed or the log's.
func (h *Hub) Subscribe(r Request) (*Subscription, error) {
	h.starting.Lock()
	defer h.starting.Unlock()
	began, err := h.enter(r.Holder, cmp.Or(r.Most, h.o.MaxPerHolder))
	if err != nil {
		return nil, err
	}
	if began {
		if err := h.o.Flush(); err != nil {
			h.leave(r.Holder)
			return nil, err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s := newSubscription(h, r)
	s.next = h.ring.next
	s.start = h.id(s.next - 1)
	if r.After != "" {
		s.resume(r.After)
	}
	h.subs[s] = struct{}{}
	if h.closed {
		close(s.done)
	}
	return s, nil
}

// enter takes a place among those who listen. began: nobody did before.
func (h *Hub) enter(holder string, most int) (began bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return false, event.ErrClosed
	case h.holders[holder] >= most:
		h.refusedHolder.Add(1)
		return false, ErrTooManyOfHolder
	case h.open >= h.o.MaxStreams:
		h.refused.Add(1)
		return false, ErrTooMany
	}
	h.open++
	h.holders[holder]++
	if h.wanted.Load() {
		return false, nil
	}
	h.wanted.Store(true)
	h.pumps.Go(h.pump)
	return true, nil
}

func (h *Hub) leave(holder string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open--
	if h.holders[holder]--; h.holders[holder] == 0 {
		delete(h.holders, holder)
	}
	h.left = time.Now()
}

// Close ends all subscriptions, and waits for the hub's goroutine, not for readers. Nobody
// can subscribe afterwards. It is safe to call twice.
func (h *Hub) Close() {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		close(h.quit)
		for s := range h.subs {
			close(s.done)
		}
		h.wanted.Store(false)
	}
	h.mu.Unlock()
	h.pumps.Wait()
}

// chunk is how many messages the pump hands out at a time.
const chunk = 512

// pump hands out messages until nobody listens any more.
func (h *Hub) pump() {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("posthaste", "live")))
	look := time.NewTicker(h.o.Linger / 2)
	defer look.Stop()
	messages := make([]*Message, 0, chunk)
	for {
		select {
		case <-h.quit:
			return
		case <-look.C:
			if h.retire() {
				return
			}
		case <-h.wake:
			for h.handOut(messages) {
			}
		}
	}
}

// handOut hands out some messages; false if there are none.
func (h *Hub) handOut(messages []*Message) bool {
	h.mu.Lock()
	h.pumped = max(h.pumped, h.ring.first)
	for ; h.pumped < h.ring.next && len(messages) < chunk && !h.closed; h.pumped++ {
		messages = append(messages, h.ring.at(h.pumped))
	}
	subs := slices.Collect(maps.Keys(h.subs))
	h.mu.Unlock()
	for _, s := range subs {
		s.offer(messages)
	}
	return len(messages) > 0
}

// retire forgets everything if nobody has listened for long enough.
func (h *Hub) retire() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open > 0 || time.Since(h.left) < h.o.Linger {
		return false
	}
	h.wanted.Store(false)
	h.ring.forget()
	h.pumped = h.ring.next
	return true
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

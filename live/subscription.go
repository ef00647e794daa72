package live

import (
	"sync"
)

// Subscription is what waits for one reader. One goroutine reads it.
type Subscription struct {
	hub    *Hub
	holder string
	latest int
	most   int // of queue

	ready    chan struct{} // there is something to take
	pressing chan struct{} // the queue is half full
	done     chan struct{} // closed by Hub.Close
	once     sync.Once
	reset    Reset
	start    string

	mu      sync.Mutex // guards what follows
	filter  Filter
	queue   []*Message
	bytes   int64  // of queue
	left    int    // beyond latest
	dropped uint64 // lost, since the last batch
	next    uint64 // the place of the first message that it was not offered
}

func newSubscription(h *Hub, r Request) *Subscription {
	return &Subscription{
		hub: h, holder: r.Holder, latest: r.Latest, most: h.o.Queue, filter: r.Filter,
		ready: make(chan struct{}, 1), pressing: make(chan struct{}, 1), done: make(chan struct{}),
	}
}

// resume takes up all since a message. The caller holds the hub's lock, and nobody has the
// subscription yet.
func (s *Subscription) resume(after string) {
	from, reset := s.hub.place(after)
	if s.reset = reset; reset != NoReset {
		return
	}
	s.start = after
	s.most = max(s.most, s.hub.o.Entries) // what is kept may be more than what may wait
	for place := from; place < s.hub.ring.next; place++ {
		if m := s.hub.ring.at(place); s.filter.Match(m) {
			s.push(m)
		}
	}
	s.most = s.hub.o.Queue
	if len(s.queue) > 0 {
		poke(s.ready)
	}
}

// Reset says why the reader could not go on where it was; NoReset if it could, or did not
// ask to.
func (s *Subscription) Reset() Reset { return s.reset }

// Start is the name of the place where it begins: of the message that the reader saw last,
// or of the newest there was.
func (s *Subscription) Start() string { return s.start }

// Ready is told when there is something to take.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Pressing is told when the queue is half full: what is in it should be taken now.
func (s *Subscription) Pressing() <-chan struct{} { return s.pressing }

// Done is closed when the hub is.
func (s *Subscription) Done() <-chan struct{} { return s.done }

// SetFilter changes what is told from now on.
func (s *Subscription) SetFilter(f Filter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.filter = f
}

// Close ends it. It is safe to call twice.
func (s *Subscription) Close() {
	s.once.Do(func() {
		s.hub.mu.Lock()
		delete(s.hub.subs, s)
		s.hub.mu.Unlock()
		s.hub.leave(s.holder)
	})
}

// Batch is what waited for a reader.
type Batch struct {
	Messages []*Message // the oldest first
	Left     int        // how many more there were, before them; see Request.Latest
	// Dropped is how many messages are lost, before all others, because the reader was too
	// slow. Where messages came faster than they could be looked at, those are counted
	// that might have been for the reader.
	Dropped uint64
	ID      string // the name of the newest message that was looked at
}

// IDOf is the name of a message.
func (s *Subscription) IDOf(m *Message) string { return s.hub.id(m.At) }

// Take takes what waits.
func (s *Subscription) Take() Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := Batch{Messages: s.queue, Left: s.left, Dropped: s.dropped, ID: s.hub.id(s.next - 1)}
	s.queue, s.bytes, s.left, s.dropped = nil, 0, 0, 0
	return b
}

// offer puts what passes the filter into the queue. The pump calls it.
func (s *Subscription) offer(messages []*Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range messages {
		if m.At < s.next {
			continue
		}
		s.drop(m.At - s.next) // the ring was faster than the pump
		s.next = m.At + 1
		if s.filter.Match(m) {
			s.push(m)
		}
	}
	if len(s.queue) > 0 || s.dropped > 0 {
		poke(s.ready)
	}
	if len(s.queue) > s.most/2 {
		poke(s.pressing)
	}
}

// push queues a message, and drops what waits if that is too much.
func (s *Subscription) push(m *Message) {
	switch {
	case s.latest > 0 && len(s.queue) >= s.latest:
		s.bytes -= s.queue[0].bytes
		s.queue = s.queue[1:]
		s.left++
	case len(s.queue) >= s.most, s.bytes+m.bytes > s.hub.o.Bytes:
		s.drop(uint64(len(s.queue)))
		s.queue, s.bytes = nil, 0
	}
	s.queue = append(s.queue, m)
	s.bytes += m.bytes
}

// drop counts messages that the reader lost.
func (s *Subscription) drop(n uint64) {
	s.dropped += n
	s.hub.dropped.Add(n)
}

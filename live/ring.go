package live

// ring keeps the newest messages, within a number and a weight. The hub's lock guards it.
type ring struct {
	slots []*Message // those from first on, each at its place modulo the length
	bytes int64      // of all
	first uint64     // the oldest that is kept; next if there is none
	next  uint64     // the place of the message to come
	most  int64      // bytes
}

func newRing(entries int, bytes int64) ring {
	return ring{slots: make([]*Message, entries), first: 1, next: 1, most: bytes}
}

func (r *ring) at(place uint64) *Message { return r.slots[place%uint64(len(r.slots))] }

// add gives a message its place and keeps it. What is too much goes, the oldest first.
func (r *ring) add(m *Message) {
	m.At = r.next
	for r.next-r.first >= uint64(len(r.slots)) || r.bytes+m.bytes > r.most && r.first < r.next {
		r.drop()
	}
	r.slots[m.At%uint64(len(r.slots))] = m
	r.bytes += m.bytes
	r.next++
}

func (r *ring) drop() {
	i := r.first % uint64(len(r.slots))
	r.bytes -= r.slots[i].bytes
	r.slots[i] = nil
	r.first++
}

// forget drops all, and leaves out a place: what comes next does not follow what was last.
func (r *ring) forget() {
	clear(r.slots)
	r.bytes = 0
	r.next++
	r.first = r.next
}

package bench

import "sync/atomic"

// missingShown is how many lost sequence numbers a Tally lists.
const missingShown = 10

// Ledger counts the receipts of one phase, by sequence number. Any number of
// goroutines may call Receive.
type Ledger struct {
	first  uint64
	counts []atomic.Uint32 // receipts, by sequence number less first

	distinct atomic.Int64
	strays   atomic.Int64
	lastNS   atomic.Int64
}

// NewLedger expects the sequence numbers from first on, at most capacity of
// them. It costs 4 bytes for each.
func NewLedger(first uint64, capacity int) *Ledger {
	return &Ledger{first: first, counts: make([]atomic.Uint32, capacity)}
}

// Receive records that seq arrived at now (Unix nanoseconds) and reports whether
// that was its first receipt. A number outside the phase, such as a late repeat
// from the phase before, is counted as a stray.
func (l *Ledger) Receive(seq uint64, now int64) bool {
	i := seq - l.first
	if seq < l.first || i >= uint64(len(l.counts)) {
		l.strays.Add(1)
		return false
	}
	if l.counts[i].Add(1) > 1 {
		return false
	}
	raise(&l.lastNS, now)
	l.distinct.Add(1)
	return true
}

// raise keeps the latest time: handlers do not finish in the order in which they
// read the clock.
func raise(last *atomic.Int64, now int64) {
	for {
		known := last.Load()
		if now <= known || last.CompareAndSwap(known, now) {
			return
		}
	}
}

// Arrived is how many sequence numbers have arrived of from and, if every is more
// than 0, of those that follow it at that distance.
func (l *Ledger) Arrived(from uint64, every int) (n int) {
	if from < l.first {
		return 0
	}
	for i := from - l.first; i < uint64(len(l.counts)); i += uint64(every) {
		n += int(min(l.counts[i].Load(), 1))
		if every < 1 {
			break
		}
	}
	return n
}

// Distinct is how many sequence numbers have arrived at least once.
func (l *Ledger) Distinct() int { return int(l.distinct.Load()) }

// Tally is what became of the events of one phase.
type Tally struct {
	Published  int      `json:"published"`
	Delivered  int      `json:"delivered"`  // of the published, arrived at least once
	Lost       int      `json:"lost"`       // of the published, never arrived
	Duplicates int      `json:"duplicates"` // receipts beyond the first
	Strays     int      `json:"strays"`     // receipts of what this phase did not publish
	LastNS     int64    `json:"last_ns"`    // Unix time of the last first receipt
	Missing    []uint64 `json:"missing,omitempty"`
}

// Tally checks each of the first published sequence numbers. It is called when
// the phase is over; receipts that come in meanwhile may or may not be counted.
func (l *Ledger) Tally(published int) Tally {
	t := Tally{Published: published, Strays: int(l.strays.Load()), LastNS: l.lastNS.Load()}
	for i := range l.counts {
		n := int(l.counts[i].Load())
		switch {
		case i >= published:
			t.Strays += n
		case n > 0:
			t.Delivered++
			t.Duplicates += n - 1
		default:
			t.miss(l.first + uint64(i))
		}
	}
	if beyond := published - len(l.counts); beyond > 0 {
		t.Lost += beyond
	}
	return t
}

func (t *Tally) miss(seq uint64) {
	t.Lost++
	if len(t.Missing) < missingShown {
		t.Missing = append(t.Missing, seq)
	}
}

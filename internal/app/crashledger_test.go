package app

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// ledger is what is known outside of a server: what it acknowledged, which attempts
// reached the endpoints, and what its log was told. It outlives power cuts. A fork is
// the ledger of another history, which parts from this one at a power cut.
type ledger struct {
	mu   sync.Mutex
	life int // how many power cuts there have been

	project   event.ID   // zero: not made yet
	endpoints []event.ID // made so far
	disabled  []event.ID // of them
	acked     []event.Event
	begun     []begun
	taken     map[event.ID]bool // deliveries that their endpoint answered 2xx
	told      []event.Delivery  // states that the log is told of, in that order
	settled   []event.Delivery  // those that it has taken
	durable   int               // so many of these are on the disk

	// Of this life only.
	atOnce map[event.ID]int  // attempts in flight, by endpoint
	open   map[event.ID]bool // deliveries: true if it is owed
	wrong  []error
}

// begun is an attempt that reached its endpoint.
type begun struct {
	life     int
	at       time.Time
	endpoint *catalog.Endpoint
	delivery event.Delivery // as the attempt found it
	event    event.ID
	number   int
	data     []byte
}

func newLedger() *ledger {
	return &ledger{taken: make(map[event.ID]bool), atOnce: make(map[event.ID]int), open: make(map[event.ID]bool)}
}

// fork is the ledger as it is now, for the life after a power cut at this moment. The
// caller holds mu.
func (l *ledger) fork() *ledger {
	f := newLedger()
	f.life = l.life + 1
	f.project, f.endpoints, f.disabled = l.project, slices.Clip(l.endpoints), slices.Clip(l.disabled)
	f.acked, f.begun = slices.Clip(l.acked), slices.Clip(l.begun)
	f.told, f.settled, f.durable = slices.Clip(l.told), slices.Clip(l.settled), l.durable
	for id := range l.taken {
		f.taken[id] = true
	}
	return f
}

func (l *ledger) note(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// complain notes a broken promise. The caller holds mu, or is alone.
func (l *ledger) complain(format string, args ...any) {
	l.wrong = append(l.wrong, fmt.Errorf(format, args...))
}

// ack notes events whose submission returned.
func (l *ledger) ack(subs []event.Submission) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range subs {
		ev := subs[i].Event
		l.acked = append(l.acked, ev)
		for k := range ev.Owed {
			if _, known := l.open[ev.Owed[k].ID]; !known {
				l.open[ev.Owed[k].ID] = ev.Owed[k].Status.Owed()
			}
		}
	}
}

// tell notes a state that the log is about to be told of.
func (l *ledger) tell(d event.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, d)
}

// settle notes a state that the log has taken.
func (l *ledger) settle(d event.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settled = append(l.settled, d)
	l.open[d.ID] = d.Status.Owed()
}

// owing is how many deliveries are known to be owed.
func (l *ledger) owing() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, owed := range l.open {
		if owed {
			n++
		}
	}
	return n
}

// begin notes an attempt, and end its end.
func (l *ledger) begin(ep *catalog.Endpoint, d *event.Delivery, ev *event.Event, a *event.Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun = append(l.begun, begun{l.life, time.Now(), ep, *d, ev.ID, a.Number, bytes.Clone(ev.Data)})
	l.atOnce[ep.ID]++
	most := rigSlots
	if ep.MaxConcurrency > 0 {
		most = ep.MaxConcurrency
	}
	if l.atOnce[ep.ID] > most {
		l.complain("I5: %d attempts at once to %s, which takes %d", l.atOnce[ep.ID], ep.Name, most)
	}
}

func (l *ledger) end(ep *catalog.Endpoint, d *event.Delivery, a *event.Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.atOnce[ep.ID]--
	if a.Succeeded() {
		l.taken[d.ID] = true
	}
}

// watch notes endpoints that were disabled, durably.
func (l *ledger) watch(c catalog.Change) {
	if c.Kind == catalog.KindEndpoint && c.After != nil && c.After.Status == event.EndpointInactive {
		l.note(func() { l.disabled = append(l.disabled, c.ID) })
	}
}

// reader is what the checks read.
type reader interface {
	Event(project, id event.ID) (*event.Event, error)
	Delivery(project, id event.ID) (event.Delivery, error)
	Deliveries(project event.ID, r event.Range, f event.DeliveryFilter) ([]event.Delivery, event.Scan, error)
	Attempts(project, delivery event.ID) ([]event.Attempt, error)
}

// checkFound checks what a power cut left, before anything is done with it, and notes
// what is owed. It returns the deliveries that are there.
func (l *ledger) checkFound(log reader) (map[event.ID]event.Delivery, error) {
	for i := range l.acked {
		want := &l.acked[i]
		got, err := log.Event(want.ProjectID, want.ID)
		if err != nil {
			return nil, fmt.Errorf("I1: acknowledged: %w", err)
		}
		if !bytes.Equal(got.Data, want.Data) || len(got.Owed) != len(want.Owed) {
			return nil, fmt.Errorf("I1: event %s is not what was acknowledged", want.ID)
		}
	}
	there, err := l.listed(log)
	if err != nil {
		return nil, err
	}
	for i := range l.acked {
		for _, d := range l.acked[i].Owed {
			if _, ok := there[d.ID]; !ok {
				return nil, fmt.Errorf("I1: delivery %s of an acknowledged event is not listed", d.ID)
			}
		}
	}
	for i := range l.begun {
		if _, ok := there[l.begun[i].delivery.ID]; !ok {
			return nil, fmt.Errorf("I2: delivery %s was attempted and is not stored", l.begun[i].delivery.ID)
		}
	}
	if err := l.checkSettled(there); err != nil {
		return nil, err
	}
	l.told = nil // what was found is what counts from here on; it is on the disk
	for id, d := range there {
		l.open[id] = d.Status.Owed()
		l.told = append(l.told, d)
	}
	l.settled, l.durable = slices.Clone(l.told), len(l.told)
	return there, nil
}

// listed are all deliveries, read through the listing and each on its own.
func (l *ledger) listed(log reader) (map[event.ID]event.Delivery, error) {
	ds, _, err := log.Deliveries(l.project, event.Range{Limit: 1 << 20}, event.DeliveryFilter{})
	if err != nil {
		return nil, err
	}
	there := make(map[event.ID]event.Delivery, len(ds))
	for _, d := range ds {
		if one, err := log.Delivery(d.ProjectID, d.ID); err != nil || one != d {
			return nil, fmt.Errorf("delivery %s is listed as %+v and read as %+v: %w", d.ID, d, one, err)
		}
		if _, err := log.Event(d.ProjectID, d.EventID); err != nil {
			return nil, fmt.Errorf("I2: delivery %s has no event: %w", d.ID, err)
		}
		there[d.ID] = d
	}
	return there, nil
}

// checkSettled: each delivery is in the last state that was durable before the cut, or
// in one that the log was told of later.
func (l *ledger) checkSettled(there map[event.ID]event.Delivery) error {
	may := make(map[event.ID][]event.Delivery)
	for _, d := range l.told {
		may[d.ID] = append(may[d.ID], d)
	}
	past := make(map[event.ID]int) // states that others came after durably
	for _, d := range l.settled[:l.durable] {
		past[d.ID]++
	}
	for id, n := range past {
		got, states := there[id], may[id][n-1:]
		if !slices.ContainsFunc(states, func(d event.Delivery) bool { return sameState(got, d) }) {
			return fmt.Errorf("I6: delivery %s is %s after %d attempts, and was durably settled as one of %+v", id, got.Status, got.Attempts, states)
		}
	}
	return nil
}

func sameState(a, b event.Delivery) bool { return a.Status == b.Status && a.Attempts == b.Attempts }

// checkEnd checks what a life led to, once its engine has stopped. found are the
// deliveries at its start.
func (l *ledger) checkEnd(log reader, found map[event.ID]event.Delivery) error {
	there, err := l.listed(log)
	if err != nil {
		return err
	}
	tries := make(map[event.ID][]begun)
	for _, b := range l.begun {
		tries[b.delivery.ID] = append(tries[b.delivery.ID], b)
	}
	for i := range l.acked {
		for _, d := range l.acked[i].Owed {
			if _, ok := there[d.ID]; !ok {
				l.complain("I1: delivery %s of an acknowledged event is not listed", d.ID)
			}
		}
	}
	for id, d := range there {
		l.checkDelivery(log, &d, tries[id])
		before, known := found[id]
		if !known || before.Status.Owed() {
			continue
		}
		if !sameState(before, d) || slices.ContainsFunc(tries[id], func(b begun) bool { return b.life == l.life }) {
			l.complain("I6: delivery %s had ended as %s, and was attempted again, or is %s now", id, before.Status, d.Status)
		}
	}
	for id := range tries {
		if _, ok := there[id]; !ok {
			l.complain("I2: delivery %s was attempted and is not stored", id)
		}
	}
	l.checkRates()
	return errors.Join(l.wrong[:min(len(l.wrong), 5)]...)
}

// checkDelivery checks one delivery at the end, and all attempts of it.
func (l *ledger) checkDelivery(log reader, d *event.Delivery, tries []begun) {
	switch {
	case d.Status.Owed():
		l.complain("I1: delivery %s is still %s", d.ID, d.Status)
	case d.Status == event.Success && !l.taken[d.ID]:
		l.complain("I1: delivery %s is a success that its endpoint does not know of", d.ID)
	case d.Status != event.Success && d.Reason == "" && d.Attempts < rigAttempts:
		l.complain("I1: delivery %s ended as %s after %d attempts without a reason", d.ID, d.Status, d.Attempts)
	}
	recorded, err := log.Attempts(d.ProjectID, d.ID)
	if err != nil || len(recorded) != d.Attempts {
		l.complain("delivery %s has %d attempts, %d are recorded: %w", d.ID, d.Attempts, len(recorded), err)
	}
	for i := range recorded {
		if recorded[i].Number != i+1 {
			l.complain("attempt %d of delivery %s is recorded as number %d", i+1, d.ID, recorded[i].Number)
		}
	}
	most := rigAttempts + l.life
	if d.AtMostOnce {
		most = 1
	}
	if len(tries) > most || len(tries) < d.Attempts {
		l.complain("I3: %d attempts of delivery %s, of which %d are recorded, with %d power cuts", len(tries), d.ID, d.Attempts, l.life)
	}
	for i := range tries {
		b := &tries[i]
		if b.event != d.EventID || b.delivery.EventID != d.EventID || b.endpoint.ID != d.EndpointID || !bytes.Equal(b.data, tries[0].data) {
			l.complain("I4: attempt %d of delivery %s was of event %s to %s, the delivery is of %s to %s", i+1, d.ID, b.event, b.endpoint.ID, d.EventID, d.EndpointID)
		}
		if i > 0 && b.life == tries[i-1].life && b.number <= tries[i-1].number {
			l.complain("attempt %d of delivery %s followed attempt %d", b.number, d.ID, tries[i-1].number)
		}
	}
}

// checkRates: no endpoint got more attempts in any window of one life than its limit
// and its burst allow. A restart begins with a full bucket.
func (l *ledger) checkRates() {
	at := make(map[event.ID][]time.Time)
	limits := make(map[event.ID]*catalog.Endpoint)
	for _, b := range l.begun {
		if b.life == l.life && !b.endpoint.Limit().Unlimited() {
			at[b.endpoint.ID] = append(at[b.endpoint.ID], b.at)
			limits[b.endpoint.ID] = b.endpoint
		}
	}
	for id, times := range at {
		limit := limits[id].Limit()
		slices.SortFunc(times, time.Time.Compare)
		for i := range times {
			for j := i; j < len(times); j++ {
				if n, window := j-i+1, times[j].Sub(times[i]); n > limit.Burst()+int(window/limit.Interval()) {
					l.complain("I5: %d attempts to %s within %s", n, limits[id].Name, window)
					return
				}
			}
		}
	}
}

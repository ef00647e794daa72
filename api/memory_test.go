package api

import (
	"bytes"
	"slices"
	"sync"

	"posthaste/event"
)

// memory is a Reader over slices, kept in id order.
type memory struct {
	mu         sync.Mutex
	events     []*event.Event
	deliveries []event.Delivery
	attempts   map[event.ID][]event.Attempt
	fail       error // what every method returns, if not nil
	reads      int   // calls of Event

	eventFilter    event.EventFilter // of the last listings
	deliveryFilter event.DeliveryFilter
}

func newMemory() *memory { return &memory{attempts: make(map[event.ID][]event.Attempt)} }

func (m *memory) addEvent(e *event.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, e)
	slices.SortFunc(m.events, func(a, b *event.Event) int { return a.ID.Compare(b.ID) })
}

func (m *memory) addDelivery(d event.Delivery, attempts ...event.Attempt) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deliveries = append(m.deliveries, d)
	slices.SortFunc(m.deliveries, func(a, b event.Delivery) int { return a.ID.Compare(b.ID) })
	m.attempts[d.ID] = attempts
}

func (m *memory) Event(project, id event.ID) (*event.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	for _, e := range m.events {
		if e.ID == id && e.ProjectID == project && m.fail == nil {
			return e, nil
		}
	}
	if m.fail != nil {
		return nil, m.fail
	}
	return nil, event.ErrNotFound
}

func (m *memory) Delivery(project, id event.ID) (event.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.deliveries {
		if d.ID == id && d.ProjectID == project && m.fail == nil {
			return d, nil
		}
	}
	if m.fail != nil {
		return event.Delivery{}, m.fail
	}
	return event.Delivery{}, event.ErrNotFound
}

func (m *memory) Attempts(_, delivery event.ID) ([]event.Attempt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.attempts[delivery], m.fail
}

func (m *memory) Events(project event.ID, r event.Range, f event.EventFilter) ([]*event.Event, event.Scan, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.eventFilter = f
	rows, scan := within(m.events, r, func(e *event.Event) event.ID { return e.ID }, func(e *event.Event) bool {
		return e.ProjectID == project &&
			(f.IdempotencyKey == "" || e.IdempotencyKey == f.IdempotencyKey) &&
			(f.OwnerID == "" || e.OwnerID == f.OwnerID) &&
			(f.EventType == "" || e.Type == f.EventType) &&
			(len(f.Sources) == 0 || slices.Contains(f.Sources, e.SourceID)) &&
			(f.Query == "" || bytes.Contains(e.Data, []byte(f.Query))) &&
			(len(f.Endpoints) == 0 || m.owedToLocked(e, f.Endpoints))
	})
	return rows, scan, m.fail
}

func (m *memory) owedToLocked(e *event.Event, endpoints []event.ID) bool {
	return slices.ContainsFunc(m.deliveries, func(d event.Delivery) bool {
		return d.EventID == e.ID && slices.Contains(endpoints, d.EndpointID)
	})
}

func (m *memory) Deliveries(project event.ID, r event.Range, f event.DeliveryFilter) ([]event.Delivery, event.Scan, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deliveryFilter = f
	rows, scan := within(m.deliveries, r, func(d event.Delivery) event.ID { return d.ID }, func(d event.Delivery) bool {
		return d.ProjectID == project &&
			(f.EventID.IsZero() || d.EventID == f.EventID) &&
			(f.SubscriptionID.IsZero() || d.SubscriptionID == f.SubscriptionID) &&
			(len(f.Statuses) == 0 || slices.Contains(f.Statuses, d.Status)) &&
			(len(f.Endpoints) == 0 || slices.Contains(f.Endpoints, d.EndpointID)) &&
			(f.EventType == "" || m.typeLocked(d.EventID) == f.EventType)
	})
	return rows, scan, m.fail
}

func (m *memory) typeLocked(id event.ID) string {
	for _, e := range m.events {
		if e.ID == id {
			return e.Type
		}
	}
	return ""
}

// within is the part of rows, which are in id order, that a range asks for, and how far
// its budget led.
func within[T any](rows []T, r event.Range, id func(T) event.ID, match func(T) bool) (out []T, scan event.Scan) {
	if r.Limit <= 0 {
		panic("a range needs a limit")
	}
	for i := range rows {
		row := rows[i]
		if r.Descending {
			row = rows[len(rows)-1-i]
		}
		at := id(row)
		if bytes.Compare(at[:], r.From[:]) < 0 || !r.To.IsZero() && bytes.Compare(at[:], r.To[:]) > 0 {
			continue
		}
		if len(out) == r.Limit {
			break
		}
		if r.Budget > 0 && scan.Looked == r.Budget {
			scan.Next = at
			break
		}
		scan.Looked++
		if match(row) {
			out = append(out, row)
		}
	}
	return out, scan
}

package wal

import (
	"slices"
	"testing"
	"time"

	"posthaste/event"
)

// TestHoursWithoutEventsCountForTheBudget, also those in which only other projects have
// endpoints; and pages of any budget visit each row once.
func TestHoursWithoutEventsCountForTheBudget(t *testing.T) {
	h := newHours(t, 5, 8, 12)
	h.finish(func(*event.Delivery) event.Status { return event.Success })
	h.retain(Policy{Now: h.at(8), Default: Keep{Payload: time.Hour}})
	list := func(project uint64) func(event.Range) ([]event.ID, event.Scan, error) {
		return func(r event.Range) ([]event.ID, event.Scan, error) {
			ds, scan, err := h.l.Deliveries(idOf(project), r, event.DeliveryFilter{})
			return idsOf(ds), scan, err
		}
	}
	for _, down := range []bool{false, true} {
		_, scan, err := list(9)(event.Range{Limit: 10, Budget: 8, Descending: down})
		must(t, err)
		if scan.Next == (event.ID{}) {
			t.Errorf("down %v: a project with nothing was looked for in all hours", down)
		}
		want, _, err := list(1)(event.Range{Limit: 1 << 20, Descending: down})
		must(t, err)
		if len(want) < 10 {
			t.Fatalf("%d deliveries are too few", len(want))
		}
		for budget := range 20 {
			got, err := walkPages(event.Range{Limit: 5, Budget: budget, Descending: down}, list(1))
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("budget %d, down %v: %v\n got %v\nwant %v", budget, down, err, got, want)
			}
			if none, err := walkPages(event.Range{Limit: 5, Budget: budget, Descending: down}, list(9)); err != nil || len(none) != 0 {
				t.Fatalf("budget %d, down %v: %v of nothing, %v", budget, down, none, err)
			}
		}
	}
}

package api

import "posthaste/event"

// Reader reads what the log holds. Every method may be called from any goroutine,
// sees everything that was committed before the call, and reports a thing of
// another project as absent.
//
// A listing returns the rows of the range in the range's order. It returns fewer than
// Range.Limit only when there are no more, or when Range.Budget was spent: then
// Scan.Next says where to go on. A filter that cannot be looked for is an
// event.InvalidError.
type Reader interface {
	// Event returns event.ErrNotFound if the project has no such event.
	Event(project, id event.ID) (*event.Event, error)
	Events(project event.ID, r event.Range, f event.EventFilter) ([]*event.Event, event.Scan, error)
	// Delivery returns event.ErrNotFound if the project has no such delivery.
	Delivery(project, id event.ID) (event.Delivery, error)
	Deliveries(project event.ID, r event.Range, f event.DeliveryFilter) ([]event.Delivery, event.Scan, error)
	// Attempts returns a delivery's attempts, oldest first. Their byte fields
	// belong to the caller. A delivery without attempts has none, and no error.
	Attempts(project, delivery event.ID) ([]event.Attempt, error)
}

package event

import "time"

// Submission is one event on its way in, where it is to go, and what became of it.
// Its memory is handed to the engine with Submit: the caller changes nothing in
// it afterwards and reads only the results.
type Submission struct {
	Event Event

	// To says whom the event is for. The field that goes with it is below, or in
	// the event.
	To         Addressee
	EndpointID ID       // ToEndpoint
	AppID      ID       // ToApp
	Dynamic    *Dynamic // ToDynamic

	// Window is how long the event's idempotency key is remembered; 0: the log's
	// default. Set by the engine.
	Window time.Duration

	// Err says why this event was refused, nil if it was accepted. Set by Submit.
	Err error
	// Duplicate: the idempotency key was seen before with the same content, and
	// Event.ID is the id of that first event. Nothing was stored. Set by Submit.
	Duplicate bool
}

// Addressee says whom an event is for.
type Addressee uint8

// The addressees of an event.
const (
	ToEndpoint    Addressee = iota // one endpoint
	ToOwner                        // the endpoints of Event.OwnerID
	ToApp                          // the endpoints of an application
	ToSubscribers                  // broadcast: every subscription that wants it
	ToDynamic                      // the endpoint with a URL that comes with the event, which is made if need be
	ToSource                       // the subscriptions of Event.SourceID
)

// Dynamic is the endpoint that an event brings with it.
type Dynamic struct {
	URL        string
	Secret     string   // "": as it is, or one that is made
	EventTypes []string // what its subscription is to take from now on; empty: as it is, or all
}

package event

import "time"

// Submission is one event on its way in, where it is to go, and what became of it.
// Its memory is handed to the engine with Submit: the caller changes nothing in
// it afterwards and reads only the results.
type Submission struct {
	Event Event

	// EndpointID addresses a single event; zero for a fan-out, which goes to the
	// endpoints of Event.OwnerID.
	EndpointID ID

	// Window is how long the event's idempotency key is remembered; 0: the log's
	// default. Set by the engine.
	Window time.Duration

	// Err says why this event was refused, nil if it was accepted. Set by Submit.
	Err error
	// Duplicate: the idempotency key was seen before with the same content, and
	// Event.ID is the id of that first event. Nothing was stored. Set by Submit.
	Duplicate bool
}

// Grant is what a caller may do.
type Grant struct {
	KeyID     ID
	ProjectID ID   // the only project it sees; zero for the instance key
	Instance  bool // may do everything
}

// Allows reports whether the grant reaches a project.
func (g Grant) Allows(project ID) bool { return g.Instance || g.ProjectID == project }

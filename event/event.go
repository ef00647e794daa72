package event

import "time"

// Header is one header that travels with an event to its receivers.
type Header struct {
	Name, Value string
}

// Event is something that happened: what a producer posted. Its strings and
// Data may share one buffer; nobody changes them once the event is built.
type Event struct {
	ID             ID // set by the log when the event is committed
	ProjectID      ID
	Type           string
	IdempotencyKey string   // "" for none
	OwnerID        string   // fan-out events only
	Headers        []Header // sent to receivers beside posthaste's own
	Data           []byte   // the JSON value, byte for byte as posted
	ReceivedAt     time.Time

	// SourceID, Path and Query are those of a request that came in through a
	// source; zero for an event that was posted to the API.
	SourceID    ID
	Path, Query string

	// Origin says what this record is; Of is the event that a duplicate or a
	// replay stands for.
	Origin Origin
	Of     ID

	// Deleted: the content was deleted. Data is empty.
	Deleted bool

	// Owed lists one delivery for each endpoint that the event is owed to. It
	// travels with a new event, and may be nil on one read back.
	Owed []Delivery
}

// Origin says how an event came about.
type Origin uint8

// The origins of an event. They are stored.
const (
	Posted    Origin = iota // by a producer
	Duplicate               // posted again under its idempotency key: it owes nothing, and its data is the first one's
	Replayed                // by hand: new deliveries of an event, with a copy of its data
	Meta                    // by posthaste itself, about what happened in a project
	Test                    // to one endpoint, to try it out
)

// Replayable reports whether a batch replay takes up events of this origin: neither what
// stands for another event, nor what was only tried out.
func (o Origin) Replayable() bool { return o == Posted || o == Meta }

// PublicID is the id that receivers see: a replayed event keeps the one it had.
func (e *Event) PublicID() ID {
	if e.Origin == Replayed {
		return e.Of
	}
	return e.ID
}

// SizeBytes is what an event costs in memory while its deliveries wait, near enough
// for the bounds that count it.
func (e *Event) SizeBytes() int64 { return int64(len(e.Data)) + 256 }

// Delivery is one event owed to one endpoint, and how far that got.
type Delivery struct {
	ID             ID // set by the log when the event is committed
	EventID        ID
	ProjectID      ID
	EndpointID     ID
	SubscriptionID ID
	Status         Status
	Attempts       int       // attempts charged so far
	Limit          int       // attempts allowed, the first included; 0 while none was made
	Due            time.Time // when the next attempt is due, in Retry
	UpdatedAt      time.Time // when the last attempt ended; the creation time before it
	Manual         bool      // the next attempt was asked for by hand
	Reason         string    // why it was discarded, or ended without an answer; "" otherwise
	AtMostOnce     bool      // its subscription's delivery mode when it was created
}

// Attempt is one try to deliver, as it is recorded. Byte fields of an attempt
// that is being made belong to its worker and are reused for the next one.
type Attempt struct {
	DeliveryID      ID
	EndpointID      ID
	Number          int // from 1
	Manual          bool
	URL             string
	StartedAt       time.Time
	Duration        time.Duration
	Timing          Timing
	StatusCode      int    // 0 when no answer came
	RequestHeaders  []byte // as sent: "Name: value\r\n" lines
	ResponseHeaders []byte // as received, cut at the cap
	ResponseBody    []byte // as received, cut at the cap
	BodyCut         bool   // the answer's body was longer than what is kept
	Class           ErrorClass
	Error           string // what went wrong, in words; "" for an answer
	Address         string // the resolved address that was called; "" if none was

	// RetryAfter is how long the answer asked to be left alone, as it said, 0 if it did
	// not. It is not stored.
	RetryAfter time.Duration
}

// Succeeded reports whether the receiver took the event: an answer of 200 to 299.
func (a *Attempt) Succeeded() bool {
	return a.Class == ClassNone && a.StatusCode >= 200 && a.StatusCode <= 299
}

// Settlement is the end of an attempt, or of a delivery without one: what the
// log writes in one go.
type Settlement struct {
	Delivery Delivery // the state after
	Attempt  *Attempt // nil for a state change without an attempt
	// Timer is the due time under which the delivery waited in the timer index
	// before this attempt; zero if it did not.
	Timer time.Time
	// Was is the state before.
	Was Status
	// Type is the event's, for the counts; "" if the caller does not know it: then the
	// log reads it.
	Type string
	// Event is the delivery's, for those who watch; nil if the caller does not have it.
	Event *Event
}

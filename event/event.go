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

	// Owed lists one delivery for each endpoint that the event is owed to. It
	// travels with a new event, and may be nil on one read back.
	Owed []Delivery
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
	Reason         string    // why it was discarded; "" otherwise
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
	StatusCode      int    // 0 when no answer came
	RequestHeaders  []byte // as sent: "Name: value\r\n" lines
	ResponseHeaders []byte // as received, cut at the cap
	ResponseBody    []byte // as received, cut at the cap
	BodyCut         bool   // the answer's body was longer than what is kept
	Class           ErrorClass
	Error           string // what went wrong, in words; "" for an answer
	Address         string // the resolved address that was called; "" if none was
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
}

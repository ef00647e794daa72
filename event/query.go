package event

import "encoding/json"

// Range is a stretch of a listing. Ids sort by time, so a range of ids is a range
// of time too.
type Range struct {
	From, To   ID   // both inclusive; zero From and zero To are open ends
	Descending bool // newest first
	Limit      int  // rows at the most; must be positive
	// Budget bounds how many rows are looked at, besides those that an index passes
	// over; 0: no bound. See Scan.
	Budget int
}

// Scan says how far a listing looked.
type Scan struct {
	Looked int // rows that were read to see whether they pass
	// Next is where the listing goes on, that id included, if it ended because of its
	// budget; zero if it ended because it was full or there was no more.
	Next ID
}

// DeliveryFilter selects deliveries; zero fields select all. Fields combine.
type DeliveryFilter struct {
	Endpoints      []ID
	EventID        ID
	SubscriptionID ID
	Statuses       []Status
	EventType      string
	IdempotencyKey string
	SourceID       ID
}

// EventFilter selects events; zero fields select all. Fields combine.
type EventFilter struct {
	Endpoints      []ID
	IdempotencyKey string
	OwnerID        string
	EventType      string
	Sources        []ID
	// Query is a text that the data has to contain, without regard to the case of
	// ASCII letters.
	Query string
	// Body is a JSON value that the data has to contain, as PostgreSQL's @> does:
	// objects by their members, arrays by their elements, all else by equality.
	Body json.RawMessage
}

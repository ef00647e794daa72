package event

// Range is a stretch of a listing. Ids sort by time, so a range of ids is a range
// of time too.
type Range struct {
	From, To   ID   // both inclusive; zero From and zero To are open ends
	Descending bool // newest first
	Limit      int  // rows at the most; must be positive
}

// DeliveryFilter selects deliveries; zero fields select all. Fields combine.
type DeliveryFilter struct {
	Endpoints      []ID
	EventID        ID
	SubscriptionID ID
	Statuses       []Status
	EventType      string
}

// EventFilter selects events; zero fields select all. Fields combine.
type EventFilter struct {
	Endpoints      []ID
	IdempotencyKey string
	OwnerID        string
}

package event

// Timer says that an endpoint has a delivery whose next attempt is due at a time.
type Timer struct {
	Endpoint ID
	DueMilli uint64 // Unix milliseconds
}

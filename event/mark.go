package event

// Mark says how far the engine got, so that recovery need not read everything.
type Mark struct {
	// Watermark, in Unix milliseconds: every delivery created before it has had
	// its first attempt settled, or belongs to an endpoint that is behind, or waits
	// in the timer index. 0 leaves it as it is.
	Watermark uint64
	// Behind lists endpoints that read their deliveries from the log, and the
	// place of each: all up to After have had their first attempt settled.
	Behind []Behind
	// CaughtUp lists endpoints that are behind no longer.
	CaughtUp []ID
}

// Behind is an endpoint's place in the log.
type Behind struct {
	Endpoint ID
	After    ID
}

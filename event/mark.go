package event

// Mark says how far the engine got, so that recovery need not read everything.
type Mark struct {
	// Watermark, in Unix milliseconds: every delivery created before it has had
	// its first attempt settled, or belongs to an endpoint that is behind, or waits
	// in the timer index. 0 leaves it as it is.
	Watermark uint64
	// Partitions lists those that the watermark speaks for. Nil: for all, whose own
	// watermarks are void then.
	Partitions []uint16
	// Behind lists endpoints that read their deliveries from the log, and the
	// place of each: all up to After have had their first attempt settled.
	Behind []Behind
	// CaughtUp lists endpoints that are behind no longer.
	CaughtUp []ID
	// Health lists endpoints whose health changed. A zero one is well: its record
	// is removed.
	Health []Health
}

// Behind is an endpoint's place in the log.
type Behind struct {
	Endpoint ID
	After    ID
}

// Health is what is remembered of an endpoint that failed of late.
type Health struct {
	Endpoint ID
	Failures int    // attempts in a row that failed
	Since    uint64 // Unix ms of the first of them
	Trips    int    // how often in a row its circuit breaker opened
	Until    uint64 // Unix ms until which nothing is sent: Retry-After, or the breaker is open; 0: none
}

// Well reports whether there is nothing to remember.
func (h *Health) Well() bool { return h.Failures == 0 && h.Trips == 0 && h.Until == 0 }

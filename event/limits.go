package event

// Bounds of what the API takes. Those that an operator may change are options
// of the packages that enforce them, and these are their defaults.
const (
	DefaultMaxPayloadBytes = 1 << 20  // of one event's data
	DefaultMaxRequestBytes = 16 << 20 // of one request, decompressed
	MaxBatchItems          = 10_000   // events in one batch request
	MaxFanout              = 10_000   // endpoints one event may be owed to
	MaxOwedPerRequest      = 100_000  // deliveries that the events of one request may owe together
	MaxNameBytes           = 256      // of a name, an event type, an owner id
	MaxURLBytes            = 2048
	MaxCustomHeaders       = 100
	MaxHeaderBytes         = 16 << 10 // of all custom headers of an event
	MaxIdempotencyKeyBytes = 256
	MaxSecretBytes         = 256
	MaxAttempts            = 1000 // of one delivery
	MaxRetrySeconds        = 30 * 86400
	MaxHTTPTimeoutSeconds  = 60
	DefaultHTTPTimeout     = 10 // seconds
)

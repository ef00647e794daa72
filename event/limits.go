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

	MaxScheduleSteps         = 100
	DefaultMaxBackoff        = 2 * 3600  // seconds, Convoy's
	DefaultIdempotencyWindow = 24 * 3600 // seconds
	MaxIdempotencyWindow     = 30 * 86400
	DefaultDeadCount         = 10        // failed attempts in a row
	DefaultDeadWindow        = 5 * 86400 // seconds of nothing but failures
	MaxStatusHistory         = 16        // state changes that an endpoint remembers
	MaxEndpointConcurrency   = 1024      // attempts at once to one endpoint
	MaxLiveSecrets           = 10
	MaxFunctionBytes         = 64 << 10 // of a transformation's source
	MaxFilterBytes           = 64 << 10 // of a subscription's filter, as JSON
	MaxPEMBytes              = 32 << 10 // of a certificate or key
	MinRetentionSeconds      = 3600

	MaxBroadcast       = 100_000  // endpoints that a broadcast may be owed to
	MaxTypeFilters     = 100      // of one subscription
	MaxSourceSelectors = 20       // idempotency selectors of a source
	MaxForwardHeaders  = 100      // of a source
	MaxResponseBytes   = 64 << 10 // of a source's custom response
	MaxPortalEndpoints = 1000     // that a portal link lists
	MaxAllowFrom       = 100      // address ranges of a key
)

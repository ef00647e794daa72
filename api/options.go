package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// Options are what an API needs and what an operator may change.
type Options struct {
	Catalog *catalog.Catalog // required
	Reader  Reader           // required

	// Work retries deliveries and replays events, and Jobs does so with many in the
	// background. Default: both are refused.
	Work Worker
	Jobs Jobs

	// APIVersion is assumed for a request without an X-Convoy-Version header: a
	// date as in 2025-11-24. "" means CurrentVersion.
	APIVersion string

	// MaxBodyBytes bounds a request's body. Default: 1 MiB.
	MaxBodyBytes int64

	// MaxPageBytes bounds what one page of a listing holds in memory. A page that
	// would hold more ends early, with has_next_page set. Default: 16 MiB.
	MaxPageBytes int

	// MaxRetrySeconds is the longest wait between two attempts, as shown in a
	// delivery's metadata. Default: event.MaxRetrySeconds.
	MaxRetrySeconds int

	// Now is the clock that an endpoint's warnings are judged by. Any goroutine may
	// call it. Default: time.Now.
	Now func() time.Time

	// Health says how an endpoint does at the moment: the state of its circuit breaker
	// and how many attempts in a row failed. It must not block. Default: closed and 0.
	Health func(endpoint event.ID) (cbState string, failures int)

	// Transform runs a function over a payload, both from a request that tries it out,
	// and returns what it made and what it logged. An error that is a transform.Error
	// is the function's fault and the client's to read. Default: test_function is refused.
	Transform func(ctx context.Context, function string, payload []byte) (out []byte, log []string, err error)

	// CheckFunction says what is wrong with a function, without running it. Its errors
	// are Transform's. Default: subscriptions with a function are refused.
	CheckFunction func(function string) error

	// TestOAuth2 gets a token as a delivery would, past all caches. The error's text is
	// the client's to read. Default: endpoints/oauth2/test is refused.
	TestOAuth2 func(ctx context.Context, o *event.OAuth2Auth) (token, tokenType string, expires time.Time, err error)

	// Fault is told of every answer of 500, with the request's id and the cause; a
	// panic's stack is in the error's text. It must not block. Default: ignored.
	Fault func(requestID string, err error)
}

// EnsureDefaults fills the fields that are zero.
func (o *Options) EnsureDefaults() {
	if o.Work == nil {
		o.Work = idle{}
	}
	if o.Jobs == nil {
		o.Jobs = idle{}
	}
	if o.APIVersion == "" {
		o.APIVersion = CurrentVersion
	}
	if o.MaxBodyBytes <= 0 {
		o.MaxBodyBytes = 1 << 20
	}
	if o.MaxPageBytes <= 0 {
		o.MaxPageBytes = 16 << 20
	}
	if o.MaxRetrySeconds <= 0 {
		o.MaxRetrySeconds = event.MaxRetrySeconds
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Health == nil {
		o.Health = func(event.ID) (string, int) { return "closed", 0 }
	}
	if o.Fault == nil {
		o.Fault = func(string, error) {}
	}
}

// Validate reports the first option that cannot work, by name.
func (o *Options) Validate() error {
	if o.Catalog == nil {
		return errors.New("api: Options.Catalog is required")
	}
	if o.Reader == nil {
		return errors.New("api: Options.Reader is required")
	}
	if _, err := parseVersion(o.APIVersion); err != nil {
		return fmt.Errorf("api: Options.APIVersion: %w", err)
	}
	return nil
}

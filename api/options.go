package api

import (
	"errors"
	"fmt"

	"posthaste/catalog"
	"posthaste/event"
)

// Options are what an API needs and what an operator may change.
type Options struct {
	Catalog *catalog.Catalog // required
	Reader  Reader           // required

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

	// Fault is told of every answer of 500, with the request's id and the cause; a
	// panic's stack is in the error's text. It must not block. Default: ignored.
	Fault func(requestID string, err error)
}

// EnsureDefaults fills the fields that are zero.
func (o *Options) EnsureDefaults() {
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

package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// DefaultMaxBodyBytes is how large a request's body may be.
const DefaultMaxBodyBytes = 1 << 20

// Options are what an API needs and what an operator may change.
type Options struct {
	Catalog *catalog.Catalog // required
	Reader  Reader           // required

	// Work retries deliveries and replays events, and Jobs does so with many in the
	// background. Default: both are refused.
	Work Worker
	Jobs Jobs

	// Counts reads statistics. Default: there are none.
	Counts Counts

	// Streams tell of deliveries and events as they become durable. Default: streams are
	// refused.
	Streams Streams

	// Audit is the audit log. What the catalog writes it puts there by itself. Default:
	// nothing is recorded, and it is empty.
	Audit Auditor

	// Sealing says how far it is with the keys that secrets are stored under, and Reseal
	// reads them again and begins to write all secrets anew if there is a new one in front.
	// An error that is an event.InvalidError is the client's to read. by is who asked.
	// Default: both are refused.
	Sealing func() event.Sealing
	Reseal  func(by event.Audit) (event.Sealing, error)

	// System says how the server is. Any goroutine may call it. Default: it is refused.
	System func() System

	// APIVersion is assumed for a request without an X-Convoy-Version header: a
	// date as in 2025-11-24. "" means CurrentVersion.
	APIVersion string

	// PublicURL is where producers and sources reach this server, without a slash at
	// its end: the URLs of sources start with it. Default: they are paths.
	PublicURL string

	// PortalURL is where an owner's people reach the portal's pages: the URLs of portal
	// links start with it. Default: they are paths.
	PortalURL string

	// MaxBodyBytes bounds a request's body. Default: DefaultMaxBodyBytes.
	MaxBodyBytes int64

	// MaxPageBytes bounds what one page of a listing holds in memory. A page that
	// would hold more ends early, with has_next_page set. Default: 16 MiB.
	MaxPageBytes int

	// MaxScanRows is how many rows a page of events or deliveries may look at beside those
	// that it shows, and MaxSearchRows the same where it looks for something in the data. A
	// page that would look at more ends early, and says how far it looked. Default:
	// 2000 and 5000.
	MaxScanRows, MaxSearchRows int

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

	// Submit takes events in, as the API for events does: it returns when all are
	// durable or refused, and says in each what became of it. It is called from the
	// requests that ask for a test event. Default: these are refused.
	Submit func(ctx context.Context, events []event.Submission) error

	// DeleteContent removes the data of an event, and what was recorded of its requests
	// and answers. It is durable when it returns; event.ErrNotFound if the project has no
	// such event, a StateError while it is still owed. Default: it is refused.
	DeleteContent func(project, id event.ID) error

	// Full says why nothing may be changed at the moment, with relief even nothing that
	// gives space back; nil if it may. An event.FullError is the client's to read. Any
	// goroutine may call it. Default: everything may always be changed.
	Full func(relief bool) error

	// CheckURL is the catalog's Options.URLPolicy: what a dry run of onboarding asks of
	// each URL. Default: only its form is checked, and a URL that leads where no request
	// may go is found when its endpoint is made.
	CheckURL func(raw string, enforceTLS bool) (canonical string, err error)

	// Strict refuses every request whose JSON has fields that are not known; without
	// it, only those that ask for it with "Prefer: handling=strict".
	Strict bool

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
	if o.Counts == nil {
		o.Counts = noCounts{}
	}
	if o.Audit == nil {
		o.Audit = unaudited{}
	}
	if o.APIVersion == "" {
		o.APIVersion = CurrentVersion
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	o.PortalURL = strings.TrimRight(o.PortalURL, "/")
	if o.MaxBodyBytes <= 0 {
		o.MaxBodyBytes = DefaultMaxBodyBytes
	}
	if o.MaxPageBytes <= 0 {
		o.MaxPageBytes = 16 << 20
	}
	if o.MaxScanRows <= 0 {
		o.MaxScanRows = 2000
	}
	if o.MaxSearchRows <= 0 {
		o.MaxSearchRows = 5000
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
	if o.Full == nil {
		o.Full = func(bool) error { return nil }
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

package oauth

import (
	"time"

	"posthaste/event"
)

const (
	firstBackoff = time.Second
	maxBackoff   = 30 * time.Second
	// settled is the age from which a token that is refused was good once.
	settled = time.Minute
	// maxMargin is how long before its end a token is not used any more, for the way
	// to the endpoint and for clocks that differ.
	maxMargin = 5 * time.Second
)

// entry is what is known of one endpoint. Tokens.mu guards it, but for source.
type entry struct {
	cfg  *event.OAuth2Auth
	used time.Time // last asked for

	header  string    // "" if there is none
	asked   time.Time // when the request for it was sent
	refresh time.Time // from then on it is replaced
	until   time.Time // from then on it is not used

	flight   *flight   // nil if no request is under way
	failures int       // requests that failed, in a row
	refusals int       // fresh tokens that the endpoint refused, in a row
	err      error     // of the last request, if it failed
	next     time.Time // before then no other request follows one that failed

	source *source // belongs to the flight
}

// flight is one request for a token. header and err are set before done is closed.
type flight struct {
	done   chan struct{}
	header string
	err    error
}

func (e *entry) usable(now time.Time) bool { return e.header != "" && now.Before(e.until) }

// over reports whether nothing is in it that a new entry would not have.
func (e *entry) over(now time.Time) bool {
	return !e.usable(now) && e.failures == 0 && e.refusals == 0
}

// due reports whether a token is to be asked for.
func (e *entry) due(now time.Time) bool {
	return (e.header == "" || !now.Before(e.refresh)) && !now.Before(e.next)
}

// land takes what a request brought home.
func (e *entry) land(t Token, err error, asked, now time.Time) {
	if err != nil {
		e.failures++
		e.err, e.next = err, now.Add(backoff(e.failures))
		return
	}
	life := t.life
	e.header, e.asked = t.Header(), asked
	e.refresh = asked.Add(life / 5 * 4)
	e.until = asked.Add(life - min(maxMargin, life/10))
	e.failures, e.err, e.next = 0, nil, time.Time{}
}

// refused is about a token that the endpoint did not take.
func (e *entry) refused(now time.Time) {
	age := now.Sub(e.asked)
	if age >= settled {
		e.refusals = 0
	}
	if e.refusals > 0 && age < backoff(e.refusals) {
		return
	}
	e.refusals++
	e.header = ""
}

// backoff is the wait after the n-th failure in a row, n from 1.
func backoff(n int) time.Duration {
	if n > 5 {
		return maxBackoff
	}
	return min(firstBackoff<<(n-1), maxBackoff)
}

// same reports whether two settings get the same tokens.
func same(a, b *event.OAuth2Auth) bool {
	if a == b {
		return true
	}
	x, y := *a, *b
	x.SigningKey, x.FieldMapping, y.SigningKey, y.FieldMapping = nil, nil, nil, nil
	return x == y && equal(a.SigningKey, b.SigningKey) && equal(a.FieldMapping, b.FieldMapping)
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

package catalog

import (
	"time"

	"posthaste/event"
	"posthaste/internal/seal"
	"posthaste/sig"
)

// SignerAt is Signer at a given time.
func SignerAt(e *Endpoint, p *Project, now time.Time) *sig.Signer { return e.signerAt(p, now) }

// StandardAt is Standard at a given time.
func StandardAt(e *Endpoint, now time.Time) *sig.Standard { return e.standardAt(now) }

// RecordOf is the first revision of a noun, as it is stored; a nil box leaves its
// secrets in clear.
func RecordOf(box *seal.Box, kind byte, id event.ID, noun any) event.CatalogRecord {
	value, err := encodeNoun(box, noun)
	if err != nil {
		panic(err)
	}
	return event.CatalogRecord{Kind: kind, ID: id, Rev: 1, Value: value}
}

func encodeNoun(box *seal.Box, noun any) ([]byte, error) {
	switch n := noun.(type) {
	case *event.Project:
		return (&Project{Project: *n}).encode(box)
	case *event.Endpoint:
		return packEndpoint(box, n)
	case *event.Subscription:
		return packSubscription(n)
	}
	return encodeJSON(noun)
}

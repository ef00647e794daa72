package catalog

import (
	"time"

	"posthaste/event"
	"posthaste/sig"
)

// SignerAt is Signer at a given time.
func SignerAt(e *Endpoint, p *Project, now time.Time) *sig.Signer { return e.signerAt(p, now) }

// RecordOf is the first revision of a noun, as it is stored.
func RecordOf(kind byte, id event.ID, noun any) event.CatalogRecord {
	value, err := encode(noun)
	if err != nil {
		panic(err)
	}
	return event.CatalogRecord{Kind: kind, ID: id, Rev: 1, Value: value}
}

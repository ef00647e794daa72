package catalog

import (
	"time"

	"posthaste/sig"
)

// SignerAt is Signer at a given time.
func SignerAt(e *Endpoint, p *Project, now time.Time) *sig.Signer { return e.signerAt(p, now) }

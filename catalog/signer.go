package catalog

import (
	"fmt"
	"time"

	"posthaste/event"
	"posthaste/sig"
)

// cachedSigner is a signer and what it was made from.
type cachedSigner struct {
	project *Project
	signer  *sig.Signer
	until   time.Time // when one of its secrets ends; zero: never
}

// Signer signs for this endpoint under p's signature settings, with every secret
// that is alive now. It is built when first asked for, which costs some
// microseconds, and again when p is another project value or a secret has ended;
// otherwise the call costs an atomic load. Any goroutine may call it.
func (e *Endpoint) Signer(p *Project) *sig.Signer {
	if c := e.signer.Load(); c != nil && c.project == p && c.until.IsZero() {
		return c.signer
	}
	return e.signerAt(p, time.Now())
}

func (e *Endpoint) signerAt(p *Project, now time.Time) *sig.Signer {
	c := e.signer.Load()
	if c == nil || c.project != p || passed(c.until, now) {
		c = e.buildSigner(p, now)
		e.signer.Store(c)
	}
	return c.signer
}

func (e *Endpoint) buildSigner(p *Project, now time.Time) *cachedSigner {
	secrets, until := liveSecrets(e.Secrets, now)
	signer, err := sig.New(p.versions, secrets, e.AdvancedSignatures)
	if err != nil {
		panic(fmt.Sprintf("BUG: endpoint %s was stored though it cannot be signed for: %v", e.ID, err))
	}
	return &cachedSigner{project: p, signer: signer, until: until}
}

// cachedStandard is a Standard Webhooks signer, or why there is none.
type cachedStandard struct {
	signer *sig.Standard
	until  time.Time // as in cachedSigner
}

// Standard signs for this endpoint as Standard Webhooks says, with every secret that
// is alive now; nil if the endpoint's SignatureMode is another. It is built and kept
// as Signer is. Any goroutine may call it.
func (e *Endpoint) Standard() *sig.Standard {
	if e.SignatureMode != event.SignStandard {
		return nil
	}
	if c := e.compiled.standard.Load(); c != nil && c.until.IsZero() {
		return c.signer
	}
	return e.standardAt(time.Now())
}

func (e *Endpoint) standardAt(now time.Time) *sig.Standard {
	c := e.compiled.standard.Load()
	if c == nil || passed(c.until, now) {
		c = e.buildStandard(now)
		e.compiled.standard.Store(c)
	}
	return c.signer
}

func (e *Endpoint) buildStandard(now time.Time) *cachedStandard {
	secrets, until := liveSecrets(e.Secrets, now)
	signer, err := sig.NewStandard(secrets)
	if err != nil {
		panic(fmt.Sprintf("BUG: endpoint %s was stored though it cannot be signed for: %v", e.ID, err))
	}
	return &cachedStandard{signer: signer, until: until}
}

// liveSecrets lists the secrets that sign at now, oldest first, and says when the
// first of them ends; zero for never. A stored endpoint has one that does not end;
// should all have ended, the newest one goes on, for a request must be signed.
func liveSecrets(all []event.Secret, now time.Time) (values []string, until time.Time) {
	values = make([]string, 0, len(all))
	for i := range all {
		s := &all[i]
		if !live(s, now) {
			continue
		}
		values = append(values, s.Value)
		if s.ExpiresAt != nil && (until.IsZero() || s.ExpiresAt.Before(until)) {
			until = *s.ExpiresAt
		}
	}
	if len(values) == 0 && len(all) > 0 {
		values = append(values, all[len(all)-1].Value)
	}
	return values, until
}

// live reports whether a secret signs at now. It ends exactly at ExpiresAt.
func live(s *event.Secret, now time.Time) bool {
	return s.DeletedAt == nil && (s.ExpiresAt == nil || now.Before(*s.ExpiresAt))
}

// passed reports whether until, unless it is zero, has come.
func passed(until, now time.Time) bool { return !until.IsZero() && !now.Before(until) }

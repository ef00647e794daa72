package catalog

import (
	"slices"
	"time"

	"posthaste/event"
)

// maxOverlap is how long an old secret may sign beside a new one.
const maxOverlap = 365 * 24 * time.Hour

// ExpireSecret gives an endpoint of the project another secret; "" has one made. The
// secrets that it has end at now+overlap exactly, unless they end before: until then
// they sign beside the new one. overlap 0 ends them at once.
func (c *Catalog) ExpireSecret(project, endpoint event.ID, secret string, overlap time.Duration) (*Endpoint, error) {
	if overlap < 0 || overlap > maxOverlap {
		return nil, event.Invalid("expiration", "is %s; it must be 0, at once, to %s", overlap, maxOverlap)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.Snapshot().endpointOf(project, endpoint)
	if old == nil {
		return nil, notFound("endpoint", endpoint)
	}
	e, now := old.Endpoint, c.timestamp()
	detachEndpoint(&e)
	if secret == "" {
		secret = newSecretFor(e.SignatureMode)
	}
	if err := checkRotation(&e, secret, now); err != nil {
		return nil, err
	}
	endSecrets(e.Secrets, now, now.Add(overlap))
	e.Secrets = append(e.Secrets, newSecretOf(secret, now))
	dropEnded(&e, now)
	if err := checkLiveSecrets(e.Secrets); err != nil {
		return nil, err
	}
	e.UpdatedAt = event.StampOf(now)
	return c.replaceEndpointLocked("expire a secret", old, e)
}

// EndSecret ends a secret of an endpoint at once that was to end later. One that has no
// end is the endpoint's own: another takes its place by ExpireSecret.
func (c *Catalog) EndSecret(project, endpoint, secret event.ID) (*Endpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.Snapshot().endpointOf(project, endpoint)
	if old == nil {
		return nil, notFound("endpoint", endpoint)
	}
	e, now := old.Endpoint, c.timestamp()
	detachEndpoint(&e)
	at := slices.IndexFunc(e.Secrets, func(s event.Secret) bool { return s.ID == secret && live(&s, now) })
	if at < 0 {
		return nil, notFound("secret", secret)
	}
	if e.Secrets[at].ExpiresAt == nil {
		return nil, &event.StateError{Reason: "this is the secret that the endpoint signs with; rotate it, and keep the old one for no time at all"}
	}
	endSecrets(e.Secrets[at:at+1], now, now)
	dropEnded(&e, now)
	e.UpdatedAt = event.StampOf(now)
	return c.replaceEndpointLocked("end a secret", old, e)
}

func checkRotation(e *event.Endpoint, secret string, now time.Time) error {
	if err := checkSecret("secret", secret, e.SignatureMode); err != nil {
		return err
	}
	taken := func(s event.Secret) bool { return s.Value == secret && live(&s, now) }
	if slices.ContainsFunc(e.Secrets, taken) {
		return event.Invalid("secret", "is one that the endpoint signs with already; give another, or leave it out to have one made")
	}
	return nil
}

// endSecrets ends all secrets that would live longer than end.
func endSecrets(secrets []event.Secret, now, end time.Time) {
	for i := range secrets {
		if s := &secrets[i]; s.ExpiresAt == nil || s.ExpiresAt.After(end) {
			at := end
			s.ExpiresAt, s.UpdatedAt = &at, event.StampOf(now)
		}
	}
}

// dropEnded removes the secrets that sign no more.
func dropEnded(e *event.Endpoint, now time.Time) {
	e.Secrets = slices.DeleteFunc(e.Secrets, func(s event.Secret) bool { return !live(&s, now) })
}

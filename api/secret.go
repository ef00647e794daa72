package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"posthaste/event"
	"posthaste/sig"
)

// maxOverlap bounds how long the old secrets go on signing beside a new one.
const maxOverlap = 720 * time.Hour

// expireSecretBody asks for a new secret and says when the ones before end.
type expireSecretBody struct {
	Secret     string  `json:"secret"`             // "": one is made
	Hours      int     `json:"expiration"`         // 0: at once
	Expiration seconds `json:"expiration_seconds"` // in the place of hours
}

// expireSecret gives an endpoint a new secret, and an end to those that it has.
func (a *API) expireSecret(c *call) (reply, error) {
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	var b expireSecretBody
	if err := a.readJSON(c.r, &b); err != nil {
		return reply{}, err
	}
	overlap, err := b.overlap()
	if err != nil {
		return reply{}, err
	}
	e, err = a.o.Catalog.ExpireSecret(c.project.ID, e.ID, b.Secret, overlap)
	if err != nil {
		return reply{}, err
	}
	// Convoy's answer here is the same in every version.
	return respond(http.StatusOK, "endpoint secret expired successfully", a.fullEndpointView(&e.Endpoint, CurrentVersion, c.mayManage()))
}

func (b *expireSecretBody) overlap() (time.Duration, error) {
	most := int(maxOverlap / time.Hour)
	if b.Hours < 0 || b.Hours > most {
		return 0, event.Invalid("expiration", "is %d; it must be 0 to %d hours; 0 ends the old secrets at once", b.Hours, most)
	}
	if !b.Expiration.sent {
		return time.Duration(b.Hours) * time.Hour, nil
	}
	most = int(maxOverlap / time.Second)
	switch {
	case b.Hours != 0:
		return 0, event.Invalid("expiration_seconds", "give either expiration, in hours, or expiration_seconds")
	case b.Expiration.n < 0 || b.Expiration.n > most:
		return 0, event.Invalid("expiration_seconds", "is %d; it must be 0 to %d seconds; 0 ends the old secrets at once", b.Expiration.n, most)
	}
	return time.Duration(b.Expiration.n) * time.Second, nil
}

// secretView is a secret as it is answered.
type secretView struct {
	event.Secret
	Print     string `json:"print,omitempty"`      // the start of the value's SHA-256 in hex, to compare without seeing it; none of a short one
	PublicKey string `json:"public_key,omitempty"` // of one that signs with ed25519: what receivers verify with
}

func newSecretView(s event.Secret) secretView {
	return secretView{s, secretPrint(s.Value), sig.StandardPublicKey(s.Value)}
}

// printDigits are those of a print: enough to tell an endpoint's secrets apart.
const printDigits = 8

// secretPrint is what two people can compare to see that they hold the same secret. A
// short secret has none: it could be found by trying.
func secretPrint(secret string) string {
	if len(secret) < minTailBytes {
		return ""
	}
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])[:printDigits]
}

// secretViews are the secrets that were not deleted, in clear or masked.
func secretViews(all []event.Secret, clear bool) []secretView {
	views := make([]secretView, 0, len(all))
	for _, s := range all {
		if s.DeletedAt != nil {
			continue
		}
		view := newSecretView(s)
		if !clear {
			view.Value = maskSecret(s.Value)
		}
		views = append(views, view)
	}
	return views
}

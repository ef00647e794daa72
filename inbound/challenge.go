package inbound

import (
	"time"

	"posthaste/event"
	"posthaste/internal/jsonscan"
	"posthaste/sig"
)

// maxTokenBytes bounds a challenge. Twitter's are of about 50 bytes.
const maxTokenBytes = 256

var (
	refuseNoToken  = malformed("crc_token is missing")
	refuseToken    = malformed("crc_token: at most %d letters, digits and -._~+/=", maxTokenBytes)
	refuseNoSecret = unverified("this source cannot answer a challenge: its hmac settings have no secret")

	challengeToken = selector{from: fromQuery, name: "crc_token"}
)

// newChallenger makes what answers challenges, nil without a secret.
func newChallenger(v *event.Verifier) *sig.Signer {
	if v == nil || v.HMac == nil {
		return nil
	}
	version := providers[event.ProviderTwitter].version
	s, err := sig.New([]sig.Version{version}, []string{v.HMac.Secret}, false)
	if err != nil {
		return nil
	}
	return s
}

// challenge answers Twitter's question whether this is the app's URL.
func (in *Inbound) challenge(r *request) *refusal {
	token, kind := challengeToken.find(r)
	switch {
	case kind == jsonscan.Invalid:
		return refuseNoToken
	case !opaque(token):
		return refuseToken
	case r.plan.challenger == nil:
		return refuseNoSecret
	}
	answer := append([]byte("sha256="), r.plan.challenger.Append(nil, time.Time{}, token)...)
	r.response = append([]byte(nil), `{"response_token":`...)
	r.response = append(jsonscan.Quote(r.response, string(answer)), '}')
	in.o.OnCRC(r.plan.src.ProjectID, r.plan.src.ID)
	return nil
}

// opaque reports whether a token can be no webhook's body: see the package's comment.
func opaque(token []byte) bool {
	for _, c := range token {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '.', c == '_', c == '~', c == '+', c == '/', c == '=':
		default:
			return false
		}
	}
	return len(token) <= maxTokenBytes
}

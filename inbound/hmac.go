package inbound

import (
	"errors"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
	"posthaste/sig"
)

// hmacVerifier wants a signature over the body in a header.
type hmacVerifier struct {
	header  string
	version sig.Version
	sig     *sig.Verifier
}

// newHMac makes a verifier of settings, or of a provider's and their secret.
func newHMac(name string, v *event.HMacVerifier) (verifier, error) {
	if v == nil {
		return nil, errors.New("its hmac settings are missing")
	}
	p, known := providers[name]
	if !known {
		p.header = strings.TrimSpace(v.Header)
		p.version = sig.Version{Hash: strings.ToUpper(v.Hash), Encoding: strings.ToLower(v.Encoding)}
	}
	if p.header == "" {
		return nil, errors.New("its hmac settings name no header")
	}
	s, err := sig.NewVerifier(p.version, []string{v.Secret}, 0)
	switch {
	case errors.Is(err, sig.ErrUnknownHash):
		return nil, errors.New("its hmac settings name no hash, or an unknown one")
	case errors.Is(err, sig.ErrUnknownEncoding):
		return nil, errors.New("its hmac settings name no encoding, or an unknown one")
	case err != nil:
		return nil, errors.New("its hmac settings have no secret")
	}
	return &hmacVerifier{header: p.header, version: p.version, sig: s}, nil
}

func (v *hmacVerifier) verify(h *fasthttp.RequestHeader, body []byte, now time.Time) *refusal {
	value, no := single(h, v.header)
	if no != nil {
		return no
	}
	err := v.sig.Verify(v.signature(string(value)), body, now)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sig.ErrSignature):
		return unverified("the signature in %s does not match the body", v.header)
	case errors.Is(err, sig.ErrTimestamp):
		return unverified("the signature in %s was made more than %s ago, or ahead", v.header, sig.DefaultTolerance)
	}
	return unverified("%s holds no signature: want the HMAC of the body by %s, in %s", v.header, v.version.Hash, v.version.Encoding)
}

// signature is the header's value without the name of the hash before it, if it has one.
func (v *hmacVerifier) signature(value string) string {
	name, rest, ok := strings.Cut(value, "=")
	if ok && strings.EqualFold(name, v.version.Hash) {
		return rest
	}
	return value
}

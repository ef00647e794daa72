package inbound

import (
	"errors"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

// verifier decides whether a request comes from whom it should. It is immutable: any
// number of goroutines may use one at once.
type verifier interface {
	verify(h *fasthttp.RequestHeader, body []byte, now time.Time) *refusal
}

// newVerifier makes a source's verifier, nil if nothing is to be verified. The error
// says what its settings lack, and nothing of what they hold.
func newVerifier(src *event.Source) (verifier, error) {
	v := src.Verifier
	switch kindOf(v) {
	case event.VerifyNothing:
		return nil, nil
	case event.VerifyHMac:
		return newHMac(src.Provider, v.HMac)
	case event.VerifyBasic:
		return newBasic(v.BasicAuth)
	case event.VerifyAPIKey:
		return newAPIKey(v.APIKey)
	}
	return nil, errors.New("its verifier is of an unknown type")
}

// kindOf is the type of v, which may be left out.
func kindOf(v *event.Verifier) string {
	switch {
	case v == nil:
		return event.VerifyNothing
	case v.Type != "":
		return v.Type
	case v.HMac != nil:
		return event.VerifyHMac
	case v.BasicAuth != nil:
		return event.VerifyBasic
	case v.APIKey != nil:
		return event.VerifyAPIKey
	}
	return event.VerifyNothing
}

// single is the value of a header that must be there once: of two, the one that was
// verified need not be the one that counts elsewhere.
func single(h *fasthttp.RequestHeader, name string) ([]byte, *refusal) {
	all := h.PeekAll(name)
	switch {
	case len(all) == 0 || len(all[0]) == 0:
		return nil, unverified("the header %s is missing", name)
	case len(all) > 1:
		return nil, unverified("the header %s is there twice", name)
	}
	return all[0], nil
}

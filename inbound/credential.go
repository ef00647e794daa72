package inbound

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

// digest stands for a credential: two of them compare in a time that tells nothing
// of either, their lengths included.
type digest [sha256.Size]byte

func (d *digest) of(text []byte) int {
	other := sha256.Sum256(text)
	return subtle.ConstantTimeCompare(d[:], other[:])
}

// basicVerifier wants a name and a password (RFC 7617).
type basicVerifier struct{ user, password digest }

func newBasic(b *event.BasicAuth) (verifier, error) {
	if b == nil || b.UserName == "" && b.Password == "" {
		return nil, errors.New("its basic_auth settings are missing")
	}
	return &basicVerifier{sha256.Sum256([]byte(b.UserName)), sha256.Sum256([]byte(b.Password))}, nil
}

func (v *basicVerifier) verify(h *fasthttp.RequestHeader, _ []byte, _ time.Time) *refusal {
	value, no := single(h, fasthttp.HeaderAuthorization)
	if no != nil {
		return no
	}
	token, ok := afterScheme(value, "Basic")
	if !ok {
		return unverified("the header Authorization is not of the scheme Basic")
	}
	pair, err := base64.StdEncoding.AppendDecode(nil, token)
	user, password, cut := bytes.Cut(pair, []byte{':'})
	if err != nil || !cut {
		return unverified("the header Authorization does not hold a name and a password in base64")
	}
	if v.user.of(user)&v.password.of(password) != 1 {
		return unverified("the name or the password in the header Authorization is wrong")
	}
	return nil
}

// apiKeyVerifier wants a header with a value that is a secret.
type apiKeyVerifier struct {
	header string
	bearer bool // the header is Authorization, where the value may follow "Bearer"
	value  digest
}

func newAPIKey(k *event.APIKeyAuth) (verifier, error) {
	if k == nil {
		return nil, errors.New("its api_key settings are missing")
	}
	v := &apiKeyVerifier{header: strings.TrimSpace(k.HeaderName)}
	v.bearer = strings.EqualFold(v.header, fasthttp.HeaderAuthorization)
	value := bytes.TrimSpace(v.key([]byte(k.HeaderValue)))
	if v.header == "" || len(value) == 0 {
		return nil, errors.New("its api_key settings lack the header's name or value")
	}
	v.value = sha256.Sum256(value)
	return v, nil
}

func (v *apiKeyVerifier) verify(h *fasthttp.RequestHeader, _ []byte, _ time.Time) *refusal {
	value, no := single(h, v.header)
	if no != nil {
		return no
	}
	if v.value.of(v.key(value)) != 1 {
		return unverified("the value of the header %s is wrong", v.header)
	}
	return nil
}

// key is the key in a header's value.
func (v *apiKeyVerifier) key(value []byte) []byte {
	if token, ok := afterScheme(value, "Bearer"); ok && v.bearer {
		return token
	}
	return value
}

// afterScheme is what follows the scheme of an Authorization header.
func afterScheme(value []byte, scheme string) ([]byte, bool) {
	name, rest, ok := bytes.Cut(value, []byte{' '})
	return bytes.TrimSpace(rest), ok && bytes.EqualFold(name, []byte(scheme))
}

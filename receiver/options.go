package receiver

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"posthaste/sig"
)

// The defaults of Options.
const (
	DefaultHeader       = "X-Convoy-Signature"
	DefaultTolerance    = sig.DefaultTolerance // 5 minutes
	DefaultMaxBodyBytes = 16 << 20
)

// Version is one entry of a project's signature configuration. Hashes are named
// as the project names them: SHA256, SHA512, SHA3_256 and so on.
type Version = sig.Version

// The encodings of a Version.
const (
	Hex    = sig.Hex
	Base64 = sig.Base64
)

// Options says what a Verifier accepts: Convoy's formats, Standard Webhooks, or
// either of them, as while an endpoint is moved from one to the other.
type Options struct {
	// Convoy is for endpoints in signature mode "convoy"; nil: not accepted.
	Convoy *Convoy
	// Standard is for endpoints in signature mode "standard-webhooks"; nil: not
	// accepted.
	Standard *Standard
	// Tolerance is how far from now, back or ahead, a signed timestamp may be. 0 is
	// DefaultTolerance; a negative one accepts every timestamp, for tests with
	// recorded requests.
	Tolerance time.Duration
	// MaxBodyBytes bounds what is read of a request; a larger one is ErrTooLarge.
	// 0 is DefaultMaxBodyBytes.
	MaxBodyBytes int64
}

// Convoy is one HMAC over the body, or over a timestamp and the body.
type Convoy struct {
	// Secrets are the endpoint's, in any order: a signature by any one will do. While
	// a secret is replaced there are two.
	Secrets []string
	// Versions are those that are accepted: a signature by any one will do, so list
	// none that is too weak. Empty is SHA256 in hex, posthaste's default.
	Versions []Version
	// Header is the project's signature header; "" is DefaultHeader.
	Header string
	// Simple accepts simple signatures, too: those of endpoints without
	// advanced_signatures, and of the operational events of a project. They have no
	// timestamp: a recorded request verifies for ever. And a recorded advanced one
	// verifies as a simple one over "<timestamp>,<body>", which is not JSON but may
	// pass for something else.
	Simple bool
}

// Standard is the signatures of Standard Webhooks: v1 (HMAC-SHA256) and v1a
// (ed25519).
type Standard struct {
	// Secrets are the endpoint's, in any order: "whsec_" secrets, and for "whsk_" ones
	// the "whpk_" public keys that go with them. A signature by any one will do.
	Secrets []string
}

// ErrOptions is wrapped by every error of New.
var ErrOptions = errors.New("receiver options")

func (o *Options) check() error {
	if o.Convoy == nil && o.Standard == nil {
		return errors.New("neither Convoy nor Standard is set: set what the endpoint's signature mode is")
	}
	if o.MaxBodyBytes < 0 {
		return errors.New("MaxBodyBytes is negative: give the bytes of the largest body, or 0 for 16 MiB")
	}
	return nil
}

func (c *Convoy) check() error {
	if strings.ContainsAny(c.Header, " :\r\n") {
		return fmt.Errorf("header %q is no header's name", c.Header)
	}
	for i, s := range c.Secrets {
		if strings.HasPrefix(s, "whpk_") {
			return fmt.Errorf("secret %d is a public key (whpk_), with which anybody can sign: it belongs in Standard", i+1)
		}
	}
	return nil
}

// newConvoy makes what verifies Convoy's formats.
func newConvoy(c *Convoy, tolerance time.Duration) (*convoy, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	v := &convoy{header: http.CanonicalHeaderKey(c.Header), simple: c.Simple}
	if c.Header == "" {
		v.header = DefaultHeader
	}
	versions := c.Versions
	if len(versions) == 0 {
		versions = []Version{{Hash: "SHA256", Encoding: Hex}}
	}
	for i, version := range versions {
		one, err := sig.NewVerifier(version, c.Secrets, tolerance)
		if err != nil {
			return nil, fmt.Errorf("version %d: %w", i+1, err)
		}
		v.versions = append(v.versions, one)
	}
	return v, nil
}

package receiver

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"posthaste/sig"
)

// What can be wrong with a request, one for each thing a receiver can do about
// it. Nothing of a request that is refused can be trusted.
var (
	// ErrUnsigned: there is no signature header of a kind that is accepted. Either
	// it is not from posthaste, or the endpoint signs in another mode, or with
	// another header, than the options say.
	ErrUnsigned = errors.New("no signature header")
	// ErrHeader: a signature header is there, but malformed, or there are two, or
	// the timestamp beside it is not the signed one.
	ErrHeader = sig.ErrHeader
	// ErrSignature: not signed with one of the secrets, or changed on the way.
	ErrSignature = sig.ErrSignature
	// ErrTimestamp: rightly signed, but too long ago or too far in the future: a
	// replay, or a clock that is wrong.
	ErrTimestamp = sig.ErrTimestamp
	// ErrTooLarge: the body is larger than Options.MaxBodyBytes.
	ErrTooLarge = errors.New("body is too large")
)

// The names of the headers beside Convoy's signature header.
const (
	convoyStampHeader = "Convoy-Timestamp"
	idHeader          = "Webhook-Id"
	stampHeader       = "Webhook-Timestamp"
	signatureHeader   = "Webhook-Signature"
)

// Verifier checks requests. It is immutable: any number of goroutines may use one
// at once.
type Verifier struct {
	convoy       *convoy               // nil: not accepted
	standard     *sig.StandardVerifier // nil: not accepted
	maxBodyBytes int64
	now          func() time.Time
}

type convoy struct {
	header   string // canonical
	simple   bool
	versions []*sig.Verifier // at least one
}

// New makes a Verifier. An error wraps ErrOptions and says what to change.
func New(o Options) (*Verifier, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	v := &Verifier{maxBodyBytes: o.MaxBodyBytes, now: time.Now}
	if v.maxBodyBytes == 0 {
		v.maxBodyBytes = DefaultMaxBodyBytes
	}
	var err error
	if o.Convoy != nil {
		if v.convoy, err = newConvoy(o.Convoy, o.Tolerance); err != nil {
			return nil, fmt.Errorf("%w: Convoy: %w", ErrOptions, err)
		}
	}
	if o.Standard != nil {
		if v.standard, err = sig.NewStandardVerifier(o.Standard.Secrets, o.Tolerance); err != nil {
			return nil, fmt.Errorf("%w: Standard: %w", ErrOptions, err)
		}
	}
	return v, nil
}

// Verify checks the headers of a request against its body as it was received.
// Names in header are in canonical form, as net/http and Header.Set write them. An
// error is, or wraps, ErrUnsigned, ErrHeader, ErrSignature or ErrTimestamp.
//
// Where both formats are accepted, a request with a webhook-signature header is
// checked as Standard Webhooks alone, and any other as Convoy's.
func (v *Verifier) Verify(header http.Header, body []byte) error {
	switch {
	case v.standard != nil && has(header, signatureHeader):
		return v.verifyStandard(header, body)
	case v.convoy != nil && has(header, v.convoy.header):
		return v.convoy.verify(header, body, v.now())
	case v.standard == nil:
		return fmt.Errorf("%w %s", ErrUnsigned, v.convoy.header)
	case v.convoy == nil:
		return fmt.Errorf("%w webhook-signature", ErrUnsigned)
	}
	return fmt.Errorf("%w webhook-signature or %s", ErrUnsigned, v.convoy.header)
}

func (v *Verifier) verifyStandard(header http.Header, body []byte) error {
	var values [3]string
	for i, name := range [...]string{idHeader, stampHeader, signatureHeader} {
		value, err := one(header, name)
		if err != nil {
			return err
		}
		values[i] = value
	}
	return v.standard.Verify(values[0], values[1], values[2], body, v.now())
}

func (c *convoy) verify(header http.Header, body []byte, now time.Time) error {
	value, err := one(header, c.header)
	if err != nil {
		return err
	}
	unix, advanced := sig.SignedAt(value)
	err = c.verifyAny(value, body, now)
	if err == nil && !advanced && !c.simple {
		return fmt.Errorf("%w: it is a simple one, without a timestamp; set Convoy.Simple if the endpoint has no advanced signatures", ErrHeader)
	}
	if err == nil && advanced {
		return checkStamp(header, unix)
	}
	return err
}

// verifyAny asks for each version in turn. The best answer counts: a header that
// is malformed for one version may be right for another.
func (c *convoy) verifyAny(value string, body []byte, now time.Time) error {
	var best error = ErrHeader
	for _, version := range c.versions {
		err := version.Verify(value, body, now)
		if err == nil || errors.Is(err, ErrTimestamp) {
			return err
		}
		if errors.Is(err, ErrSignature) {
			best = err
		}
	}
	return best
}

// checkStamp compares the timestamp header, which nothing signs, with what was
// signed: who reads it in place of the signature's must not be misled.
func checkStamp(header http.Header, unix int64) error {
	if !has(header, convoyStampHeader) {
		return nil
	}
	stamp, err := one(header, convoyStampHeader)
	if err != nil {
		return err
	}
	if stamp != strconv.FormatInt(unix, 10) {
		return fmt.Errorf("%w: %s is not the signed timestamp", ErrHeader, convoyStampHeader)
	}
	return nil
}

func has(header http.Header, name string) bool { return len(header[name]) > 0 }

// one returns the value of a header that must be there once. Of two, another
// reader might take the one that was not verified.
func one(header http.Header, name string) (string, error) {
	switch values := header[name]; len(values) {
	case 0:
		return "", fmt.Errorf("%w: there is no %s", ErrHeader, name)
	case 1:
		return values[0], nil
	default:
		return "", fmt.Errorf("%w: there are %d of %s", ErrHeader, len(values), name)
	}
}

package sig

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
)

// DefaultTolerance is how far a timestamp may be from now, as in Convoy's SDKs.
const DefaultTolerance = 300 * time.Second

// The answers of Verify, one for each thing a receiver can do about it.
var (
	// ErrHeader: the headers are not in the format, or carry nothing that could be
	// a signature.
	ErrHeader = errors.New("malformed signature header")
	// ErrSignature: no signature in the header was made with one of the secrets.
	ErrSignature = errors.New("signature does not match")
	// ErrTimestamp: signed with one of the secrets, but too long ago or too far
	// in the future.
	ErrTimestamp = errors.New("signature timestamp is outside the tolerance")
)

// Verifier checks signature headers for a receiver. It is immutable: any number
// of goroutines may use one at once.
type Verifier struct {
	keys      []key // one for each secret
	encoding  string
	tolerance time.Duration // negative: any timestamp will do
}

// NewVerifier makes a Verifier for one version: a receiver picks the one it
// knows and passes over the others in the header. Any of the secrets will do,
// so that a secret can be replaced without a gap.
//
// A tolerance of 0 is DefaultTolerance; a negative one accepts every timestamp.
// An error wraps ErrUnknownHash, ErrUnknownEncoding or ErrNoSecret.
func NewVerifier(v Version, secrets []string, tolerance time.Duration) (*Verifier, error) {
	if err := CheckVersion(v); err != nil {
		return nil, err
	}
	if err := checkSecrets(secrets); err != nil {
		return nil, err
	}
	if tolerance == 0 {
		tolerance = DefaultTolerance
	}
	r := &Verifier{encoding: v.Encoding, tolerance: tolerance}
	for _, s := range secrets {
		r.keys = append(r.keys, newKey(find(v.Hash), s))
	}
	return r, nil
}

// Verify checks the header's value against the body as it was received. It
// takes both formats: a value without a comma is simple, any other advanced.
// Signatures are compared in constant time. The timestamp is looked at last,
// so ErrTimestamp means that the sender knew the secret.
//
// A simple signature carries no timestamp and can be replayed for ever. An
// advanced one can also be passed off as a simple one over the body
// "<t>,<body>"; no JSON text begins that way, so a receiver of JSON finds out
// when it parses.
func (v *Verifier) Verify(header string, body []byte, now time.Time) error {
	h, ok := parseHeader(header)
	if !ok || !v.plausible(h) {
		return ErrHeader
	}
	if !v.signed(h, body) {
		return ErrSignature
	}
	if h.timed && !timely(h.unix, now, v.tolerance) {
		return ErrTimestamp
	}
	return nil
}

// plausible refuses a simple header that is no signature of this version. In an
// advanced one, signatures of other versions are expected and passed over.
func (v *Verifier) plausible(h header) bool {
	var buf [maxTextBytes]byte
	return h.timed || v.decode(&buf, h.text) != nil
}

func (v *Verifier) signed(h header, body []byte) bool {
	alg := v.keys[0].alg
	w := alg.get()
	defer alg.put(w)
	var stamp []byte
	if h.timed {
		stamp = w.stamped(strconv.AppendInt(w.stamp[:0], h.unix, 10))
	}
	for i := range v.keys {
		if v.contains(h, v.keys[i].mac(w, stamp, body)) {
			return true
		}
	}
	return false
}

// contains tells whether sum is one of the header's signatures.
func (v *Verifier) contains(h header, sum []byte) bool {
	if !h.timed {
		return v.equal(h.text, sum)
	}
	for part := range strings.SplitSeq(h.text, ",") {
		if text, ok := signatureIn(part); ok && v.equal(text, sum) {
			return true
		}
	}
	return false
}

func (v *Verifier) equal(text string, sum []byte) bool {
	var buf [maxTextBytes]byte
	return subtle.ConstantTimeCompare(v.decode(&buf, text), sum) == 1
}

// decode returns nil for what is not a digest of the right size, and otherwise
// the digest, in dst.
func (v *Verifier) decode(dst *[maxTextBytes]byte, text string) []byte {
	size := v.keys[0].alg.size
	if len(text) != v.textBytes(size) {
		return nil
	}
	var src [maxTextBytes]byte
	in := src[:copy(src[:], text)]
	n, err := 0, error(nil)
	if v.encoding == Base64 {
		n, err = base64.StdEncoding.Strict().Decode(dst[:], in)
	} else {
		n, err = hex.Decode(dst[:], in)
	}
	if err != nil || n != size {
		return nil
	}
	return dst[:n]
}

func (v *Verifier) textBytes(size int) int {
	if v.encoding == Base64 {
		return base64.StdEncoding.EncodedLen(size)
	}
	return hex.EncodedLen(size)
}

// timely tells whether |now-t| is at most the tolerance, or that is negative.
// Time.Sub saturates, so no timestamp overflows.
func timely(unix int64, now time.Time, tolerance time.Duration) bool {
	d := now.Sub(time.Unix(unix, 0))
	return tolerance < 0 || (-tolerance <= d && d <= tolerance)
}

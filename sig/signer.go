package sig

import (
	"fmt"
	"strconv"
	"time"
)

// Signer makes the value of a signature header. It is immutable: any number of
// goroutines may use one at once. Keeping one costs about 320 bytes for each
// version and secret with SHA256, and 510 with SHA512 or SHA-3.
type Signer struct {
	advanced   bool
	signatures []signature // at least one; exactly one when simple
}

// signature is one signature of a header.
type signature struct {
	label    string // what stands before it: ",v1=", or nothing when simple
	encoding string
	key      key
}

// New makes a Signer. Versions are in the order of the project's
// configuration, secrets oldest first, and only those that are still live.
// Simple signing (advanced false) uses the last version and the last secret
// only, as Convoy does. Secrets may be of any length but not empty.
//
// An error wraps ErrNoVersion, ErrUnknownHash, ErrUnknownEncoding or
// ErrNoSecret.
func New(versions []Version, secrets []string, advanced bool) (*Signer, error) {
	if len(versions) == 0 {
		return nil, ErrNoVersion
	}
	for i, v := range versions {
		if err := CheckVersion(v); err != nil {
			return nil, fmt.Errorf("signature version %d: %w", i+1, err)
		}
	}
	if err := checkSecrets(secrets); err != nil {
		return nil, err
	}
	if !advanced {
		v, secret := versions[len(versions)-1], secrets[len(secrets)-1]
		return &Signer{signatures: []signature{newSignature("", v, secret)}}, nil
	}
	s := &Signer{advanced: true, signatures: make([]signature, 0, len(versions)*len(secrets))}
	for i, v := range versions {
		label := ",v" + strconv.Itoa(i+1) + "="
		for _, secret := range secrets {
			s.signatures = append(s.signatures, newSignature(label, v, secret))
		}
	}
	return s, nil
}

func newSignature(label string, v Version, secret string) signature {
	return signature{label: label, encoding: v.Encoding, key: newKey(find(v.Hash), secret)}
}

// Timestamped tells whether a timestamp is signed: whether signing is advanced.
func (s *Signer) Timestamped() bool { return s.advanced }

// Append appends the header's value for a request with this body that is sent
// now. It does not allocate when dst has room, and keeps neither slice.
func (s *Signer) Append(dst []byte, now time.Time, body []byte) []byte {
	if !s.advanced {
		return s.signatures[0].appendSimple(dst, body)
	}
	start := len(dst) + len("t=")
	dst = append(dst, "t="...)
	dst = strconv.AppendInt(dst, now.Unix(), 10)
	stamp := dst[start:]
	for i := range s.signatures {
		dst = s.signatures[i].appendAdvanced(dst, stamp, body)
	}
	return dst
}

func (g *signature) appendSimple(dst, body []byte) []byte {
	h := g.key.alg.get()
	dst = appendText(dst, g.key.mac(h, nil, body), g.encoding)
	g.key.alg.put(h)
	return dst
}

func (g *signature) appendAdvanced(dst, stamp, body []byte) []byte {
	dst = append(dst, g.label...)
	h := g.key.alg.get()
	dst = appendText(dst, g.key.mac(h, h.stamped(stamp), body), g.encoding)
	g.key.alg.put(h)
	return dst
}

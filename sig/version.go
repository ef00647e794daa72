package sig

import (
	"errors"
	"fmt"
)

// The encodings of a signature, as Convoy names them.
const (
	Hex    = "hex"    // lower case
	Base64 = "base64" // the standard alphabet, padded (RFC 4648 section 4)
)

// What can be wrong with a configuration. Errors of this package wrap these
// and name the version or secret at fault, never a secret's text.
var (
	ErrUnknownHash     = errors.New("unknown hash")
	ErrUnknownEncoding = errors.New("unknown encoding")
	ErrNoVersion       = errors.New("no signature version")
	ErrNoSecret        = errors.New("no secret")
)

// Version is one entry of a project's signature configuration: with which hash
// a signature is made and how it is written. Names are case-sensitive.
type Version struct {
	Hash     string // one of Hashes()
	Encoding string // Hex or Base64
}

// CheckVersion tells whether v can be signed with. The error wraps
// ErrUnknownHash or ErrUnknownEncoding.
func CheckVersion(v Version) error {
	if find(v.Hash) == nil {
		return fmt.Errorf("hash %q: %w", v.Hash, ErrUnknownHash)
	}
	if v.Encoding != Hex && v.Encoding != Base64 {
		return fmt.Errorf("encoding %q: %w", v.Encoding, ErrUnknownEncoding)
	}
	return nil
}

// checkSecrets refuses an empty list and an empty secret: the HMAC of an empty
// key is one that anybody can make.
func checkSecrets(secrets []string) error {
	if len(secrets) == 0 {
		return ErrNoSecret
	}
	for i, s := range secrets {
		if s == "" {
			return fmt.Errorf("secret %d is empty: %w", i+1, ErrNoSecret)
		}
	}
	return nil
}

package sig

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// What the secrets of Standard Webhooks begin with.
const (
	hmacPrefix    = "whsec_"
	privatePrefix = "whsk_"
	publicPrefix  = "whpk_"
)

// The bytes of a secret behind its prefix.
const (
	minHMACBytes = 24
	maxHMACBytes = 64
	newHMACBytes = 32
)

// ErrStandardSecret is what the errors about a secret's form wrap. They say what
// to do and never show the secret's text.
var ErrStandardSecret = errors.New("not a secret of Standard Webhooks")

var secretKinds = map[string]func([]byte) (standardKey, error){
	hmacPrefix:    hmacKey,
	privatePrefix: privateKey,
	publicPrefix:  publicKey,
}

// standardKey is one secret made ready: for HMAC, or else for ed25519. It is
// immutable.
type standardKey struct {
	hmac    key                // of a whsec_
	private ed25519.PrivateKey // of a whsk_, nil for the others
	public  ed25519.PublicKey  // of a whsk_ or whpk_, nil for a whsec_
}

// CheckStandardSecret says what is wrong with a secret, never its text. A secret
// that it accepts can sign. The error wraps ErrStandardSecret.
func CheckStandardSecret(secret string) error {
	_, err := parseSigningSecret(secret)
	return err
}

// NewStandardSecret makes a "whsec_" secret of 32 random bytes.
func NewStandardSecret() string {
	var b [newHMACBytes]byte
	rand.Read(b[:])
	return hmacPrefix + base64.StdEncoding.EncodeToString(b[:])
}

// NewStandardKeyPair makes an ed25519 key pair: a "whsk_" secret (seed and public
// part, 64 bytes) to sign with, and the "whpk_" text that a receiver is given.
func NewStandardKeyPair() (secret, public string) {
	var seed [ed25519.SeedSize]byte
	rand.Read(seed[:])
	private := ed25519.NewKeyFromSeed(seed[:])
	return privatePrefix + base64.StdEncoding.EncodeToString(private), publicText(private)
}

// StandardPublicKey is the "whpk_" text that goes with a "whsk_" secret; "" for others.
func StandardPublicKey(secret string) string {
	k, err := parseSigningSecret(secret)
	if err != nil || k.private == nil {
		return ""
	}
	return publicText(k.private)
}

func publicText(private ed25519.PrivateKey) string {
	return publicPrefix + base64.StdEncoding.EncodeToString(private[ed25519.SeedSize:])
}

// parseSigningSecret takes what can sign: a whsec_ or whsk_ secret.
func parseSigningSecret(secret string) (standardKey, error) {
	if strings.HasPrefix(secret, publicPrefix) {
		return standardKey{}, refuse("it is a public key (whpk_), which cannot sign: give the whsk_ secret that it belongs to")
	}
	return parseStandardSecret(secret)
}

// parseStandardSecret takes a public key, too.
func parseStandardSecret(secret string) (standardKey, error) {
	prefix := secret[:strings.IndexByte(secret, '_')+1]
	parse := secretKinds[prefix]
	if parse == nil {
		return standardKey{}, refuse(`it begins neither with "whsec_" nor with "whsk_": give "whsec_" and the base64 of %d to %d random bytes, or "whsk_" and the base64 of an ed25519 private key`,
			minHMACBytes, maxHMACBytes)
	}
	raw, ok := decodeSecret(secret[len(prefix):])
	if !ok {
		return standardKey{}, refuse("what follows %s is not base64: give the standard alphabet with padding (RFC 4648 section 4), without line breaks", prefix)
	}
	return parse(raw)
}

// decodeSecret takes the one text that encodes some bytes. Libraries differ in
// what else they take, and where one reads other bytes nothing verifies.
func decodeSecret(text string) ([]byte, bool) {
	raw, err := base64.StdEncoding.DecodeString(text)
	return raw, err == nil && base64.StdEncoding.EncodeToString(raw) == text
}

func hmacKey(raw []byte) (standardKey, error) {
	if len(raw) < minHMACBytes || len(raw) > maxHMACBytes {
		return standardKey{}, refuse("there are %d bytes behind whsec_: give %d to %d", len(raw), minHMACBytes, maxHMACBytes)
	}
	return standardKey{hmac: newKey(find("SHA256"), string(raw))}, nil
}

// privateKey refuses a public part that is another key's: a signature made with
// such a pair gives the private key away.
func privateKey(raw []byte) (standardKey, error) {
	if len(raw) != ed25519.SeedSize && len(raw) != ed25519.PrivateKeySize {
		return standardKey{}, refuse("there are %d bytes behind whsk_: give the %d of an ed25519 seed, or the %d of seed and public key",
			len(raw), ed25519.SeedSize, ed25519.PrivateKeySize)
	}
	private := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
	public := raw[ed25519.SeedSize:]
	if len(public) > 0 && !bytes.Equal(public, private[ed25519.SeedSize:]) {
		return standardKey{}, refuse("the public key in the whsk_ secret does not belong to its seed: give the %d bytes of the seed alone", ed25519.SeedSize)
	}
	return standardKey{private: private, public: ed25519.PublicKey(private[ed25519.SeedSize:])}, nil
}

func publicKey(raw []byte) (standardKey, error) {
	if len(raw) != ed25519.PublicKeySize {
		return standardKey{}, refuse("there are %d bytes behind whpk_: give the %d of an ed25519 public key", len(raw), ed25519.PublicKeySize)
	}
	return standardKey{public: raw}, nil
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrStandardSecret, fmt.Sprintf(format, args...))
}

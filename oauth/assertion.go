package oauth

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"posthaste/event"
)

const (
	// assertionLife is how long an assertion is good for. It is sent at once.
	assertionLife = 5 * time.Minute
	// maxKeyBytes bounds each member of a JWK in base64: RSA of 8192 bits. Work with
	// larger ones is a way to keep a processor busy.
	maxKeyBytes = 1368
)

// algorithms are those an assertion can be signed with.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// newSigner makes the signer of a client's assertions.
func newSigner(cfg *event.OAuth2Auth) (jose.Signer, error) {
	if cfg.SigningKey == nil {
		return nil, event.Invalid("signing_key", "is missing; give the private key as a JWK")
	}
	key, err := parseKey(cfg.SigningKey)
	if err != nil {
		return nil, err
	}
	alg, err := algorithm(cfg)
	if err != nil {
		return nil, err
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		return nil, event.Invalid("signing_algorithm", "%s does not go with a key of type %s", alg, cfg.SigningKey.Kty)
	}
	return signer, nil
}

// parseKey reads a private JWK. The library's errors name its members and not their
// values.
func parseKey(k *event.JWK) (*jose.JSONWebKey, error) {
	for _, member := range []string{k.X, k.Y, k.D, k.N, k.E, k.P, k.Q, k.DP, k.DQ, k.QI} {
		if len(member) > maxKeyBytes {
			return nil, event.Invalid("signing_key", "has a member of %d bytes; at most %d are allowed, which is RSA of 8192 bits", len(member), maxKeyBytes)
		}
	}
	raw, err := json.Marshal(k)
	if err != nil {
		return nil, event.Invalid("signing_key", "is not a JWK")
	}
	key := new(jose.JSONWebKey)
	if err := key.UnmarshalJSON(raw); err != nil {
		return nil, event.Invalid("signing_key", "is not a JWK that can be used: %s", strings.TrimPrefix(err.Error(), "go-jose/go-jose: "))
	}
	if key.IsPublic() || !key.Valid() {
		return nil, event.Invalid("signing_key", "is not a valid private key; give kty, d and the other members of its type")
	}
	return key, nil
}

// algorithm is the one that is asked for, or the one that goes with the key.
func algorithm(cfg *event.OAuth2Auth) (jose.SignatureAlgorithm, error) {
	if cfg.SigningAlgorithm == "" {
		return defaultAlgorithm(cfg.SigningKey), nil
	}
	for _, a := range algorithms {
		if string(a) == cfg.SigningAlgorithm {
			return a, nil
		}
	}
	return "", event.Invalid("signing_algorithm", "must be RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA")
}

func defaultAlgorithm(k *event.JWK) jose.SignatureAlgorithm {
	switch {
	case k.Kty == "OKP":
		return jose.EdDSA
	case k.Crv == "P-256":
		return jose.ES256
	case k.Crv == "P-384":
		return jose.ES384
	case k.Crv == "P-521":
		return jose.ES512
	default:
		return jose.RS256
	}
}

// claims of an assertion, RFC 7523 section 3.
type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	ID       string `json:"jti"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// assertion is a JWT that says who the client is. Its audience is the configured
// one, or else the token endpoint's URL.
func assertion(cfg *event.OAuth2Auth, signer jose.Signer, now time.Time) (string, error) {
	payload, err := json.Marshal(claims{
		Issuer:   orElse(cfg.Issuer, cfg.ClientID),
		Subject:  orElse(cfg.Subject, cfg.ClientID),
		Audience: orElse(cfg.Audience, cfg.URL),
		ID:       event.NewID().String(),
		IssuedAt: now.Unix(),
		Expires:  now.Add(assertionLife).Unix(),
	})
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", event.Invalid("signing_key", "cannot sign with %s: %s", orElse(cfg.SigningAlgorithm, "its algorithm"),
			strings.TrimPrefix(err.Error(), "go-jose/go-jose: "))
	}
	return signed.CompactSerialize()
}

// tryKey signs, and verifies with the public half.
func tryKey(cfg *event.OAuth2Auth, signer jose.Signer) error {
	text, err := assertion(cfg, signer, time.Now())
	if err != nil {
		return err
	}
	key, err := parseKey(cfg.SigningKey)
	if err != nil {
		return err
	}
	signed, err := jose.ParseSignedCompact(text, algorithms)
	if err != nil {
		return event.Invalid("signing_key", "makes no assertion that can be read back")
	}
	public := key.Public()
	if _, err := signed.Verify(&public); err != nil {
		return event.Invalid("signing_key", "has a public part that does not go with its private one")
	}
	return nil
}

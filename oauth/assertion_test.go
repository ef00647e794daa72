package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func rsaKey(t testing.TB, bits int) (*rsa.PrivateKey, *event.JWK) {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	num := func(n *big.Int) string { return b64(n.Bytes()) }
	return k, &event.JWK{
		Kty: "RSA", Kid: "rsa-1", N: num(k.N), E: num(big.NewInt(int64(k.E))), D: num(k.D),
		P: num(k.Primes[0]), Q: num(k.Primes[1]), DP: num(k.Precomputed.Dp), DQ: num(k.Precomputed.Dq), QI: num(k.Precomputed.Qinv),
	}
}

func ecKey(t testing.TB, name string, c elliptic.Curve) (*ecdsa.PrivateKey, *event.JWK) {
	t.Helper()
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d, err := k.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	point, err := k.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	half := len(point) / 2
	return k, &event.JWK{Kty: "EC", Kid: "ec-1", Crv: name, X: b64(point[1 : 1+half]), Y: b64(point[1+half:]), D: b64(d)}
}

func edKey(t testing.TB) (ed25519.PrivateKey, *event.JWK) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private, &event.JWK{Kty: "OKP", Crv: "Ed25519", X: b64(public), D: b64(private.Seed())}
}

func assertionConfig(key *event.JWK, alg string) *event.OAuth2Auth {
	return &event.OAuth2Auth{
		URL: "https://login.example/token", ClientID: "me", AuthenticationType: clientAssertion, SigningKey: key, SigningAlgorithm: alg,
	}
}

// verifyJWT is RFC 7515 and 7518 written out on the standard library: nothing of the
// library that signed takes part.
func verifyJWT(t testing.TB, text, alg string, key crypto.PublicKey) (header, payload map[string]any) {
	t.Helper()
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	var raw [3][]byte
	for i, p := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.DecodeString(p); err != nil {
			t.Fatal(err)
		}
	}
	if json.Unmarshal(raw[0], &header) != nil || json.Unmarshal(raw[1], &payload) != nil {
		t.Fatalf("not JSON: %s %s", raw[0], raw[1])
	}
	if header["alg"] != alg {
		t.Fatalf("header %s, want algorithm %s", raw[0], alg)
	}
	if err := verify(alg, key, []byte(parts[0]+"."+parts[1]), raw[2]); err != nil {
		t.Fatalf("%s: %v", alg, err)
	}
	return header, payload
}

func verify(alg string, key crypto.PublicKey, signed, signature []byte) error {
	if alg == "EdDSA" {
		if !ed25519.Verify(key.(ed25519.PublicKey), signed, signature) {
			return errors.New("ed25519: no")
		}
		return nil
	}
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	h := hash.New()
	h.Write(signed)
	sum := h.Sum(nil)
	switch alg[:2] {
	case "RS":
		return rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), hash, sum, signature)
	case "PS":
		return rsa.VerifyPSS(key.(*rsa.PublicKey), hash, sum, signature, &rsa.PSSOptions{SaltLength: hash.Size()})
	default:
		half := len(signature) / 2
		if !ecdsa.Verify(key.(*ecdsa.PublicKey), sum, new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])) {
			return errors.New("ecdsa: no")
		}
		return nil
	}
}

func TestAssertions(t *testing.T) {
	rsaPrivate, rsaJWK := rsaKey(t, 2048)
	p256, jwk256 := ecKey(t, "P-256", elliptic.P256())
	p384, jwk384 := ecKey(t, "P-384", elliptic.P384())
	p521, jwk521 := ecKey(t, "P-521", elliptic.P521())
	ed, edJWK := edKey(t)
	f := func(asked, alg string, jwk *event.JWK, public crypto.PublicKey) {
		t.Run(asked+" "+alg, func(t *testing.T) {
			cfg := assertionConfig(jwk, asked)
			cfg.Scope = "hooks"
			if err := Check(cfg); err != nil {
				t.Fatal(err)
			}
			s := &server{answer: numbered}
			want(t, open(t, s), event.NewID(), cfg, "Bearer t1")
			form := s.call(0).form
			if form.Get("client_assertion_type") != assertionType || form.Get("client_id") != "me" || form.Get("grant_type") != "client_credentials" ||
				form.Get("scope") != "hooks" || form.Has("audience") || form.Has("client_secret") {
				t.Errorf("asked %v", form)
			}
			header, payload := verifyJWT(t, form.Get("client_assertion"), alg, public)
			if header["typ"] != "JWT" || jwk.Kid != "" && header["kid"] != jwk.Kid {
				t.Errorf("header %v", header)
			}
			if payload["iss"] != "me" || payload["sub"] != "me" || payload["aud"] != cfg.URL || payload["jti"] == "" {
				t.Errorf("claims %v", payload)
			}
			if issued, ends := payload["iat"].(float64), payload["exp"].(float64); ends-issued != assertionLife.Seconds() || time.Since(time.Unix(int64(issued), 0)) > time.Minute {
				t.Errorf("claims %v", payload)
			}
		})
	}
	for _, alg := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"} {
		f(alg, alg, rsaJWK, rsaPrivate.Public())
	}
	f("ES256", "ES256", jwk256, p256.Public())
	f("ES384", "ES384", jwk384, p384.Public())
	f("ES512", "ES512", jwk521, p521.Public())
	f("EdDSA", "EdDSA", edJWK, ed.Public())
	f("", "RS256", rsaJWK, rsaPrivate.Public())
	f("", "ES256", jwk256, p256.Public())
	f("", "ES384", jwk384, p384.Public())
	f("", "ES512", jwk521, p521.Public())
	f("", "EdDSA", edJWK, ed.Public())
}

// TestAssertionIsMadeAnew: its id is another each time, and what is configured counts.
func TestAssertionIsMadeAnew(t *testing.T) {
	private, jwk := ecKey(t, "P-256", elliptic.P256())
	cfg := assertionConfig(jwk, "ES256")
	cfg.Issuer, cfg.Subject, cfg.Audience = "issuer", "subject", "https://aud.example/"
	s := &server{answer: numbered}
	tokens, key := open(t, s), event.NewID()
	want(t, tokens, key, cfg, "Bearer t1")
	tokens.Drop(key, "Bearer t1")
	want(t, tokens, key, cfg, "Bearer t2")
	ids := map[any]bool{}
	for n := range 2 {
		_, payload := verifyJWT(t, s.call(n).form.Get("client_assertion"), "ES256", private.Public())
		ids[payload["jti"]] = true
		if payload["iss"] != "issuer" || payload["sub"] != "subject" || payload["aud"] != "https://aud.example/" {
			t.Errorf("claims %v", payload)
		}
	}
	if len(ids) != 2 {
		t.Errorf("ids %v", ids)
	}
}

// TestRefusedAssertionIsNotTold: the token endpoint echoes the assertion.
func TestRefusedAssertionIsNotTold(t *testing.T) {
	_, jwk := edKey(t)
	s := &server{answer: func(_ int, c call) (int, string) {
		body, _ := json.Marshal(map[string]string{"error": "invalid_client", "error_description": "bad: " + c.form.Get("client_assertion")})
		return 401, string(body)
	}}
	fails(t, open(t, s), event.NewID(), assertionConfig(jwk, "EdDSA"), "invalid_client: bad: ********")
	if n := s.calls(); n != 1 {
		t.Errorf("%d requests", n) // there is no other way to show an assertion
	}
}

func TestCheck(t *testing.T) {
	_, rsaJWK := rsaKey(t, 2048)
	_, ecJWK := ecKey(t, "P-256", elliptic.P256())
	_, otherEC := ecKey(t, "P-256", elliptic.P256())
	_, edJWK := edKey(t)
	mixed, public, short, noPrimes := *ecJWK, *ecJWK, *edJWK, *rsaJWK
	mixed.D = otherEC.D
	public.D = ""
	short.D = "AAAA"
	noPrimes.P, noPrimes.Q = "", ""
	huge := *rsaJWK
	huge.N = strings.Repeat("A", 20_000)
	f := func(name, field string, change func(*event.OAuth2Auth)) {
		t.Run(name, func(t *testing.T) {
			cfg := secretConfig()
			change(cfg)
			err := Check(cfg)
			var invalid *event.InvalidError
			if field == "" && err != nil || field != "" && (!errors.As(err, &invalid) || invalid.Field != field) {
				t.Fatalf("error %v, want field %q", err, field)
			}
			if err != nil && (strings.Contains(err.Error(), "s3cr") || cfg.SigningKey != nil && cfg.SigningKey.D != "" && strings.Contains(err.Error(), cfg.SigningKey.D)) {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
	key := func(k *event.JWK, alg string) func(*event.OAuth2Auth) {
		return func(c *event.OAuth2Auth) { *c = *assertionConfig(k, alg) }
	}
	f("a secret", "", func(*event.OAuth2Auth) {})
	f("RSA", "", key(rsaJWK, "PS256"))
	f("EC", "", key(ecJWK, "ES256"))
	f("Ed25519", "", key(edJWK, "EdDSA"))
	f("no URL", "url", func(c *event.OAuth2Auth) { c.URL = "" })
	f("relative URL", "url", func(c *event.OAuth2Auth) { c.URL = "/token" })
	f("file URL", "url", func(c *event.OAuth2Auth) { c.URL = "file:///etc/passwd" })
	f("URL with a password", "url", func(c *event.OAuth2Auth) { c.URL = "https://a:b@h/" })
	f("long URL", "url", func(c *event.OAuth2Auth) { c.URL = "https://h/" + strings.Repeat("x", event.MaxURLBytes) })
	f("no client", "client_id", func(c *event.OAuth2Auth) { c.ClientID = "" })
	f("grant type", "grant_type", func(c *event.OAuth2Auth) { c.GrantType = "password" })
	f("unit", "expiry_time_unit", func(c *event.OAuth2Auth) { c.ExpiryTimeUnit = "days" })
	f("no type", "", func(c *event.OAuth2Auth) { c.AuthenticationType = "" })
	f("unknown type", "authentication_type", func(c *event.OAuth2Auth) { c.AuthenticationType = "magic" })
	f("no secret", "client_secret", func(c *event.OAuth2Auth) { c.ClientSecret = "" })
	f("no key", "signing_key", key(nil, "RS256"))
	f("empty key", "signing_key", key(&event.JWK{}, "RS256"))
	f("public key", "signing_key", key(&public, "ES256"))
	f("halves of two keys", "signing_key", key(&mixed, "ES256"))
	f("short key", "signing_key", key(&short, "EdDSA"))
	f("no primes", "signing_key", key(&noPrimes, "RS256"))
	f("huge key", "signing_key", key(&huge, "RS256"))
	f("not base64", "signing_key", key(&event.JWK{Kty: "OKP", Crv: "Ed25519", X: "?", D: "?"}, "EdDSA"))
	f("symmetric", "signing_key", key(&event.JWK{Kty: "oct"}, "HS256"))
	f("none", "signing_algorithm", key(rsaJWK, "none"))
	f("HS256", "signing_algorithm", key(rsaJWK, "HS256"))
	f("RS256 with EC", "signing_algorithm", key(ecJWK, "RS256"))
	f("ES256 with RSA", "signing_algorithm", key(rsaJWK, "ES256"))
	f("ES384 with P-256", "signing_key", key(ecJWK, "ES384"))
	if err := Check(nil); err == nil {
		t.Error("nothing was found good")
	}
}

// TestBadSettingsAskNobody, and say what is wrong.
func TestBadSettingsAskNobody(t *testing.T) {
	s := &server{answer: numbered}
	tokens := open(t, s)
	cfg := secretConfig()
	cfg.ClientID = ""
	fails(t, tokens, event.NewID(), cfg, "client_id: is empty")
	fails(t, tokens, event.NewID(), nil, "has no settings")
	if n := s.calls(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

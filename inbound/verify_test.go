package inbound

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
	"posthaste/sig"
)

// What senders in other languages compute: made with Python's hmac module.
const (
	vectorSecret = "whsec_9f2c"
	vectorBody   = `{"id":"evt_1","amount":1.50,"note":"é <&>"}`
)

var vectors = []struct{ hash, hex string }{
	{"MD5", "589555783de4461cb858480595e283ba"},
	{"SHA1", "d7486c374f0b9593939e82fb19a4d64ec9ce8745"},
	{"SHA224", "242a12a6fcbc163adb57dd1e4d6e050898e31a7b29e2bd4eb7c09a5d"},
	{"SHA256", "362cdd437f77743afac10b65668e8576b6cc2dde52e1c64611390310e4a386ba"},
	{"SHA384", "bfc10419c67e563233c55dcf0f7b4df35501531eaee3f1086c04937b449c6d649a3adec6170e5587ab4f4e7d29f35157"},
	{"SHA512", "78a3814a160fa32583397dd7f16ae6228fa26f5467bff8b37c3da91295ee10da454b22c3f4960dace0b29214cfd82e353cacbca1595b1b2b2e37138515599f44"},
	{"SHA3_224", "135827aa7ced4db3391f46dd7c7c05d68ddd9afb9375b72e7eff66ca"},
	{"SHA3_256", "e0bfda6142be036534cf4d7fbd2a7165624b587b684534b000a86f396cb9e967"},
	{"SHA3_384", "4cc6b4967bffdb52cd81e8a71fc49937018537e81e37590a194570f97a8c029369146f1eb87a872978ac037a9fbb9b5e"},
	{"SHA3_512", "eb30e22d09325220bd9855e8bc7c9d8998ffc27e13228e70a83136f4e0889ca73cf00d380c6e1897f880569bc12c9447236d2cb06387bd0eef072c47a24899e4"},
	{"SHA512_224", "953b6f826a3c77e162d42d9106398dd8d2e2b38c57fcd7531cbd0fbe"},
	{"SHA512_256", "cda1171460e21f47113e457f5f29a5ff929cffdefe5404972948b71e07a91445"},
}

const (
	vectorSHA256 = "362cdd437f77743afac10b65668e8576b6cc2dde52e1c64611390310e4a386ba"
	vectorBase64 = "NizdQ393dDr6wQtlZo6FdrbMLd5S4cZGETkDEOSjhro="
)

func hmacSource(header, hash, encoding string) *event.Source {
	return &event.Source{Verifier: &event.Verifier{Type: event.VerifyHMac,
		HMac: &event.HMacVerifier{Header: header, Hash: hash, Secret: vectorSecret, Encoding: encoding}}}
}

func providerSource(name, secret string) *event.Source {
	return &event.Source{Provider: name, Verifier: &event.Verifier{Type: event.VerifyHMac, HMac: &event.HMacVerifier{Secret: secret}}}
}

// check verifies one request of a source; headers are names and values.
func check(t *testing.T, src *event.Source, body string, headers ...string) *refusal {
	t.Helper()
	v, err := newVerifier(src)
	if err != nil {
		t.Fatal(err)
	}
	var h fasthttp.RequestHeader
	for i := 0; i < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	return v.verify(&h, []byte(body), time.Now())
}

func TestEveryHash(t *testing.T) {
	if len(vectors) != len(sig.Hashes()) {
		t.Fatalf("%d vectors for %d hashes", len(vectors), len(sig.Hashes()))
	}
	for _, v := range vectors {
		sum, _ := hex.DecodeString(v.hex)
		for _, value := range []string{v.hex, strings.ToUpper(v.hex), strings.ToLower(v.hash) + "=" + v.hex} {
			if no := check(t, hmacSource("X-Sig", v.hash, "hex"), vectorBody, "x-sig", value); no != nil {
				t.Errorf("%s %s: %s", v.hash, value, no.message)
			}
		}
		if no := check(t, hmacSource("X-Sig", v.hash, "base64"), vectorBody, "X-Sig", base64.StdEncoding.EncodeToString(sum)); no != nil {
			t.Errorf("%s in base64: %s", v.hash, no.message)
		}
	}
}

func TestProviders(t *testing.T) {
	for _, tc := range []struct{ name, provider, secret, body, header, value string }{
		// docs.github.com: Testing the webhook payload validation.
		{"github's example", event.ProviderGitHub, "It's a Secret to Everybody", "Hello, World!", "X-Hub-Signature-256",
			"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
		{"github", event.ProviderGitHub, vectorSecret, vectorBody, "X-Hub-Signature-256", "sha256=" + vectorSHA256},
		{"shopify", event.ProviderShopify, vectorSecret, vectorBody, "X-Shopify-Hmac-SHA256", vectorBase64},
		{"twitter", event.ProviderTwitter, vectorSecret, vectorBody, "x-twitter-webhooks-signature", "sha256=" + vectorBase64},
	} {
		t.Run(tc.name, func(t *testing.T) {
			src := providerSource(tc.provider, tc.secret)
			if no := check(t, src, tc.body, tc.header, tc.value); no != nil {
				t.Errorf("%s", no.message)
			}
			if no := check(t, src, tc.body+" ", tc.header, tc.value); no == nil || no.code != 400 || !strings.Contains(no.message, "does not match") {
				t.Errorf("another body: %+v", no)
			}
		})
	}
}

func TestVerifiersRefuse(t *testing.T) {
	basic := &event.Source{Verifier: &event.Verifier{Type: event.VerifyBasic, BasicAuth: &event.BasicAuth{UserName: "ann", Password: "pass:word"}}}
	key := func(name, value string) *event.Source {
		return &event.Source{Verifier: &event.Verifier{Type: event.VerifyAPIKey, APIKey: &event.APIKeyAuth{HeaderName: name, HeaderValue: value}}}
	}
	encoded := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	plain := hmacSource("X-Sig", "SHA256", "hex")
	stamped, err := sig.New([]sig.Version{{Hash: "SHA256", Encoding: sig.Hex}}, []string{vectorSecret}, true)
	if err != nil {
		t.Fatal(err)
	}
	advanced := func(at time.Time) string { return string(stamped.Append(nil, at, []byte(vectorBody))) }

	for _, tc := range []struct {
		name    string
		src     *event.Source
		headers []string
		want    string // "": verified
	}{
		{"no signature", plain, nil, "X-Sig is missing"},
		{"an empty one", plain, []string{"X-Sig", ""}, "X-Sig is missing"},
		{"two", plain, []string{"X-Sig", vectorSHA256, "X-Sig", vectorSHA256}, "X-Sig is there twice"},
		{"another encoding", plain, []string{"X-Sig", vectorBase64}, "holds no signature: want the HMAC of the body by SHA256, in hex"},
		{"cut", plain, []string{"X-Sig", vectorSHA256[:63]}, "holds no signature"},
		{"another hash's prefix", plain, []string{"X-Sig", "sha1=" + vectorSHA256}, "holds no signature"},
		{"wrong", plain, []string{"X-Sig", "0" + vectorSHA256[1:]}, "does not match"},
		{"advanced", plain, []string{"X-Sig", advanced(time.Now())}, ""},
		{"advanced, old", plain, []string{"X-Sig", advanced(time.Now().Add(-time.Hour))}, "made more than 5m0s ago"},
		{"names of another case", hmacSource("X-Sig", "sha256", "HEX"), []string{"X-Sig", vectorSHA256}, ""},

		{"basic", basic, []string{"Authorization", encoded("ann:pass:word")}, ""},
		{"basic, other case", basic, []string{"authorization", "bAsic " + encoded("ann:pass:word")[6:]}, ""},
		{"basic, none", basic, nil, "Authorization is missing"},
		{"basic, bearer", basic, []string{"Authorization", "Bearer x"}, "not of the scheme Basic"},
		{"basic, no base64", basic, []string{"Authorization", "Basic ann:pass"}, "does not hold a name and a password"},
		{"basic, no colon", basic, []string{"Authorization", encoded("ann")}, "does not hold a name and a password"},
		{"basic, other user", basic, []string{"Authorization", encoded("bob:pass:word")}, "is wrong"},
		{"basic, other password", basic, []string{"Authorization", encoded("ann:pass")}, "is wrong"},
		{"basic, twice", basic, []string{"Authorization", encoded("ann:pass:word"), "Authorization", encoded("bob:x")}, "there twice"},

		{"key", key("X-Api-Key", "k3y"), []string{"x-api-key", "k3y"}, ""},
		{"key, wrong", key("X-Api-Key", "k3y"), []string{"X-Api-Key", "k3"}, "X-Api-Key is wrong"},
		{"key, none", key("X-Api-Key", "k3y"), nil, "is missing"},
		{"key, bearer elsewhere", key("X-Api-Key", "k3y"), []string{"X-Api-Key", "Bearer k3y"}, "is wrong"},
		{"key as bearer", key("Authorization", "k3y"), []string{"Authorization", "Bearer k3y"}, ""},
		{"key not as bearer", key("authorization", "Bearer k3y"), []string{"Authorization", "k3y"}, ""},
		{"key as bearer, both", key("Authorization", "Bearer k3y"), []string{"Authorization", "bearer k3y"}, ""},
		{"key as bearer, wrong", key("Authorization", "Bearer k3y"), []string{"Authorization", "Bearer k3"}, "is wrong"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			no := check(t, tc.src, vectorBody, tc.headers...)
			if tc.want == "" {
				if no != nil {
					t.Fatalf("%s", no.message)
				}
				return
			}
			if no == nil || no.code != 400 || no.reason != ReasonAuth || !strings.Contains(no.message, tc.want) {
				t.Fatalf("%+v, want 400 with %q", no, tc.want)
			}
			for _, secret := range []string{vectorSecret, vectorSHA256, vectorBase64, "k3y", "pass:word"} {
				if strings.Contains(no.message, secret) {
					t.Errorf("%q says what was expected", no.message)
				}
			}
		})
	}
}

// Settings that cannot be carried out take nothing, whatever is sent.
func TestBrokenSettings(t *testing.T) {
	hmacOf := func(h *event.HMacVerifier) *event.Verifier { return &event.Verifier{Type: event.VerifyHMac, HMac: h} }
	good := event.HMacVerifier{Header: "X-Sig", Hash: "SHA256", Secret: "s", Encoding: "hex"}
	for name, tc := range map[string]struct {
		provider string
		v        *event.Verifier
	}{
		"unknown type":           {"", &event.Verifier{Type: "ipwhitelist"}},
		"hmac without settings":  {"", hmacOf(nil)},
		"no header":              {"", hmacOf(&event.HMacVerifier{Hash: good.Hash, Secret: "s", Encoding: good.Encoding})},
		"no hash":                {"", hmacOf(&event.HMacVerifier{Header: "X", Secret: "s", Encoding: good.Encoding})},
		"no encoding":            {"", hmacOf(&event.HMacVerifier{Header: "X", Hash: good.Hash, Secret: "s"})},
		"no secret":              {"", hmacOf(&event.HMacVerifier{Header: "X", Hash: good.Hash, Encoding: good.Encoding})},
		"provider, no secret":    {event.ProviderGitHub, hmacOf(&good)},
		"basic without settings": {"", &event.Verifier{Type: event.VerifyBasic}},
		"basic, empty":           {"", &event.Verifier{Type: event.VerifyBasic, BasicAuth: &event.BasicAuth{}}},
		"key without settings":   {"", &event.Verifier{Type: event.VerifyAPIKey}},
		"key without a value":    {"", &event.Verifier{Type: event.VerifyAPIKey, APIKey: &event.APIKeyAuth{HeaderName: "X"}}},
		"key, bearer of nothing": {"", &event.Verifier{Type: event.VerifyAPIKey, APIKey: &event.APIKeyAuth{HeaderName: "Authorization", HeaderValue: "Bearer "}}},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.provider != "" {
				tc.v.HMac = &event.HMacVerifier{}
			}
			w := newWorld(func(src *event.Source) { src.Provider, src.Verifier = tc.provider, tc.v })
			a := do(t, w.inbound(), call{headers: []string{"Authorization", "Bearer", "X", "", "X-Sig", vectorSHA256}})
			if a.code != 400 || !strings.HasPrefix(a.Message, "this source cannot verify requests: its ") || len(w.mu.subs) > 0 {
				t.Errorf("%d %s", a.code, a.body)
			}
		})
	}
}

func TestNothingToVerify(t *testing.T) {
	for _, v := range []*event.Verifier{nil, {Type: event.VerifyNothing}, {}} {
		newWorld(func(src *event.Source) { src.Verifier = v }).accepted(t, call{})
	}
}

// A type that was left out must not turn verifying off.
func TestVerifierWithoutType(t *testing.T) {
	for _, v := range []*event.Verifier{
		{HMac: &event.HMacVerifier{Header: "X-Sig", Hash: "SHA256", Secret: "s", Encoding: "hex"}},
		{BasicAuth: &event.BasicAuth{UserName: "a"}},
		{APIKey: &event.APIKeyAuth{HeaderName: "X", HeaderValue: "y"}},
	} {
		w := newWorld(func(src *event.Source) { src.Verifier = v })
		if a := do(t, w.inbound(), call{}); a.code != 400 || len(w.mu.subs) > 0 {
			t.Errorf("%+v: %d %s", v, a.code, a.body)
		}
	}
}

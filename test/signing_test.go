package test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	receiving "posthaste/receiver"
	"posthaste/sig"
)

// library is what the Go library of Standard Webhooks says of the request.
func (a *arrival) library(t *testing.T, secret string) error {
	t.Helper()
	w, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return w.Verify([]byte(a.body), a.header)
}

// byStandard checks that package receiver and the published library accept the request
// by each of the secrets.
func (a *arrival) byStandard(t *testing.T, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if err := a.verify(t, standardSecret(secret)); err != nil {
			t.Errorf("package receiver: %v", err)
		}
		if err := a.library(t, secret); err != nil {
			t.Errorf("the library: %v", err)
		}
	}
}

// TestStandardWebhooksEndpoint: an endpoint in this mode is signed as the published
// library verifies it, also while its secret is replaced; a retry has the same id, a
// new timestamp, and is signed anew.
func TestStandardWebhooksEndpoint(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(script(500, 200))
	p := newProject(t, linear(1, 3))
	e := p.create(in.URL, object{"signature_mode": "standard-webhooks"})
	old := e.Secrets[0].Value
	if !strings.HasPrefix(old, "whsec_") {
		t.Fatalf("the secret that was made is %q", old)
	}
	id := p.send(e.UID, standardBodies["numbers"])
	p.await(id, "Success")
	all := in.arrivals()
	for _, a := range all {
		a.byStandard(t, old)
		if got := a.header.Get("webhook-id"); got != id || a.body != standardBodies["numbers"] {
			t.Errorf("webhook-id %s, want %s; body %s", got, id, a.body)
		}
		for name := range a.header {
			if strings.Contains(strings.ToLower(name), "convoy") {
				t.Errorf("a header of the other mode: %s", name)
			}
		}
	}
	for _, name := range []string{"webhook-timestamp", "webhook-signature"} {
		if first, second := all[0].header.Get(name), all[1].header.Get(name); first == second || first > second && name == "webhook-timestamp" {
			t.Errorf("%s of the first attempt is %s, of the second %s", name, first, second)
		}
	}

	current, public := sig.NewStandardSecret(), ""
	p.do("PUT", "/endpoints/"+e.UID+"/expire_secret", object{"secret": current, "expiration": 1}, nil)
	p.send(e.UID, `{"during":"rotation"}`)
	a := in.await(t, 3)[2]
	a.byStandard(t, old, current)
	private, _ := sig.NewStandardKeyPair()
	p.do("PUT", "/endpoints/"+e.UID+"/expire_secret", object{"secret": private, "expiration": 1}, &e)
	for _, s := range e.Secrets {
		public += s.PublicKey
	}
	p.send(e.UID, `{"with":"ed25519"}`)
	a = in.await(t, 4)[3]
	a.byStandard(t, old, current)
	if err := a.verify(t, standardSecret(public)); err != nil {
		t.Errorf("by the public key %s: %v", public, err)
	}
	if err := a.library(t, sig.NewStandardSecret()); err == nil {
		t.Error("the library verifies anything")
	}
	p.refused("PUT", "/endpoints/"+e.UID+"/expire_secret", object{"secret": "no such secret"}, "secret")
}

// TestConvoyVersions: with two versions and two secrets, a receiver verifies the version
// that it knows, by the secret that it has, and not a request that was changed,
// recorded, or stamped with another time.
func TestConvoyVersions(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	versions := []receiving.Version{{Hash: "SHA256", Encoding: receiving.Hex}, {Hash: "SHA512", Encoding: receiving.Base64}}
	p := newProject(t, object{"signature": object{"header": "X-Shop-Signature", "versions": []object{
		{"hash": "SHA256", "encoding": "hex"}, {"hash": "SHA512", "encoding": "base64"},
	}}})
	ep := p.add(in.URL, object{"secret": "old"})
	p.do("PUT", "/endpoints/"+ep+"/expire_secret", object{"secret": "new", "expiration": 1}, nil)
	p.send(ep, standardBodies["whitespace"])
	a := in.await(t, 1)[0]
	if a.body != strings.TrimSpace(standardBodies["whitespace"]) {
		t.Errorf("the body is %q", a.body)
	}
	options := func(version receiving.Version, secret string) receiving.Options {
		return receiving.Options{Convoy: &receiving.Convoy{Header: "X-Shop-Signature", Secrets: []string{secret}, Versions: []receiving.Version{version}}}
	}
	for _, version := range versions {
		for _, secret := range []string{"old", "new"} {
			if err := a.verify(t, options(version, secret)); err != nil {
				t.Errorf("%v by %s: %v", version, secret, err)
			}
		}
		if err := a.verify(t, options(version, "other")); !errors.Is(err, receiving.ErrSignature) {
			t.Errorf("%v by another secret: %v", version, err)
		}
	}
	value := a.header.Get("X-Shop-Signature")
	if stamp := a.header.Get("Convoy-Timestamp"); stamp == "" || !strings.HasPrefix(value, "t="+stamp+",v1=") || strings.Count(value, ",v2=") != 2 {
		t.Errorf("stamped %q, signed %q", stamp, value)
	}

	o := options(versions[0], "new")
	for name, c := range map[string]struct {
		change func(a *arrival, o *receiving.Options)
		want   error
	}{
		"another body":  {func(a *arrival, _ *receiving.Options) { a.body += " " }, receiving.ErrSignature},
		"another stamp": {func(a *arrival, _ *receiving.Options) { a.header.Set("Convoy-Timestamp", "1") }, receiving.ErrHeader},
		"recorded":      {func(_ *arrival, o *receiving.Options) { o.Tolerance = time.Nanosecond }, receiving.ErrTimestamp},
	} {
		changed, o := a, o
		changed.header = a.header.Clone()
		c.change(&changed, &o)
		if err := changed.verify(t, o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestSimpleSignature: without advanced signatures there is one, in hex over the body,
// and no timestamp.
func TestSimpleSignature(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, nil)
	p.send(p.add(in.URL, object{"secret": "simple", "advanced_signatures": false}), `{"n": 1.0}`)
	a := in.await(t, 1)[0]
	if got, want := a.header.Get("X-Convoy-Signature"), hexHMAC("simple", a.body); got != want {
		t.Errorf("signed %q, want %q", got, want)
	}
	if stamp, ok := a.header["Convoy-Timestamp"]; ok {
		t.Errorf("stamped %q", stamp)
	}
	o := convoySecret("simple")
	if err := a.verify(t, o); !errors.Is(err, receiving.ErrHeader) {
		t.Errorf("where only advanced ones are accepted: %v", err)
	}
	o.Convoy.Simple = true
	if err := a.verify(t, o); err != nil {
		t.Error(err)
	}
}

// hexHMAC is HMAC-SHA256 in hex.
func hexHMAC(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

// TestRetryIsSignedAnew: each attempt carries its own time, and is signed with it.
func TestRetryIsSignedAnew(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(script(500, 500, 200))
	p := newProject(t, linear(1, 3))
	p.await(p.send(p.add(in.URL, nil), `{}`), "Success")
	var last int64
	for i, a := range in.arrivals() {
		if err := a.verify(t, convoySecret("endpoint-secret")); err != nil {
			t.Errorf("attempt %d: %v", i+1, err)
		}
		stamp, err := strconv.ParseInt(a.header.Get("Convoy-Timestamp"), 10, 64)
		if err != nil || stamp <= last {
			t.Errorf("attempt %d is stamped %d, the one before %d", i+1, stamp, last)
		}
		last = stamp
	}
}

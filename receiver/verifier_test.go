package receiver

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"posthaste/sig"
)

const (
	unix   = 1795278039
	body   = `{"amount":1.50,"note":"é <&>"}`
	secret = "endpoint-secret"
	event  = "01KB2M3V8W9X"
)

var (
	sentAt    = time.Unix(unix, 0)
	sha256Hex = Version{Hash: "SHA256", Encoding: Hex}
	sha512B64 = Version{Hash: "SHA512", Encoding: Base64}
)

// at makes a Verifier whose clock stands.
func at(t testing.TB, now time.Time, o Options) *Verifier {
	t.Helper()
	v, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	v.now = func() time.Time { return now }
	return v
}

// convoyHeaders are those of a delivery that is sent at sentAt.
func convoyHeaders(t testing.TB, advanced bool, versions []Version, secrets ...string) http.Header {
	t.Helper()
	s, err := sig.New(versions, secrets, advanced)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	h.Set("X-Convoy-Signature", string(s.Append(nil, sentAt, []byte(body))))
	if advanced {
		h.Set("Convoy-Timestamp", fmt.Sprint(unix))
	}
	return h
}

func standardHeaders(t testing.TB, secrets ...string) http.Header {
	t.Helper()
	s, err := sig.NewStandard(secrets)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	h.Set("webhook-id", event)
	h.Set("webhook-timestamp", fmt.Sprint(unix))
	h.Set("webhook-signature", string(s.Append(nil, event, sentAt, []byte(body))))
	return h
}

func check(t *testing.T, what string, v *Verifier, h http.Header, want error) {
	t.Helper()
	if err := v.Verify(h, []byte(body)); !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
	if want != nil {
		return
	}
	if err := v.Verify(h, []byte(body+" ")); !errors.Is(err, ErrSignature) {
		t.Errorf("%s, changed body: got %v", what, err)
	}
}

func TestConvoyAdvanced(t *testing.T) {
	both := []Version{sha256Hex, sha512B64}
	sent := convoyHeaders(t, true, both, "old", "new")
	for _, c := range []struct {
		name     string
		secrets  []string
		versions []Version
		want     error
	}{
		{"default version", []string{"new"}, nil, nil},
		{"old secret", []string{"old"}, nil, nil},
		{"second version", []string{"new"}, both[1:], nil},
		{"either version", []string{"new"}, both, nil},
		{"one of two secrets", []string{"next", "new"}, both, nil},
		{"one of two versions", []string{"new"}, []Version{{Hash: "SHA3_512", Encoding: Hex}, sha512B64}, nil},
		{"unknown secret", []string{"next"}, both, ErrSignature},
		{"unknown version", []string{"new"}, []Version{{Hash: "SHA384", Encoding: Hex}}, ErrSignature},
	} {
		v := at(t, sentAt, Options{Convoy: &Convoy{Secrets: c.secrets, Versions: c.versions}})
		check(t, c.name, v, sent, c.want)
	}
}

func TestConvoySimple(t *testing.T) {
	simple := convoyHeaders(t, false, []Version{sha256Hex}, secret)
	advanced := convoyHeaders(t, true, []Version{sha256Hex}, secret)
	accepts := func(simple bool, versions ...Version) *Verifier {
		return at(t, sentAt, Options{Convoy: &Convoy{Secrets: []string{secret}, Versions: versions, Simple: simple}})
	}
	check(t, "simple", accepts(true), simple, nil)
	check(t, "advanced where simple is accepted, too", accepts(true), advanced, nil)
	check(t, "a version of another length first", accepts(true, sha512B64, sha256Hex), simple, nil)
	check(t, "a version of the same length first", accepts(true, Version{Hash: "SHA3_256", Encoding: Hex}, sha256Hex), simple, nil)
	check(t, "another version", accepts(true, Version{Hash: "SHA3_256", Encoding: Hex}), simple, ErrSignature)
	check(t, "of another length", accepts(true, sha512B64), simple, ErrHeader)
	check(t, "simple is not accepted", accepts(false), simple, ErrHeader)
	years := at(t, sentAt.AddDate(9, 0, 0), Options{Convoy: &Convoy{Secrets: []string{secret}, Simple: true}})
	check(t, "simple, years later", years, simple, nil)
}

// TestConvoyDowngrade: an advanced signature is a simple one over another body.
// Only who accepts simple ones takes it.
func TestConvoyDowngrade(t *testing.T) {
	value := convoyHeaders(t, true, []Version{sha256Hex}, secret).Get("X-Convoy-Signature")
	_, mac, _ := strings.Cut(value, ",v1=")
	h := http.Header{"X-Convoy-Signature": {mac}}
	forged := []byte(fmt.Sprintf("%d,%s", unix, body))
	v := at(t, sentAt, Options{Convoy: &Convoy{Secrets: []string{secret}}})
	if err := v.Verify(h, forged); !errors.Is(err, ErrHeader) {
		t.Errorf("got %v", err)
	}
}

func TestStandard(t *testing.T) {
	old := sig.NewStandardSecret()
	private, public := sig.NewStandardKeyPair()
	_, otherPublic := sig.NewStandardKeyPair()
	sent := standardHeaders(t, old, private)
	for _, c := range []struct {
		name    string
		secrets []string
		want    error
	}{
		{"hmac", []string{old}, nil},
		{"public key", []string{public}, nil},
		{"private key", []string{private}, nil},
		{"one of three", []string{sig.NewStandardSecret(), otherPublic, public}, nil},
		{"others", []string{sig.NewStandardSecret(), otherPublic}, ErrSignature},
	} {
		check(t, c.name, at(t, sentAt, Options{Standard: &Standard{Secrets: c.secrets}}), sent, c.want)
	}
}

func TestTolerance(t *testing.T) {
	secret := sig.NewStandardSecret()
	convoy, standard := &Convoy{Secrets: []string{secret}}, &Standard{Secrets: []string{secret}}
	f := func(tolerance, after time.Duration, want error) {
		t.Helper()
		what := fmt.Sprintf("tolerance %v, %v later", tolerance, after)
		now := sentAt.Add(after)
		check(t, what, at(t, now, Options{Convoy: convoy, Tolerance: tolerance}), convoyHeaders(t, true, []Version{sha256Hex}, secret), want)
		check(t, what, at(t, now, Options{Standard: standard, Tolerance: tolerance}), standardHeaders(t, secret), want)
	}
	f(0, 5*time.Minute, nil)
	f(0, -5*time.Minute, nil)
	f(0, 5*time.Minute+1, ErrTimestamp)
	f(0, -5*time.Minute-1, ErrTimestamp)
	f(time.Minute, time.Minute+1, ErrTimestamp)
	f(-1, 365*24*time.Hour, nil)
}

// TestHeaders changes the headers of a request that verifies.
func TestHeaders(t *testing.T) {
	standardSecret := sig.NewStandardSecret()
	v := at(t, sentAt, Options{Convoy: &Convoy{Secrets: []string{secret}}, Standard: &Standard{Secrets: []string{standardSecret}}})
	f := func(name string, h http.Header, want error, change func(h http.Header)) {
		t.Helper()
		change(h)
		check(t, name, v, h, want)
	}
	convoy := func() http.Header { return convoyHeaders(t, true, []Version{sha256Hex}, secret) }
	standard := func() http.Header { return standardHeaders(t, standardSecret) }

	f("convoy", convoy(), nil, func(http.Header) {})
	f("no timestamp header", convoy(), nil, func(h http.Header) { h.Del("Convoy-Timestamp") })
	f("another timestamp", convoy(), ErrHeader, func(h http.Header) { h.Set("Convoy-Timestamp", fmt.Sprint(unix+1)) })
	f("the timestamp in other words", convoy(), ErrHeader, func(h http.Header) { h.Set("Convoy-Timestamp", fmt.Sprint(unix, ".0")) })
	f("an empty timestamp", convoy(), ErrHeader, func(h http.Header) { h.Set("Convoy-Timestamp", "") })
	f("two timestamps", convoy(), ErrHeader, func(h http.Header) { h.Add("Convoy-Timestamp", fmt.Sprint(unix)) })
	f("two signatures", convoy(), ErrHeader, func(h http.Header) { h.Add("X-Convoy-Signature", h.Get("X-Convoy-Signature")) })
	f("malformed", convoy(), ErrHeader, func(h http.Header) { h.Set("X-Convoy-Signature", "t=1,t=2,v1=00") })
	f("an empty signature", convoy(), ErrHeader, func(h http.Header) { h.Set("X-Convoy-Signature", "") })
	f("no signature", convoy(), ErrUnsigned, func(h http.Header) { h.Del("X-Convoy-Signature") })
	f("nothing at all", http.Header{}, ErrUnsigned, func(http.Header) {})

	f("standard", standard(), nil, func(http.Header) {})
	f("another id", standard(), ErrSignature, func(h http.Header) { h.Set("webhook-id", "x"+event) })
	f("another time", standard(), ErrSignature, func(h http.Header) { h.Set("webhook-timestamp", fmt.Sprint(unix+1)) })
	f("no id", standard(), ErrHeader, func(h http.Header) { h.Del("webhook-id") })
	f("no time", standard(), ErrHeader, func(h http.Header) { h.Del("webhook-timestamp") })
	f("two ids", standard(), ErrHeader, func(h http.Header) { h.Add("webhook-id", event) })
	f("two times", standard(), ErrHeader, func(h http.Header) { h.Add("webhook-timestamp", fmt.Sprint(unix)) })
	f("two lists", standard(), ErrHeader, func(h http.Header) { h.Add("webhook-signature", "v1,x") })
	f("no list", standard(), ErrUnsigned, func(h http.Header) { h.Del("webhook-signature") })
	f("both formats, standard bad", convoy(), ErrSignature, func(h http.Header) {
		h.Set("webhook-id", event)
		h.Set("webhook-timestamp", fmt.Sprint(unix))
		h.Set("webhook-signature", "v1,x")
	})
}

func TestOtherHeaderName(t *testing.T) {
	h := convoyHeaders(t, true, []Version{sha256Hex}, secret)
	h.Set("x-mine", h.Get("X-Convoy-Signature"))
	h.Del("X-Convoy-Signature")
	check(t, "x-mine", at(t, sentAt, Options{Convoy: &Convoy{Secrets: []string{secret}, Header: "x-MINE"}}), h, nil)
	v := at(t, sentAt, Options{Convoy: &Convoy{Secrets: []string{secret}}})
	check(t, "default", v, h, ErrUnsigned)
	if err := v.Verify(h, []byte(body)); !strings.Contains(err.Error(), "X-Convoy-Signature") {
		t.Errorf("%v does not name the header", err)
	}
}

func TestNewRefuses(t *testing.T) {
	_, public := sig.NewStandardKeyPair()
	for name, c := range map[string]struct {
		options Options
		want    error  // beside ErrOptions
		text    string // in the error
	}{
		"nothing":           {Options{}, nil, "neither Convoy nor Standard"},
		"no secret":         {Options{Convoy: &Convoy{}}, sig.ErrNoSecret, "Convoy"},
		"empty secret":      {Options{Convoy: &Convoy{Secrets: []string{"s", ""}}}, sig.ErrNoSecret, "secret 2"},
		"public key":        {Options{Convoy: &Convoy{Secrets: []string{public}}}, nil, "anybody can sign"},
		"hash":              {Options{Convoy: &Convoy{Secrets: []string{"s"}, Versions: []Version{sha256Hex, {Hash: "sha1", Encoding: Hex}}}}, sig.ErrUnknownHash, "version 2"},
		"encoding":          {Options{Convoy: &Convoy{Secrets: []string{"s"}, Versions: []Version{{Hash: "SHA1"}}}}, sig.ErrUnknownEncoding, "version 1"},
		"header":            {Options{Convoy: &Convoy{Secrets: []string{"s"}, Header: "My Header"}}, nil, `"My Header"`},
		"no standard":       {Options{Standard: &Standard{}}, sig.ErrNoSecret, "Standard"},
		"plain standard":    {Options{Standard: &Standard{Secrets: []string{"endpoint-secret"}}}, sig.ErrStandardSecret, "secret 1"},
		"one is not enough": {Options{Convoy: &Convoy{Secrets: []string{"s"}}, Standard: &Standard{}}, sig.ErrNoSecret, "Standard"},
		"bound":             {Options{Convoy: &Convoy{Secrets: []string{"s"}}, MaxBodyBytes: -1}, nil, "MaxBodyBytes"},
	} {
		_, err := New(c.options)
		if !errors.Is(err, ErrOptions) || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %v, want %v with %q", name, err, c.want, c.text)
		}
	}
}

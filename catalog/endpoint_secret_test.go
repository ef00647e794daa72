package catalog_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/sig"
)

// values lists an endpoint's secrets with the time that each has left.
func values(e *catalog.Endpoint, now time.Time) (out []string) {
	for _, s := range e.Secrets {
		left := "stays"
		if s.ExpiresAt != nil {
			left = s.ExpiresAt.Sub(now).String()
		}
		out = append(out, s.Value+" "+left)
	}
	return out
}

func TestExpireSecret(t *testing.T) {
	w := setup(t)
	e, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://x", Secrets: []event.Secret{{Value: "one"}}})
	must(t, err)
	rotate := func(secret string, overlap time.Duration, want ...string) *catalog.Endpoint {
		t.Helper()
		e, err := w.ExpireSecret(w.project.ID, e.ID, secret, overlap)
		must(t, err)
		if got := values(e, w.clock.Now()); strings.Join(got, ", ") != strings.Join(want, ", ") {
			t.Errorf("secrets %q, want %q", got, want)
		}
		return e
	}
	rotate("two", 3*time.Hour, "one 3h0m0s", "two stays")
	w.clock.Advance(time.Hour)
	// A shorter overlap ends the older ones with it, a longer one leaves them.
	rotate("three", time.Hour, "one 1h0m0s", "two 1h0m0s", "three stays")
	rotate("four", 10*time.Hour, "one 1h0m0s", "two 1h0m0s", "three 10h0m0s", "four stays")
	w.clock.Advance(time.Hour)
	rotate("five", 1, "three 1ns", "four 1ns", "five stays")
	now := rotate("six", 0, "six stays")
	if s := now.Secrets[0]; s.ID.IsZero() || !s.CreatedAt.Time().Equal(w.clock.Now()) || !now.UpdatedAt.Time().Equal(w.clock.Now()) {
		t.Errorf("secret %+v", s)
	}
	made, err := w.ExpireSecret(w.project.ID, e.ID, "", 0)
	must(t, err)
	if len(made.Secrets) != 1 || len(made.Secrets[0].Value) != 25 {
		t.Errorf("made %+v", made.Secrets)
	}
	if got := w.open(t).Snapshot().Endpoint(e.ID); len(got.Secrets) != 1 || got.Secrets[0].Value != made.Secrets[0].Value {
		t.Errorf("after a restart %+v", got.Secrets)
	}
}

func TestExpireSecretRefused(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	for name, c := range map[string]struct {
		secret  string
		overlap time.Duration
		field   string
	}{
		"negative overlap": {"s", -1, "expiration"},
		"long overlap":     {"s", 366 * 24 * time.Hour, "expiration"},
		"long secret":      {strings.Repeat("s", event.MaxSecretBytes+1), 0, "secret"},
		"line break":       {"a\nb", 0, "secret"},
		"the same":         {e.Secrets[0].Value, time.Hour, "secret"},
	} {
		_, err := w.ExpireSecret(w.project.ID, e.ID, c.secret, c.overlap)
		if err == nil {
			t.Fatalf("%s: accepted", name)
		}
		wantInvalid(t, err, c.field)
	}
	_, err := w.ExpireSecret(event.NewID(), e.ID, "s", 0)
	wantIs(t, err, event.ErrNotFound)
	for i := range event.MaxLiveSecrets - 1 {
		_, err = w.ExpireSecret(w.project.ID, e.ID, "s"+strconv.Itoa(i), time.Hour)
		must(t, err)
	}
	full := w.Snapshot().Endpoint(e.ID)
	_, err = w.ExpireSecret(w.project.ID, e.ID, "one too many", time.Hour)
	wantInvalid(t, err, "secrets")
	if w.Snapshot().Endpoint(e.ID) != full {
		t.Error("a refused rotation left a trace")
	}
	_, err = w.ExpireSecret(w.project.ID, e.ID, "at once", 0)
	must(t, err)
}

// The old secret signs until the nanosecond of its end.
func TestExpireSecretEndsExactly(t *testing.T) {
	w := setup(t)
	e, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://x", AdvancedSignatures: true})
	must(t, err)
	e, err = w.ExpireSecret(w.project.ID, e.ID, "", 90*time.Minute)
	must(t, err)
	end := w.clock.Now().Add(90 * time.Minute)
	for _, c := range []struct {
		at   time.Time
		want int
	}{{w.clock.Now(), 2}, {end.Add(-1), 2}, {end, 1}, {end.Add(time.Hour), 1}} {
		header := catalog.SignerAt(e, w.project, c.at).Append(nil, c.at, nil)
		if n := bytes.Count(header, []byte("v1=")); n != c.want {
			t.Errorf("%s from the end: %d signatures, want %d", c.at.Sub(end), n, c.want)
		}
	}
}

func standard(t *testing.T, w *world, secrets ...string) *catalog.Endpoint {
	t.Helper()
	e := event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://x", SignatureMode: event.SignStandard}
	for _, s := range secrets {
		e.Secrets = append(e.Secrets, event.Secret{Value: s})
	}
	made, err := w.CreateEndpoint(e)
	must(t, err)
	return made
}

func TestStandardMode(t *testing.T) {
	w := setup(t)
	e := standard(t, w)
	if !strings.HasPrefix(e.Secrets[0].Value, "whsec_") || sig.CheckStandardSecret(e.Secrets[0].Value) != nil {
		t.Errorf("the secret that was made is none for this mode")
	}
	if kept := e.Standard(); kept == nil || e.Standard() != kept {
		t.Error("the signer is not kept")
	}
	e, err := w.ExpireSecret(w.project.ID, e.ID, "", time.Hour)
	must(t, err)
	count := func(at time.Time) int {
		return bytes.Count(catalog.StandardAt(e, at).Append(nil, "msg", at, nil), []byte("v1,"))
	}
	now := w.clock.Now()
	if a, b, c := count(now), count(now.Add(time.Hour-1)), count(now.Add(time.Hour)); a != 2 || b != 2 || c != 1 {
		t.Errorf("%d, %d, %d signatures; want 2, 2 and 1 at the end", a, b, c)
	}
	w.subscription(t, e)
	if got := w.Snapshot().Endpoint(e.ID).Standard(); got == nil {
		t.Error("a subscription took the signer away")
	}
	if got := w.open(t).Snapshot().Endpoint(e.ID); got.SignatureMode != event.SignStandard || got.Standard() == nil {
		t.Errorf("after a restart: %q", got.SignatureMode)
	}
	if w.endpoint(t, "convoy").Standard() != nil {
		t.Error("an endpoint of the other mode has a signer of this one")
	}
}

func TestStandardModeNeedsItsSecrets(t *testing.T) {
	w := setup(t)
	mode := func(m string) func(*event.Endpoint) error {
		return func(e *event.Endpoint) error { e.SignatureMode = m; return nil }
	}
	_, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://x", SignatureMode: event.SignStandard,
		Secrets: []event.Secret{{Value: "plain text"}}})
	wantInvalid(t, err, "signature_mode")
	_, err = w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://x", SignatureMode: "other"})
	wantInvalid(t, err, "signature_mode")

	e := w.endpoint(t, "a")
	_, err = w.UpdateEndpoint(w.project.ID, e.ID, mode(event.SignStandard))
	wantInvalid(t, err, "signature_mode")
	// During the overlap the old secret still signs, and does not fit.
	_, err = w.ExpireSecret(w.project.ID, e.ID, sig.NewStandardSecret(), time.Hour)
	must(t, err)
	_, err = w.UpdateEndpoint(w.project.ID, e.ID, mode(event.SignStandard))
	wantInvalid(t, err, "signature_mode")
	w.clock.Advance(time.Hour)
	switched, err := w.UpdateEndpoint(w.project.ID, e.ID, mode(event.SignStandard))
	must(t, err)
	if switched.Standard() == nil {
		t.Error("no signer after the switch")
	}
	_, err = w.ExpireSecret(w.project.ID, e.ID, "plain text", time.Hour)
	wantInvalid(t, err, "secret")
	// A secret that comes with the switch is enough.
	b := w.endpoint(t, "b")
	_, err = w.UpdateEndpoint(w.project.ID, b.ID, func(e *event.Endpoint) error {
		e.SignatureMode, e.Secrets = event.SignStandard, []event.Secret{{Value: sig.NewStandardSecret()}}
		return nil
	})
	must(t, err)
	_, err = w.UpdateEndpoint(w.project.ID, b.ID, mode(event.SignConvoy))
	must(t, err)
}

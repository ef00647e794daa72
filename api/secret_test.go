package api

import (
	"fmt"
	"strings"
	"testing"

	"posthaste/sig"
)

// secrets are the values of an endpoint's secrets, each with when it ends.
func secretsOf(a answer) string {
	var all []string
	for _, row := range a.field("secrets").([]any) {
		s := row.(map[string]any)
		all = append(all, fmt.Sprintf("%v until %v", s["value"], s["expires_at"]))
	}
	return fmt.Sprint(all)
}

func TestExpireSecret(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"secret":"second","expiration":24}`, "[s3cret until 2026-01-03T03:04:05.678Z second until <nil>]"},
		{`{"secret":"second","expiration":720}`, "[s3cret until 2026-02-01T03:04:05.678Z second until <nil>]"},
		{`{"secret":"second","expiration":0}`, "[second until <nil>]"},
		{`{"secret":"second"}`, "[second until <nil>]"},
		{`{"secret":"second","expiration":0,"expiration_seconds":90}`, "[s3cret until 2026-01-02T03:05:35.678Z second until <nil>]"},
		{`{"secret":"second","expiration_seconds":"1h30m"}`, "[s3cret until 2026-01-02T04:34:05.678Z second until <nil>]"},
	} {
		w := newWorld(t)
		path := w.in("/endpoints/%s", w.addEndpoint(w.project, 1))
		a := w.do("PUT", path+"/expire_secret", c.body)
		w.want(a, 200, "endpoint secret expired successfully")
		if got := secretsOf(a); got != c.want {
			t.Errorf("%s: %s, want %s", c.body, got, c.want)
		}
		if got := secretsOf(w.do("GET", path, "")); got != c.want {
			t.Errorf("%s is shown as %s, want %s", c.body, got, c.want)
		}
	}
}

func TestExpireSecretMakesOne(t *testing.T) {
	w := newWorld(t)
	path := w.in("/endpoints/%s", w.addEndpoint(w.project, 1))
	a := w.do("PUT", path+"/expire_secret", `{"secret":"","expiration":1}`)
	w.want(a, 200, "endpoint secret expired successfully")
	if secrets := a.field("secrets").([]any); len(secrets) != 2 || len(secrets[1].(map[string]any)["value"].(string)) != 25 {
		t.Errorf("secrets are %v", secrets)
	}
}

// Two rotations within one overlap: the oldest secret keeps its earlier end.
func TestSecretsOverlapTwice(t *testing.T) {
	w := newWorld(t)
	path := w.in("/endpoints/%s", w.addEndpoint(w.project, 1))
	w.want(w.do("PUT", path+"/expire_secret", `{"secret":"second","expiration":1}`), 200, "endpoint secret expired successfully")
	a := w.do("PUT", path+"/expire_secret", `{"secret":"third","expiration":2}`)
	const want = "[s3cret until 2026-01-02T04:04:05.678Z second until 2026-01-02T05:04:05.678Z third until <nil>]"
	if got := secretsOf(a); got != want {
		t.Errorf("secrets are %s, want %s", got, want)
	}
	a = w.do("PUT", path, `{"secret":"fourth"}`) // an upsert ends the others at once
	if got := secretsOf(a); got != "[fourth until <nil>]" {
		t.Errorf("secrets are %s", got)
	}
}

func TestBadExpireSecret(t *testing.T) {
	w := newWorld(t)
	path := w.in("/endpoints/%s/expire_secret", w.addEndpoint(w.project, 1))
	for _, c := range []struct{ body, message string }{
		{`{"expiration":-1}`, "expiration: is -1; it must be 0 to 720 hours; 0 ends the old secrets at once"},
		{`{"expiration":721}`, "expiration: is 721; it must be 0 to 720 hours; 0 ends the old secrets at once"},
		{`{"expiration":"a day"}`, "expiration: want a whole number, got string (at byte 21)"},
		{`{"expiration_seconds":2592001}`, "expiration_seconds: is 2592001; it must be 0 to 2592000 seconds; 0 ends the old secrets at once"},
		{`{"expiration_seconds":"soon"}`, `expiration_seconds: want whole seconds: a number like 30 or a text like "30s"`},
		{`{"expiration":1,"expiration_seconds":1}`, "expiration_seconds: give either expiration, in hours, or expiration_seconds"},
		{`{"secret":"s3cret"}`, "secret: is one that the endpoint signs with already; give another, or leave it out to have one made"},
	} {
		w.want(w.do("PUT", path, c.body), 400, c.message)
	}
	for n := 2; n <= 10; n++ {
		w.want(w.do("PUT", path, fmt.Sprintf(`{"secret":"secret %d","expiration":1}`, n)), 200, "endpoint secret expired successfully")
	}
	w.want(w.do("PUT", path, `{"secret":"secret 11","expiration":1}`), 400, "secrets: has 11 that are alive; at most 10 are allowed, wait until old ones end")
	w.want(w.do("PUT", path, `{"secret":"secret 11"}`), 200, "endpoint secret expired successfully")
	w.want(w.do("PUT", w.in("/endpoints/%s/expire_secret", id('e', 9)), `{}`), 404, "Resource not found")
}

// The public part of an ed25519 secret is shown beside it, masked or not: receivers
// verify with it.
func TestPublicKeyIsShown(t *testing.T) {
	w := newWorld(t)
	secret, public := sig.NewStandardKeyPair()
	path, a := w.create(fmt.Sprintf(`"signature_mode":"standard-webhooks","secret":%q`, secret))
	if got := a.field("secrets").([]any)[0].(map[string]any); got["value"] != secret || got["public_key"] != public {
		t.Errorf("made %v", got)
	}
	list := w.do("GET", w.in("/endpoints"), "").body
	if !strings.Contains(list, `"public_key":"`+public) || strings.Contains(list, secret) || !strings.Contains(list, `"value":"whsk_****`) {
		t.Errorf("listed %s", list)
	}
	a = w.do("PUT", path+"/expire_secret", `{"expiration":1}`)
	second := a.field("secrets").([]any)[1].(map[string]any)
	if _, has := second["public_key"]; has || !strings.HasPrefix(second["value"].(string), "whsec_") {
		t.Errorf("the secret that was made is %v", second)
	}
}

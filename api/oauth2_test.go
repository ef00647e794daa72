package api

import (
	"context"
	"errors"
	"testing"
	"time"

	"posthaste/event"
)

func TestTestOAuth2(t *testing.T) {
	const body = `{"oauth2":{"url":"https://x.example/token","client_id":"c","client_secret":"s"}}`
	for _, c := range []struct {
		name    string
		expires time.Time
		err     error
		want    map[string]any
	}{
		{"a token", epoch.In(time.FixedZone("", 3600)), nil, map[string]any{"success": true, "access_token": "token of c", "token_type": "Bearer",
			"expires_at": "2026-01-02T03:04:05.678Z", "error": "", "message": "OAuth2 connection test successful"}},
		{"one without an end", time.Time{}, nil, map[string]any{"success": true, "expires_at": nil, "message": "OAuth2 connection test successful"}},
		{"none", time.Time{}, errors.New("the token endpoint answered 401: invalid_client"), map[string]any{"success": false, "access_token": "",
			"expires_at": nil, "error": "the token endpoint answered 401: invalid_client", "message": "OAuth2 connection test failed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(o *Options) {
				o.TestOAuth2 = func(_ context.Context, o *event.OAuth2Auth) (string, string, time.Time, error) {
					if c.err != nil {
						return "", "", time.Time{}, c.err
					}
					return "token of " + o.ClientID, "Bearer", c.expires, nil
				}
			})
			a := w.do("POST", w.in("/endpoints/oauth2/test"), body)
			w.want(a, 200, c.want["message"].(string))
			for name, want := range c.want {
				if got := a.field(name); got != want {
					t.Errorf("%s is %v, want %v", name, got, want)
				}
			}
		})
	}
}

func TestBadTestOAuth2(t *testing.T) {
	w := newWorld(t)
	w.want(w.do("POST", w.in("/endpoints/oauth2/test"), `{}`), 501, "this server does not test OAuth2 credentials")
	w = newWorld(t, func(o *Options) {
		o.TestOAuth2 = func(context.Context, *event.OAuth2Auth) (string, string, time.Time, error) {
			return "", "", time.Time{}, event.Invalid("signing_key", "is missing")
		}
	})
	for _, c := range []struct{ body, message string }{
		{`{}`, "oauth2: is missing; give it as in an endpoint's authentication"},
		{`{"oauth2":[]}`, "oauth2: want an object, got array (at byte 11)"},
		{`{"oauth2":{"client_secret":"********"}}`, "oauth2.client_secret: is the mask that answers show, and there is nothing behind it; give the value itself"},
		{`{"oauth2":{"client_id":"c"}}`, "oauth2.signing_key: is missing"},
	} {
		w.want(w.do("POST", w.in("/endpoints/oauth2/test"), c.body), 400, c.message)
	}
}

package oauth

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http/httpguts"

	"posthaste/event"
)

// FuzzAnswer: whatever a token endpoint answers, what is taken for a token can be sent,
// ends later than it was asked for, and no secret is in what went wrong.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"access_token":"a","token_type":"bearer","expires_in":3600}`, `{"access_token":"a","expires_in":"1e300"}`,
		`{"access_token":"a\u0000"}`, `{"access_token":{},"token_type":[]}`, `{"access_token":"a","token_type":"a b","expires_in":-1}`,
		`{"error":"invalid_client","error_description":"s3cret s3cret"}`, `null`, `[]`, `{"access_token":"a","expires_in":NaN}`,
	} {
		f.Add([]byte(s), "", 401)
	}
	f.Add([]byte(`{"t":"a","expires_in":1}`), "t", 302)
	asked := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	hide := strings.NewReplacer("s3cret", "********")
	f.Fuzz(func(t *testing.T, body []byte, field string, status int) {
		for _, unit := range []string{"", "hours", "no unit"} {
			cfg := &event.OAuth2Auth{ExpiryTimeUnit: unit, FieldMapping: &event.OAuth2Fields{AccessToken: field}}
			token, err := parseToken(body, cfg, asked)
			if err != nil {
				if len(err.Error()) > 500 {
					t.Fatalf("an error of %d bytes", len(err.Error()))
				}
				continue
			}
			if !httpguts.ValidHeaderFieldValue(token.Header()) || token.AccessToken == "" || len(token.AccessToken) > maxTokenBytes {
				t.Fatalf("%q is no token", token.Header())
			}
			if !token.ExpiresAt.IsZero() && !token.ExpiresAt.After(asked) || token.life <= 0 || token.life > maxLife {
				t.Fatalf("%q lives %s, until %s", body, token.life, token.ExpiresAt)
			}
		}
		if said := parseRefusal(status, body, hide).Error(); strings.Contains(said, "s3cret") || len(said) > 2000 {
			t.Fatalf("%q", said)
		}
	})
}

package inbound

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"posthaste/event"
)

func twitter(secret string) *world {
	return newWorld(func(src *event.Source) {
		src.Provider = event.ProviderTwitter
		src.Verifier = &event.Verifier{Type: event.VerifyHMac, HMac: &event.HMacVerifier{Secret: secret}}
	})
}

func TestChallenge(t *testing.T) {
	w := twitter("MY SECRET")
	a := do(t, w.inbound(), call{method: "GET", target: "/ingest/" + mask + "?nonce=1&crc_token=some_crc_token", body: "-", media: "-"})
	// Made with Python's hmac module.
	if a.code != 200 || a.body != `{"response_token":"sha256=9UMMxS5wsjv6y0qcP/D/9KGmaIoodHyzAIsIQCWmmYQ="}` {
		t.Errorf("%d %s", a.code, a.body)
	}
	if len(w.mu.crcs) != 1 || w.mu.crcs[0] != [2]event.ID{w.src.ProjectID, w.src.ID} || len(w.mu.subs) > 0 {
		t.Errorf("told %v, %d submissions", w.mu.crcs, len(w.mu.subs))
	}
}

func TestChallengesThatAreNotAnswered(t *testing.T) {
	for _, tc := range []struct {
		secret, query, want string
	}{
		{"s", "", "crc_token is missing"},
		{"s", "?crc_token=", "crc_token is missing"},
		{"s", "?crc_token=" + strings.Repeat("a", 257), "crc_token: at most"},
		{"s", "?crc_token=a&crc_token=b", "crc_token: at most"},
		{"s", "?crc_token=%7B%7D", "crc_token: at most"},
		{"", "?crc_token=a", "this source cannot answer a challenge"},
	} {
		w := twitter(tc.secret)
		a := do(t, w.inbound(), call{method: "GET", target: "/ingest/" + mask + tc.query})
		if a.code != 400 || !strings.HasPrefix(a.Message, tc.want) || len(w.mu.crcs) > 0 {
			t.Errorf("%s: %d %s", tc.query, a.code, a.body)
		}
	}
	off := twitter("s")
	off.src.IsDisabled = true
	if a := do(t, off.inbound(), call{method: "GET", target: "/ingest/" + mask + "?crc_token=a"}); a.code != 404 {
		t.Errorf("disabled: %d %s", a.code, a.body)
	}
}

// TestChallengeSignsNoWebhook: the answer to a challenge is an HMAC under the secret
// that signs webhooks. Nobody may have a body signed by sending it as a challenge.
func TestChallengeSignsNoWebhook(t *testing.T) {
	const secret = "consumer secret"
	for _, body := range []string{
		`{"tweet_create_events":[]}`, ` {}`, `[]`, `"x"`, `1`, `true`, `null`, `a=b`, `tweet=1`, `a`,
		"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--", `1,{"a":1}`,
	} {
		w := twitter(secret)
		in := w.inbound()
		asked := do(t, in, call{method: "GET", target: "/ingest/" + mask + "?crc_token=" + url.QueryEscape(body)})
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(body))
		signature := "sha256=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for _, media := range []string{"application/json", "-", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"} {
			a := do(t, in, call{media: media, body: body, headers: []string{"X-Twitter-Webhooks-Signature", signature}})
			if asked.code == 200 && a.code == 200 {
				t.Errorf("%q was signed by a challenge and is taken as %s", body, media)
			}
		}
	}
	w := twitter(secret)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(`{"n":1}`))
	w.accepted(t, call{headers: []string{"X-Twitter-Webhooks-Signature", "sha256=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))}})
}

package oauth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

func TestSharedSecretInTheBody(t *testing.T) {
	s := &server{answer: numbered}
	cfg := secretConfig()
	cfg.Scope, cfg.Audience, cfg.GrantType = "a b", "https://api.example/", "client_credentials"
	tokens := open(t, s)
	want(t, tokens, event.NewID(), cfg, "Bearer t1")
	c := s.call(0)
	if got, want := c.body, "audience=https%3A%2F%2Fapi.example%2F&client_id=me&client_secret=s3cr%3At+%2B%26&grant_type=client_credentials&scope=a+b"; got != want {
		t.Errorf("asked %q\nwant  %q", got, want)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", "User-Agent": "posthaste/1", "Authorization": "",
	} {
		if c.header.Get(name) != value {
			t.Errorf("%s: %q", name, c.header.Get(name))
		}
	}
}

// TestSharedSecretInTheHeader: the token endpoint takes Basic only. It is found out
// once.
func TestSharedSecretInTheHeader(t *testing.T) {
	for _, no := range []string{`{"error":"invalid_client"}`, `{"error":"invalid_request"}`} {
		s := &server{}
		s.answer = func(n int, c call) (int, string) {
			id, secret, ok := (&http.Request{Header: c.header}).BasicAuth()
			id, _ = url.QueryUnescape(id)
			secret, _ = url.QueryUnescape(secret)
			if !ok || id != "me" || secret != "s3cr:t +&" || c.form.Has("client_secret") || c.form.Has("client_id") {
				return 400, no
			}
			return numbered(n, c)
		}
		tokens, key := open(t, s), event.NewID()
		want(t, tokens, key, secretConfig(), "Bearer t2")
		tokens.Drop(key, "Bearer t2")
		want(t, tokens, key, secretConfig(), "Bearer t3")
	}
}

func TestAnswers(t *testing.T) {
	long := strings.Repeat("x", maxTokenBytes+1)
	f := func(name string, status int, body string, change func(*event.OAuth2Auth), header, words string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			s := &server{answer: func(int, call) (int, string) { return status, body }}
			cfg := secretConfig()
			if change != nil {
				change(cfg)
			}
			tokens := open(t, s)
			if header != "" {
				want(t, tokens, event.NewID(), cfg, header)
			} else {
				fails(t, tokens, event.NewID(), cfg, words)
			}
		})
	}
	mapped := func(c *event.OAuth2Auth) {
		c.FieldMapping = &event.OAuth2Fields{AccessToken: "jwt", TokenType: "scheme", ExpiresIn: "ttl"}
	}
	f("type missing", 200, `{"access_token":"x"}`, nil, "Bearer x", "")
	f("type in capitals", 201, `{"access_token":"x","token_type":"BEARER"}`, nil, "Bearer x", "")
	f("another type", 200, `{"access_token":"x","token_type":"DPoP"}`, nil, "DPoP x", "")
	f("other names", 200, `{"jwt":"x","scheme":"Token","ttl":9,"access_token":"no"}`, mapped, "Token x", "")
	f("spaces", 200, " \n{\"access_token\" : \"x\"}\n", nil, "Bearer x", "")

	f("no JSON", 200, `access_token=x`, nil, "", "not a JSON object")
	f("null", 200, `null`, nil, "", "not a JSON object")
	f("nothing", 204, ``, nil, "", "not a JSON object")
	f("no token", 200, `{"token":"x"}`, nil, "", `no text "access_token"`)
	f("no token of another name", 200, `{"access_token":"x"}`, mapped, "", `no text "jwt"`)
	f("token is a number", 200, `{"access_token":7}`, nil, "", `no text "access_token"`)
	f("token is empty", 200, `{"access_token":""}`, nil, "", `no text "access_token"`)
	f("token breaks the header", 200, `{"access_token":"x\r\nX-Evil: 1"}`, nil, "", "no header can carry")
	f("type breaks the header", 200, `{"access_token":"x","token_type":"a\r\nb:"}`, nil, "", "no header can carry")
	f("long token", 200, `{"access_token":"`+long+`"}`, nil, "", "longer than 16 KiB")
	f("huge answer", 200, `{"access_token":"x","pad":"`+strings.Repeat("x", MaxAnswerBytes)+`"}`, nil, "", "larger than 64 KiB")
	f("huge failure", 500, strings.Repeat("x", 1<<20), nil, "", "larger than 64 KiB")
	f("redirect", 302, ``, nil, "", "redirects are not followed")
	f("unauthorized", 401, `{"error":"invalid_client","error_description":"no such client"}`, nil, "", "answered 401: invalid_client: no such client")
	f("bad scope", 400, `{"error":"invalid_scope"}`, nil, "", "answered 400: invalid_scope")
	f("page", 502, `<html>s3cr:t +&</html>`, nil, "", "answered 502")
	f("error is no text", 400, `{"error":{"code":"x"}}`, nil, "", "answered 400")
	f("words with a secret", 400, `{"error":"x s3cr:t +&","error_description":"client_secret=s3cr%3At+%2B%26 is `+
		base64.StdEncoding.EncodeToString([]byte("me:s3cr%3At+%2B%26"))+"\r\n"+`wrong"}`, nil, "", "answered 400")
}

func TestWordsAreShortLines(t *testing.T) {
	r := parseRefusal(400, []byte(`{"error":"e","error_description":"a\r\nb `+strings.Repeat("é", 500)+`"}`), strings.NewReplacer())
	if got := r.Error(); len(got) > 300 || strings.ContainsAny(got, "\r\n") || !strings.Contains(got, "e: a b é") {
		t.Errorf("%q", got)
	}
}

func TestLifetime(t *testing.T) {
	f := func(raw, unit string, want time.Duration) {
		t.Helper()
		got, known := lifetime(json.RawMessage(raw), units[unit])
		if got != want || known == (want == unknownLife) {
			t.Errorf("%s %s: %s, known %v; want %s", raw, unit, got, known, want)
		}
	}
	f("3600", "", time.Hour)
	f("3600", "seconds", time.Hour)
	f("90000", "milliseconds", 90*time.Second)
	f("30", "minutes", 30*time.Minute)
	f("1.5", "hours", 90*time.Minute)
	f(`"3600"`, "", time.Hour)
	f("1e3", "seconds", 1000*time.Second)
	f("3", "milliseconds", time.Second)
	for _, raw := range []string{"", "null", "0", "-5", `"soon"`, "{}", "[]", `"NaN"`, "true"} {
		f(raw, "", unknownLife)
	}
	f("1e300", "hours", 100*365*24*time.Hour)
	f(`"+Inf"`, "", 100*365*24*time.Hour)
}

func TestLongLivesAreCutShort(t *testing.T) {
	asked := time.Now()
	token, err := parseToken([]byte(`{"access_token":"x","expires_in":8640000}`), secretConfig(), asked)
	if err != nil || token.life != maxLife || !token.ExpiresAt.Equal(asked.Add(100*24*time.Hour)) {
		t.Errorf("%+v, error %v", token.life, err)
	}
	if token, err = parseToken([]byte(`{"access_token":"x"}`), secretConfig(), asked); err != nil || !token.ExpiresAt.IsZero() {
		t.Errorf("%v, error %v", token.ExpiresAt, err)
	}
	if s := fmt.Sprintf("%v %+v %s", token, token, token); strings.Contains(s, "x ") || !strings.Contains(s, "****") {
		t.Errorf("printed %q", s)
	}
}

func TestTest(t *testing.T) {
	s := &server{answer: numbered}
	tokens := open(t, s)
	for n := range 2 {
		token, err := tokens.Test(context.Background(), secretConfig())
		left := time.Until(token.ExpiresAt)
		if err != nil || token.AccessToken != fmt.Sprintf("t%d", n+1) || token.TokenType != "Bearer" || left < 59*time.Minute || left > time.Hour {
			t.Errorf("%+v, error %v", token, err)
		}
	}
	if n := tokens.Count(); n != 0 {
		t.Errorf("%d are kept", n)
	}
	if _, err := tokens.Test(context.Background(), nil); err == nil {
		t.Error("nothing was tested well")
	}
}

// TestOverHTTP: the request is one that net/http can send.
func TestOverHTTP(t *testing.T) {
	got := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got <- r
		_, _ = w.Write([]byte(`{"access_token":"real"}`))
	}))
	defer server.Close()
	tokens := New(Options{Transport: &http.Transport{DisableKeepAlives: true}})
	defer tokens.Close()
	cfg := secretConfig()
	cfg.URL = server.URL + "/a/b?tenant=7"
	want(t, tokens, event.NewID(), cfg, "Bearer real")
	r := <-got
	if r.Method != "POST" || r.RequestURI != "/a/b?tenant=7" || r.PostForm.Get("client_secret") != "s3cr:t +&" || r.Host != server.Listener.Addr().String() {
		t.Errorf("%s %s %v", r.Method, r.RequestURI, r.PostForm)
	}
}

package oauth

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"posthaste/event"
)

// server is a token endpoint without a network: its answers are a function, so that
// it works inside a synctest bubble.
type server struct {
	mu     sync.Mutex
	seen   []call
	answer func(n int, c call) (status int, body string)
	delay  func(ctx context.Context) error // nil: at once
}

type call struct {
	form   url.Values
	header http.Header
	body   string
}

func (s *server) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil || int64(len(body)) != req.ContentLength {
		return nil, fmt.Errorf("body of %d bytes, said to be %d: %v", len(body), req.ContentLength, err)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	c := call{form, req.Header, string(body)}
	s.mu.Lock()
	s.seen = append(s.seen, c)
	n := len(s.seen)
	s.mu.Unlock()
	if s.delay != nil {
		if err := s.delay(req.Context()); err != nil {
			return nil, err
		}
	}
	status, text := s.answer(n, c)
	return &http.Response{StatusCode: status, Header: http.Header{"Location": {"https://elsewhere.example/"}},
		Body: io.NopCloser(bytes.NewReader([]byte(text)))}, nil
}

func (s *server) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen)
}

func (s *server) call(n int) call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[n]
}

// numbered gives the token "t<n>" for an hour.
func numbered(n int, _ call) (int, string) {
	return 200, fmt.Sprintf(`{"access_token":"t%d","token_type":"bearer","expires_in":3600}`, n)
}

func secretConfig() *event.OAuth2Auth {
	return &event.OAuth2Auth{
		URL: "https://login.example/token", ClientID: "me", AuthenticationType: sharedSecret, ClientSecret: "s3cr:t +&",
	}
}

func open(t *testing.T, s *server, change ...func(*Options)) *Tokens {
	o := Options{Transport: s, UserAgent: "posthaste/1"}
	for _, f := range change {
		f(&o)
	}
	tokens := New(o)
	t.Cleanup(tokens.Close)
	return tokens
}

// want asks for a token that must be there.
func want(t *testing.T, tokens *Tokens, key event.ID, cfg *event.OAuth2Auth, header string) {
	t.Helper()
	if got, err := tokens.Token(context.Background(), key, cfg); err != nil || got != header {
		t.Errorf("got %q, error %v; want %q", got, err, header)
	}
}

// fails asks for a token that must not be there, and checks that the error keeps
// what it must.
func fails(t *testing.T, tokens *Tokens, key event.ID, cfg *event.OAuth2Auth, words string) {
	t.Helper()
	got, err := tokens.Token(context.Background(), key, cfg)
	if err == nil || got != "" || !strings.Contains(err.Error(), words) {
		t.Errorf("got %q, error %v; want an error with %q", got, err, words)
		return
	}
	for _, secret := range []string{"s3cr", "czNjc", url.QueryEscape("s3cr:t +&")} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells a secret: %v", err)
		}
	}
}

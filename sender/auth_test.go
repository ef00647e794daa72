package sender

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

func basicAuth(user, password string) *event.Authentication {
	return &event.Authentication{Type: event.AuthBasic, BasicAuth: &event.BasicAuth{UserName: user, Password: password}}
}

func TestAuthentication(t *testing.T) {
	w := newWorld(t, Options{})
	r := newRecorder(t)
	f := func(auth *event.Authentication, header, secret string) {
		t.Helper()
		ep := w.altered(r.url, func(e *event.Endpoint) { e.Authentication = auth })
		q, a := r.send(w, ep, newEvent("1"))
		name, _, _ := strings.Cut(header, ": ")
		if got := values(q.head, name); len(got) != 1 || got[0] != header {
			t.Errorf("sent %q, want %q", got, header)
		}
		if got := values(string(a.RequestHeaders), name); len(got) != 1 || got[0] != name+": "+masked || strings.Contains(string(a.RequestHeaders), secret) {
			t.Errorf("recorded %q", got)
		}
	}
	f(&event.Authentication{Type: event.AuthAPIKey, APIKey: &event.APIKeyAuth{HeaderName: "x-KEY", HeaderValue: "s3cret"}}, "x-KEY: s3cret", "s3cret")
	f(basicAuth("Aladdin", "open sesame"), "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "QWxh") // RFC 7617
	f(basicAuth("test", "123£"), "Authorization: Basic dGVzdDoxMjPCow==", "dGVz")                       // RFC 7617, UTF-8
	f(&event.Authentication{Type: event.AuthBearer, Bearer: &event.BearerAuth{Token: "s3cret"}}, "Authorization: Bearer s3cret", "s3cret")
}

// TestAuthenticationFailsClosed: without its credentials no request is sent.
func TestAuthenticationFailsClosed(t *testing.T) {
	w := newWorld(t, Options{})
	r := newReceiver(t, say(answerOK))
	key := func(name, value string) *event.Authentication {
		return &event.Authentication{Type: event.AuthAPIKey, APIKey: &event.APIKeyAuth{HeaderName: name, HeaderValue: value}}
	}
	for name, auth := range map[string]*event.Authentication{
		"Host":            key("host", "s3cret"),
		"signature":       key("X-Convoy-SIGNATURE", "s3cret"),
		"length":          key("Content-Length", "s3cret"),
		"name":            key("bad name", "s3cret"),
		"value":           key("X-Key", "s3cret\r\nX-Evil: 1"),
		"token":           {Type: event.AuthBearer, Bearer: &event.BearerAuth{Token: "s3cret\n"}},
		"unknown type":    {Type: "digest"},
		"nothing of type": {Type: event.AuthBasic, Bearer: &event.BearerAuth{Token: "s3cret"}},
		"OAuth2, empty":   {Type: event.AuthOAuth2},
	} {
		ep := w.altered(r.url, func(e *event.Endpoint) { e.Authentication = auth })
		a := w.attempt(ep, newEvent("1"))
		expect(t, a, event.ClassAuth, 0)
		if strings.Contains(a.Error, "s3cret") || !strings.Contains(a.Error, "authentication") {
			t.Errorf("%s: error %q", name, a.Error)
		}
	}
	if n := r.conns.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// tokenServer is a token endpoint whose answers are written by a test.
type tokenServer struct {
	*receiver
	asked atomic.Int32
	last  chan request
}

// newTokenServer gives the token "t<n>" for an hour, unless h says otherwise.
func newTokenServer(t testing.TB, h handler) *tokenServer {
	s := &tokenServer{last: make(chan request, 100)}
	s.receiver = newReceiver(t, s.handle(h))
	return s
}

func (s *tokenServer) handle(h handler) handler {
	return func(c net.Conn, q request, n int) bool {
		asked := s.asked.Add(1)
		s.last <- q
		if h != nil {
			return h(c, q, n)
		}
		return say(fixed("200 OK", fmt.Sprintf(`{"access_token":"t%d","token_type":"Bearer","expires_in":3600}`, asked)))(c, q, n)
	}
}

func (w *world) withToken(url, tokenURL string, change ...func(*event.OAuth2Auth)) *catalog.Endpoint {
	return w.altered(url, func(e *event.Endpoint) {
		o := &event.OAuth2Auth{
			URL: tokenURL, ClientID: "me", GrantType: "client_credentials",
			AuthenticationType: "shared_secret", ClientSecret: "s3cret",
		}
		for _, f := range change {
			f(o)
		}
		e.Authentication = &event.Authentication{Type: event.AuthOAuth2, OAuth2: o}
	})
}

func TestOAuth2(t *testing.T) {
	w := newWorld(t, Options{})
	r, s := newRecorder(t), newTokenServer(t, nil)
	ep := w.withToken(r.url, s.url)
	for range 3 {
		q, a := r.send(w, ep, newEvent("1", event.Header{Name: "authorization", Value: "evil"}))
		if got := values(q.head, "Authorization"); len(got) != 1 || got[0] != "Authorization: Bearer t1" {
			t.Errorf("sent %q", got)
		}
		if got := values(string(a.RequestHeaders), "Authorization"); len(got) != 1 || got[0] != "Authorization: "+masked {
			t.Errorf("recorded %q", got)
		}
	}
	q := <-s.last
	if !strings.HasPrefix(q.head, "POST /hook HTTP/1.1\r\n") || one(t, q.head, "User-Agent") != "posthaste/1.2.3" || one(t, q.head, "Connection") != "close" ||
		q.body != "client_id=me&client_secret=s3cret&grant_type=client_credentials" {
		t.Errorf("asked\n%s%s", q.head, q.body)
	}
	if n := s.asked.Load(); n != 1 || s.conns.Load() != 1 {
		t.Errorf("%d requests on %d connections", n, s.conns.Load())
	}
}

// TestOAuth2OneRequestForMany: many first attempts at once.
func TestOAuth2OneRequestForMany(t *testing.T) {
	w := newWorld(t, Options{})
	r, s := newReceiver(t, say(answerOK)), newTokenServer(t, nil)
	ep := w.withToken(r.url, s.url)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { expect(t, w.attempt(ep, newEvent("1")), event.ClassNone, 200) })
	}
	wg.Wait()
	if n := s.asked.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestRefusedTokenIsReplaced by the next attempt, and an answer with another status
// does not cost it.
func TestRefusedTokenIsReplaced(t *testing.T) {
	w := newWorld(t, Options{})
	s := newTokenServer(t, nil)
	var tokens []string
	answers := []string{answerOK, answer500, fixed("401 Unauthorized", ""), fixed("403 Forbidden", ""), answerOK}
	r := newReceiver(t, func(c net.Conn, q request, _ int) bool {
		tokens = append(tokens, one(t, q.head, "Authorization"))
		return say(answers[len(tokens)-1])(c, q, 0)
	})
	ep := w.withToken(r.url, s.url)
	for range answers {
		w.attempt(ep, newEvent("1"))
	}
	if got := strings.Join(tokens, ","); got != "Bearer t1,Bearer t1,Bearer t1,Bearer t2,Bearer t2" {
		t.Errorf("sent %s", got)
	}
}

// TestTokenFailures: nothing is sent to the endpoint, and the record says why.
func TestTokenFailures(t *testing.T) {
	huge := strings.Repeat("x", 300<<10)
	f := func(name string, h handler, words string) {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			r, s := newReceiver(t, say(answerOK)), newTokenServer(t, h)
			ep := w.withToken(r.url, s.url)
			for range 2 { // the second time the failure is remembered
				a := w.attempt(ep, newEvent("1"))
				expect(t, a, event.ClassAuth, 0)
				if !strings.HasPrefix(a.Error, "access token: ") || !strings.Contains(a.Error, words) || strings.Contains(a.Error, "s3cret") || strings.Contains(a.Error, s.addr) || a.Address != "" {
					t.Errorf("error %q, address %q; want %q", a.Error, a.Address, words)
				}
			}
			if n := r.conns.Load(); n != 0 {
				t.Errorf("%d connections to the endpoint", n)
			}
		})
	}
	f("refused", say(fixed("401 X", `{"error":"invalid_client","error_description":"s3cret is wrong"}`)), "answered 401: invalid_client: ******** is wrong")
	f("down", say(fixed("503 X", "")), "answered 503")
	f("redirect", say("HTTP/1.1 307 X\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"), "redirects are not followed")
	f("huge", say(fixed("200 OK", huge)), "larger than 64 KiB")
	f("huge, chunked", say(chunked("200 OK", huge)), "larger than 64 KiB")
	f("huge head", say("HTTP/1.1 200 OK\r\nX: "+huge+"\r\n\r\n"), "its answer is too large")
	f("endless interim answers", say(strings.Repeat("HTTP/1.1 103 X\r\n\r\n", 200)), "interim answers")
	f("hangs up", sayAndClose(""), "closed in the middle")
	f("hangs up in the answer", sayAndClose("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"), "closed in the middle")
	f("no HTTP", say("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "malformed")
	f("no HTTP, long", say(strings.Repeat("S", 9000)+"\r\n\r\n"), "malformed")
	f("no token", say(fixed("200 OK", "{}")), `no text "access_token"`)
}

func TestTokenAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"interim answers first": "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\n\r\n" + fixed("200 OK", `{"access_token":"x"}`),
		"chunked":               chunked("200 OK", `{"access_token":"x"}`),
		"until the end":         closeAfter + `{"access_token":"x"}`,
	} {
		w := newWorld(t, Options{})
		r, s := newRecorder(t), newTokenServer(t, sayAndClose(answer))
		q, _ := r.send(w, w.withToken(r.url, s.url), newEvent("1"))
		if got := one(t, q.head, "Authorization"); got != "Bearer x" {
			t.Errorf("%s: sent %q", name, got)
		}
	}
}

// TestTokenEndpointIsGuarded like an endpoint.
func TestTokenEndpointIsGuarded(t *testing.T) {
	w := newWorld(t, Options{})
	r := newReceiver(t, say(answerOK))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	for url, words := range map[string]string{
		"http://169.254.169.254/latest/meta-data": "its address is private",
		"http://10.0.0.1/token":                   "its address is private",
		"http://localhost/token":                  "localhost",
		"ftp://127.0.0.1/":                        "not an http or https URL",
		"http://127.0.0.1:25/":                    "port 25",
		"http://" + ln.Addr().String():            "connection refused",
	} {
		a := w.attempt(w.withToken(r.url, url), newEvent("1"))
		expect(t, a, event.ClassAuth, 0)
		if !strings.Contains(a.Error, words) {
			t.Errorf("%s: error %q, want %q", url, a.Error, words)
		}
	}
	if n := r.conns.Load(); n != 0 {
		t.Errorf("%d connections to the endpoint", n)
	}
}

func TestTokenOverTLS(t *testing.T) {
	w := newTLSWorld(t)
	s := &tokenServer{last: make(chan request, 1)}
	s.receiver = w.serve(t, s.handle(nil))
	r := newRecorder(t)
	q, _ := r.send(w.world, w.withToken(r.url, s.url), newEvent("1"))
	if got := one(t, q.head, "Authorization"); got != "Bearer t1" {
		t.Errorf("sent %q", got)
	}
	stranger, _ := authority(t, time.Now().Add(time.Hour))
	s.receiver = w.serve(t, s.handle(nil), func(c *tls.Config) { c.Certificates = []tls.Certificate{stranger} })
	a := w.attempt(w.withToken(r.url, s.url), newEvent("1"))
	expect(t, a, event.ClassAuth, 0)
	if !strings.Contains(a.Error, "TLS handshake") || a.Address != "" {
		t.Errorf("error %q, address %q", a.Error, a.Address)
	}
}

// TestSlowToken: the attempt ends in time, and the token comes for a later one.
func TestSlowToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	release := make(chan struct{})
	s := newTokenServer(t, func(c net.Conn, q request, n int) bool {
		<-release
		return say(fixed("200 OK", `{"access_token":"late"}`))(c, q, n)
	})
	r := newRecorder(t)
	ep := w.withToken(r.url, s.url)
	ep.HTTPTimeout = 1
	a := w.attempt(ep, newEvent("1"))
	expect(t, a, event.ClassAuth, 0)
	if !strings.Contains(a.Error, "did not answer in time") || a.Duration < time.Second {
		t.Errorf("after %s: %q", a.Duration, a.Error)
	}
	close(release)
	ep.HTTPTimeout = 20
	w.sender.clients.retireAll()
	if q, _ := r.send(w, ep, newEvent("1")); one(t, q.head, "Authorization") != "Bearer late" || s.asked.Load() != 1 {
		t.Errorf("%d requests\n%s", s.asked.Load(), q.head)
	}
}

// TestStopWhileATokenIsAwaited: it is no attempt, whether the stop is hard or soft,
// and whatever the token endpoint does.
func TestStopWhileATokenIsAwaited(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	for _, scheme := range []string{"http://", "https://"} { // https: in the handshake
		for name, stop := range map[string]func(*Sender){"cancel": (*Sender).Cancel, "close": (*Sender).Close} {
			w := newWorld(t, Options{})
			r := newReceiver(t, say(answerOK))
			ep := w.withToken(r.url, scheme+silent.Addr().String())
			done := make(chan *event.Attempt)
			go func() { done <- w.attempt(ep, newEvent("1")) }()
			c, err := silent.Accept()
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			stop(w.sender)
			if a := <-done; a.Class != event.ClassCancelled || time.Since(began) > 5*time.Second {
				t.Errorf("%s%s: class %q, error %q, after %s", scheme, name, a.Class, a.Error, time.Since(began))
			}
			w.sender.Close()
			c.Close()
		}
	}
}

// TestTestOAuth2 is what the API does with credentials that are to be tried.
func TestTestOAuth2(t *testing.T) {
	w := newWorld(t, Options{})
	s := newTokenServer(t, nil)
	cfg := w.withToken("http://127.0.0.1/", s.url).Authentication.OAuth2
	token, err := w.sender.Tokens().Test(context.Background(), cfg)
	if err != nil || token.AccessToken != "t1" || token.TokenType != "Bearer" || token.ExpiresAt.IsZero() {
		t.Errorf("%v, error %v", token, err)
	}
	cfg.URL = "http://10.0.0.1/"
	if _, err := w.sender.Tokens().Test(context.Background(), cfg); err == nil || !strings.Contains(err.Error(), "its address is private") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	cfg.URL = s.url
	if _, err := w.sender.Tokens().Test(ctx, cfg); err == nil {
		t.Error("a test that was given up went well")
	}
}

// TestAuthErrorsAreSorted: only what is the endpoint's doing is charged to it.
func TestAuthErrorsAreSorted(t *testing.T) {
	x := &exchange{attempt: &event.Attempt{}}
	x.classify(&authError{"access token", errors.New(strings.Repeat("x", 1000))})
	if x.attempt.Class != event.ClassAuth || len(x.attempt.Error) != maxErrorBytes || !x.attempt.Class.Charged() {
		t.Errorf("class %q, %d bytes", x.attempt.Class, len(x.attempt.Error))
	}
}

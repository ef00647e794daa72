package test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestEndpointAuthentication: each kind reaches the endpoint as its scheme says, whatever
// the event's own headers are, and is masked in the attempt and the endpoint.
func TestEndpointAuthentication(t *testing.T) {
	t.Parallel()
	p := newProject(t, linear(1, 1))
	for name, c := range map[string]struct {
		authentication      object
		header, want, shown string // shown: what is masked where the endpoint is shown
	}{
		"api_key": {object{"type": "api_key", "api_key": object{"header_name": "X-Access", "header_value": "key-4711"}},
			"X-Access", "key-4711", "key-4711"},
		"basic_auth": {object{"type": "basic_auth", "basic_auth": object{"username": "Aladdin", "password": "open sesame"}},
			"Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "open sesame"},
		"bearer": {object{"type": "bearer", "bearer": object{"token": "mF_9.B5f-4.1JqM"}},
			"Authorization", "Bearer mF_9.B5f-4.1JqM", "mF_9.B5f-4.1JqM"},
	} {
		in := newInbox(t)
		ep := p.add(in.URL, object{"authentication": c.authentication})
		ev := p.post("/events", object{"endpoint_id": ep, "event_type": "t", "data": 1,
			"custom_headers": object{strings.ToLower(c.header): "the event's own"}})
		d := p.await(ev, "Success")
		if got := in.arrivals()[0].header.Values(c.header); len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: %s is %q, want %q", name, c.header, got, c.want)
		}
		if a := p.attemptsOf(d.UID); a[0].Headers[c.header] != "********" {
			t.Errorf("%s is recorded as %v", name, a[0].Headers)
		}
		if _, a := p.try("GET", "/endpoints/"+ep, nil); strings.Contains(string(a.Data), c.shown) || !strings.Contains(string(a.Data), name) {
			t.Errorf("%s is shown in %s", name, a.Data)
		}
	}
	body := func(a object) object { return object{"name": "n", "url": "http://127.0.0.1:8080", "authentication": a} }
	for _, header := range []string{"Host", "content-length", "X-Convoy-Signature", "Transfer-Encoding", "webhook-id", "a b"} {
		p.refused("POST", "/endpoints", body(object{"type": "api_key", "api_key": object{"header_name": header, "header_value": "x"}}), "authentication.api_key.header_name")
	}
	p.refused("POST", "/endpoints", body(object{"type": "api_key", "api_key": object{"header_name": "X-A", "header_value": "a\r\nX-B: c"}}), "authentication.api_key.header_value")
	p.refused("POST", "/endpoints", body(object{"type": "magic"}), "authentication.type")
}

// tokens is a token endpoint of OAuth2.
type tokens struct {
	*httptest.Server
	down   atomic.Bool  // it breaks every connection
	issued atomic.Int64 // tokens that it gave out
	lives  int          // seconds that a token is good for
	last   atomic.Value // string: the last form
}

func newTokens(t *testing.T) *tokens {
	s := &tokens{lives: 3600}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.down.Load() {
		panic(http.ErrAbortHandler)
	}
	if r.ParseForm() == nil {
		s.last.Store(r.PostForm.Encode())
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	w.Header().Set("Content-Type", "application/json")
	if id != "client-1" || secret != "client secret" || r.PostForm.Get("grant_type") != "client_credentials" {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":"invalid_client","error_description":"who are you?"}`)
		return
	}
	fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":%d}`, s.issued.Add(1), s.lives)
}

// TestOAuth2: while the token endpoint is down nothing is sent, and the attempts say why;
// when it is back the delivery succeeds. The token is kept for the next one, until the
// endpoint refuses it.
func TestOAuth2(t *testing.T) {
	t.Parallel()
	in, idp := newInbox(t), newTokens(t)
	idp.down.Store(true)
	oauth2 := object{"url": idp.URL, "client_id": "client-1", "client_secret": "client secret", "scope": "hooks", "authentication_type": "shared_secret"}
	p := newProject(t, linear(1, 30))
	ep := p.add(in.URL, object{"authentication": object{"type": "oauth2", "oauth2": oauth2}})
	first := p.send(ep, `{"n":1}`)
	d := p.await(first, "Retry")
	if a := p.attemptsOf(d.UID)[0]; a.Class != "auth" || !strings.HasPrefix(a.Error, "access token: ") || a.HTTPStatus != "" || a.Status {
		t.Errorf("while the token endpoint is down: %+v", a)
	}
	if n := len(in.arrivals()); n != 0 {
		t.Errorf("%d requests came without a token", n)
	}
	idp.down.Store(false)
	d = p.await(first, "Success")
	second := p.send(ep, `{"n":2}`)
	p.await(second, "Success")
	for _, a := range in.arrivals() {
		if got := a.header.Get("Authorization"); got != "Bearer token-1" {
			t.Errorf("%s came with %q", a.body, got)
		}
	}
	form, err := url.ParseQuery(idp.last.Load().(string))
	if n := idp.issued.Load(); n != 1 || err != nil || form.Get("scope") != "hooks" {
		t.Errorf("%d tokens were asked for, the last with %v", n, form)
	}
	attempts := p.attemptsOf(d.UID)
	if a := attempts[len(attempts)-1]; a.Headers["Authorization"] != "********" || !a.Status {
		t.Errorf("recorded as %+v", a)
	}

	in.reply(func(w http.ResponseWriter, a arrival) {
		if a.header.Get("Authorization") == "Bearer token-1" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	if d := p.await(p.send(ep, `{"n":3}`), "Success"); d.Metadata.NumTrials != 2 || idp.issued.Load() != 2 {
		t.Errorf("after a token was refused: %d attempts, %d tokens", d.Metadata.NumTrials, idp.issued.Load())
	}
}

// TestOAuth2Refused: credentials that the token endpoint does not take are the attempt's
// failure, in its words; they can be tried out.
func TestOAuth2Refused(t *testing.T) {
	t.Parallel()
	in, idp := newInbox(t), newTokens(t)
	p := newProject(t, linear(1, 1))
	oauth2 := object{"url": idp.URL, "client_id": "client-1", "client_secret": "not the secret", "authentication_type": "shared_secret"}
	d := p.await(p.send(p.add(in.URL, object{"authentication": object{"type": "oauth2", "oauth2": oauth2}}), `{}`), "Failure")
	if a := p.attemptsOf(d.UID)[0]; a.Class != "auth" || !strings.Contains(a.Error, "invalid_client") || strings.Contains(a.Error, "not the secret") {
		t.Errorf("recorded as %+v", a)
	}
	if n := len(in.arrivals()); n != 0 {
		t.Errorf("%d requests came without a token", n)
	}
	var tried struct {
		Success     bool
		AccessToken string `json:"access_token"`
		Error       string
	}
	p.do("POST", "/endpoints/oauth2/test", object{"oauth2": oauth2}, &tried)
	if tried.Success || !strings.Contains(tried.Error, "invalid_client") {
		t.Errorf("tried out: %+v", tried)
	}
	oauth2["client_secret"] = "client secret"
	p.do("POST", "/endpoints/oauth2/test", object{"oauth2": oauth2}, &tried)
	if !tried.Success || tried.AccessToken != "token-1" {
		t.Errorf("tried out: %+v", tried)
	}
}

// authority is a private certificate authority.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	a.cert, a.key, a.pem = a.sign(&x509.Certificate{
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, Subject: pkix.Name{CommonName: "test authority"},
	}, time.Hour)
	return a
}

// sign makes a certificate, which the authority signs, if it has one itself.
func (a *authority) sign(c *x509.Certificate, life time.Duration) (*x509.Certificate, *ecdsa.PrivateKey, string) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().Add(life)
	parent, signer := c, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return made, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// pair is a certificate with its key: of a server on this machine, or of a client.
func (a *authority) pair(usage x509.ExtKeyUsage, life time.Duration) (cert, key string) {
	a.t.Helper()
	_, private, cert := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "posthaste"}, ExtKeyUsage: []x509.ExtKeyUsage{usage}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, life)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// TestMutualTLS: a receiver with a private authority that wants to see a certificate is
// reached with both, and with neither one of them.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	served, err := tls.X509KeyPair(asBytes(ca.pair(x509.ExtKeyUsageServerAuth, time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(ca.cert)
	in := newSecureInbox(t, &tls.Config{Certificates: []tls.Certificate{served}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients})
	cert, key := ca.pair(x509.ExtKeyUsageClientAuth, time.Hour)
	mine := object{"client_cert": cert, "client_key": key}
	foreignCert, foreignKey := newAuthority(t).pair(x509.ExtKeyUsageClientAuth, time.Hour)

	p := newProject(t, linear(1, 1))
	for name, c := range map[string]struct {
		extra object
		want  string // class of the attempt's error
	}{
		"both":                  {object{"ca_cert": ca.pem, "mtls_client_cert": mine}, ""},
		"no certificate":        {object{"ca_cert": ca.pem}, "tls"},
		"no authority":          {object{"mtls_client_cert": mine}, "tls"},
		"another's certificate": {object{"ca_cert": ca.pem, "mtls_client_cert": object{"client_cert": foreignCert, "client_key": foreignKey}}, "tls"},
	} {
		status := "Failure"
		if c.want == "" {
			status = "Success"
		}
		d := p.await(p.send(p.add(in.URL, c.extra), `{}`), status)
		if a := p.attemptsOf(d.UID); a[0].Class != c.want {
			t.Errorf("%s: %+v, want class %q", name, a[0], c.want)
		}
	}
	if n := len(in.arrivals()); n != 1 {
		t.Errorf("%d requests came, want 1", n)
	}

	ep := p.add(in.URL, object{"ca_cert": ca.pem, "mtls_client_cert": mine})
	_, a := p.try("GET", "/endpoints/"+ep, nil)
	if strings.Contains(string(a.Data), strings.ReplaceAll(key[28:80], "\n", `\n`)) {
		t.Errorf("the private key is shown: %s", a.Data)
	}
	if e := p.endpointOf(ep); len(e.Warnings) != 1 || !strings.Contains(e.Warnings[0], "mtls_client_cert: ends at") {
		t.Errorf("an hour before the certificate ends the warnings are %v", e.Warnings)
	}
	expired, expiredKey := ca.pair(x509.ExtKeyUsageClientAuth, -time.Minute)
	d := p.await(p.send(p.add(in.URL, object{"ca_cert": ca.pem, "mtls_client_cert": object{"client_cert": expired, "client_key": expiredKey}}), `{}`), "Failure")
	if a := p.attemptsOf(d.UID)[0]; a.Class != "auth" || !strings.Contains(a.Error, "expired") {
		t.Errorf("with an expired certificate: %+v", a)
	}
	p.refused("POST", "/endpoints", object{"name": "n", "url": in.URL, "mtls_client_cert": object{"client_cert": cert, "client_key": foreignKey}}, "mtls_client_cert")
}

func asBytes(a, b string) ([]byte, []byte) { return []byte(a), []byte(b) }

// TestCustomHeaders: an endpoint's own headers beat the event's, neither beats what
// posthaste sets, and what nobody may set is refused with the reason.
func TestCustomHeaders(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	plain, own := p.add(in.URL, nil), p.add(in.URL, object{"custom_headers": object{"X-Tenant": "endpoint", "User-Agent": "shop/1"}})
	send := func(ep string) http.Header {
		n := len(in.arrivals())
		p.post("/events", object{"endpoint_id": ep, "event_type": "t", "data": 1, "idempotency_key": ep,
			"custom_headers": object{"x-tenant": "event", "X-Order": "7", "user-agent": "event/1", "X-Convoy-Idempotency-Key": "forged"}})
		return in.await(t, n+1)[n].header
	}
	for name, c := range map[string]struct {
		endpoint, tenant, agent string
	}{
		"the event's":    {plain, "event", "event/1"},
		"the endpoint's": {own, "endpoint", "shop/1"},
	} {
		h := send(c.endpoint)
		for header, want := range map[string]string{
			"X-Tenant": c.tenant, "X-Order": "7", "User-Agent": c.agent, "X-Convoy-Idempotency-Key": c.endpoint, "Content-Type": "application/json",
		} {
			if got := h.Values(header); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
	}
	for _, name := range []string{"Host", "Content-Length", "Transfer-Encoding", "connection", "X-Convoy-Signature", "Convoy-Timestamp", "webhook-id"} {
		p.refused("POST", "/events", object{"endpoint_id": plain, "event_type": "t", "data": 1, "custom_headers": object{name: "x"}}, name)
		p.refused("PUT", "/endpoints/"+plain, object{"custom_headers": object{name: "x"}}, name)
	}
	for _, value := range []string{"a\r\nX-B: c", "a\nb", "\x00"} {
		p.refused("POST", "/events", object{"endpoint_id": plain, "event_type": "t", "data": 1, "custom_headers": object{"X-A": value}}, "X-A")
		p.refused("PUT", "/endpoints/"+plain, object{"custom_headers": object{"X-A": value}}, "X-A")
	}
}

// TestHeaderCase: the names of custom headers are sent in the case in which they were
// given.
func TestHeaderCase(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	head := make(chan string, 1)
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var text bytes.Buffer
		for lines := bufio.NewScanner(conn); lines.Scan() && lines.Text() != ""; {
			text.WriteString(lines.Text() + "\n")
		}
		fmt.Fprint(conn, "HTTP/1.1 204 No Content\r\n\r\n")
		head <- text.String()
	}()
	p := newProject(t, linear(1, 1))
	ep := p.add("http://"+ln.Addr().String(), object{"custom_headers": object{"x-lower-CASE": "1"}})
	p.await(p.post("/events", object{"endpoint_id": ep, "event_type": "t", "data": 1, "custom_headers": object{"X-MiXeD": "2"}}), "Success")
	got := <-head
	for _, want := range []string{"\nx-lower-CASE: 1\n", "\nX-MiXeD: 2\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
}

// TestForm: an endpoint that wants forms gets the data's members, numbers as they were
// written, and a signature over what is sent.
func TestForm(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	ep := p.add(in.URL, object{"content_type": "application/x-www-form-urlencoded"})
	p.await(p.send(ep, `{"price":1.50,"id":12345678901234567890,"name":"Zoë & Co","paid":true,"none":null,"items":[1,{"a":2.0}]}`), "Success")
	a := in.arrivals()[0]
	form, err := url.ParseQuery(a.body)
	want := url.Values{"price": {"1.50"}, "id": {"12345678901234567890"}, "name": {"Zoë & Co"}, "paid": {"true"}, "none": {""}, "items": {`[1,{"a":2.0}]`}}
	if err != nil || form.Encode() != want.Encode() || a.header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("%s came as %s: %v", a.body, a.header.Get("Content-Type"), err)
	}
	if err := a.verify(t, convoySecret("endpoint-secret")); err != nil {
		t.Error(err)
	}
	d := p.await(p.send(ep, `[1,2]`), "Failure")
	if got := p.attemptsOf(d.UID)[0]; !strings.Contains(got.Error, "form") {
		t.Errorf("an array: %+v", got)
	}
}

package sender

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

// clientCert is one that signs itself, good from and until.
func clientCert(t testing.TB, name string, from, until time.Time) (*event.ClientCert, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return &event.ClientCert{Cert: pemText("CERTIFICATE", der), Key: pemText("PRIVATE KEY", raw)}, cert
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func hours(n int) time.Time { return time.Now().Add(time.Duration(n) * time.Hour) }

// guest is a receiver that lets in who shows one of these certificates, and answers
// with the name in it.
func (w *tlsWorld) guest(t testing.TB, known []*x509.Certificate, change ...func(*tls.Config)) *receiver {
	pool := x509.NewCertPool()
	for _, c := range known {
		pool.AddCert(c)
	}
	change = append(change, func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, pool })
	return w.serve(t, func(c net.Conn, q request, n int) bool {
		peer := c.(*tls.Conn).ConnectionState().PeerCertificates
		return say(fixed("200 OK", peer[0].Subject.CommonName))(c, q, n)
	}, change...)
}

func TestClientCertificate(t *testing.T) {
	w := newTLSWorld(t)
	cert, known := clientCert(t, "posthaste for acme", hours(-1), hours(1))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		r := w.guest(t, []*x509.Certificate{known}, func(c *tls.Config) { c.MaxVersion = version })
		ep := w.altered(r.url, func(e *event.Endpoint) { e.ClientCert = cert })
		for range 3 {
			a := w.attempt(ep, newEvent("1"))
			expect(t, a, event.ClassNone, 200)
			if string(a.ResponseBody) != "posthaste for acme" {
				t.Errorf("it saw %q", a.ResponseBody)
			}
		}
		if n := r.conns.Load(); n != 1 {
			t.Errorf("%d connections", n)
		}
		// What else is in the texts does no harm.
		expect(t, w.attempt(w.altered(r.url, func(e *event.Endpoint) {
			e.ClientCert = &event.ClientCert{Cert: "subject=x\n" + cert.Key + cert.Cert + cert.Cert, Key: cert.Cert + cert.Key}
		}), newEvent("1")), event.ClassNone, 200)
		// Another endpoint at the same address has no part in it.
		expect(t, w.attempt(w.endpoint(r.url), newEvent("1")), event.ClassTLS, 0)
	}
}

// TestClientCertificateThatIsNotTaken by the receiver: it is shown all the same, and
// the receiver says no.
func TestClientCertificateThatIsNotTaken(t *testing.T) {
	w := newTLSWorld(t)
	_, known := clientCert(t, "somebody", hours(-1), hours(1))
	stranger, _ := clientCert(t, "stranger", hours(-1), hours(1))
	r := w.guest(t, []*x509.Certificate{known})
	a := w.attempt(w.altered(r.url, func(e *event.Endpoint) { e.ClientCert = stranger }), newEvent("1"))
	expect(t, a, event.ClassTLS, 0)
	if strings.Contains(a.Error, "certificate required") {
		t.Errorf("it was not shown: %q", a.Error)
	}
}

func TestClientCertificatesThatCannotBeShown(t *testing.T) {
	w := newTLSWorld(t)
	good, known := clientCert(t, "good", hours(-1), hours(1))
	other, _ := clientCert(t, "other", hours(-1), hours(1))
	expired, old := clientCert(t, "expired", hours(-2), hours(-1))
	early, young := clientCert(t, "early", hours(1), hours(2))
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	r := w.guest(t, []*x509.Certificate{known})
	f := func(name string, cert *event.ClientCert, url, words string) {
		t.Run(name, func(t *testing.T) {
			ep := w.altered(url, func(e *event.Endpoint) { e.ClientCert = cert })
			for range 2 {
				a := w.attempt(ep, newEvent("1"))
				expect(t, a, event.ClassAuth, 0)
				if !strings.HasPrefix(a.Error, "the endpoint's mtls_client_cert: ") || !strings.Contains(a.Error, words) || strings.Contains(a.Error, "BEGIN") {
					t.Errorf("error %q, want %q", a.Error, words)
				}
			}
		})
	}
	date := func(at time.Time) string { return at.UTC().Format("2006-01-02T15:") }
	f("another key", &event.ClientCert{Cert: good.Cert, Key: other.Key}, r.url, "do not go together")
	f("a key of another kind", &event.ClientCert{Cert: good.Cert, Key: pemText("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(large))}, r.url, "do not go together")
	f("expired", expired, r.url, "expired on "+date(old.NotAfter))
	f("not yet valid", early, r.url, "not valid before "+date(young.NotBefore))
	f("no PEM", &event.ClientCert{Cert: "x", Key: "y"}, r.url, "no certificate in PEM")
	f("no certificate", &event.ClientCert{Cert: pemText("CERTIFICATE", []byte("x")), Key: good.Key}, r.url, "not a certificate")
	f("no key", &event.ClientCert{Cert: good.Cert}, r.url, "do not go together")
	f("large key", &event.ClientCert{Cert: good.Cert, Key: pemText("PRIVATE KEY", make([]byte, maxKeyBytes+1))}, r.url, "too large")
	f("http", good, "http://"+r.addr, "not https")
	if n := r.conns.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// TestCertificateThatExpires while its connection rests: nothing more is sent on it.
func TestCertificateThatExpires(t *testing.T) {
	id := identity{}
	cert, _ := clientCert(t, "soon", hours(-1), hours(1))
	id.cert, id.key = cert.Cert, cert.Key
	s, err := id.secure(baseTLS(nil), "h")
	if err != nil {
		t.Fatal(err)
	}
	for when, good := range map[time.Time]bool{hours(-2): false, time.Now(): true, s.ends: true, s.ends.Add(time.Nanosecond): false} {
		if err := s.check(when); (err == nil) != good {
			t.Errorf("at %s: %v", when, err)
		}
	}
}

// TestChangedIdentity: connections of the old one are not used again.
func TestChangedIdentity(t *testing.T) {
	w := newTLSWorld(t)
	one, first := clientCert(t, "one", hours(-1), hours(1))
	two, second := clientCert(t, "two", hours(-1), hours(1))
	r := w.guest(t, []*x509.Certificate{first, second})
	ep := w.endpoint(r.url, func(e *event.Endpoint) { e.ClientCert = one })
	f := func(name string) {
		t.Helper()
		if a := w.attempt(ep, newEvent("1")); string(a.ResponseBody) != name {
			t.Errorf("it saw %q, want %q: %s", a.ResponseBody, name, a.Error)
		}
	}
	f("one")
	ep = w.update(ep, func(e *event.Endpoint) { e.ClientCert = two })
	f("two")
	f("two")
	ep = w.update(ep, func(e *event.Endpoint) { e.Name = "renamed" })
	f("two")
	if n := r.conns.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
	<-r.ended // the one of the old identity was closed
}

// TestAuthoritiesOfAnEndpoint are trusted for it alone, and beside the server's.
func TestAuthoritiesOfAnEndpoint(t *testing.T) {
	w := newTLSWorld(t)
	private, ca := authority(t, hours(1))
	r := w.serve(t, say(answerOK), func(c *tls.Config) { c.Certificates = []tls.Certificate{private} })
	public := w.serve(t, say(answerOK))
	text := pemText("CERTIFICATE", ca.Raw)
	with := func(url, ca string) *event.Attempt {
		return w.attempt(w.altered(url, func(e *event.Endpoint) { e.CACert = ca }), newEvent("1"))
	}
	expect(t, with(r.url, text), event.ClassNone, 200)
	expect(t, with(public.url, text), event.ClassNone, 200)
	expect(t, with(r.url, ""), event.ClassTLS, 0)
	expect(t, with(public.url, ""), event.ClassNone, 200)
	expect(t, with(r.url, "  \n"+text+"\n"+text), event.ClassNone, 200)
	a := with(public.url, "no certificate")
	expect(t, a, event.ClassAuth, 0)
	if a.Error != "the endpoint's ca_cert: no certificate in the PEM text" {
		t.Errorf("error %q", a.Error)
	}
	// The system's roots, when the server names none.
	if pool, err := rootsBeside(nil, []byte(text)); err != nil || pool.Equal(x509.NewCertPool()) {
		t.Errorf("error %v", err)
	}
}

// TestIdentityReplacesTheServers: a client certificate of the server's own is not
// shown to an endpoint that has one.
func TestIdentityReplacesTheServers(t *testing.T) {
	theirs, first := clientCert(t, "endpoint", hours(-1), hours(1))
	ours, second := clientCert(t, "server", hours(-1), hours(1))
	pair, err := tls.X509KeyPair([]byte(ours.Cert), []byte(ours.Key))
	if err != nil {
		t.Fatal(err)
	}
	w := newTLSWorld(t)
	w.sender.dialer.tls.Certificates = []tls.Certificate{pair}
	r := w.guest(t, []*x509.Certificate{first, second})
	for name, cert := range map[string]*event.ClientCert{"server": nil, "endpoint": theirs} {
		a := w.attempt(w.altered(r.url, func(e *event.Endpoint) { e.ClientCert = cert }), newEvent("1"))
		if string(a.ResponseBody) != name {
			t.Errorf("it saw %q, want %q: %s", a.ResponseBody, name, a.Error)
		}
	}
}

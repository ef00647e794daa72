package sender

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"posthaste/event"
)

// authority is a certificate that signs itself, for 127.0.0.1 until a time.
func authority(t testing.TB, until time.Time) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: until, IsCA: true,
		BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, cert
}

type tlsWorld struct {
	*world
	cert tls.Certificate
}

func newTLSWorld(t testing.TB, change ...func(*Options)) *tlsWorld {
	cert, ca := authority(t, time.Now().Add(time.Hour))
	pool, err := RootsWith(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{TLSConfig: &tls.Config{RootCAs: pool}}
	for _, f := range change {
		f(&o)
	}
	return &tlsWorld{newWorld(t, o), cert}
}

func (w *tlsWorld) serve(t testing.TB, h handler, change ...func(*tls.Config)) *receiver {
	config := &tls.Config{Certificates: []tls.Certificate{w.cert}}
	for _, f := range change {
		f(config)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	r := serve(t, ln, h)
	r.url = "https://" + r.addr + "/hook"
	return r
}

func TestTLS(t *testing.T) {
	w := newTLSWorld(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		r := w.serve(t, say(answerOK), func(c *tls.Config) { c.MaxVersion = version })
		ep := w.endpoint(r.url)
		for range 3 {
			a := w.attempt(ep, newEvent(strings.Repeat("x", 100_000)))
			expect(t, a, event.ClassNone, 200)
			if a.Address != r.addr || string(a.ResponseBody) != "ok" {
				t.Errorf("recorded %+v", a)
			}
		}
		if n := r.conns.Load(); n != 1 {
			t.Errorf("%d connections", n)
		}
	}
}

func TestTLSFailures(t *testing.T) {
	w := newTLSWorld(t)
	f := func(name string, r *receiver) {
		t.Run(name, func(t *testing.T) {
			url := "https://" + r.addr + "/"
			a := w.attempt(w.endpoint(url), newEvent("{}"))
			expect(t, a, event.ClassTLS, 0)
			if a.Address != r.addr {
				t.Errorf("address %q", a.Address)
			}
		})
	}
	with := func(cert tls.Certificate) func(*tls.Config) {
		return func(c *tls.Config) { c.Certificates = []tls.Certificate{cert} }
	}
	unknown, _ := authority(t, time.Now().Add(time.Hour))
	expired, _ := authority(t, time.Now().Add(-time.Hour))
	f("unknown authority", w.serve(t, say(answerOK), with(unknown)))
	f("expired", w.serve(t, say(answerOK), with(expired)))
	f("TLS 1.1", w.serve(t, say(answerOK), func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }))
	f("wants a client certificate", w.serve(t, say(answerOK), func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }))
	f("plain HTTP", newGreeter(t, "HTTP/1.1 400 Bad Request\r\n\r\n"))
}

// newGreeter speaks first, and in the wrong protocol.
func newGreeter(t testing.TB, greeting string) *receiver {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = c.Write([]byte(greeting))
		for buf := make([]byte, 1024); err == nil; {
			_, err = c.Read(buf)
		}
	})
	t.Cleanup(func() { ln.Close(); wg.Wait() })
	return &receiver{addr: ln.Addr().String()}
}

func TestHTTPToTLSReceiver(t *testing.T) {
	w := newTLSWorld(t)
	r := w.serve(t, say(answerOK))
	a := w.attempt(w.endpoint("http://"+r.addr), newEvent("{}"))
	if a.Class != event.ClassMalformed && a.Class != event.ClassReset {
		t.Errorf("class %q, error %q", a.Class, a.Error)
	}
}

func TestSilentHandshake(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	a := w.attempt(w.hasty("https://"+ln.Addr().String()), newEvent("{}"))
	expect(t, a, event.ClassTimeout, 0)
	if n := w.sender.Stats().Conns; n != 0 {
		t.Errorf("%d connections are open", n)
	}
}

// corked holds back what is written until a second write comes, so that two TLS
// records arrive together.
type corked struct {
	net.Conn
	cork atomic.Bool
	held bytes.Buffer
}

func (c *corked) Write(b []byte) (int, error) {
	if c.cork.Load() {
		return c.held.Write(b)
	}
	c.held.Write(b)
	_, err := c.Conn.Write(c.held.Bytes())
	c.held.Reset()
	return len(b), err
}

type corkedListener struct{ net.Listener }

func (l corkedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &corked{Conn: c}, err
}

// TestTLSReadAhead: an answer that nobody asked for arrives together with one
// that somebody did, so TLS has taken both out of the kernel.
func TestTLSReadAhead(t *testing.T) {
	w := newTLSWorld(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln = tls.NewListener(corkedListener{ln}, &tls.Config{Certificates: []tls.Certificate{w.cert}})
	var requests atomic.Int32
	r := serve(t, ln, func(c net.Conn, q request, n int) bool {
		if requests.Add(1) > 1 {
			return say(answer503)(c, q, n)
		}
		under := c.(*tls.Conn).NetConn().(*corked)
		under.cork.Store(true)
		_ = say(answer500)(c, q, n)
		under.cork.Store(false)
		return say(ghost)(c, q, n)
	})
	ep := w.endpoint("https://" + r.addr)
	expect(t, w.attempt(ep, newEvent("{}")), event.ClassStatus, 500)
	expect(t, w.attempt(ep, newEvent("{}")), event.ClassStatus, 503)
	expect(t, w.attempt(ep, newEvent("{}")), event.ClassStatus, 503)
	if s := w.sender.Stats(); s.Stale != 1 || r.conns.Load() != 2 {
		t.Errorf("%d stale, %d connections", s.Stale, r.conns.Load())
	}
}

// TestTLSGoodbye: the peer says goodbye, with or without hanging up.
func TestTLSGoodbye(t *testing.T) {
	w := newTLSWorld(t)
	said := make(chan struct{}, 1)
	r := w.serve(t, func(c net.Conn, q request, n int) bool {
		_ = say(answerOK)(c, q, n)
		_ = c.(*tls.Conn).CloseWrite()
		said <- struct{}{}
		return true
	})
	ep := w.endpoint(r.url)
	for range 3 {
		expect(t, w.attempt(ep, newEvent("{}")), event.ClassNone, 200)
		<-said
	}
	if n := r.conns.Load(); n != 3 {
		t.Errorf("%d connections", n)
	}
}

// TestTLSSaysGoodbye: an idle connection is closed with an alert and not cut.
func TestTLSSaysGoodbye(t *testing.T) {
	w := newTLSWorld(t)
	ended := make(chan error, 1)
	r := w.serve(t, func(c net.Conn, q request, n int) bool {
		_ = say(answerOK)(c, q, n)
		_, err := c.Read(make([]byte, 1))
		ended <- err
		return false
	})
	expect(t, w.attempt(w.endpoint(r.url), newEvent("{}")), event.ClassNone, 200)
	w.sender.Close()
	if err := <-ended; err == nil || err.Error() != "EOF" {
		t.Errorf("the receiver saw %v", err)
	}
}

func TestTLSConfigKeepsItsBounds(t *testing.T) {
	given := &tls.Config{MinVersion: tls.VersionTLS10, ServerName: "other"}
	c := endpointTLS(baseTLS(given), "host")
	if c.MinVersion != tls.VersionTLS12 || c.ServerName != "host" || c.ClientSessionCache == nil {
		t.Errorf("%+v", c)
	}
	if given.MinVersion != tls.VersionTLS10 || given.ServerName != "other" {
		t.Error("the caller's configuration was changed")
	}
	if _, err := RootsWith([]byte("no certificate")); err == nil {
		t.Error("text that is no certificate was taken")
	}
}

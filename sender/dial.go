package sender

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"posthaste/event"
	"posthaste/internal/netguard"
)

// dialer makes guarded connections. The handshake is done here and not by
// fasthttp, whose request timeout does not cover it.
type dialer struct {
	tcp  *netguard.Dialer
	tls  *tls.Config // what every https endpoint's configuration is cloned from
	live *liveConns
}

// errNoCertificate is about a text that should have some.
var errNoCertificate = errors.New("no certificate in the PEM text")

// errAborted is what a dial ends with after Cancel.
var errAborted = errors.New("the server stopped")

// dialError is about a connection that did not come about, after so long.
type dialError struct {
	made event.Timing
	err  error
}

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

// handshakeError is about a peer that TCP reached and TLS did not.
type handshakeError struct {
	address string
	err     error
}

func (e *handshakeError) Error() string { return "TLS handshake: " + e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

// dial connects to addr within timeout, handshake included; config is nil for http.
// owner is whose connection it is; nil for none of an endpoint's. The error is a
// *dialError, or about this server.
func (d *dialer) dial(owner *target, addr string, timeout time.Duration, config *tls.Config) (net.Conn, error) {
	deadline := time.Now().Add(timeout)
	var spent netguard.Spent
	tcp, err := d.tcp.DialTimeout(addr, timeout, &spent)
	made := event.Timing{Lookup: spent.Lookup, Connect: spent.Connect}
	if err != nil {
		return nil, &dialError{made, err}
	}
	raw, err := rawOf(tcp)
	if err != nil {
		_ = tcp.Close()
		return nil, err
	}
	c := newConn(tcp, raw, d.live)
	c.owner, c.made = owner, made
	if !d.live.add(c) {
		c.abort()
		return nil, errAborted
	}
	if owner.isCut() { // while it was being made
		_ = c.Close()
		return nil, errAborted
	}
	if config == nil {
		return c, nil
	}
	err = c.handshake(config, deadline)
	c.made.Handshake = time.Since(c.opened)
	if err != nil {
		c.broken = true
		_ = c.Close()
		return nil, &dialError{c.made, &handshakeError{c.address, err}}
	}
	return c, nil
}

func (c *conn) handshake(config *tls.Config, deadline time.Time) error {
	c.under = &underTLS{Conn: c.tcp}
	over := tls.Client(c.under, config)
	if err := c.tcp.SetDeadline(deadline); err != nil {
		return err
	}
	if err := over.Handshake(); err != nil {
		return err
	}
	c.Conn = over
	return nil
}

func rawOf(tcp net.Conn) (syscall.RawConn, error) {
	s, ok := tcp.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("BUG: a %T cannot be guarded", tcp)
	}
	return s.SyscallConn()
}

// baseTLS is what every endpoint's TLS configuration is made from.
func baseTLS(o *tls.Config) *tls.Config {
	c := &tls.Config{}
	if o != nil {
		c = o.Clone()
	}
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	c.NextProtos = []string{"http/1.1"}
	c.ClientSessionCache = nil
	return c
}

// endpointTLS is base for one host. Its session cache holds that host's sessions
// only, so nothing of an endpoint is offered to another.
func endpointTLS(base *tls.Config, host string) *tls.Config {
	c := base.Clone()
	c.ServerName = host
	c.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	return c
}

// RootsWith is the system's certificate authorities and those in pem.
func RootsWith(pem []byte) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("read the system's certificate authorities: %w", err)
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errNoCertificate
	}
	return pool, nil
}

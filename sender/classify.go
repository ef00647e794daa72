package sender

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/valyala/fasthttp"

	"posthaste/event"
	"posthaste/internal/netguard"
	"posthaste/oauth"
)

// maxErrorBytes of an error's text are recorded; a peer may write part of it.
const maxErrorBytes = 256

// errNoTime is an attempt whose time was over before it had a connection.
var errNoTime = errors.New("no time left")

// classify records why an attempt failed. Errors of netguard say nothing that a
// tenant may not know: no address that a name resolved to, no name server.
func (x *exchange) classify(err error) {
	a := x.attempt
	var auth *authError
	var url *netguard.URLError
	var dns *net.DNSError
	var dial *netguard.DialError
	var handshake *handshakeError
	switch {
	case errors.As(err, &auth):
		x.classifyAuth(auth)
	case errors.Is(err, netguard.ErrBlocked) || errors.As(err, &url):
		a.Class, a.Error = event.ClassBlocked, text(err)
	case errors.Is(err, fasthttp.ErrNoFreeConns):
		a.Class, a.Error = event.ClassLocal, "all connections that the endpoint may have are in use"
	case netguard.IsLocal(err):
		a.Class, a.Error = event.ClassLocal, text(cause(err))
	case errors.As(err, &dns):
		a.Class, a.Error = event.ClassDNS, text(dns)
	case errors.As(err, &dial):
		a.Class, a.Error = event.ClassConnect, text(dial)
	case errors.As(err, &handshake):
		a.Address = handshake.address
		x.classifyHandshake(handshake)
	default:
		x.classifyExchange(err)
	}
}

// classifyAuth is about an attempt without credentials.
func (x *exchange) classifyAuth(err *authError) {
	a := x.attempt
	switch {
	case errors.Is(err, event.ErrClosed):
		a.Class, a.Error = event.ClassCancelled, errAborted.Error()
	case errors.Is(err, oauth.ErrBusy) || netguard.IsLocal(err):
		a.Class, a.Error = event.ClassLocal, text(err)
	default:
		a.Class, a.Error = event.ClassAuth, text(err)
	}
}

// classifyHandshake is about an attempt without a TLS connection.
func (x *exchange) classifyHandshake(err *handshakeError) {
	a := x.attempt
	if timedOut(err) {
		a.Class, a.Error = event.ClassTimeout, "the TLS handshake did not end in time"
		return
	}
	a.Class, a.Error = event.ClassTLS, text(err)
}

// classifyExchange is about an attempt that had a connection.
func (x *exchange) classifyExchange(err error) {
	a := x.attempt
	var op *net.OpError
	var record tls.RecordHeaderError
	var write *writeError
	switch {
	case err == errNoTime || timedOut(err):
		a.Class, a.Error = event.ClassTimeout, fmt.Sprintf("no whole answer within %s", x.deadline.Sub(a.StartedAt))
	case err == errNotForm:
		a.Class, a.Error = event.ClassMalformed, err.Error()
	case err == errNoAnswer || err == errHalfAnswer:
		a.Class, a.Error = event.ClassReset, err.Error()
	case errors.As(err, &record) || errors.As(err, &op) && strings.HasSuffix(op.Op, " error"):
		// crypto/tls reports alerts as operations "remote error" and "local error".
		a.Class, a.Error = event.ClassTLS, text(err)
	case errors.As(err, &op) || errors.As(err, &write):
		a.Class, a.Error = event.ClassReset, text(cause(err))
	default:
		a.Class, a.Error = event.ClassMalformed, text(err)
	}
}

// cause is the innermost reason of a network error, without the addresses that
// net wraps it in.
func cause(err error) error {
	var op *net.OpError
	for errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	return err
}

func text(err error) string { return cut(err.Error()) }

func cut(s string) string {
	if len(s) > maxErrorBytes {
		s = s[:maxErrorBytes]
	}
	return strings.ToValidUTF8(s, "?")
}

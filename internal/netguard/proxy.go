package netguard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// maxProxyHeadBytes bounds what a proxy may answer before the tunnel is open.
const maxProxyHeadBytes = 8 << 10

// Proxy is an HTTP proxy that connections are made through, each by a CONNECT of its
// own (RFC 9110, section 9.3.6). It is the operator's, so the Policy does not apply
// to its own address, but to where it is asked to connect to.
type Proxy struct {
	// Addr is where the proxy listens, host:port.
	Addr string
	// Authorization is the value of the header Proxy-Authorization; "" for none.
	Authorization string
	// Resolves leaves host names to the proxy, which then is what has to refuse
	// private addresses: here only the port is checked, and an address that stands
	// in the URL itself. Otherwise names are resolved and checked here, and the proxy
	// gets the address.
	Resolves bool
}

// ProxyError is about the proxy and not about the destination. IsLocal is true of it.
// It does not name the proxy.
type ProxyError struct{ Err error }

func (e *ProxyError) Error() string { return "the egress proxy: " + e.Err.Error() }

// Unwrap is the cause.
func (e *ProxyError) Unwrap() error { return e.Err }

// tunnel is a connection through a proxy. Its peer is who is at the other end.
type tunnel struct {
	*net.TCPConn
	peer peerAddr
}

// RemoteAddr implements net.Conn.
func (t *tunnel) RemoteAddr() net.Addr { return t.peer }

// peerAddr is host:port, as the proxy was asked for it.
type peerAddr string

func (peerAddr) Network() string  { return "tcp" }
func (a peerAddr) String() string { return string(a) }

// connect opens a tunnel to target, host:port, before ctx ends.
func (p *Proxy) connect(ctx context.Context, target string) (net.Conn, error) {
	nd := net.Dialer{KeepAlive: 30 * time.Second}
	conn, err := nd.DialContext(ctx, "tcp", p.Addr)
	if err != nil {
		return nil, &ProxyError{fmt.Errorf("no connection to it: %w", withoutAddress(err))}
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		panic(fmt.Sprintf("BUG: a %T is no TCP connection", conn))
	}
	if err := p.open(ctx, tcp, target); err != nil {
		_ = tcp.Close()
		return nil, err
	}
	return &tunnel{tcp, peerAddr(target)}, nil
}

// open asks for the tunnel on conn and waits for the answer.
func (p *Proxy) open(ctx context.Context, conn net.Conn, target string) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return &ProxyError{withoutAddress(err)}
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	request := "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n"
	if p.Authorization != "" {
		request += "Proxy-Authorization: " + p.Authorization + "\r\n"
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		return proxyFault(err)
	}
	head, err := readProxyHead(conn)
	if err != nil {
		return proxyFault(err)
	}
	if err := judge(head); err != nil {
		return err
	}
	if !stop() {
		return context.Cause(ctx)
	}
	return conn.SetDeadline(time.Time{})
}

// proxyFault is about a proxy that did not answer. One that takes its time has most
// likely asked the destination, which does not answer.
func proxyFault(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return os.ErrDeadlineExceeded
	}
	return &ProxyError{withoutAddress(err)}
}

var errProxyHead = errors.New("its answer is larger than 8 KiB")

// readProxyHead reads an answer's head, and not a byte of what comes behind it: that
// is the destination's. Bytes are read one by one, once for a connection.
func readProxyHead(conn io.Reader) (string, error) {
	var head []byte
	var b [1]byte
	for len(head) < maxProxyHeadBytes {
		if _, err := io.ReadFull(conn, b[:]); err != nil {
			return "", err
		}
		head = append(head, b[0])
		if b[0] == '\n' && (strings.HasSuffix(string(head), "\r\n\r\n") || strings.HasSuffix(string(head), "\n\n")) {
			return string(head), nil
		}
	}
	return "", errProxyHead
}

// judge says what the proxy's answer means: nil, if the tunnel is open.
func judge(head string) error {
	line, _, _ := strings.Cut(head, "\n")
	proto, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	text, _, _ := strings.Cut(rest, " ")
	code, err := strconv.Atoi(text)
	switch {
	case err != nil || !strings.HasPrefix(proto, "HTTP/1."):
		return &ProxyError{errors.New("its answer is not HTTP/1.1")}
	case code/100 == 2:
		return nil
	case code == 403:
		return &BlockError{"the egress proxy does not allow it"}
	case code == 407:
		return &ProxyError{errors.New("it wants other credentials (407)")}
	}
	return fmt.Errorf("the egress proxy answered %d", code)
}

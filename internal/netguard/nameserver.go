package netguard

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
)

// nameserver asks the DNS by way of Go's own resolver. The C library's would
// read "0x7f.1" or "2130706433" as addresses; Go's asks for them as names.
type nameserver struct {
	net    net.Resolver
	server string // host:port; "" for the ones of the system
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
}

func newNameserver(server string) *nameserver {
	n := &nameserver{server: server, dial: new(net.Dialer).DialContext}
	n.net = net.Resolver{PreferGo: true, Dial: n.connect}
	return n
}

// faultKey finds in a lookup's ctx the *atomic.Pointer in which connect leaves a
// fault of this machine, because net.Resolver keeps no more than its text.
type faultKey struct{}

// lookup is a lookupFunc.
func (n *nameserver) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	var fault atomic.Pointer[error]
	addrs, err := n.net.LookupNetIP(context.WithValue(ctx, faultKey{}, &fault), "ip", absolute(host))
	if err == nil {
		return addrs, nil
	}
	if local := fault.Load(); local != nil {
		return nil, *local
	}
	return nil, dnsError(host, err)
}

// absolute adds a dot at the end, so that the machine's search domains are left
// out of it. A bare name, which only the operator can allow, is looked up in the
// machine's own way: in the hosts file and the search domains.
func absolute(host string) string {
	if strings.Contains(host, ".") {
		return host + "."
	}
	return host
}

// connect connects to a name server for net.Resolver.
func (n *nameserver) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	if n.server != "" {
		addr = n.server
	}
	conn, err := n.dial(ctx, network, addr)
	if err == nil {
		return closeWith(ctx, conn), nil
	}
	if fault, ok := ctx.Value(faultKey{}).(*atomic.Pointer[error]); ok && IsLocal(err) {
		local := withoutAddress(err)
		fault.CompareAndSwap(nil, &local)
	}
	return nil, err
}

// closeWith closes conn when ctx ends. net.Resolver does not: its goroutines
// would go on waiting for an answer that nobody wants any more.
func closeWith(ctx context.Context, conn net.Conn) net.Conn {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	if udp, ok := conn.(*net.UDPConn); ok {
		return &datagrams{udp, stop}
	}
	return &stream{conn, stop}
}

// datagrams is a UDP connection; net.Resolver tells it from a stream by its
// being a net.PacketConn.
type datagrams struct {
	*net.UDPConn
	stop func() bool
}

func (d *datagrams) Close() error {
	d.stop()
	return d.UDPConn.Close()
}

type stream struct {
	net.Conn
	stop func() bool
}

func (s *stream) Close() error {
	s.stop()
	return s.Conn.Close()
}

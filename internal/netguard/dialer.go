package netguard

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Defaults of DialerOptions.
const (
	DefaultMaxDialTime = 5 * time.Second
	DefaultMaxHosts    = 10_000
)

// maxTries bounds the addresses of one host that one dial tries.
const maxTries = 3

// DialerOptions tune a Dialer. The zero value is right for most.
type DialerOptions struct {
	// MaxDialTime bounds one dial, name resolution included. 0 means
	// DefaultMaxDialTime.
	MaxDialTime time.Duration
	// MaxHosts bounds the host names whose addresses are remembered. 0 means
	// DefaultMaxHosts.
	MaxHosts int
	// DNSServer is the name server to ask, host:port. Empty means those of
	// /etc/resolv.conf.
	DNSServer string
	// Proxy, if not nil, is what connections are made through.
	Proxy *Proxy
	// Lookup, if not nil, is asked for the addresses of a host name in the place
	// of the DNS. Any goroutine may call it. Its errors should be *net.DNSError.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Dialer connects to where its Policy allows. Its methods are safe for any
// number of goroutines. It has no goroutines of its own.
//
// Addresses of a host are remembered for 30 seconds, a failure to find any for
// 5. Every address is checked at each dial, once when it has been resolved and
// again in the moment before connect(2), whatever it was the time before.
type Dialer struct {
	policy  *Policy
	maxTime time.Duration
	names   *resolver
	proxy   *Proxy // nil: none
	connect func(ctx context.Context, ap netip.AddrPort) (net.Conn, error)
	alive   context.Context // ended by Close
	close   context.CancelFunc
}

// Dialer makes a Dialer that keeps to p, which must not change any more.
func (p *Policy) Dialer(o DialerOptions) *Dialer {
	d := &Dialer{policy: p, maxTime: o.MaxDialTime, proxy: o.Proxy}
	if d.maxTime <= 0 {
		d.maxTime = DefaultMaxDialTime
	}
	if o.MaxHosts <= 0 {
		o.MaxHosts = DefaultMaxHosts
	}
	if o.Lookup == nil {
		o.Lookup = newNameserver(o.DNSServer).lookup
	}
	d.names = newResolver(o.Lookup, o.MaxHosts)
	nd := &net.Dialer{KeepAlive: 30 * time.Second, ControlContext: p.control}
	d.connect = func(ctx context.Context, ap netip.AddrPort) (net.Conn, error) {
		return nd.DialContext(ctx, "tcp", ap.String())
	}
	if d.proxy != nil {
		d.connect = d.throughProxy
	}
	d.alive, d.close = context.WithCancel(context.Background())
	return d
}

// control is the last check: the kernel is about to connect to this address.
func (p *Policy) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return &BlockError{"it is not a TCP address"}
	}
	return p.CheckAddr(ap)
}

// Spent is where the time of a dial went.
type Spent struct {
	Lookup  time.Duration // finding the host's addresses
	Connect time.Duration // to all that were tried
}

// DialTimeout connects to addr, host:port, within the timeout or MaxDialTime,
// whichever is shorter; a timeout of 0 or less means MaxDialTime. Of a host with many
// addresses it tries up to three that are allowed. It adds what it took to spent, if
// that is not nil, also when it fails. The error is one of:
//
//   - a *BlockError: errors.Is(err, ErrBlocked). No address may be connected to.
//   - a *net.DNSError: the name has no addresses or cannot be resolved.
//   - a *DialError: no connection came about. IsLocal tells whether that is the
//     fault of this machine.
func (d *Dialer) DialTimeout(addr string, timeout time.Duration, spent *Spent) (net.Conn, error) {
	if spent == nil {
		spent = new(Spent)
	}
	if timeout <= 0 || timeout > d.maxTime {
		timeout = d.maxTime
	}
	ctx, cancel := context.WithTimeout(d.alive, timeout)
	defer cancel()
	conn, err := d.dial(ctx, addr, spent)
	switch {
	case err == nil:
		return conn, nil
	case d.alive.Err() != nil:
		return nil, &DialError{addr, net.ErrClosed}
	}
	return nil, err
}

// Close ends the dials in progress and refuses new ones with net.ErrClosed.
// Connections that were made stay open. It does not block and may be called
// twice.
func (d *Dialer) Close() error {
	d.close()
	return nil
}

func (d *Dialer) dial(ctx context.Context, addr string, spent *Spent) (net.Conn, error) {
	begun := time.Now()
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, &DialError{addr, withoutAddress(err)}
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil, &DialError{addr, strconv.ErrRange}
	}
	if _, err := netip.ParseAddr(host); err != nil && d.proxy != nil && d.proxy.Resolves {
		defer func() { spent.Connect += time.Since(begun) }()
		return d.byName(ctx, addr, uint16(port))
	}
	addrs, err := d.addresses(ctx, host)
	resolved := time.Now()
	spent.Lookup += resolved.Sub(begun)
	if err != nil {
		if IsLocal(err) {
			return nil, &DialError{addr, err}
		}
		return nil, err
	}
	targets, err := d.targets(addrs, uint16(port))
	if err != nil {
		return nil, err
	}
	defer func() { spent.Connect += time.Since(resolved) }()
	return d.tryEach(ctx, addr, targets)
}

// throughProxy is connect through the proxy. The kernel is not asked to connect to ap,
// so the last check stands here.
func (d *Dialer) throughProxy(ctx context.Context, ap netip.AddrPort) (net.Conn, error) {
	if err := d.policy.CheckAddr(ap); err != nil {
		return nil, err
	}
	return d.proxy.connect(ctx, ap.String())
}

// byName has the proxy resolve the name.
func (d *Dialer) byName(ctx context.Context, addr string, port uint16) (net.Conn, error) {
	if err := d.policy.checkPort(port); err != nil {
		return nil, err
	}
	conn, err := d.proxy.connect(ctx, addr)
	if err == nil {
		return conn, nil
	}
	if blocked, ok := err.(*BlockError); ok {
		return nil, blocked
	}
	return nil, &DialError{addr, err}
}

// addresses resolves a host that may be an address itself. It returns at least
// one address or an error.
func (d *Dialer) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	host = strings.TrimSuffix(host, ".")
	addrs, err := d.names.resolve(ctx, host)
	switch {
	case err == nil && len(addrs) > 0:
		return addrs, nil
	case err == nil:
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	case IsLocal(err):
		return nil, err
	}
	if dns, ok := err.(*net.DNSError); ok {
		return nil, dns
	}
	return nil, dnsError(host, err)
}

// targets picks the addresses to try: the first that are allowed, and among
// them one of each family if there are both, as one of them may not be routed.
func (d *Dialer) targets(addrs []netip.Addr, port uint16) ([]netip.AddrPort, error) {
	var allowed []netip.AddrPort
	var refused error
	for _, a := range addrs {
		ap := netip.AddrPortFrom(a.Unmap(), port)
		if err := d.policy.CheckAddr(ap); err != nil {
			refused = err
		} else {
			allowed = append(allowed, ap)
		}
	}
	if len(allowed) == 0 {
		return nil, refused
	}
	if len(allowed) <= maxTries {
		return allowed, nil
	}
	picked, rest := allowed[:maxTries], allowed[maxTries:]
	otherThan := func(ap netip.AddrPort) bool { return ap.Addr().Is4() != picked[0].Addr().Is4() }
	if i := slices.IndexFunc(rest, otherThan); i >= 0 && !slices.ContainsFunc(picked, otherThan) {
		picked[maxTries-1] = rest[i]
	}
	return picked, nil
}

// tryEach connects to the first target that answers, giving each an equal share
// of the time that is left.
func (d *Dialer) tryEach(ctx context.Context, addr string, targets []netip.AddrPort) (net.Conn, error) {
	var first error
	for i, ap := range targets {
		conn, err := d.try(ctx, ap, len(targets)-i)
		if err == nil {
			return conn, nil
		}
		if first == nil || IsLocal(err) {
			first = err
		}
		if ctx.Err() != nil || IsLocal(err) {
			break
		}
	}
	first = withoutAddress(first)
	if blocked, ok := first.(*BlockError); ok {
		return nil, blocked
	}
	return nil, &DialError{addr, first}
}

// try connects to one target of those left. On a machine without IPv6 the kernel
// says EADDRNOTAVAIL to an IPv6 target, as it does to any when ports run out; the
// first is much more common, and must not keep from trying IPv4.
func (d *Dialer) try(ctx context.Context, ap netip.AddrPort, left int) (net.Conn, error) {
	deadline, _ := ctx.Deadline()
	ctx, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
	defer cancel()
	conn, err := d.connect(ctx, ap)
	if ap.Addr().Is6() && errors.Is(err, syscall.EADDRNOTAVAIL) {
		err = os.NewSyscallError("connect", syscall.ENETUNREACH)
	}
	return conn, err
}

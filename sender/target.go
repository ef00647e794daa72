package sender

import (
	"context"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

// target is one endpoint's connections. It outlives changes of the endpoint that
// leave host, port, scheme and identity as they are.
type target struct {
	endpoint event.ID
	address  string // host:port
	https    bool
	identity identity
	personal bool // the endpoint has an identity
	options  *Options
	host     fasthttp.HostClient
	retired  atomic.Bool // nothing is to rest here any more

	alive context.Context // ends when the attempts in flight are cancelled
	cut   context.CancelFunc

	dialer *dialer
	secure func() (*secured, error) // made for the first connection
}

func newTarget(u *url.URL, id identity, conns int, o *Options, d *dialer) *target {
	t := &target{address: addressOf(u), https: u.Scheme == "https", identity: id, options: o, dialer: d}
	t.personal = t.https && id != identity{}
	t.alive, t.cut = context.WithCancel(context.Background())
	name := u.Hostname()
	t.secure = sync.OnceValues(func() (*secured, error) { return t.identity.secure(d.tls, name) })
	t.host.Addr = t.address
	t.host.MaxConns = conns
	t.host.DialTimeout = t.dial
	return t
}

// addressOf is where u is called: host and port.
func addressOf(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// same reports whether u is called through the connections of t, under this identity
// and on so many of them.
func (t *target) same(u *url.URL, id identity, conns int) bool {
	return t.https == (u.Scheme == "https") && t.address == addressOf(u) && t.identity == id && t.host.MaxConns == conns
}

// check reports whether the endpoint's identity can be shown at now.
func (t *target) check(now time.Time) error {
	if !t.personal {
		return nil
	}
	s, err := t.secure()
	if err != nil {
		return err
	}
	return s.check(now)
}

// dial is fasthttp's dial hook.
func (t *target) dial(addr string, timeout time.Duration) (net.Conn, error) {
	if !t.https {
		return t.dialer.dial(t, addr, timeout, nil)
	}
	s, err := t.secure()
	if err != nil {
		return nil, err
	}
	return t.dialer.dial(t, addr, timeout, s.config)
}

// do makes one exchange on a connection that rests, or on a new one. Stale
// connections are passed over: nothing was sent on them, so they are no attempt.
// It returns how many there were. fasthttp hands out the connection that has
// rested longest, so a surplus shrinks as its members grow stale.
//
// fasthttp is told that the connection will not be kept, because it would start
// a goroutine per endpoint to close idle ones; the Sender's sweep does that.
func (t *target) do(x *exchange) (stale int, err error) {
	now := x.begun
	for {
		held, err := t.host.AcquireConn(x.deadline.Sub(now), true)
		if err != nil {
			x.noteDial(err)
			return stale, err
		}
		c := held.Conn().(*conn)
		if c.stale(now, t.options) {
			t.host.CloseConn(held)
			stale++
			if now = time.Now(); now.Before(x.deadline) {
				continue
			}
			return stale, errNoTime
		}
		keep, err := x.run(c)
		if keep && !t.retired.Load() {
			c.rested = x.ended
			t.host.ReleaseConn(held)
			t.closeIfRetired()
			return stale, nil
		}
		c.broken = c.broken || err != nil
		t.host.CloseConn(held)
		return stale, err
	}
}

// isCut reports whether the attempts in flight were cancelled.
func (t *target) isCut() bool { return t != nil && t.alive.Err() != nil }

// closeIfRetired makes sure that no connection rests on a target that was retired
// while it was being released: either retire finds it, or this does.
func (t *target) closeIfRetired() {
	if t.retired.Load() {
		t.host.CloseIdleConnections()
	}
}

// retire closes the connections that rest, and lets no other rest.
func (t *target) retire() {
	t.retired.Store(true)
	t.host.CloseIdleConnections()
}

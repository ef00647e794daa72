package ingest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// Listener bounds how many connections a Server has open at a time, and how long
// their clients may take, as its options say. One more is answered, in the
// envelope of the API and with a Retry-After, and closed; fasthttp's own bounds
// answer without either. Give Server the same options, and its Serve what
// Listener returns. Whoever closes that closes ln.
func Listener(ln net.Listener, o ServerOptions) net.Listener {
	o.ensureDefaults()
	l := &listener{Listener: ln, o: o, ids: newRequestIDs(), watch: newWatch(&o), of: make(map[netip.Addr]int), closed: make(chan struct{})}
	l.parted.after = o.linger
	l.end = sync.OnceFunc(func() {
		close(l.closed)
		l.watch.part()
		l.parted.end()
	})
	return l
}

type listener struct {
	net.Listener
	o     ServerOptions
	ids   *requestIDs
	watch *watch

	closed chan struct{}
	end    func() // closes closed, and what is parting or parted
	parted parted

	mu   sync.Mutex
	open int                // guarded by mu
	of   map[netip.Addr]int // open ones of each address, if that is bounded; guarded by mu
}

var (
	refuseConn = &refusal{code: fasthttp.StatusServiceUnavailable, reason: ReasonLoad,
		message: "too many connections: try again later", after: time.Second}
	refuseConnOf = &refusal{code: fasthttp.StatusTooManyRequests, reason: ReasonLoad,
		message: "too many connections from one address: use fewer and keep them open, or try again later", after: time.Second}
)

// maxAcceptPause is how long a listener waits at most after it could not accept.
const maxAcceptPause = time.Second

// Accept waits for a connection within the bounds. While the machine cannot accept any, for
// want of descriptors or memory, it tries again, ever less often: after an error fasthttp
// would never accept another one.
func (l *listener) Accept() (net.Conn, error) {
	for pause := 5 * time.Millisecond; ; {
		c, err := l.Listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil, err
		case err != nil:
			l.o.Unaccepted(err)
			if !l.rest(pause) {
				return nil, net.ErrClosed
			}
			pause = min(2*pause, maxAcceptPause)
			continue
		}
		pause = 5 * time.Millisecond
		addr := addressOf(c.RemoteAddr())
		no := l.enter(addr)
		if no == nil {
			return l.admit(c, addr), nil
		}
		l.refuse(c, no)
	}
}

// rest waits; it reports false once the listener is closed.
func (l *listener) rest(pause time.Duration) bool {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-l.closed:
		return false
	case <-t.C:
		return true
	}
}

func (l *listener) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// Close closes the listener under it, and ends Accept.
func (l *listener) Close() error {
	l.end()
	return l.Listener.Close()
}

func (l *listener) admit(tcp net.Conn, addr netip.Addr) *conn {
	c := &conn{Conn: tcp, l: l, watch: l.watch}
	c.leave = sync.OnceFunc(func() {
		l.watch.remove(c)
		l.leave(addr)
	})
	c.waits.Store(waitsRequest)
	l.watch.add(c)
	return c
}

func (l *listener) enter(addr netip.Addr) *refusal {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= l.o.MaxConns {
		return refuseConn
	}
	if l.o.MaxConnsPerIP > 0 && addr.IsValid() {
		if l.of[addr] >= l.o.MaxConnsPerIP {
			return refuseConnOf
		}
		l.of[addr]++
	}
	l.open++
	return nil
}

func (l *listener) leave(addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.of[addr]--; l.of[addr] <= 0 {
		delete(l.of, addr)
	}
}

// refuse answers without reading, and closes a little later. The answer fits what a
// new socket takes at once, so nobody waits for the client.
func (l *listener) refuse(c net.Conn, no *refusal) {
	id := l.ids.make().String()
	l.o.Rejected(no.reason)
	if l.o.Refused != nil {
		l.o.Refused(id, no.code, no.message)
	}
	body := appendError(nil, no.message)
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = fmt.Fprintf(c, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\nRetry-After: %d\r\nX-Request-Id: %s\r\n\r\n%s",
		no.code, fasthttp.StatusMessage(no.code), len(body), wholeSeconds(no.after), id, body)
	l.parted.add(c)
}

// conn tells its listener, once, that it is being closed: before the client can
// see it, who may come again at once. Only the Server's goroutine that serves it
// reads and writes.
type conn struct {
	net.Conn
	l         *listener
	leave     func()
	watch     *watch
	refused   atomic.Bool   // more of a request may come, which nobody reads
	waits     atomic.Uint32 // for what
	since     atomic.Int64  // as of the watch's last look
	answering bool          // the last thing it did was to write
}

// Close closes the connection. What was refused while it was still being sent it reads to
// its end before, see linger.
func (c *conn) Close() error {
	if c.refused.CompareAndSwap(true, false) {
		c.linger()
	}
	c.leave()
	return c.Conn.Close()
}

// addressOf is the address of a TCP peer; the zero one of any other.
func addressOf(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}

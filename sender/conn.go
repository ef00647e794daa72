package sender

import (
	"net"
	"syscall"
	"time"

	"posthaste/event"
)

// conn is one guarded connection. Its endpoint's client owns it while it rests,
// and the attempt that took it otherwise; only abort comes from elsewhere.
//
// The guard: before a connection is used again, nothing may have arrived on it
// since the last answer. A byte that waits there would be taken for the answer
// of the next request, and an end of file means that the peer has hung up. In
// both cases nothing was sent yet, so the attempt simply takes another one.
// The idea is from go-sql-driver/mysql's conncheck.go.
type conn struct {
	net.Conn          // TCP, or TLS over it
	tcp      net.Conn // TCP
	raw      syscall.RawConn
	under    *underTLS // nil for http
	live     *liveConns
	owner    *target // nil: it is for a token
	shard    uint32  // in live
	address  string  // of the peer, once for all attempts

	opened  time.Time
	made    event.Timing // what making it took
	rested  time.Time    // since when it rests; zero before its first answer
	broken  bool         // closing it sends nothing more
	peek    func(fd uintptr)
	peekBuf [1]byte
	quiet   bool // what peek found
}

func newConn(tcp net.Conn, raw syscall.RawConn, live *liveConns) *conn {
	c := &conn{Conn: tcp, tcp: tcp, raw: raw, live: live, address: tcp.RemoteAddr().String(), opened: time.Now()}
	c.peek = c.peekFD // made once, so that a check allocates nothing
	return c
}

// stale reports whether the connection must not carry another request.
func (c *conn) stale(now time.Time, o *Options) bool {
	if c.rested.IsZero() {
		return false
	}
	if now.Sub(c.rested) > o.IdleConn || now.Sub(c.opened) > o.MaxConnAge {
		return true
	}
	return c.spoken()
}

// spoken reports whether the peer has sent anything, or hung up, unasked. TLS
// may have read ahead, so that what waits is no longer in the kernel.
func (c *conn) spoken() bool {
	c.quiet = false
	if err := c.raw.Control(c.peek); err != nil || !c.quiet {
		return true
	}
	return c.under != nil && c.under.readAhead(c.Conn)
}

// peekFD looks into the socket's receive queue without waiting and without
// taking anything out of it.
func (c *conn) peekFD(fd uintptr) {
	_, _, err := syscall.Recvfrom(int(fd), c.peekBuf[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	c.quiet = err == syscall.EAGAIN
}

// Close closes the connection. Over TLS it says goodbye first, unless the
// connection is broken: a peer that does not read would make that wait.
func (c *conn) Close() error {
	c.live.remove(c)
	if c.broken {
		return c.tcp.Close()
	}
	return c.Conn.Close()
}

// abort breaks the connection under whoever uses it. Any goroutine may call it.
func (c *conn) abort() { _ = c.tcp.Close() }

// underTLS is the TCP connection as TLS sees it. While probing it has nothing to
// read, which shows what TLS still holds from earlier reads.
type underTLS struct {
	net.Conn
	probing bool
	buf     [1]byte
}

// Read implements net.Conn.
func (u *underTLS) Read(b []byte) (int, error) {
	if u.probing {
		return 0, errNothingRead
	}
	return u.Conn.Read(b)
}

// readAhead reports whether c, the TLS over u, can give a byte, or has seen the
// peer's goodbye, without reading from the network.
func (u *underTLS) readAhead(c net.Conn) bool {
	u.probing = true
	_, err := c.Read(u.buf[:])
	u.probing = false
	return err != errNothingRead
}

// nothingRead is temporary in the sense of net.Error, so that TLS goes on after it.
type nothingRead struct{}

var errNothingRead net.Error = nothingRead{}

func (nothingRead) Error() string   { return "nothing was read ahead" }
func (nothingRead) Timeout() bool   { return true }
func (nothingRead) Temporary() bool { return true }

package sender

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
	"posthaste/internal/netguard"
	"posthaste/oauth"
)

func TestClassify(t *testing.T) {
	read := func(err error) error { return &net.OpError{Op: "read", Net: "tcp", Err: err} }
	errno := func(n syscall.Errno) error { return os.NewSyscallError("call", n) }
	tests := []struct {
		name  string
		err   error
		class event.ErrorClass
	}{
		{"blocked", &netguard.BlockError{Reason: "no"}, event.ClassBlocked},
		{"URL", &netguard.URLError{Code: netguard.CodeScheme, Reason: "no"}, event.ClassBlocked},
		{"no such host", &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}, event.ClassDNS},
		{"DNS timeout", &net.DNSError{Err: "no answer in time", Name: "h", IsTimeout: true}, event.ClassDNS},
		{"refused", &netguard.DialError{Addr: "h:1", Err: errno(syscall.ECONNREFUSED)}, event.ClassConnect},
		{"unreachable", &netguard.DialError{Addr: "h:1", Err: errno(syscall.EHOSTUNREACH)}, event.ClassConnect},
		{"connect timeout", &netguard.DialError{Addr: "h:1", Err: context.DeadlineExceeded}, event.ClassConnect},
		{"no descriptors", &netguard.DialError{Addr: "h:1", Err: errno(syscall.EMFILE)}, event.ClassLocal},
		{"no ports", &netguard.DialError{Addr: "h:1", Err: errno(syscall.EADDRNOTAVAIL)}, event.ClassLocal},
		{"no buffers", read(errno(syscall.ENOBUFS)), event.ClassLocal},
		{"no connection free", fasthttp.ErrNoFreeConns, event.ClassLocal},
		{"handshake", &handshakeError{"1.2.3.4:5", errors.New("certificate is not trusted")}, event.ClassTLS},
		{"handshake timeout", &handshakeError{"1.2.3.4:5", read(os.ErrDeadlineExceeded)}, event.ClassTimeout},
		{"alert after the handshake", &net.OpError{Op: "remote error", Err: errors.New("certificate required")}, event.ClassTLS},
		{"read timeout", read(os.ErrDeadlineExceeded), event.ClassTimeout},
		{"write timeout", &writeError{&net.OpError{Op: "write", Err: os.ErrDeadlineExceeded}}, event.ClassTimeout},
		{"no time for a connection", errNoTime, event.ClassTimeout},
		{"read reset", read(errno(syscall.ECONNRESET)), event.ClassReset},
		{"broken pipe", &writeError{&net.OpError{Op: "write", Err: errno(syscall.EPIPE)}}, event.ClassReset},
		{"closed early", errNoAnswer, event.ClassReset},
		{"closed late", errHalfAnswer, event.ClassReset},
		{"no HTTP", errNotHTTP, event.ClassMalformed},
		{"large head", errHeadTooLarge, event.ClassMalformed},
		{"no token", &authError{"access token", errors.New("no")}, event.ClassAuth},
		{"token endpoint blocked", &authError{"access token", &netguard.BlockError{Reason: "no"}}, event.ClassAuth},
		{"token endpoint not found", &authError{"access token", &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}}, event.ClassAuth},
		{"no descriptors for a token", &authError{"access token", &netguard.DialError{Addr: "h:1", Err: errno(syscall.EMFILE)}}, event.ClassLocal},
		{"too many tokens", &authError{"access token", oauth.ErrBusy}, event.ClassLocal},
		{"stopped while waiting for a token", &authError{"access token", event.ErrClosed}, event.ClassCancelled},
		{"anything else in an answer", errors.New("malformed chunked encoding"), event.ClassMalformed},
		{"no form", errNotForm, event.ClassMalformed},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			x := &exchange{attempt: &event.Attempt{}}
			x.classify(tc.err)
			if x.attempt.Class != tc.class || x.attempt.Error == "" {
				t.Errorf("class %q, error %q; want %q", x.attempt.Class, x.attempt.Error, tc.class)
			}
		})
	}
}

func TestLongErrorsAreCut(t *testing.T) {
	x := &exchange{attempt: &event.Attempt{}}
	x.classify(errors.New(strings.Repeat("é", maxErrorBytes)))
	if n := len(x.attempt.Error); n > maxErrorBytes+1 {
		t.Errorf("%d bytes", n)
	}
}

// TestStatusOfFailuresIsNotRead: whatever fasthttp believes, a failed attempt has
// no status.
func TestStatusOfFailuresIsNotRead(t *testing.T) {
	w := newWorld(t, Options{})
	for _, answer := range []string{"", "HTTP/1.1 200 OK\r\nConte", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"} {
		r := newReceiver(t, sayAndClose(answer))
		a := w.attempt(w.endpoint(r.url), newEvent("{}"))
		expect(t, a, event.ClassReset, 0)
		if a.Succeeded() {
			t.Errorf("%q counts as a success", answer)
		}
	}
}

func TestConnectFailures(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := ln.Addr().String()
	ln.Close()

	names := map[string]netip.Addr{"refused.example": netip.MustParseAddr("127.0.0.1"), "private.example": netip.MustParseAddr("10.1.2.3")}
	w := newWorld(t, Options{Dial: netguard.DialerOptions{Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
		if a, ok := names[host]; ok {
			return []netip.Addr{a}, nil
		}
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}}})
	f := func(url string, class event.ErrorClass) {
		t.Helper()
		a := w.attempt(w.endpoint(url), newEvent("{}"))
		expect(t, a, class, 0)
		for _, ip := range []string{"10.1.2.3", "127.0.0.1"} {
			if strings.Contains(a.Error, ip) && !strings.Contains(url, ip) || a.Address != "" {
				t.Errorf("the address is told: %q, %q", a.Error, a.Address)
			}
		}
	}
	f("http://"+free, event.ClassConnect)
	f("http://refused.example:"+free[strings.LastIndexByte(free, ':')+1:], event.ClassConnect)
	f("http://private.example", event.ClassBlocked)
	f("https://private.example", event.ClassBlocked)
	f("http://missing.example", event.ClassDNS)
	f("http://10.1.2.3/", event.ClassBlocked)
	f("ftp://h.example/", event.ClassBlocked)
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	f := func(name string, ev *event.Event, h handler) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, h)
			expect(t, w.attempt(w.hasty(r.url), ev), event.ClassTimeout, 0)
		})
	}
	wait := func(c net.Conn) bool { _, _ = c.Read(make([]byte, 1)); return false }
	f("never answers", newEvent("{}"), func(c net.Conn, _ request, _ int) bool { return wait(c) })
	f("half a head", newEvent("{}"), func(c net.Conn, q request, n int) bool {
		return say("HTTP/1.1 200 OK\r\nX")(c, q, n) && wait(c)
	})
	f("half a body", newEvent("{}"), func(c net.Conn, q request, n int) bool {
		return say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")(c, q, n) && wait(c)
	})
	f("trickles", newEvent("{}"), func(c net.Conn, q request, n int) bool {
		for say("HTTP/1.1 100 Continue\r\n\r\n")(c, q, n) {
			time.Sleep(20 * time.Millisecond) // the trickle is the test
		}
		return false
	})
}

// TestNeverReads: the receiver accepts, and takes nothing of a large request.
func TestNeverReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	expect(t, w.attempt(w.hasty("http://"+ln.Addr().String()), newEvent(strings.Repeat("x", 32<<20))), event.ClassTimeout, 0)
}

// TestEndlessBody: what is recorded is full, so the status counts.
func TestEndlessBody(t *testing.T) {
	w := newWorld(t, Options{})
	f := func(head, piece string) {
		t.Helper()
		r := newReceiver(t, func(c net.Conn, q request, n int) bool {
			for ok := say(head)(c, q, n); ok; {
				ok = say(piece)(c, q, n)
			}
			return false
		})
		a := w.attempt(w.endpoint(r.url), newEvent("{}"))
		expect(t, a, event.ClassNone, 200)
		if len(a.ResponseBody) != DefaultMaxResponseBodyBytes || !a.BodyCut {
			t.Errorf("recorded %d bytes, cut %v", len(a.ResponseBody), a.BodyCut)
		}
	}
	f("HTTP/1.1 200 OK\r\n\r\n", "aaaa")
	f("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\naaaa\r\n")
	f("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "aaaa")
}

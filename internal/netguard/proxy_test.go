package netguard

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// fakeProxy answers each CONNECT with the same bytes, notes what it was asked for, and
// then says hello, as the destination behind it would.
type fakeProxy struct {
	addr string
	mu   sync.Mutex
	seen []*http.Request
}

func serveProxy(t *testing.T, answer string) *fakeProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &fakeProxy{addr: l.Addr().String()}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(c, answer) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); serving.Wait() })
	return p
}

func (p *fakeProxy) serve(c net.Conn, answer string) {
	defer c.Close()
	req, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	p.mu.Lock()
	p.seen = append(p.seen, req)
	p.mu.Unlock()
	_, _ = io.WriteString(c, answer)
	if answer == "" {
		_, _ = c.Read(make([]byte, 1)) // silent until the other side gives up
	}
}

// asked is what the proxy was asked to connect to, one after the other.
func (p *fakeProxy) asked() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, r := range p.seen {
		all = append(all, r.Method+" "+r.RequestURI+" "+r.Header.Get("Proxy-Authorization"))
	}
	return strings.Join(all, ", ")
}

const tunnelOpen = "HTTP/1.1 200 Connection established\r\nVia: proxy\r\n\r\nhello"

func TestProxyGetsCheckedAddresses(t *testing.T) {
	cases := []struct {
		name     string
		resolves bool
		addr     string
		found    []netip.Addr
		asked    string // "": blocked, and the proxy was not asked for anything
		peer     string
	}{
		{"a name is resolved here", false, "example.com:443", addrs("8.8.8.8"), "CONNECT 8.8.8.8:443 Basic abc", "8.8.8.8:443"},
		{"an IPv6 address", false, "example.com:443", addrs("2606::1"), "CONNECT [2606::1]:443 Basic abc", "[2606::1]:443"},
		{"private ones are skipped", false, "example.com:443", addrs("10.0.0.1", "8.8.8.8"), "CONNECT 8.8.8.8:443 Basic abc", "8.8.8.8:443"},
		{"a rebound name", false, "example.com:443", addrs("169.254.169.254"), "", ""},
		{"a private literal", false, "10.0.0.1:443", nil, "", ""},
		{"a denied port", false, "example.com:25", addrs("8.8.8.8"), "", ""},
		{"the proxy resolves", true, "example.com:443", addrs("10.0.0.1"), "CONNECT example.com:443 Basic abc", "example.com:443"},
		{"the proxy resolves, a literal", true, "8.8.8.8:443", nil, "CONNECT 8.8.8.8:443 Basic abc", "8.8.8.8:443"},
		{"the proxy resolves, a private literal", true, "[::ffff:127.0.0.1]:443", nil, "", ""},
		{"the proxy resolves, a denied port", true, "example.com:25", nil, "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := serveProxy(t, tunnelOpen)
			o := resolvesTo(c.found...)
			o.Proxy = &Proxy{Addr: p.addr, Authorization: "Basic abc", Resolves: c.resolves}
			d := (&Policy{}).Dialer(o)
			defer d.Close()
			conn, err := d.DialTimeout(c.addr, 0, nil)
			if c.asked == "" {
				if conn != nil || !errors.Is(err, ErrBlocked) || p.asked() != "" {
					t.Fatalf("%v, %v, asked %q: want ErrBlocked and no question", conn, err, p.asked())
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if b, err := io.ReadAll(conn); string(b) != "hello" || conn.RemoteAddr().String() != c.peer {
				t.Errorf("read %q, %v from %s, want hello from %s", b, err, conn.RemoteAddr(), c.peer)
			}
			if _, ok := conn.(syscall.Conn); !ok {
				t.Error("the connection cannot be guarded")
			}
			if p.asked() != c.asked {
				t.Errorf("asked %q, want %q", p.asked(), c.asked)
			}
		})
	}
}

// TestTheLastCheckStandsBeforeTheProxyToo takes the check after the resolution away.
func TestTheLastCheckStandsBeforeTheProxyToo(t *testing.T) {
	p := serveProxy(t, tunnelOpen)
	d := (&Policy{}).Dialer(DialerOptions{Proxy: &Proxy{Addr: p.addr}})
	defer d.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	conn, err := d.tryEach(ctx, "example.com:443", []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:443")})
	if conn != nil || !errors.Is(err, ErrBlocked) || p.asked() != "" {
		t.Fatalf("%v, %v, asked %q: want ErrBlocked and no question", conn, err, p.asked())
	}
}

func TestProxyFailures(t *testing.T) {
	cases := []struct {
		name, answer string
		local        bool
		blocked      bool
		says         string
	}{
		{"refuses", "HTTP/1.1 403 Forbidden\r\n\r\n", false, true, "the egress proxy does not allow it"},
		{"wants credentials", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", true, false, "other credentials"},
		{"cannot reach it", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nabc", false, false, "answered 502"},
		{"redirects", "HTTP/1.1 302 Found\r\nLocation: http://evil\r\n\r\n", false, false, "answered 302"},
		{"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", true, false, "not HTTP/1.1"},
		{"hangs up", "HTTP/1.1 200 OK\r\n", true, false, "EOF"},
		{"talks on", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 2000), true, false, "8 KiB"},
	}
	for _, resolves := range []bool{false, true} {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				p := serveProxy(t, c.answer)
				o := resolvesTo(addrs("8.8.8.8")...)
				o.Proxy = &Proxy{Addr: p.addr, Resolves: resolves}
				d := (&Policy{}).Dialer(o)
				defer d.Close()
				conn, err := d.DialTimeout("example.com:443", 0, nil)
				if conn != nil || err == nil || IsLocal(err) != c.local || errors.Is(err, ErrBlocked) != c.blocked || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("%v, %v: want local = %v, blocked = %v, and %q", conn, err, c.local, c.blocked, c.says)
				}
				if strings.Contains(err.Error(), p.addr) || strings.Contains(err.Error(), "8.8.8.8") {
					t.Errorf("%q tells an address", err)
				}
			})
		}
	}
}

func TestProxyThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	o := resolvesTo(addrs("8.8.8.8")...)
	o.Proxy = &Proxy{Addr: l.Addr().String()}
	d := (&Policy{}).Dialer(o)
	defer d.Close()
	if _, err := d.DialTimeout("example.com:443", 0, nil); !IsLocal(err) || !errors.Is(err, syscall.ECONNREFUSED) || strings.Contains(err.Error(), o.Proxy.Addr) {
		t.Fatalf("%v: want a local fault without the proxy's address", err)
	}
}

// A proxy that does not answer has most likely asked the destination: its fault.
func TestSilentProxy(t *testing.T) {
	p := serveProxy(t, "")
	o := resolvesTo(addrs("8.8.8.8")...)
	o.Proxy = &Proxy{Addr: p.addr}
	d := (&Policy{}).Dialer(o)
	var dial *DialError
	if _, err := d.DialTimeout("example.com:443", 2*time.Second, nil); !errors.As(err, &dial) || !dial.Timeout() || IsLocal(err) {
		t.Fatalf("%v: want a timeout", err)
	}
	ended, before := make(chan error, 1), strings.Count(p.asked(), "CONNECT")
	go func() {
		_, err := d.DialTimeout("example.com:443", 0, nil)
		ended <- err
	}()
	for strings.Count(p.asked(), "CONNECT") == before && len(ended) == 0 {
		time.Sleep(time.Millisecond) // until it was asked
	}
	_ = d.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Fatalf("%v: want net.ErrClosed", err)
	}
}

// FuzzProxyHead: whatever a proxy answers, reading ends within the bound, and takes
// nothing of what comes behind the head.
func FuzzProxyHead(f *testing.F) {
	for _, s := range []string{tunnelOpen, "HTTP/1.1 407 X\n\n", "HTTP/1.0 200\r\n\r\n", "HTTP/1.1 \r\n\r\n", "\r\n\r\n", "HTTP/1.1 99999999999 X\r\n\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		r := strings.NewReader(answer)
		head, err := readProxyHead(r)
		if read := len(answer) - r.Len(); read > maxProxyHeadBytes || err == nil && (read != len(head) || answer[:read] != head) {
			t.Fatalf("%d bytes read for a head of %d", read, len(head))
		}
		if err == nil && judge(head) == nil && !strings.HasPrefix(head, "HTTP/1.") {
			t.Fatalf("%q opens a tunnel", head)
		}
	})
}

package sender

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"posthaste/event"
	"posthaste/internal/netguard"
)

// connectProxy opens tunnels to anywhere, and notes to where.
type connectProxy struct {
	addr string
	says string // what it answers instead of opening a tunnel; "" to open it
	mu   sync.Mutex
	seen []string
}

func newConnectProxy(t *testing.T) *connectProxy {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &connectProxy{addr: ln.Addr().String()}
	servePeer(t, ln, p.serve)
	return p
}

func (p *connectProxy) serve(c net.Conn) {
	req, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	p.mu.Lock()
	p.seen = append(p.seen, req.Method+" "+req.RequestURI)
	says := p.says
	p.mu.Unlock()
	if says != "" {
		_, _ = io.WriteString(c, says)
		return
	}
	there, err := net.Dial("tcp", req.RequestURI)
	if err != nil {
		return
	}
	defer there.Close()
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	var back sync.WaitGroup
	back.Go(func() { _, _ = io.Copy(c, there); c.Close() })
	_, _ = io.Copy(there, c)
	there.Close()
	back.Wait()
}

func (p *connectProxy) asked() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.seen, ", ")
}

// TestThroughAProxy: attempts, over http and https, go through the proxy and nothing
// else, their connections are kept, and the guard still watches them.
func TestThroughAProxy(t *testing.T) {
	p := newConnectProxy(t)
	w := newTLSWorld(t, func(o *Options) { o.Dial.Proxy = &netguard.Proxy{Addr: p.addr} })
	for _, r := range []*receiver{newReceiver(t, say(answerOK)), w.serve(t, say(answerOK))} {
		ep := w.endpoint(r.url)
		for range 3 {
			a := w.attempt(ep, newEvent("{}"))
			expect(t, a, event.ClassNone, 200)
			if a.Address != r.addr {
				t.Errorf("address %q, want the receiver's", a.Address)
			}
		}
		if n := strings.Count(p.asked(), "CONNECT "+r.addr); n != 1 {
			t.Errorf("asked %q, want one tunnel to %s", p.asked(), r.addr)
		}
	}
	expect(t, w.attempt(w.endpoint("http://10.0.0.1/"), newEvent("{}")), event.ClassBlocked, 0)
	row := lateRow("", ghost)
	r := newReceiver(t, row.serve)
	ep := w.endpoint(r.url)
	expect(t, w.attempt(ep, newEvent("{}")), event.ClassStatus, 500)
	row.again()
	w.awaitSpoken(t) // a proxy passes it on when it likes
	expect(t, w.attempt(ep, newEvent("{}")), event.ClassStatus, 503)
}

// awaitSpoken waits until a connection has said something that nobody asked for.
func (w *world) awaitSpoken(t *testing.T) {
	spoken := func() bool {
		for i := range w.sender.live.shards {
			sh := &w.sender.live.shards[i]
			sh.Lock()
			defer sh.Unlock()
			for c := range sh.conns {
				if c.spoken() {
					return true
				}
			}
		}
		return false
	}
	for deadline := time.Now().Add(20 * time.Second); !spoken(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing was said within 20 s")
		}
	}
}

// TestProxyFaults: what the proxy says about the destination is the endpoint's, and what
// is wrong with the proxy itself is not.
func TestProxyFaults(t *testing.T) {
	p := newConnectProxy(t)
	w := newWorld(t, Options{Dial: netguard.DialerOptions{Proxy: &netguard.Proxy{Addr: p.addr}}})
	for says, class := range map[string]event.ErrorClass{
		"HTTP/1.1 502 Bad Gateway\r\n\r\n": event.ClassConnect,
		"HTTP/1.1 403 Forbidden\r\n\r\n":   event.ClassBlocked,
		"HTTP/1.1 407 Who\r\n\r\n":         event.ClassLocal,
		"nonsense\r\n\r\n":                 event.ClassLocal,
	} {
		p.mu.Lock()
		p.says = says
		p.mu.Unlock()
		a := w.attempt(w.endpoint("http://127.0.0.1:8089/"), newEvent("{}"))
		expect(t, a, class, 0)
		if a.Address != "" || strings.Contains(a.Error, p.addr) {
			t.Errorf("%q tells of the proxy: %q, address %q", says, a.Error, a.Address)
		}
	}
}

// TestNoProxyOfTheEnvironment: what HTTP_PROXY says is for other programs.
func TestNoProxyOfTheEnvironment(t *testing.T) {
	p := newConnectProxy(t)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, "http://"+p.addr)
		t.Setenv(strings.ToLower(name), "http://"+p.addr)
	}
	names := netguard.DialerOptions{Lookup: func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}}
	w := newWorld(t, Options{Dial: names})
	r := newReceiver(t, say(answerOK))
	url := "http://receiver.example" + r.addr[strings.LastIndexByte(r.addr, ':'):] // of an address on this machine no proxy is asked
	expect(t, w.attempt(w.endpoint(url), newEvent("{}")), event.ClassNone, 200)
	if p.asked() != "" {
		t.Errorf("asked %q", p.asked())
	}
}

// TestRebinding: a name that was public when the endpoint was made leads to this machine
// when it is called. Nobody is connected to.
func TestRebinding(t *testing.T) {
	trap := newReceiver(t, say(answerOK))
	found := map[string][]netip.Addr{
		"rebound.example":   {netip.MustParseAddr("127.0.0.1")},
		"clothed.example":   {netip.MustParseAddr("::ffff:127.0.0.1")},
		"metadata.example":  {netip.MustParseAddr("169.254.169.254")},
		"mixed.example":     {netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("fd00::1")},
		"localhost.example": {netip.MustParseAddr("::1"), netip.MustParseAddr("0.0.0.0")},
	}
	w := newWorld(t, Options{Guard: &netguard.Policy{AllowHTTP: true}, Dial: netguard.DialerOptions{
		Lookup: func(_ context.Context, host string) ([]netip.Addr, error) { return found[host], nil },
	}})
	port := trap.addr[strings.LastIndexByte(trap.addr, ':'):]
	for host := range found {
		for _, scheme := range []string{"http://", "https://"} {
			a := w.attempt(w.endpoint(scheme+host+port), newEvent("{}"))
			expect(t, a, event.ClassBlocked, 0)
			if strings.Contains(a.Error, "127.0.0.1") || strings.Contains(a.Error, "169.254") || a.Address != "" {
				t.Errorf("%s: the address is told: %q, %q", host, a.Error, a.Address)
			}
		}
	}
	if n := trap.conns.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

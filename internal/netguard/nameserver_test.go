package netguard

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// zone is a name server on loopback that knows IPv4 addresses only.
type zone struct {
	addr  string
	names map[string][4]byte // absolute name to address; the zero address means no answer at all
	mu    sync.Mutex
	asked []string
}

func serveZone(t *testing.T, names map[string][4]byte) *zone {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	z := &zone{addr: conn.LocalAddr().String(), names: names}
	done := make(chan struct{})
	go func() {
		defer close(done)
		z.serve(conn)
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return z
}

func (z *zone) serve(conn net.PacketConn) {
	buf := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if reply, ok := z.reply(buf[:n]); ok {
			_, _ = conn.WriteTo(reply, from)
		}
	}
}

func (z *zone) reply(query []byte) ([]byte, bool) {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil, false
	}
	q := m.Questions[0]
	z.mu.Lock()
	z.asked = append(z.asked, q.Name.String())
	z.mu.Unlock()
	ip, known := z.names[q.Name.String()]
	if known && ip == [4]byte{} {
		return nil, false
	}
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	switch {
	case !known:
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
			Body:   &dnsmessage.AResource{A: ip},
		}}
	}
	reply, err := m.Pack()
	return reply, err == nil
}

func TestTheDNSIsAskedForAbsoluteNames(t *testing.T) {
	port := listen(t, "127.0.0.1:0")
	z := serveZone(t, map[string][4]byte{"hooks.example.": {127, 0, 0, 1}})
	d := (&Policy{Allow: blocks("127.0.0.0/8")}).Dialer(DialerOptions{DNSServer: z.addr})
	defer d.Close()
	for range 3 {
		wantHello(t, d, "hooks.example:"+port)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if len(z.asked) != 2 { // A and AAAA, once
		t.Fatalf("asked for %v", z.asked)
	}
}

func TestADNSAnswerIsChecked(t *testing.T) {
	z := serveZone(t, map[string][4]byte{"metadata.example.": {169, 254, 169, 254}})
	d := (&Policy{}).Dialer(DialerOptions{DNSServer: z.addr})
	defer d.Close()
	if _, err := d.DialTimeout("metadata.example:80", 0, nil); !errors.Is(err, ErrBlocked) {
		t.Fatalf("err = %v", err)
	}
}

func TestNumbersAreNamesToTheDialer(t *testing.T) {
	z := serveZone(t, nil)
	d := (&Policy{Allow: blocks("127.0.0.0/8")}).Dialer(DialerOptions{DNSServer: z.addr})
	defer d.Close()
	for _, host := range []string{"2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0"} {
		_, err := d.DialTimeout(host+":8080", 0, nil)
		var dns *net.DNSError
		if !errors.As(err, &dns) || !dns.IsNotFound {
			t.Errorf("%s: %v, want no such host", host, err)
		}
		if strings.Contains(err.Error(), z.addr) {
			t.Errorf("%q tells the name server", err)
		}
	}
}

// TestASilentNameServer also shows, by the leak check of TestMain, that the
// resolver's goroutines end with the dial and not with their own timeout.
func TestASilentNameServer(t *testing.T) {
	z := serveZone(t, map[string][4]byte{"silent.example.": {}})
	d := (&Policy{}).Dialer(DialerOptions{DNSServer: z.addr})
	defer d.Close()
	_, err := d.DialTimeout("silent.example:443", 50*time.Millisecond, nil)
	var dns *net.DNSError
	if !errors.As(err, &dns) || !dns.Timeout() || dns.Name != "silent.example" {
		t.Fatalf("err = %#v", err)
	}
}

func TestRunningOutOfSocketsIsNotTheNamesFault(t *testing.T) {
	n := newNameserver("127.0.0.1:53")
	n.dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "udp", Err: os.NewSyscallError("socket", syscall.EMFILE)}
	}
	if _, err := n.lookup(t.Context(), "a.example"); !IsLocal(err) {
		t.Fatalf("err = %v", err)
	}
	n.dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "udp", Err: os.NewSyscallError("connect", syscall.ENETUNREACH)}
	}
	_, err := n.lookup(t.Context(), "a.example")
	var dns *net.DNSError
	if IsLocal(err) || !errors.As(err, &dns) {
		t.Fatalf("err = %v, want an error of the DNS", err)
	}
}

func TestAStreamToTheNameServerClosesWithItsCtx(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	ctx, cancel := context.WithCancel(t.Context())
	conn := closeWith(ctx, here)
	cancel()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Fatal("read from a connection that nobody waits for")
	}
	_ = conn.Close()
}

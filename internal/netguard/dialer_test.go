package netguard

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// addrs reads addresses.
func addrs(texts ...string) []netip.Addr {
	var out []netip.Addr
	for _, t := range texts {
		out = append(out, netip.MustParseAddr(t))
	}
	return out
}

// resolvesTo is a Lookup that finds the same addresses for every name.
func resolvesTo(found ...netip.Addr) DialerOptions {
	return DialerOptions{Lookup: func(context.Context, string) ([]netip.Addr, error) { return found, nil }}
}

// scripted is a Dialer of p whose connect is scripted: nothing is sent anywhere.
func scripted(p *Policy, o DialerOptions, connect func(context.Context, netip.AddrPort) error) *Dialer {
	d := p.Dialer(o)
	d.connect = func(ctx context.Context, ap netip.AddrPort) (net.Conn, error) {
		if err := connect(ctx, ap); err != nil {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(ap), Err: err}
		}
		here, there := net.Pipe()
		_ = there.Close()
		return here, nil
	}
	return d
}

// listen serves connections on a loopback address until the test ends.
func listen(t *testing.T, addr string) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "hello")
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

// wantHello dials and reads what listen says.
func wantHello(t *testing.T, d *Dialer, addr string) {
	t.Helper()
	conn, err := d.DialTimeout(addr, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if b, err := io.ReadAll(conn); string(b) != "hello" {
		t.Fatalf("read %q, %v", b, err)
	}
}

func TestDialIsBlocked(t *testing.T) {
	port := listen(t, "127.0.0.1:0")
	cases := []struct {
		name string
		addr string
		o    DialerOptions
	}{
		{"literal", "127.0.0.1:" + port, DialerOptions{}},
		{"literal in IPv6 clothes", "[::ffff:127.0.0.1]:" + port, DialerOptions{}},
		{"literal with a zone", "[fe80::1%lo]:" + port, DialerOptions{}},
		{"localhost by the hosts file", "localhost:" + port, DialerOptions{}},
		{"rebound name", "example.com:" + port, resolvesTo(addrs("127.0.0.1")...)},
		{"rebound name in IPv6 clothes", "example.com:" + port, resolvesTo(addrs("::ffff:127.0.0.1")...)},
		{"all addresses private", "example.com:" + port, resolvesTo(addrs("10.0.0.1", "127.0.0.1", "::1", "fd00::1")...)},
		{"denied port", "example.com:25", resolvesTo(addrs("8.8.8.8")...)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := (&Policy{}).Dialer(c.o)
			defer d.Close()
			conn, err := d.DialTimeout(c.addr, time.Second, nil)
			if conn != nil || !errors.Is(err, ErrBlocked) {
				t.Fatalf("%v, %v: want ErrBlocked", conn, err)
			}
			if s := err.Error(); strings.Contains(s, "127.0.0.1") || strings.Contains(s, "::") {
				t.Fatalf("%q tells the address", s)
			}
		})
	}
}

// TestTheLastCheckStandsAlone takes the check after the resolution away: the one
// before connect(2) must still hold.
func TestTheLastCheckStandsAlone(t *testing.T) {
	port := listen(t, "127.0.0.1:0")
	d := (&Policy{}).Dialer(DialerOptions{})
	defer d.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	target := netip.MustParseAddrPort("127.0.0.1:" + port)
	conn, err := d.tryEach(ctx, "example.com:"+port, []netip.AddrPort{target})
	if conn != nil || !errors.Is(err, ErrBlocked) || strings.Contains(err.Error(), "127.0.0.1") {
		t.Fatalf("%v, %v: want ErrBlocked without the address", conn, err)
	}
}

func TestDialConnects(t *testing.T) {
	port := listen(t, "127.0.0.1:0")
	p := &Policy{Allow: blocks("127.0.0.0/8")}
	cases := []struct {
		name, host string
		o          DialerOptions
	}{
		{"literal", "127.0.0.1", DialerOptions{}},
		{"localhost by the hosts file", "localhost", DialerOptions{}},
		{"name", "example.com", resolvesTo(addrs("127.0.0.1")...)},
		{"private candidates are skipped", "example.com", resolvesTo(addrs("10.0.0.1", "::1", "192.168.1.1", "169.254.169.254", "127.0.0.1")...)},
		{"a dead candidate is passed over", "example.com", resolvesTo(addrs("127.0.0.9", "127.0.0.1")...)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := p.Dialer(c.o)
			defer d.Close()
			wantHello(t, d, net.JoinHostPort(c.host, port))
		})
	}
}

func TestEachDialChecksAgain(t *testing.T) {
	now := addrs("127.0.0.1")
	synctest.Test(t, func(t *testing.T) {
		p := &Policy{Allow: blocks("127.0.0.0/8")}
		d := scripted(p, DialerOptions{Lookup: func(context.Context, string) ([]netip.Addr, error) { return now, nil }},
			func(context.Context, netip.AddrPort) error { return nil })
		defer d.Close()
		if _, err := d.DialTimeout("example.com:443", 0, nil); err != nil {
			t.Fatal(err)
		}
		now = addrs("10.0.0.1")
		time.Sleep(positiveTTL)
		if _, err := d.DialTimeout("example.com:443", 0, nil); !errors.Is(err, ErrBlocked) {
			t.Fatalf("after the name moved: %v", err)
		}
	})
}

func TestRefusedConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	d := (&Policy{Allow: blocks("127.0.0.0/8")}).Dialer(resolvesTo(addrs("127.0.0.1")...))
	defer d.Close()
	_, err = d.DialTimeout("example.com:"+port, time.Second, nil)
	var dial *DialError
	if !errors.As(err, &dial) || !errors.Is(err, syscall.ECONNREFUSED) || dial.Timeout() || IsLocal(err) {
		t.Fatalf("err = %#v", err)
	}
	if want := "dial example.com:" + port + ": connect: connection refused"; err.Error() != want {
		t.Fatalf("%q, want %q", err, want)
	}
}

func TestAtMostThreeAddressesWithinTheTime(t *testing.T) {
	many := make([]netip.Addr, 500)
	for i := range many {
		many[i] = netip.AddrFrom4([4]byte{8, 8, byte(i >> 8), byte(i)})
	}
	synctest.Test(t, func(t *testing.T) {
		var shares []time.Duration
		d := scripted(&Policy{}, resolvesTo(many...), func(ctx context.Context, _ netip.AddrPort) error {
			began := time.Now()
			<-ctx.Done()
			shares = append(shares, time.Since(began))
			return os.ErrDeadlineExceeded
		})
		defer d.Close()
		began := time.Now()
		_, err := d.DialTimeout("example.com:443", time.Minute, nil)
		var dial *DialError
		if !errors.As(err, &dial) || !dial.Timeout() {
			t.Fatalf("err = %v, want a timeout", err)
		}
		if took := time.Since(began); took != DefaultMaxDialTime {
			t.Errorf("took %v, want %v", took, DefaultMaxDialTime)
		}
		third := DefaultMaxDialTime / 3
		for _, s := range shares {
			if s < third-time.Microsecond || s > third+time.Microsecond {
				t.Errorf("shares %v, want three of %v", shares, third)
			}
		}
		if len(shares) != 3 {
			t.Errorf("tried %d addresses", len(shares))
		}
	})
}

func TestTargets(t *testing.T) {
	cases := []struct {
		name     string
		in, want []netip.Addr
	}{
		{"all of few", addrs("8.8.8.8", "8.8.4.4"), addrs("8.8.8.8", "8.8.4.4")},
		{"the first three", addrs("8.0.0.1", "8.0.0.2", "8.0.0.3", "8.0.0.4"), addrs("8.0.0.1", "8.0.0.2", "8.0.0.3")},
		{"the other family is heard", addrs("2606::1", "2606::2", "2606::3", "2606::4", "8.8.8.8"), addrs("2606::1", "2606::2", "8.8.8.8")},
		{"both are there already", addrs("2606::1", "8.0.0.1", "8.0.0.2", "2606::2"), addrs("2606::1", "8.0.0.1", "8.0.0.2")},
		{"private ones do not count", addrs("10.0.0.1", "::1", "fd00::1", "8.8.8.8"), addrs("8.8.8.8")},
		{"IPv6 clothes come off", addrs("::ffff:8.8.8.8"), addrs("8.8.8.8")},
	}
	d := (&Policy{}).Dialer(DialerOptions{})
	defer d.Close()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := d.targets(c.in, 443)
			if err != nil {
				t.Fatal(err)
			}
			var plain []netip.Addr
			for _, ap := range got {
				plain = append(plain, ap.Addr())
			}
			if !slices.Equal(plain, c.want) {
				t.Fatalf("%v, want %v", plain, c.want)
			}
		})
	}
}

func TestBadDialAddress(t *testing.T) {
	d := (&Policy{}).Dialer(DialerOptions{})
	defer d.Close()
	for _, addr := range []string{"example.com", "example.com:", "example.com:http", "example.com:65536", "a:b:c", ""} {
		var dial *DialError
		if _, err := d.DialTimeout(addr, 0, nil); !errors.As(err, &dial) || dial.Addr != addr {
			t.Errorf("%q: %v, want a DialError", addr, err)
		}
	}
}

func TestCloseEndsDialsAndRefusesNewOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := scripted(&Policy{}, resolvesTo(addrs("8.8.8.8")...), func(ctx context.Context, _ netip.AddrPort) error {
			<-ctx.Done()
			return ctx.Err()
		})
		ended := make(chan error, 1)
		go func() {
			_, err := d.DialTimeout("example.com:443", 0, nil)
			ended <- err
		}()
		synctest.Wait()
		for range 2 {
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Fatalf("a dial in progress ended with %v", err)
		}
		if _, err := d.DialTimeout("example.com:443", 0, nil); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("a dial after Close: %v", err)
		}
	})
}

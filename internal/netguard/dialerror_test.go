package netguard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
)

func TestLocalFaultEndsTheDial(t *testing.T) {
	for _, fault := range []error{syscall.EMFILE, syscall.EADDRNOTAVAIL} {
		tries := 0
		d := scripted(&Policy{}, resolvesTo(addrs("8.0.0.1", "8.0.0.2")...), func(context.Context, netip.AddrPort) error {
			tries++
			return os.NewSyscallError("socket", fault)
		})
		_, err := d.DialTimeout("example.com:443", 0, nil)
		var dial *DialError
		if !errors.As(err, &dial) || !IsLocal(err) || tries != 1 {
			t.Errorf("%v: err = %v after %d tries", fault, err, tries)
		}
		_ = d.Close()
	}
}

func TestLocalFaultInTheLookup(t *testing.T) {
	d := (&Policy{}).Dialer(DialerOptions{Lookup: func(context.Context, string) ([]netip.Addr, error) {
		return nil, fmt.Errorf("socket: %w", syscall.EMFILE)
	}})
	defer d.Close()
	_, err := d.DialTimeout("example.com:443", 0, nil)
	var dial *DialError
	if !errors.As(err, &dial) || !IsLocal(err) {
		t.Fatalf("err = %v", err)
	}
}

func TestNamesThatDoNotResolve(t *testing.T) {
	cases := []struct {
		name    string
		found   error
		want    string
		timeout bool
	}{
		{"not found", &net.DNSError{Err: "no such host", Name: "example.com", IsNotFound: true}, "lookup example.com: no such host", false},
		{"no addresses", nil, "lookup example.com: no such host", false},
		{"any other error", errors.New("read udp 10.0.0.2:53: refused"), "lookup example.com: the name server failed", false},
		{"too late", context.DeadlineExceeded, "lookup example.com: no answer in time", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := (&Policy{}).Dialer(DialerOptions{Lookup: func(context.Context, string) ([]netip.Addr, error) { return nil, c.found }})
			defer d.Close()
			_, err := d.DialTimeout("example.com:443", 0, nil)
			var dns *net.DNSError
			if !errors.As(err, &dns) || dns.Error() != c.want || dns.Timeout() != c.timeout {
				t.Fatalf("err = %v, want %q", err, c.want)
			}
		})
	}
}

func TestAMachineWithoutIPv6(t *testing.T) {
	noIPv6 := func(_ context.Context, ap netip.AddrPort) error {
		if ap.Addr().Is6() {
			return os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)
		}
		return nil
	}
	d := scripted(&Policy{}, resolvesTo(addrs("2606::1", "8.8.8.8")...), noIPv6)
	defer d.Close()
	conn, err := d.DialTimeout("example.com:443", 0, nil)
	if err != nil {
		t.Fatalf("IPv4 was not tried: %v", err)
	}
	_ = conn.Close()
	d = scripted(&Policy{}, resolvesTo(addrs("2606::1")...), noIPv6)
	defer d.Close()
	if _, err := d.DialTimeout("example.com:443", 0, nil); IsLocal(err) || !errors.Is(err, syscall.ENETUNREACH) {
		t.Fatalf("err = %v, want unreachable", err)
	}
}

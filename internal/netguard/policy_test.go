package netguard

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"code.dny.dev/ssrf"
)

func block(text string) netip.Prefix { return netip.MustParsePrefix(text) }

func blocks(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, t := range texts {
		out = append(out, block(t))
	}
	return out
}

func TestCheckAddr(t *testing.T) {
	cases := []struct {
		addr string
		want bool
	}{
		{"8.8.8.8", true}, {"172.32.0.1", true}, {"100.128.0.1", true}, {"223.255.255.255", true},
		{"2606:4700:4700::1111", true}, {"2003::1", true}, {"::ffff:8.8.8.8", true},
		{"127.0.0.1", false}, {"127.8.9.1", false}, {"0.0.0.0", false}, {"0.1.2.3", false},
		{"10.1.2.3", false}, {"172.16.0.1", false}, {"172.31.255.255", false}, {"192.168.1.1", false},
		{"169.254.169.254", false}, {"100.64.0.1", false}, {"198.18.0.1", false}, {"192.0.0.8", false},
		{"224.0.0.1", false}, {"240.0.0.1", false}, {"255.255.255.255", false},
		{"::", false}, {"::1", false}, {"fe80::1", false}, {"fe80::1%eth0", false}, {"ff02::1", false},
		{"fd00:ec2::254", false}, {"::127.0.0.1", false}, {"::ffff:127.0.0.1", false},
		{"::ffff:169.254.169.254", false}, {"64:ff9b::7f00:1", false}, {"64:ff9b:1::7f00:1", false},
		{"2002:7f00:1::", false}, {"2001:0:7f00:1::", false}, {"2001:db8::1", false},
		{"3fff::1", false}, {"5f00::1", false}, {"100::1", false}, {"2606::1%eth0", false},
	}
	p := &Policy{}
	for _, c := range cases {
		err := p.CheckAddr(netip.AddrPortFrom(netip.MustParseAddr(c.addr), 443))
		if (err == nil) != c.want {
			t.Errorf("%s: %v, want allowed = %v", c.addr, err, c.want)
		}
		if err != nil && (!errors.Is(err, ErrBlocked) || strings.Contains(err.Error(), c.addr)) {
			t.Errorf("%s: %q: want ErrBlocked without the address", c.addr, err)
		}
	}
	if p.CheckAddr(netip.AddrPort{}) == nil {
		t.Error("no address at all is allowed")
	}
}

func TestOperatorLists(t *testing.T) {
	cases := []struct {
		name   string
		policy Policy
		addr   string
		want   bool
	}{
		{"Allow beats the table", Policy{Allow: blocks("127.0.0.0/8")}, "127.0.0.1:8080", true},
		{"Allow covers IPv6 clothes", Policy{Allow: blocks("127.0.0.0/8")}, "[::ffff:127.0.0.1]:8080", true},
		{"Allow written in IPv6 clothes", Policy{Allow: blocks("::ffff:10.0.0.0/104")}, "10.1.2.3:80", true},
		{"Allow is no wider than it says", Policy{Allow: blocks("127.0.0.0/8")}, "[::1]:8080", false},
		{"Allow takes no zone", Policy{Allow: blocks("fe80::/10")}, "[fe80::1%eth0]:80", false},
		{"Allow opens no denied port", Policy{Allow: blocks("127.0.0.0/8")}, "127.0.0.1:6379", false},
		{"Deny closes the public", Policy{Deny: blocks("8.8.0.0/16")}, "8.8.8.8:443", false},
		{"Deny beats Allow", Policy{Allow: blocks("10.0.0.0/8"), Deny: blocks("10.1.0.0/16")}, "10.1.2.3:80", false},
		{"Deny written in IPv6 clothes", Policy{Deny: blocks("::ffff:8.8.0.0/112")}, "8.8.8.8:443", false},
		{"Deny of all of IPv6 is not of IPv4", Policy{Deny: blocks("::/0")}, "8.8.8.8:443", true},
		{"a listener", Policy{Allow: blocks("127.0.0.0/8"), DenyListeners: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:5005")}}, "127.0.0.1:5005", false},
		{"the port beside it", Policy{Allow: blocks("127.0.0.0/8"), DenyListeners: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:5005")}}, "127.0.0.1:5006", true},
		{"a listener on every address", Policy{Allow: blocks("0.0.0.0/0"), DenyListeners: []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:5005")}}, "127.9.9.9:5005", false},
		{"a listener on every address, by IPv6", Policy{Allow: blocks("::/0"), DenyListeners: []netip.AddrPort{netip.MustParseAddrPort("[::]:5005")}}, "[::1]:5005", false},
		{"a listener on every address, in IPv6 clothes", Policy{Allow: blocks("127.0.0.0/8"), DenyListeners: []netip.AddrPort{netip.MustParseAddrPort("[::]:5005")}}, "[::ffff:127.0.0.1]:5005", false},
		{"a listener by the unspecified address", Policy{Allow: blocks("0.0.0.0/0"), DenyListeners: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:5005")}}, "0.0.0.0:5005", false},
		{"the port beside such a listener", Policy{Allow: blocks("127.0.0.0/8"), DenyListeners: []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:5005")}}, "127.0.0.1:5006", true},
		{"another host's port of a listener", Policy{DenyListeners: []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:5005")}}, "8.8.8.8:5005", true},
		{"a port that is offered", Policy{Ports: []PortRange{{80, 80}, {8000, 8999}}}, "8.8.8.8:8443", true},
		{"a port that is not offered", Policy{Ports: []PortRange{{80, 80}, {8000, 8999}}}, "8.8.8.8:443", false},
		{"an offered port that is denied", Policy{Ports: []PortRange{{1, 65535}}}, "8.8.8.8:25", false},
		{"a denied port", Policy{}, "8.8.8.8:25", false},
		{"port 0", Policy{DeniedPorts: []uint16{}}, "8.8.8.8:0", false},
		{"own list of ports", Policy{DeniedPorts: []uint16{8443}}, "8.8.8.8:8443", false},
		{"own list replaces the default", Policy{DeniedPorts: []uint16{8443}}, "8.8.8.8:25", true},
		{"no port denied", Policy{DeniedPorts: []uint16{}}, "8.8.8.8:25", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := c.policy.CheckAddr(netip.MustParseAddrPort(c.addr)); (err == nil) != c.want {
				t.Fatalf("%s: %v, want allowed = %v", c.addr, err, c.want)
			}
		})
	}
}

// TestAgainstAnotherGuard compares with code.dny.dev/ssrf at the edges of every
// block of either table and at random addresses: two million of them, or 80,000 in short.
func TestAgainstAnotherGuard(t *testing.T) {
	oracle := ssrf.New(ssrf.WithAnyPort())
	p := &Policy{}
	compare := func(a netip.Addr) {
		if !a.IsValid() {
			return
		}
		want := oracle.SafeAddr(a.Unmap()) == nil
		if got := p.CheckAddr(netip.AddrPortFrom(a, 443)) == nil; got != want {
			t.Errorf("%s: allowed = %v, the other guard says %v", a, got, want)
		}
	}
	for _, b := range slices.Concat(special[:], []netip.Prefix{globalUnicast}, ssrf.IPv4DeniedPrefixes, ssrf.IPv6DeniedPrefixes) {
		first, last := b.Masked().Addr(), lastOf(b)
		for _, a := range []netip.Addr{first.Prev(), first, last, last.Next()} {
			compare(a)
		}
	}
	r, rounds := rand.New(rand.NewPCG(1, 2)), 500_000
	if testing.Short() {
		rounds = 20_000
	}
	for range rounds {
		var b [16]byte
		binary.BigEndian.PutUint64(b[:], r.Uint64())
		binary.BigEndian.PutUint64(b[8:], r.Uint64())
		compare(netip.AddrFrom4([4]byte(b[:4])))
		compare(netip.AddrFrom16(b))
		b[0] = 0x20 | b[0]&0x1f // inside the global unicast block
		compare(netip.AddrFrom16(b))
		copy(b[:12], "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff")
		compare(netip.AddrFrom16(b))
	}
}

func lastOf(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

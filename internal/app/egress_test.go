package app

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"posthaste/internal/netguard"
)

// An endpoint never reaches the server itself, however its listener is written.
func TestOwnListenersAreRefused(t *testing.T) {
	here, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"}
	for _, h := range here {
		p, err := netip.ParsePrefix(h.String())
		if err != nil || p.Addr().Zone() != "" {
			continue
		}
		all = append(all, p.Addr().String())
	}
	for _, c := range []struct {
		listen  string
		refused []string
	}{
		{"127.0.0.1:5005", []string{"127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0"}},
		{"localhost:5005", []string{"0.0.0.0"}}, // and whichever of 127.0.0.1 and ::1 it is
		{"[::1]:5005", []string{"::1", "::"}},
		{":5005", all},
		{"0.0.0.0:5005", all},
		{"[::]:5005", all},
	} {
		p := &netguard.Policy{
			Allow:         []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")},
			DenyListeners: ownListeners(c.listen, "127.0.0.1:0", "nonsense"),
		}
		for _, addr := range c.refused {
			ap := netip.AddrPortFrom(netip.MustParseAddr(addr), 5005)
			if p.CheckAddr(ap) == nil {
				t.Errorf("--listen %s: %s is allowed", c.listen, ap)
			}
			if p.CheckAddr(netip.AddrPortFrom(ap.Addr(), 5004)) != nil {
				t.Errorf("--listen %s: another port of %s is refused", c.listen, addr)
			}
		}
		if c.listen == "localhost:5005" && len(p.DenyListeners) != 1 {
			t.Errorf("--listen %s: %v", c.listen, p.DenyListeners)
		}
	}
}

func TestEgressSettingsReachTheGuard(t *testing.T) {
	o := validOptions()
	o.EgressAllow, o.EgressDeny = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("8.8.8.0/24")}
	o.EgressAllow = append(o.EgressAllow, netip.MustParsePrefix("127.0.0.0/8"))
	o.EgressPorts = []PortRange{{First: 443, Last: 443}, {First: 5000, Last: 5999}}
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	a := &App{o: o, admin: &adminServer{listener: fixedListener{}}}
	check := urlPolicy(a.guard())
	for url, want := range map[string]string{
		"https://10.2.3.4/":          "",
		"https://10.1.3.4/":          "not allowed by the operator",
		"https://8.8.8.8/":           "not allowed by the operator",
		"https://8.8.4.4/":           "",
		"https://127.0.0.1:5007/":    "",
		"https://127.0.0.1:5005/":    "not allowed by the operator", // the API
		"https://127.0.0.1:5006/":    "not allowed by the operator", // the admin listener
		"https://localhost:5005/":    "this server itself",
		"https://example.com:8443/":  "port 8443 is not one that the operator",
		"https://example.com:6379/":  "belongs to another kind of service",
		"https://192.168.1.1/":       "not allowed by the operator",
		"https://169.254.169.254/":   "not allowed by the operator",
		"https://metadata.internal/": "private network",
	} {
		switch _, err := check(url, false); {
		case want == "" && err != nil:
			t.Errorf("%s: %v", url, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}

// fixedListener is an admin listener that only has an address.
type fixedListener struct{ net.Listener }

func (fixedListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5006} }

func TestProxySetting(t *testing.T) {
	for _, c := range []struct {
		proxy, auth string
		resolves    bool
		want        string // "": taken
	}{
		{"", "", false, ""},
		{"http://proxy.example:3128", "", false, ""},
		{"http://10.0.0.1:3128/", "user:pass", true, ""},
		{"http://[fd00::1]:3128", "", false, ""},
		{"", "user:pass", false, "--egress-proxy"},
		{"", "", true, "--egress-proxy"},
		{"https://proxy.example:3128", "", false, "http://host:port"},
		{"http://proxy.example", "", false, "http://host:port"},
		{"proxy.example:3128", "", false, "http://host:port"},
		{"http://proxy.example:3128/x", "", false, "http://host:port"},
		{"http://proxy.example:3128?x", "", false, "http://host:port"},
		{"http://user:hunter2@proxy.example:3128", "", false, "--egress-proxy-auth-file"},
		{"http://proxy.example:3128", "userpass", false, "user:password"},
		{"http://proxy.example:3128", "user:pass\r\nX: y", false, "user:password"},
	} {
		o := validOptions()
		o.EgressProxy, o.EgressProxyAuth, o.EgressProxyResolves = c.proxy, c.auth, c.resolves
		err := o.Validate()
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%q, %q: %v, want %q", c.proxy, c.auth, err, c.want)
		}
	}
	o := validOptions()
	if o.proxy() != nil {
		t.Error("there is a proxy without a setting")
	}
	o.EgressProxy, o.EgressProxyAuth, o.EgressProxyResolves = "http://[fd00::1]:3128/", "user:pass", true
	if p := o.proxy(); *p != (netguard.Proxy{Addr: "[fd00::1]:3128", Authorization: "Basic dXNlcjpwYXNz", Resolves: true}) {
		t.Errorf("%+v", p)
	}
}

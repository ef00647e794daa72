package app

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"posthaste/event"
	"posthaste/internal/netguard"
)

// PortRange is a port, or those from one to another.
type PortRange = netguard.PortRange

// guard is what deliveries may reach: what the operator allows, but never the
// server's own listeners.
func (a *App) guard() *netguard.Policy {
	return &netguard.Policy{
		Allow:         a.o.EgressAllow,
		Deny:          a.o.EgressDeny,
		Ports:         a.o.EgressPorts,
		AllowHTTP:     a.o.AllowHTTP,
		DenyListeners: ownListeners(a.o.Listen, a.admin.listener.Addr().String(), a.o.ConsoleListen),
	}
}

// ownListeners are the server's addresses as an endpoint could reach them: those of
// the listeners, and all of this machine's for one that listens on every address.
func ownListeners(addresses ...string) (own []netip.AddrPort) {
	for _, address := range addresses {
		tcp, err := net.ResolveTCPAddr("tcp", address) // as net.Listen reads it
		if err != nil || tcp.Port == 0 {
			continue
		}
		addrs := []netip.Addr{tcp.AddrPort().Addr().Unmap()}
		if tcp.IP == nil || tcp.IP.IsUnspecified() {
			addrs = append(localAddrs(), netip.IPv6Unspecified())
		}
		for _, addr := range addrs {
			own = append(own, netip.AddrPortFrom(addr, uint16(tcp.Port)))
		}
	}
	return own
}

func localAddrs() (addrs []netip.Addr) {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, f := range found {
		if p, err := netip.ParsePrefix(f.String()); err == nil {
			addrs = append(addrs, p.Addr())
		}
	}
	return addrs
}

// proxy is what deliveries are made through; nil for none.
func (o *Options) proxy() *netguard.Proxy {
	if o.EgressProxy == "" {
		return nil
	}
	p := &netguard.Proxy{Addr: strings.TrimSuffix(strings.TrimPrefix(o.EgressProxy, proxyScheme), "/"), Resolves: o.EgressProxyResolves}
	if o.EgressProxyAuth != "" {
		p.Authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(o.EgressProxyAuth))
	}
	return p
}

const proxyScheme = "http://"

func (o *Options) checkEgress() error {
	return errors.Join(
		checkNetworks("egress-allow", o.EgressAllow),
		checkNetworks("egress-deny", o.EgressDeny),
		o.checkProxy(),
	)
}

func checkNetworks(flag string, networks []netip.Prefix) error {
	for _, p := range networks {
		if !p.IsValid() {
			return fmt.Errorf("--%s must be networks such as 10.0.0.0/8", flag)
		}
		if p != p.Masked() {
			return fmt.Errorf("--%s: %s has bits beyond its mask, did you mean %s?", flag, p, p.Masked())
		}
	}
	return nil
}

// checkProxy keeps credentials out of the setting: the arguments of a process, and its
// environment, are not the place for them.
func (o *Options) checkProxy() error {
	if o.EgressProxy == "" {
		if o.EgressProxyResolves || o.EgressProxyAuth != "" {
			return errors.New("--egress-proxy-resolves and --egress-proxy-auth-file are about a proxy: name it by --egress-proxy")
		}
		return nil
	}
	u, err := url.Parse(o.EgressProxy)
	if err == nil && u.User != nil {
		return errors.New("--egress-proxy must not hold a user name or a password: put user:password in a file, and name it by --egress-proxy-auth-file")
	}
	if err != nil || u.Scheme+"://" != proxyScheme || u.Hostname() == "" || u.Port() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("--egress-proxy must be http://host:port, not %q", o.EgressProxy)
	}
	auth := o.EgressProxyAuth
	if auth != "" && (!strings.Contains(auth, ":") || strings.ContainsFunc(auth, unicode.IsControl)) {
		return errors.New("the file of --egress-proxy-auth-file must hold user:password on one line")
	}
	return nil
}

// urlPolicy is the guard as the catalog asks it.
func urlPolicy(guard *netguard.Policy) func(raw string, enforceTLS bool) (string, error) {
	return func(raw string, enforceTLS bool) (string, error) {
		canonical, err := guard.CanonicalURL(raw)
		var refused *netguard.URLError
		if errors.As(err, &refused) {
			err = refusal(raw, refused)
		}
		if err == nil && enforceTLS && !strings.HasPrefix(canonical, "https://") {
			err = fmt.Errorf("this project takes https endpoints only (ssl.enforce_secure_endpoints)")
		}
		return canonical, err
	}
}

// refusal is err without the field, which the catalog names.
func refusal(raw string, err *netguard.URLError) error {
	if !errors.Is(err, netguard.ErrBlocked) {
		return errors.New(err.Reason)
	}
	blocked := &event.BlockedError{Reason: err.Reason}
	if u, fault := url.Parse(raw); fault == nil {
		blocked.Host = u.Host
	}
	return blocked
}

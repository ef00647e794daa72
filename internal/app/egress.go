package app

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"posthaste/internal/netguard"
)

// guard is what deliveries may reach: what the operator allows, but never the
// server's own admin listener.
func (a *App) guard() *netguard.Policy {
	return &netguard.Policy{
		Allow:         a.o.EgressAllow,
		AllowHTTP:     a.o.AllowHTTP,
		DenyListeners: ownListeners(a.o.Listen, a.admin.listener.Addr().String()),
	}
}

// ownListeners are the server's addresses as an endpoint could reach them.
func ownListeners(addresses ...string) (own []netip.AddrPort) {
	for _, address := range addresses {
		ap, err := netip.ParseAddrPort(address)
		if err != nil || ap.Port() == 0 {
			continue
		}
		if !ap.Addr().IsUnspecified() {
			own = append(own, ap)
			continue
		}
		for _, addr := range localAddrs() {
			own = append(own, netip.AddrPortFrom(addr, ap.Port()))
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

// urlPolicy is the guard as the catalog asks it.
func urlPolicy(guard *netguard.Policy) func(raw string, enforceTLS bool) (string, error) {
	return func(raw string, enforceTLS bool) (string, error) {
		canonical, err := guard.CanonicalURL(raw)
		var refused *netguard.URLError
		if errors.As(err, &refused) {
			err = errors.New(refused.Reason) // the catalog names the field
		}
		if err == nil && enforceTLS && !strings.HasPrefix(canonical, "https://") {
			err = fmt.Errorf("this project takes https endpoints only (ssl.enforce_secure_endpoints)")
		}
		return canonical, err
	}
}

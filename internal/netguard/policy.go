package netguard

import (
	"errors"
	"net/netip"
)

// ErrBlocked is what every refusal to connect is: errors.Is(err, ErrBlocked).
var ErrBlocked = errors.New("destination is not allowed")

// BlockError is ErrBlocked with a reason that is fit for the eyes of a tenant:
// it never names an address that was resolved.
type BlockError struct {
	Reason string // "its address is not on the public internet"
}

func (e *BlockError) Error() string { return ErrBlocked.Error() + ": " + e.Reason }

// Is makes errors.Is(err, ErrBlocked) true.
func (e *BlockError) Is(target error) bool { return target == ErrBlocked }

// Policy is what the operator allows outgoing requests to reach. The zero Policy
// allows https to the public internet on any port but the denied ones. Nobody
// changes a Policy once it is in use; its methods are safe for any number of
// goroutines.
type Policy struct {
	// Allow lists blocks that are reachable although they are not public.
	Allow []netip.Prefix
	// Deny lists blocks that are not reachable. It beats Allow.
	Deny []netip.Prefix
	// DenyListeners lists single ports that are not reachable, above all
	// posthaste's own, so that no endpoint feeds its events back. It beats Allow. The
	// unspecified address, 0.0.0.0 or ::, stands for every loopback address.
	DenyListeners []netip.AddrPort
	// DeniedPorts are refused at every address. Nil means DefaultDeniedPorts;
	// an empty list that is not nil refuses none.
	DeniedPorts []uint16
	// Ports, if there are any, are the only ones that are called, and of them not
	// those that are denied.
	Ports []PortRange
	// AllowHTTP takes URLs without TLS too.
	AllowHTTP bool
	// AllowNames lists host names that a URL may have although they look
	// private: "receiver" for that very name, ".svc.cluster.local" for every
	// name below. What they resolve to is checked like any other address.
	AllowNames []string
}

// CheckAddr reports whether a connection to ap is allowed: nil, or an error that
// is ErrBlocked. An IPv4 address in IPv6 clothes counts as the IPv4 address.
func (p *Policy) CheckAddr(ap netip.AddrPort) error {
	if err := p.checkPort(ap.Port()); err != nil {
		return err
	}
	a := ap.Addr().Unmap()
	switch {
	case !a.IsValid() || a.Zone() != "":
		return &BlockError{"it has no plain address"}
	case covered(p.Deny, a) || p.isListener(netip.AddrPortFrom(a, ap.Port())):
		return &BlockError{"the operator of this server does not allow its address"}
	case covered(p.Allow, a):
		return nil
	case !isPublic(a):
		return &BlockError{"its address is not on the public internet"}
	}
	return nil
}

// isListener reports whether a connection to ap would end at one of DenyListeners.
// The kernel takes the unspecified address for this machine.
func (p *Policy) isListener(ap netip.AddrPort) bool {
	for _, l := range p.DenyListeners {
		own := l.Addr().Unmap()
		if l.Port() == ap.Port() && (own == ap.Addr() || ap.Addr().IsUnspecified() || own.IsUnspecified() && ap.Addr().IsLoopback()) {
			return true
		}
	}
	return false
}

// isPublic reports whether a, not in IPv6 clothes, is on the public internet.
func isPublic(a netip.Addr) bool {
	if a.Is6() && !globalUnicast.Contains(a) {
		return false
	}
	return !covered(special[:], a)
}

// covered reports whether one of the blocks contains a, which is not in IPv6
// clothes. The blocks may be.
func covered(blocks []netip.Prefix, a netip.Addr) bool {
	for _, b := range blocks {
		if b.Addr().Is4In6() && b.Bits() >= 96 {
			b = netip.PrefixFrom(b.Addr().Unmap(), b.Bits()-96)
		}
		if b.Contains(a) {
			return true
		}
	}
	return false
}

package netguard

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// PortRange is the ports from First to Last, both among them.
type PortRange struct{ First, Last uint16 }

// Contains reports whether port is in the range.
func (r PortRange) Contains(port uint16) bool { return r.First <= port && port <= r.Last }

// String is the text that UnmarshalText reads.
func (r PortRange) String() string {
	if r.First == r.Last {
		return strconv.Itoa(int(r.First))
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// UnmarshalText reads "443" or "1024-65535".
func (r *PortRange) UnmarshalText(text []byte) error {
	low, high, found := strings.Cut(string(text), "-")
	if !found {
		high = low
	}
	first, err := strconv.ParseUint(low, 10, 16)
	last, errLast := strconv.ParseUint(high, 10, 16)
	if err != nil || errLast != nil || first == 0 || first > last {
		return fmt.Errorf("must be a port such as 443, or a range such as 1024-65535, not %q", text)
	}
	*r = PortRange{uint16(first), uint16(last)}
	return nil
}

// checkPort reports whether anything may be called at this port.
func (p *Policy) checkPort(port uint16) error {
	switch {
	case p.deniedPort(port):
		return &BlockError{fmt.Sprintf("port %d is not one that webhooks may use", port)}
	case !p.offeredPort(port):
		return &BlockError{fmt.Sprintf("port %d is not one that the operator of this server allows", port)}
	}
	return nil
}

func (p *Policy) deniedPort(port uint16) bool {
	denied := p.DeniedPorts
	if denied == nil {
		denied = DefaultDeniedPorts
	}
	return port == 0 || slices.Contains(denied, port)
}

func (p *Policy) offeredPort(port uint16) bool {
	return len(p.Ports) == 0 || slices.ContainsFunc(p.Ports, func(r PortRange) bool { return r.Contains(port) })
}

func (p *Policy) checkURLPort(port uint16) error {
	switch {
	case p.deniedPort(port):
		return &URLError{CodeBlockedPort, fmt.Sprintf("its port %d belongs to another kind of service: use a port like 443 or 8443", port)}
	case !p.offeredPort(port):
		return &URLError{CodeBlockedPort, fmt.Sprintf("its port %d is not one that the operator of this server allows", port)}
	}
	return nil
}

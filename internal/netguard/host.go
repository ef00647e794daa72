package netguard

import (
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

const (
	maxHostBytes  = 253 // RFC 1035, without the dot at the end
	maxLabelBytes = 63
)

// lookup is idna.Lookup (UTS 46, non-transitional, letters, digits and hyphens
// only) but for one rule: it takes "--" as third and fourth character of a
// label, which is how some hosting companies name previews.
var lookup = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.CheckHyphens(false))

// canonicalName is the ASCII form of a host name or IPv4 address: mapped as UTS
// 46 says, in lower case, without the dot at its end.
func canonicalName(host string) (string, error) {
	name, err := lookup.ToASCII(host)
	if err != nil {
		return "", &URLError{CodeHost, "its host is not a valid name: use letters, digits, hyphens and dots"}
	}
	if again, err := lookup.ToASCII(name); err != nil || again != name {
		return "", &URLError{CodeHost, "its host has no stable ASCII form: write it in ASCII"}
	}
	name = strings.TrimSuffix(name, ".")
	if len(name) > maxHostBytes {
		return "", &URLError{CodeHost, "its host is longer than 253 bytes"}
	}
	for label := range strings.SplitSeq(name, ".") {
		if err := checkLabel(label); err != nil {
			return "", err
		}
	}
	return name, nil
}

func checkLabel(label string) error {
	switch {
	case label == "":
		return &URLError{CodeHost, "its host has an empty part: write one dot between two names"}
	case len(label) > maxLabelBytes:
		return &URLError{CodeHost, "a part of its host is longer than 63 bytes"}
	case label[0] == '-' || label[len(label)-1] == '-':
		return &URLError{CodeHost, "a part of its host starts or ends with a hyphen"}
	}
	return nil
}

// endsInNumber is the WHATWG URL standard's test for hosts that some resolvers
// read as an address: the last label is a decimal number, or 0x and hex digits.
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

// privateSuffixes are domains that never lead to the public internet: RFC 6762,
// RFC 8375, RFC 7686, ICANN's "internal", and what home routers use.
var privateSuffixes = []string{".local", ".internal", ".localdomain", ".lan", ".home.arpa", ".onion"}

// checkName refuses names that can only mean something private.
func (p *Policy) checkName(name string, port uint16) error {
	if err := p.checkURLPort(port); err != nil {
		return err
	}
	switch {
	case p.namesAllowed(name):
		return nil
	case name == "localhost" || strings.HasSuffix(name, ".localhost"):
		return p.checkLocalhost(port)
	case !strings.Contains(name, "."):
		return &URLError{CodePrivateName, "its host is a bare name: use a full one like hooks.example.com"}
	case slices.ContainsFunc(privateSuffixes, func(s string) bool { return strings.HasSuffix(name, s) }):
		return &URLError{CodePrivateName, "its host belongs to a private network: use a public host name"}
	}
	return nil
}

func (p *Policy) namesAllowed(name string) bool {
	return slices.ContainsFunc(p.AllowNames, func(allowed string) bool {
		if strings.HasPrefix(allowed, ".") {
			return strings.HasSuffix(name, strings.ToLower(allowed))
		}
		return strings.EqualFold(name, allowed)
	})
}

// checkLocalhost takes localhost where the operator allows a loopback address.
func (p *Policy) checkLocalhost(port uint16) error {
	v4 := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	for _, a := range []netip.Addr{v4, netip.IPv6Loopback()} {
		if p.CheckAddr(netip.AddrPortFrom(a, port)) == nil {
			return nil
		}
	}
	return &URLError{CodePrivateName, "its host is this server itself: use the public name of the receiver"}
}

package netguard

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// MaxURLBytes bounds a URL, as written and in its canonical form.
const MaxURLBytes = 2048

// target is a URL taken apart by hand, so that what is checked is what is sent.
type target struct {
	scheme string // "http" or "https"
	host   string // without brackets
	ipv6   bool   // host stood in brackets
	port   uint16 // the scheme's own if the URL names none
	tail   string // path and query as written
}

// CanonicalURL checks a URL and returns the form in which it is stored, shown
// and sent: scheme and host in lower case, the host in its ASCII form (IDNA)
// without a dot at its end, no port where it is the scheme's own, a path of at
// least "/", and all characters that may not stand in a request percent-encoded.
// Path and query are otherwise kept byte for byte, dot segments, doubled slashes
// and percent-encodings included. The canonical form of a canonical form is
// itself. Any error is a *URLError.
func (p *Policy) CanonicalURL(raw string) (string, error) {
	t, err := p.take(raw)
	if err != nil {
		return "", err
	}
	host, err := p.canonicalHost(t)
	if err != nil {
		return "", err
	}
	tail, err := canonicalTail(t.tail)
	if err != nil {
		return "", err
	}
	out := t.scheme + "://" + host
	if t.port != defaultPort(t.scheme) {
		out += ":" + strconv.Itoa(int(t.port))
	}
	out += tail
	if len(out) > MaxURLBytes {
		return "", tooLong()
	}
	return out, nil
}

func tooLong() error {
	return &URLError{CodeTooLong, "it is longer than 2048 bytes with its special characters encoded: use a shorter one"}
}

func defaultPort(scheme string) uint16 {
	if scheme == "http" {
		return 80
	}
	return 443
}

// take splits raw into its parts and checks all of them but host and tail.
func (p *Policy) take(raw string) (target, error) {
	if err := checkText(raw); err != nil {
		return target{}, err
	}
	scheme, rest, found := strings.Cut(raw, ":")
	scheme = strings.ToLower(scheme)
	if err := p.checkScheme(scheme, found); err != nil {
		return target{}, err
	}
	if strings.Contains(rest, "#") {
		return target{}, &URLError{CodeFragment, "it must not contain a fragment, which is never sent: write # itself as %23"}
	}
	authority, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return target{}, noHost()
	}
	t := target{scheme: scheme}
	if i := strings.IndexAny(authority, "/?"); i >= 0 {
		authority, t.tail = authority[:i], authority[i:]
	}
	if err := t.takeAuthority(authority); err != nil {
		return target{}, err
	}
	return t, crossCheck(raw, authority)
}

// checkText refuses what no part of a URL may contain.
func checkText(raw string) error {
	switch {
	case raw == "":
		return noHost()
	case len(raw) > MaxURLBytes:
		return tooLong()
	case strings.TrimSpace(raw) != raw:
		return &URLError{CodeSyntax, "it has a space at its start or end: remove it"}
	case strings.ContainsFunc(raw, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return &URLError{CodeSyntax, "it contains a line break or another control character: remove it"}
	}
	return nil
}

func (p *Policy) checkScheme(scheme string, found bool) error {
	switch {
	case scheme == "https" && found, scheme == "http" && found && p.AllowHTTP:
		return nil
	case scheme == "http" && found:
		return &URLError{CodeScheme, "http is not allowed here: use https"}
	}
	if p.AllowHTTP {
		return &URLError{CodeScheme, "it must start with https:// or http://"}
	}
	return &URLError{CodeScheme, "it must start with https://"}
}

func noHost() error {
	return &URLError{CodeNoHost, "it names no host: write it like https://example.com/path"}
}

// takeAuthority splits host and port.
func (t *target) takeAuthority(authority string) error {
	if strings.Contains(authority, "@") {
		return &URLError{CodeUserinfo, "it must not contain a user name or password: use the endpoint's authentication instead"}
	}
	var port string
	var hasPort bool
	if inner, ok := strings.CutPrefix(authority, "["); ok {
		end := strings.IndexByte(inner, ']')
		if end < 0 {
			return &URLError{CodeHost, "the bracket around the IPv6 address is not closed"}
		}
		t.host, t.ipv6 = inner[:end], true
		port, hasPort = strings.CutPrefix(inner[end+1:], ":")
		if !hasPort && port != "" {
			return &URLError{CodeHost, "there is something between the IPv6 address and the port: remove it"}
		}
	} else {
		t.host, port, hasPort = strings.Cut(authority, ":")
	}
	if t.host == "" {
		return noHost()
	}
	t.port = defaultPort(t.scheme)
	if hasPort {
		return t.takePort(port)
	}
	return nil
}

func (t *target) takePort(text string) error {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return &URLError{CodePort, "its port must be a number from 1 to 65535"}
	}
	t.port = uint16(n)
	return nil
}

// crossCheck refuses what net/url refuses or splits in another way, so that no
// two parsers can be played off against each other.
func crossCheck(raw, authority string) error {
	if strings.HasPrefix(authority, "[") && strings.Contains(authority, "%") {
		return &URLError{CodeZone, "its IPv6 address must not have a zone"}
	}
	if strings.ContainsAny(authority, `%\`) {
		return &URLError{CodeHost, `its host must not contain % or \`}
	}
	u, err := url.Parse(raw)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return &URLError{CodeSyntax, "it is not a valid URL: " + err.Error()}
	}
	if u.User != nil || u.Opaque != "" || u.Host != authority {
		return &URLError{CodeSyntax, "it is not a plain URL: write it like https://example.com/path"}
	}
	return nil
}

// canonicalHost checks the host and the port and returns the host as it is sent.
func (p *Policy) canonicalHost(t target) (string, error) {
	if t.ipv6 {
		a, err := netip.ParseAddr(t.host)
		if err != nil || !a.Is6() {
			return "", &URLError{CodeHost, "there is no IPv6 address in its brackets"}
		}
		return "[" + a.String() + "]", p.checkLiteral(a, t.port)
	}
	name, err := canonicalName(t.host)
	if err != nil {
		return "", err
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return a.String(), p.checkLiteral(a, t.port)
	}
	if endsInNumber(name) {
		return "", &URLError{CodeNumericHost, "its host is a number: use a host name, or an IPv4 address of four decimal numbers"}
	}
	return name, p.checkName(name, t.port)
}

// checkLiteral checks an address that stands in the URL itself.
func (p *Policy) checkLiteral(a netip.Addr, port uint16) error {
	if err := p.checkURLPort(port); err != nil {
		return err
	}
	if p.CheckAddr(netip.AddrPortFrom(a, port)) != nil {
		return &URLError{CodeBlockedAddress, "its address is private, reserved or not allowed by the operator of this server: use a public host name"}
	}
	return nil
}

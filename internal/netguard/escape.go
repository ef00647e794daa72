package netguard

import "strings"

// canonicalTail makes a path and query that can be sent as they are: at least
// "/", with every byte encoded that may not stand there (RFC 3986), and nothing
// else changed. Brackets stay, as receivers expect them in queries like ?a[]=1.
func canonicalTail(tail string) (string, error) {
	path, query, _ := strings.Cut(tail, "?")
	if path == "" {
		path = "/"
	}
	if query != "" {
		path += "?" + query
	}
	return escape(path)
}

func escape(s string) (string, error) {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%' && !isEncoded(s[i:]):
			return "", &URLError{CodeSyntax, "a % must be followed by two hex digits: write % itself as %25"}
		case c == '%' || mayStand(c):
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String(), nil
}

func isEncoded(s string) bool { return len(s) >= 3 && isHex(s[1]) && isHex(s[2]) }

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// mayStand reports whether c may stand in a path or query unencoded.
func mayStand(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("-._~!$&'()*+,;=:@/?[]", c) >= 0
}

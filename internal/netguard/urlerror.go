package netguard

// Code says in one word why a URL is refused. It is part of the API.
type Code string

// The codes of a URLError.
const (
	CodeTooLong        Code = "too_long"        // more than MaxURLBytes
	CodeSyntax         Code = "syntax"          // not a URL
	CodeScheme         Code = "scheme"          // not https, or http where it is not allowed
	CodeNoHost         Code = "no_host"         // nothing to connect to
	CodeUserinfo       Code = "userinfo"        // user:password@
	CodeFragment       Code = "fragment"        // #fragment
	CodePort           Code = "port"            // not a number of 1 to 65535
	CodeBlockedPort    Code = "blocked_port"    // a port that is not called
	CodeHost           Code = "host"            // not a host name
	CodeZone           Code = "zone"            // an IPv6 address with a zone
	CodeNumericHost    Code = "numeric_host"    // a number that some resolvers take for an address
	CodePrivateName    Code = "private_name"    // localhost, a bare or a local name
	CodeBlockedAddress Code = "blocked_address" // an address that is not called
)

// URLError says why a URL is refused and what to do about it.
type URLError struct {
	Code   Code
	Reason string // a sentence for the person who wrote the URL
}

func (e *URLError) Error() string { return "url: " + e.Reason }

// Is makes errors.Is(err, ErrBlocked) true for a URL that is well formed but
// leads where no request may go.
func (e *URLError) Is(target error) bool {
	if target != ErrBlocked {
		return false
	}
	return e.Code == CodeBlockedAddress || e.Code == CodeBlockedPort || e.Code == CodePrivateName
}

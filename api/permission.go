package api

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"posthaste/event"
)

// checkAddress refuses a key that may not be used from where the request came from.
// remote is the peer of the connection: what headers say of others before it is not
// believed.
func checkAddress(g *event.Grant, remote string) error {
	if g.AllowFrom == nil {
		return nil
	}
	addr, ok := addressOf(remote)
	if ok && g.From(addr) {
		return nil
	}
	shown := "an address that is not known"
	if ok {
		shown = addr.String()
	}
	return &httpError{http.StatusForbidden, "this key may not be used from " + shown}
}

// addressOf reads the address of a peer, with its port or without.
func addressOf(remote string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(remote); err == nil {
		return ap.Addr().WithZone("").Unmap(), true
	}
	addr, err := netip.ParseAddr(remote)
	return addr.WithZone("").Unmap(), err == nil
}

// readersPosts are the ends of the patterns of requests that change nothing, though
// their method is that of a change: they try something out that comes with them.
var readersPosts = []string{"/test_filter", "/test_function", "/filters/test/{eventType}"}

// handingOut are the patterns of requests whose answer holds a portal link's token. Its
// bearer reads and may make changes, so who asks must be allowed to do both.
var handingOut = []string{
	"POST " + inProject + "/portal-links",
	"PUT " + inLink,
	"GET " + inLink + "/refresh_token",
}

// scopeFor is what a key needs to be allowed to use a route.
func scopeFor(pattern string) event.Scope {
	if slices.Contains(handingOut, pattern) {
		return event.ScopeRead | event.ScopeManage
	}
	reads := strings.HasPrefix(pattern, "GET ")
	for _, end := range readersPosts {
		reads = reads || strings.HasSuffix(pattern, end)
	}
	if reads {
		return event.ScopeRead
	}
	return event.ScopeManage
}

// checkScope refuses a key that may not do what a route does.
func checkScope(has event.Scope, rt *route) error {
	needs := scopeFor(rt.pattern)
	if has.Has(needs) {
		return nil
	}
	name := (needs &^ has).Names()[0]
	return &httpError{http.StatusForbidden, fmt.Sprintf("this key may not %s; it needs the scope %q", name, name)}
}

// Package netguard decides what an outgoing request may reach. The URLs that
// posthaste calls are written by its users' customers, so any of them may point
// at the machine itself, at its private network or at a cloud's metadata service.
//
// Two checks stand one behind the other:
//
//	CanonicalURL   when a URL is stored: refuses what is plainly wrong, and says why
//	Dialer         when a connection is made: checks every resolved address just
//	               before connect(2), so that no name can lead past it
//
// Only the last can be trusted, since a name may resolve to something else
// each time. The first is there to tell people early.
//
// Nothing in the environment names a proxy: HTTP_PROXY and its like are not read. A
// Proxy that the operator configures gets addresses that were resolved and checked
// here, unless it is to resolve names itself; then it has to check them, too.
package netguard

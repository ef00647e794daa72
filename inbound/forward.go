package inbound

import (
	"slices"
	"strings"

	"posthaste/event"
)

// headerSourceID tells receivers which source an event came in through.
const headerSourceID = "X-Convoy-Source-Id"

// forwarded lists the headers that travel with the event: those of the request that
// the source names, and the source's id.
func (r *request) forwarded() ([]event.Header, *refusal) {
	headers, size := r.plan.headers[:len(r.plan.headers):len(r.plan.headers)], 0
	for _, name := range r.plan.forward {
		values := r.head.PeekAll(name)
		if len(values) == 0 {
			continue
		}
		value := string(join(values, ", "))
		if !carriable(value) {
			return nil, malformed("the header %s has a control character, and is to be passed on", name)
		}
		if size += len(name) + len(value); size > event.MaxHeaderBytes {
			return nil, malformed("headers: at most %d bytes, names and values together, are passed on", event.MaxHeaderBytes)
		}
		headers = append(headers, event.Header{Name: name, Value: value})
	}
	return headers, nil
}

// carriable reports whether a header can have the value (RFC 9110, 5.5).
func carriable(value string) bool {
	return !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}

var (
	reservedPrefixes = []string{"Webhook-", "Posthaste-", "Proxy-"}
	// Beside what ingest reserves: what describes the body as it came in, which is not
	// the body that goes out.
	reservedNames = []string{
		"Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Expect", "Te", "Trailer", "Upgrade",
		"Cookie", "X-Convoy-Signature", "Convoy-Timestamp", "Content-Type", "Content-Encoding", headerSourceID,
	}
)

// reserved reports whether a header of this name, in canonical case, is never passed
// on.
func reserved(name string) bool {
	return slices.Contains(reservedNames, name) ||
		slices.ContainsFunc(reservedPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

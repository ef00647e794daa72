package sender

import (
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"posthaste/event"
)

// ours are the names that only posthaste writes: its own headers and those that
// frame a request. An event's headers never have them.
var ours = []string{
	"Host", "User-Agent", "Content-Type", "Content-Length", "Accept-Encoding", stampName,
	"Connection", "Keep-Alive", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Expect",
	"Proxy-Connection", "HTTP2-Settings",
}

// secret are the names whose values are not recorded, whoever sent them.
var secret = []string{"Authorization", "Proxy-Authorization", "Cookie"}

func has(names []string, name string) bool {
	for _, n := range names {
		if len(n) == len(name) && strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// taken reports whether a header of this name is sent, or must not be.
func (c *client) taken(name string) bool { return has(ours, name) || has(c.reserved, name) }

// writeHead makes the request's head in x.out and records its headers.
//
//	client.head            request line, Host, User-Agent, Content-Type, endpoint's auth
//	<n> CRLF               the value of Content-Length
//	signature              and Convoy-Timestamp, if one is signed
//	idempotency key        if the event has one
//	event and delivery id  if the project asks for them
//	the event's headers    whose names are not taken yet
//	CRLF
func (x *exchange) writeHead(c *client, d *event.Delivery, ev *event.Event) {
	b := append(x.out[:0], c.head...)
	b = strconv.AppendInt(b, int64(len(x.body)), 10)
	b = append(b, "\r\n"...)
	b = x.appendSignature(b, c)
	if keyed(ev) {
		b = append(b, c.idempotency...)
		b = append(b, ev.IdempotencyKey...)
		b = append(b, "\r\n"...)
	}
	if c.trace {
		b = appendIDs(b, ev.ID, d.ID)
	}
	a := x.attempt
	a.RequestHeaders = append(append(a.RequestHeaders[:0], c.shown...), b[len(c.head):]...)
	for i := range ev.Headers {
		if h := &ev.Headers[i]; c.takes(ev, i) {
			b = appendHeader(b, h.Name, h.Value)
			a.RequestHeaders = appendHeader(a.RequestHeaders, h.Name, shownValue(h))
		}
	}
	x.out = append(b, "\r\n"...)
}

func (x *exchange) appendSignature(b []byte, c *client) []byte {
	now := x.attempt.StartedAt
	signer := c.endpoint.Signer(c.project)
	b = append(b, c.signature...)
	b = signer.Append(b, now, x.body)
	b = append(b, "\r\n"...)
	if !signer.Timestamped() {
		return b
	}
	b = append(b, stampName+": "...)
	b = strconv.AppendInt(b, now.Unix(), 10)
	return append(b, "\r\n"...)
}

func appendIDs(b []byte, ev, delivery event.ID) []byte {
	b = append(b, eventIDName+": "...)
	b = event.AppendID(b, ev)
	b = append(b, "\r\n"+deliveryName+": "...)
	b = event.AppendID(b, delivery)
	return append(b, "\r\n"...)
}

func appendHeader(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

// keyed reports whether the idempotency header is sent. A key that cannot be a
// header's value stays at home.
func keyed(ev *event.Event) bool {
	return ev.IdempotencyKey != "" && httpguts.ValidHeaderFieldValue(ev.IdempotencyKey)
}

// takes reports whether the event's i-th header is sent: its name is valid and
// not taken, neither by us nor by one before it, and its value breaks nothing.
func (c *client) takes(ev *event.Event, i int) bool {
	h := &ev.Headers[i]
	if !httpguts.ValidHeaderFieldName(h.Name) || !httpguts.ValidHeaderFieldValue(h.Value) || c.taken(h.Name) {
		return false
	}
	if keyed(ev) && strings.EqualFold(h.Name, c.idempotency[:len(c.idempotency)-2]) {
		return false
	}
	for j := range i {
		if strings.EqualFold(ev.Headers[j].Name, h.Name) {
			return false
		}
	}
	return true
}

func shownValue(h *event.Header) string {
	if has(secret, h.Name) {
		return masked
	}
	return h.Value
}

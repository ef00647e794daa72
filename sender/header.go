package sender

import (
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"posthaste/event"
	"posthaste/sig"
)

// ours are the names that only posthaste writes: its own headers and those that
// frame a request. Custom headers never have them, but for User-Agent, see compose.
var ours = []string{
	"Host", userAgent, "Content-Type", "Content-Length", "Accept-Encoding", stampName, replayName,
	"Connection", "Keep-Alive", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Expect",
	"Proxy-Connection", "HTTP2-Settings", webhookID, webhookTimestamp, webhookSignature,
}

// secret are the names whose values are not recorded, whoever sent them.
var secret = []string{authorization, "Proxy-Authorization", "Cookie", "X-Api-Key", "Api-Key", "X-Auth-Token", "X-Access-Token"}

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
//	client.head            request line, Host, User-Agent, Content-Type, the endpoint's
//	                       authentication and custom headers, see compose
//	<n> CRLF               the value of Content-Length
//	signature              Convoy's, and Convoy-Timestamp if one is signed; or the three
//	                       headers of Standard Webhooks
//	idempotency key        if the event has one
//	event and delivery id  if the project asks for them
//	Posthaste-Replay       of a replayed event
//	Authorization          if it is a token
//	the event's headers    whose names are not taken yet
//	CRLF
func (x *exchange) writeHead(c *client, d *event.Delivery, ev *event.Event) {
	b, record := c.begin(x.out[:0], x.attempt.RequestHeaders[:0], ev)
	fixed := len(b)
	b = strconv.AppendInt(b, int64(len(x.body)), 10)
	b = append(b, "\r\n"...)
	b = x.appendSignature(b, c, ev)
	if keyed(ev) {
		b = append(b, c.idempotency...)
		b = append(b, ev.IdempotencyKey...)
		b = append(b, "\r\n"...)
	}
	if c.trace {
		b = appendIDs(b, ev.PublicID(), d.ID)
	}
	if ev.Origin == event.Replayed {
		b = append(b, replayName+": true\r\n"...)
	}
	record = append(record, b[fixed:]...)
	if x.token != "" {
		b = appendHeader(b, authorization, x.token)
		record = appendHeader(record, authorization, masked)
	}
	for i := range ev.Headers {
		if h := &ev.Headers[i]; c.takes(ev, i) {
			b = appendHeader(b, h.Name, h.Value)
			record = appendHeader(record, h.Name, shownValue(h))
		}
	}
	x.out, x.attempt.RequestHeaders = append(b, "\r\n"...), record
}

// appendSignature signs the body that is sent, as of now.
func (x *exchange) appendSignature(b []byte, c *client, ev *event.Event) []byte {
	now := x.begun
	if standard := c.endpoint.Standard(); standard != nil {
		return x.appendStandard(b, standard, ev.PublicID())
	}
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

func (x *exchange) appendStandard(b []byte, s *sig.Standard, id event.ID) []byte {
	b = append(b, webhookID+": "...)
	from := len(b)
	b = event.AppendID(b, id)
	text := string(b[from:])
	b = append(b, "\r\n"+webhookTimestamp+": "...)
	b = strconv.AppendInt(b, x.begun.Unix(), 10)
	b = append(b, "\r\n"+webhookSignature+": "...)
	b = s.Append(b, text, x.begun, x.body)
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
	if !sendable(h) || c.taken(h.Name) {
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

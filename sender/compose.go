package sender

import (
	"strings"

	"golang.org/x/net/http/httpguts"

	"posthaste/event"
)

const userAgent = "User-Agent"

// span is a part of a byte slice; an empty one is none.
type span struct{ from, to int }

// composer builds the part of a request that is the same for every attempt, and the
// text of it that is recorded.
type composer struct {
	c           *client
	head, shown []byte
}

func (m *composer) add(name, value string) {
	m.head = appendHeader(m.head, name, value)
	m.shown = appendHeader(m.shown, name, value)
}

func (m *composer) addMasked(name, value string) {
	m.head = appendHeader(m.head, name, value)
	m.shown = appendHeader(m.shown, name, masked)
}

// compose builds head and shown. A name that is in them is reserved, so that an
// event's own headers do not have it:
//
//	request line, Host
//	User-Agent        the endpoint's own, or ours; an event may replace ours
//	Content-Type
//	authentication    but for a token
//	custom headers    of the endpoint, whose names are not taken yet
func (c *client) compose(host, path, agent string) error {
	m := composer{c: c, head: []byte("POST " + path + " HTTP/1.1\r\n")}
	m.add("Host", host)
	m.addAgent(agent)
	m.add("Content-Type", c.contentType())
	name, value, err := c.authHeader()
	if err != nil {
		return err
	}
	if value != "" {
		m.addMasked(name, value)
	}
	if name != "" {
		c.reserved = append(c.reserved, name)
	}
	m.addCustom()
	c.head = append(m.head, "Content-Length: "...)
	c.shown = append(m.shown, "Content-Length: "...)
	return nil
}

func (c *client) contentType() string {
	if c.form {
		return formType
	}
	return jsonType
}

// addAgent writes the User-Agent, and notes where ours stands.
func (m *composer) addAgent(ours string) {
	custom := m.c.endpoint.CustomHeaders
	for i := range custom {
		if h := &custom[i]; isAgent(h) {
			m.add(h.Name, h.Value)
			return
		}
	}
	head, shown := len(m.head), len(m.shown)
	m.add(userAgent, ours)
	m.c.agentInHead, m.c.agentInShown = span{head, len(m.head)}, span{shown, len(m.shown)}
}

// addCustom writes the endpoint's custom headers. A value that its name says is secret is
// sealed in the catalog, and not to be read in an attempt's record either.
func (m *composer) addCustom() {
	c := m.c
	for i := range c.endpoint.CustomHeaders {
		h := &c.endpoint.CustomHeaders[i]
		if !sendable(h) || c.taken(h.Name) || strings.EqualFold(h.Name, c.idempotency[:len(c.idempotency)-2]) {
			continue
		}
		if event.SecretHeader(h.Name) {
			m.addMasked(h.Name, h.Value)
		} else {
			m.add(h.Name, h.Value)
		}
		c.reserved = append(c.reserved, h.Name)
	}
}

// sendable reports whether h breaks nothing.
func sendable(h *event.Header) bool {
	return httpguts.ValidHeaderFieldName(h.Name) && httpguts.ValidHeaderFieldValue(h.Value)
}

func isAgent(h *event.Header) bool {
	return len(h.Name) == len(userAgent) && strings.EqualFold(h.Name, userAgent) && httpguts.ValidHeaderFieldValue(h.Value)
}

// agentOf is the User-Agent that an event asks for; nil if ours, or the endpoint's
// own, is sent.
func (c *client) agentOf(ev *event.Event) *event.Header {
	if c.agentInHead == (span{}) {
		return nil
	}
	for i := range ev.Headers {
		if h := &ev.Headers[i]; isAgent(h) {
			return h
		}
	}
	return nil
}

// begin appends head to the request and shown to its record.
func (c *client) begin(out, record []byte, ev *event.Event) ([]byte, []byte) {
	agent := c.agentOf(ev)
	if agent == nil {
		return append(out, c.head...), append(record, c.shown...)
	}
	return spliceHeader(out, c.head, c.agentInHead, agent), spliceHeader(record, c.shown, c.agentInShown, agent)
}

// spliceHeader appends text with h in the place of what is at.
func spliceHeader(dst, text []byte, at span, h *event.Header) []byte {
	dst = append(dst, text[:at.from]...)
	dst = appendHeader(dst, h.Name, h.Value)
	return append(dst, text[at.to:]...)
}

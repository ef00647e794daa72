package sender

import (
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"

	"posthaste/catalog"
	"posthaste/event"
)

const (
	formType     = "application/x-www-form-urlencoded"
	jsonType     = "application/json"
	masked       = "********" // stands for a secret in the record
	eventIDName  = "X-Convoy-Event-ID"
	deliveryName = "X-Convoy-EventDelivery-ID"
	stampName    = "Convoy-Timestamp"
)

// client is all that is the same for every attempt to one endpoint, computed
// once. Apart from its time of use it never changes: a change of the endpoint or
// of its project makes another one.
type client struct {
	endpoint *catalog.Endpoint
	project  *catalog.Project
	target   *target
	refused  error // why this endpoint is not called at all

	head  []byte // the request up to and with "Content-Length: "
	shown []byte // head as it is recorded: no request line, no secret

	signature   string   // the signature header's name, with ": "
	idempotency string   // likewise
	reserved    []string // names beside ours that an event's own headers cannot have
	form        bool
	trace       bool

	used atomic.Int64 // Unix seconds of the last attempt
}

// newClient compiles an endpoint. A target that serves it already is kept.
func newClient(p *catalog.Project, ep *catalog.Endpoint, old *target, o *Options, d *dialer) *client {
	c := &client{
		endpoint: ep,
		project:  p,
		form:     strings.EqualFold(ep.ContentType, formType),
		trace:    p.Config.AddEventIDTraceHeaders,
	}
	raw, u, err := checkedURL(ep.URL, o)
	if err != nil {
		c.refused = err
		return c
	}
	if c.target = old; old == nil || !old.same(u) {
		c.target = newTarget(u, o, d)
	}
	c.name()
	c.compose(u.Host, requestTarget(raw), o.UserAgent)
	return c
}

// checkedURL asks the URL policy again: it may have changed since the endpoint
// was made. The text it returns is canonical.
func checkedURL(raw string, o *Options) (string, *url.URL, error) {
	canonical, err := o.Guard.CanonicalURL(raw)
	if err != nil {
		return "", nil, err
	}
	u, err := url.Parse(canonical)
	return canonical, u, err
}

// requestTarget is path and query of a canonical URL, byte for byte.
func requestTarget(canonical string) string {
	_, rest, _ := strings.Cut(canonical, "://")
	return rest[strings.IndexByte(rest, '/'):]
}

// name settles the names of the headers whose values change.
func (c *client) name() {
	signature := headerName(c.project.Config.Signature.Header, "X-Convoy-Signature")
	c.signature = signature + ": "
	c.idempotency = headerName(c.project.Config.RequestIDHeader, "X-Convoy-Idempotency-Key") + ": "
	c.reserved = append(c.reserved, signature)
	if c.trace {
		c.reserved = append(c.reserved, eventIDName, deliveryName)
	}
}

// headerName is the configured name, in the letter case that was chosen.
func headerName(configured, def string) string {
	if !httpguts.ValidHeaderFieldName(configured) {
		return def
	}
	return configured
}

// compose builds head and shown, and reserves the name of the auth header.
func (c *client) compose(host, path, userAgent string) {
	contentType := jsonType
	if c.form {
		contentType = formType
	}
	line := "POST " + path + " HTTP/1.1\r\n"
	fixed := "Host: " + host + "\r\nUser-Agent: " + userAgent + "\r\nContent-Type: " + contentType + "\r\n"
	head, shown := line+fixed, fixed
	if name, value, ok := c.authHeader(); ok {
		head += name + ": " + value + "\r\n"
		shown += name + ": " + masked + "\r\n"
		c.reserved = append(c.reserved, name)
	}
	c.head = []byte(head + "Content-Length: ")
	c.shown = []byte(shown + "Content-Length: ")
}

// authHeader is the header that the endpoint's owner asks for. One that would
// take the place of a header of ours, or break the request, is left out; the API
// refuses those.
func (c *client) authHeader() (name, value string, ok bool) {
	a := c.endpoint.Authentication
	if a == nil || a.APIKey == nil {
		return "", "", false
	}
	name, value = a.APIKey.HeaderName, a.APIKey.HeaderValue
	ok = httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(value) && !c.taken(name)
	return name, value, ok
}

// fits reports whether the client serves an attempt with these two values: it
// was made from them, or from newer ones.
func (c *client) fits(p *catalog.Project, ep *catalog.Endpoint) bool {
	return (c.endpoint == ep || c.endpoint.UpdatedAt.After(ep.UpdatedAt)) &&
		(c.project == p || c.project.UpdatedAt.After(p.UpdatedAt))
}

// touch notes that the client is used.
func (c *client) touch(now time.Time) {
	if s := now.Unix(); c.used.Load() != s {
		c.used.Store(s)
	}
}

// body is what is sent, and signed, for ev.
func (c *client) body(ev *event.Event) ([]byte, error) {
	if c.form {
		return formBody(ev.Data)
	}
	return ev.Data, nil
}

package sender

import (
	"errors"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/internal/netguard"
)

const (
	formType     = "application/x-www-form-urlencoded"
	jsonType     = "application/json"
	masked       = "********" // stands for a secret in the record
	eventIDName  = "X-Convoy-Event-ID"
	deliveryName = "X-Convoy-EventDelivery-ID"
	stampName    = "Convoy-Timestamp"
	replayName   = "Posthaste-Replay"

	// The names of Standard Webhooks.
	webhookID        = "webhook-id"
	webhookTimestamp = "webhook-timestamp"
	webhookSignature = "webhook-signature"
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
	// where our User-Agent stands in them; zero if the endpoint has its own
	agentInHead, agentInShown span

	oauth       *event.OAuth2Auth // where its token comes from; nil for none
	signature   string            // the signature header's name, with ": "
	idempotency string            // likewise
	reserved    []string          // names beside ours that are taken
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
	raw, u, err := checkedURL(ep.URL, o.Guard)
	if err != nil {
		c.refused = err
		return c
	}
	id, conns := identityOf(ep), max(o.MaxConnsPerEndpoint, ep.MaxConcurrency)
	if id.shows() && u.Scheme != "https" {
		c.refused = &authError{"the endpoint's mtls_client_cert", errors.New("its URL is not https, so no certificate can be shown")}
		return c
	}
	if c.target = old; old == nil || !old.same(u, id, conns) {
		c.target = newTarget(u, id, conns, o, d)
		c.target.endpoint = ep.ID
	}
	c.name()
	c.refused = c.compose(u.Host, requestTarget(raw), o.UserAgent)
	return c
}

// checkedURL asks the URL policy again: it may have changed since the endpoint
// was made. The text it returns is canonical.
func checkedURL(raw string, guard *netguard.Policy) (string, *url.URL, error) {
	canonical, err := guard.CanonicalURL(raw)
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

// fits reports whether the client serves an attempt with these two values: it
// was made from them, or from newer ones.
func (c *client) fits(p *catalog.Project, ep *catalog.Endpoint) bool {
	return (c.endpoint == ep || c.endpoint.UpdatedAt > ep.UpdatedAt) &&
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

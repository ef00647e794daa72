package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"posthaste/client"
)

// endpoint is one as the API tells of it.
type endpoint struct {
	ID                string    `json:"uid"`
	Name              string    `json:"name"`
	URL               string    `json:"url"`
	OwnerID           string    `json:"owner_id"`
	Description       string    `json:"description"`
	Status            string    `json:"status"`
	HTTPTimeout       int       `json:"http_timeout"`
	RateLimit         int       `json:"rate_limit"`
	RateLimitDuration int       `json:"rate_limit_duration"`
	MaxConcurrency    int       `json:"max_concurrency"`
	ContentType       string    `json:"content_type"`
	SignatureMode     string    `json:"signature_mode"`
	Advanced          bool      `json:"advanced_signatures"`
	Secrets           []secret  `json:"secrets"`
	CreatedAt         time.Time `json:"created_at"`
	CBState           string    `json:"cb_state"`
	Failures          int       `json:"consecutive_failures"`
	Warnings          []string  `json:"warnings"`
	Authentication    *struct {
		Type string `json:"type"`
	} `json:"authentication"`
	ClientCertExpiresAt *time.Time        `json:"client_cert_expires_at"`
	CustomHeaders       map[string]string `json:"custom_headers"`
	Strategy            *struct {
		Type       string `json:"type"`
		Duration   int    `json:"duration"`
		RetryCount int    `json:"retry_count"`
	} `json:"strategy"`
	StatusHistory []struct {
		From   string    `json:"from"`
		To     string    `json:"to"`
		Reason string    `json:"reason"`
		At     time.Time `json:"at"`
	} `json:"status_history"`
	SupportEmail    string `json:"support_email"`
	SlackWebhookURL string `json:"slack_webhook_url"`
	TeamsWebhookURL string `json:"teams_webhook_url"`
	CACert          string `json:"ca_cert"`
}

// endpoint reads one.
func (v *visit) endpoint(ctx context.Context, id string) (endpoint, error) {
	return masked[endpoint](ctx, v, "/endpoints/"+url.PathEscape(id))
}

// secret is a signing secret, masked.
type secret struct {
	ID        string     `json:"uid"`
	Print     string     `json:"print"` // to compare it without seeing it
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
}

// Authenticated is how, for the settings.
func (e endpoint) Authenticated() string {
	if e.Authentication == nil || e.Authentication.Type == "" {
		return ""
	}
	return strings.ReplaceAll(e.Authentication.Type, "_", " ")
}

// CertificateLeft is how long its client certificate is good for; "" if it has none.
func (v *endpointView) CertificateLeft() string {
	end := v.E.ClientCertExpiresAt
	switch {
	case end == nil:
		return ""
	case end.Before(v.Now):
		return "has ended"
	}
	return "ends in " + short(end.Sub(v.Now))
}

// Limit is the rate limit in words.
func (e endpoint) Limit() string {
	if e.RateLimit == 0 {
		return "none"
	}
	if e.RateLimitDuration == 1 {
		return number(e.RateLimit) + " per second"
	}
	return number(e.RateLimit) + " in " + short(time.Duration(e.RateLimitDuration)*time.Second)
}

// maxEndpoints is how many a page of endpoints has.
const maxEndpoints = 200

// endpoints lists endpoints, and says where the list goes on.
func (v *visit) endpoints(ctx context.Context, query url.Values) ([]endpoint, client.Pagination, error) {
	q := url.Values{"perPage": {strconv.Itoa(maxEndpoints)}}
	for name, values := range query {
		q[name] = values
	}
	return list[endpoint](ctx, v, "/endpoints", q)
}

// endpointsWith lists the newest endpoints and, wherever it is in the list, the one with
// this id: what a choice of endpoints offers.
func (v *visit) endpointsWith(ctx context.Context, id string) ([]endpoint, error) {
	all, _, err := v.endpoints(ctx, nil)
	if err != nil || id == "" || slices.ContainsFunc(all, func(e endpoint) bool { return e.ID == id }) {
		return all, err
	}
	e, err := v.endpoint(ctx, id)
	if code := codeOf(err); code == http.StatusNotFound || code == http.StatusBadRequest {
		return all, nil // it is gone, or was never there
	}
	return append(all, e), err
}

// list reads one page of a listing.
func list[T any](ctx context.Context, v *visit, path string, query url.Values) ([]T, client.Pagination, error) {
	a, err := v.backend.Do(ctx, client.Request{Method: http.MethodGet, Path: v.api + path, Query: query})
	if err != nil {
		return nil, client.Pagination{}, err
	}
	var data struct {
		Content    []T               `json:"content"`
		Pagination client.Pagination `json:"pagination"`
	}
	if len(a.Data) > 0 && a.Data[0] == '[' {
		err = a.Into(&data.Content)
	} else {
		err = a.Into(&data)
	}
	return data.Content, data.Pagination, err
}

// get reads one object.
func get[T any](ctx context.Context, v *visit, path string) (T, error) {
	return getBy[T](ctx, v, path, nil)
}

// masked reads one object without its secrets. Pages have them only once somebody asks,
// see reveal and showPortalLink: so the audit log tells of those that were seen.
func masked[T any](ctx context.Context, v *visit, path string) (T, error) {
	return getBy[T](ctx, v, path, url.Values{"masked": {"true"}})
}

func getBy[T any](ctx context.Context, v *visit, path string, query url.Values) (T, error) {
	var out T
	a, err := v.backend.Do(ctx, client.Request{Method: http.MethodGet, Path: v.api + path, Query: query})
	if err == nil {
		err = a.Into(&out)
	}
	return out, err
}

// change sends a change.
func (v *visit) change(ctx context.Context, method, path string, query url.Values, body any) (*client.Answer, error) {
	return v.backend.Do(ctx, client.Request{Method: method, Path: v.api + path, Query: query, Body: body})
}

// endpointView is one endpoint's page.
type endpointView struct {
	E        endpoint
	W        window
	Windows  []window
	Total    counts
	Charts   []*chart
	Recent   []delivery
	Reasons  []reason
	Events   []string // types that its subscriptions take
	Subs     []subscription
	Audit    []auditRow
	Query    string
	Now      time.Time
	Waiting  int64
	Missed   *missed // what it can be sent still; nil if there is nothing
	Problem  string  // what a change was refused for
	Revealed string
}

// TestType is the type that a test event has at first: one that a subscription names.
func (d *endpointView) TestType() string {
	for _, t := range d.Events {
		if !strings.Contains(t, "*") {
			return t
		}
	}
	return ""
}

func (c *Console) endpointPage(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "endpoints", "Endpoint")
	win := windowOf(r, c.o.Now(), "24h")
	d, err := v.endpointView(r.Context(), r.PathValue("id"), &win, p.Loc)
	if err == nil {
		err = d.addOwed(r.Context(), v, c.o.Now())
	}
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	p.Title, d.Now = d.E.Name, c.o.Now()
	p.D = d
	c.render(w, r, "endpoint.html", p)
}

func (v *visit) endpointView(ctx context.Context, id string, win *window, loc *time.Location) (*endpointView, error) {
	e, err := v.endpoint(ctx, id)
	if err != nil {
		return nil, err
	}
	of := url.Values{"endpointId": {e.ID}}
	s, err := v.statistics(ctx, win, of)
	if err != nil {
		return nil, err
	}
	d := &endpointView{E: e, W: *win, Windows: windows, Total: s.Total, Reasons: s.Total.Reasons()}
	d.Query = v.base + "/deliveries?endpoint=" + e.ID + "&" + win.Params()
	d.Charts = s.charts(win, loc, v.base+"/deliveries?endpoint="+e.ID)[:3]
	of.Set("perPage", "8")
	if d.Recent, _, err = list[delivery](ctx, v, "/eventdeliveries", of); err != nil {
		return nil, err
	}
	if d.Subs, _, err = list[subscription](ctx, v, "/subscriptions", url.Values{"endpointId": {e.ID}, "perPage": {"50"}}); err != nil {
		return nil, err
	}
	for _, sub := range d.Subs {
		d.Events = append(d.Events, sub.Filter.EventTypes...)
	}
	if !v.portal {
		d.Audit = v.auditOf(ctx, e.ID, nil)
	}
	return d, nil
}

package console_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"posthaste/console"
)

// planted is in everything that owner A must not see.
const planted = "PLANTED"

// party is an owner's endpoint and what belongs to it.
type party struct {
	project, key                                          string
	endpoint, secret, event, delivery, attempt, job, subs string
	all                                                   []string
}

// party makes an endpoint with a delivery that failed and one that arrived, and a job.
func (w *world) party(project, key, owner, mark string) *party {
	w.t.Helper()
	p := &party{project: project, key: key}
	e := w.call(key, "POST", project+"/endpoints", object{"name": mark + "-name", "url": w.recv.URL + "/broken/" + mark + "-url", "owner_id": owner,
		"secret": mark + "-secret-of-some-length", "description": mark + "-description"})
	p.endpoint = uid(e)
	p.secret = uid(e["secrets"].([]any)[0].(object))
	p.subs = uid(w.call(key, "POST", project+"/subscriptions", object{"name": mark + "-subscription", "endpoint_id": p.endpoint, "filter_config": object{"event_types": []string{"*"}}}))
	p.event = uid(w.call(key, "POST", project+"/events", object{"endpoint_id": p.endpoint, "event_type": "order.paid", "idempotency_key": mark + "-key-" + owner, "data": object{"text": mark + "-data"}}))
	w.eventually("the delivery of "+mark+" fails", func() bool {
		for _, d := range w.rows(key, project+"/eventdeliveries?endpointId="+p.endpoint+"&status=Failure") {
			p.delivery = uid(d)
		}
		return p.delivery != ""
	})
	_, data := w.try(key, "GET", project+"/eventdeliveries/"+p.delivery+"/deliveryattempts", nil)
	p.attempt = data["is"].(string)
	_, p.attempt, _ = strings.Cut(p.attempt, `"uid":"`)
	p.attempt = p.attempt[:26]
	w.call(key, "POST", project+"/eventdeliveries/batchretry?status=Failure&endpointId="+p.endpoint, object{})
	jobs := w.rows(key, project+"/jobs")
	p.job = uid(jobs[0])
	w.eventually("the job of "+mark+" is done", func() bool {
		return w.call(key, "GET", project+"/jobs/"+p.job, nil)["ended_at"] != nil &&
			len(w.rows(key, project+"/eventdeliveries?endpointId="+p.endpoint+"&status=Failure")) == 1
	})
	p.all = []string{p.endpoint, p.secret, p.event, p.delivery, p.attempt, p.job, p.subs}
	return p
}

// state is what must not change of a party.
func (w *world) state(p *party) string {
	var s []any
	for _, path := range []string{"/endpoints/" + p.endpoint, "/eventdeliveries/" + p.delivery, "/jobs/" + p.job, "/subscriptions/" + p.subs, "/eventdeliveries?endpointId=" + p.endpoint} {
		s = append(s, w.call(p.key, "GET", p.project+path, nil))
	}
	_, attempts := w.try(p.key, "GET", p.project+"/eventdeliveries/"+p.delivery+"/deliveryattempts", nil)
	return fmt.Sprint(append(s, attempts)...)
}

// attack is how a route is asked for what belongs to another: with an id of p in its
// path, or, with own in the path, in a query and a form. refused says that every answer
// must be a refusal; a list may also answer with nothing.
type attack struct {
	id      func(p *party) string
	queries []func(p *party) url.Values
	refused bool
	stream  bool // it does not end: TestPortalStream and TestPortalAndConsoleStreams attack it
}

func by(name string, id func(p *party) string) func(p *party) url.Values {
	return func(p *party) url.Values { return url.Values{name: {id(p)}} }
}

var (
	ofDelivery = func(p *party) string { return p.delivery }
	ofEndpoint = func(p *party) string { return p.endpoint }
	ofSecret   = func(p *party) string { return p.secret }
	ofEvent    = func(p *party) string { return p.event }
	ofJob      = func(p *party) string { return p.job }
	text       = func(s string) func(*party) string { return func(*party) string { return s } }
)

// filters are all ways to ask a list for what belongs to another.
var filters = []func(p *party) url.Values{
	by("endpoint", ofEndpoint), by("event", ofEvent), by("q", ofDelivery), by("q", ofEvent), by("q", ofEndpoint), by("q", text(planted)), by("q", text("broken")),
	by("cursor", ofDelivery), by("type", text("order.paid")), by("status", text("Failure")), by("range", text("1y")), by("subscription", func(p *party) string { return p.subs }),
	by("owner", text("B")), by("ownerId", text("B")), by("projectID", func(p *party) string { return p.project }), by("rows", text("200")), by("format", text("csv")),
}

// attacks has a row for every route of the portal. A new one fails the test until it is
// here.
var attacks = map[string]attack{
	"GET /deliveries":              {queries: filters},
	"GET /deliveries/export":       {queries: filters},
	"GET /deliveries/stream":       {stream: true},
	"GET /deliveries/{id}":         {id: ofDelivery, queries: []func(*party) url.Values{by("attempt", text("1")), by("with", text("1")), by("computed", text("x"))}, refused: true},
	"GET /deliveries/{id}/body":    {id: ofDelivery, queries: []func(*party) url.Values{by("of", text("request")), by("of", text("response"))}, refused: true},
	"GET /deliveries/{id}/curl":    {id: ofDelivery, refused: true},
	"POST /deliveries/{id}/curl":   {id: ofDelivery, refused: true},
	"POST /deliveries/{id}/resend": {id: ofDelivery, refused: true},
	"POST /deliveries/resend":      {queries: []func(*party) url.Values{by("id", ofDelivery)}, refused: true},
	"GET /resend":                  {queries: filters},
	"POST /resend":                 {queries: []func(*party) url.Values{by("endpoint", ofEndpoint), by("event", ofEvent), by("q", text(planted))}},
	"GET /jobs/{id}":               {id: ofJob, refused: true},
	"POST /jobs/{id}/cancel":       {id: ofJob, refused: true},
	"GET /endpoints":               {queries: append(slices.Clone(filters), by("cursor", ofEndpoint))},
	"GET /new-endpoint":            {queries: filters[:1]},
	"POST /endpoints":              {queries: []func(*party) url.Values{by("owner_id", text("B")), by("uid", ofEndpoint)}},
	"GET /endpoints/{id}":          {id: ofEndpoint, queries: []func(*party) url.Values{by("range", text("30d"))}, refused: true},
	"GET /endpoints/{id}/edit":     {id: ofEndpoint, refused: true},
	"POST /endpoints/{id}/edit":    {id: ofEndpoint, queries: []func(*party) url.Values{by("name", text("mine")), by("owner_id", text("A"))}, refused: true},
	"GET /endpoints/{id}/setup":    {id: ofEndpoint, queries: []func(*party) url.Values{by("computed", text("x"))}, refused: true},
	"POST /endpoints/{id}/setup":   {id: ofEndpoint, queries: []func(*party) url.Values{by("data", text("{}"))}, refused: true},
	"POST /endpoints/{id}/state":   {id: ofEndpoint, queries: []func(*party) url.Values{by("to", text("paused"))}, refused: true},
	"POST /endpoints/{id}/reveal":  {id: ofEndpoint, queries: []func(*party) url.Values{by("secret", ofSecret)}, refused: true},
	"POST /endpoints/{id}/rotate":  {id: ofEndpoint, queries: []func(*party) url.Values{by("hours", text("0"))}, refused: true},
	"POST /endpoints/{id}/expire":  {id: ofEndpoint, queries: []func(*party) url.Values{by("secret", ofSecret)}, refused: true},
	"POST /endpoints/{id}/test":    {id: ofEndpoint, queries: []func(*party) url.Values{by("event_type", text("x"))}, refused: true},
	"GET /event-types":             {queries: filters[:1]},
	"GET /brand.css":               {},
	"GET /logo":                    {},
}

// TestPortalShowsNothingOfOthers: with owner A's session no page of the portal shows or
// changes anything that belongs to another owner, to nobody, or to another project.
func TestPortalShowsNothingOfOthers(t *testing.T) {
	w := newWorld(t)
	strategy := object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1}}
	project, key := w.project(strategy)
	other, otherKey := w.project(strategy)
	own := w.party(project, key, "A", "own")
	others := []*party{w.party(project, key, "B", planted), w.party(project, key, "", planted), w.party(other, otherKey, "A", planted)}
	link := w.call(key, "POST", project+"/portal-links", object{"name": planted + " link", "owner_id": "A", "can_manage_endpoint": true})
	w.call(key, "POST", project+"/portal-links", object{"name": planted + " link", "owner_id": "B", "can_manage_endpoint": true})
	r := w.reader()
	enter := func() { r.want(r.get("/portal?token="+url.QueryEscape(link["token"].(string))), 200, "own-name") }
	enter()
	var before []string
	for _, p := range others {
		before = append(before, w.state(p))
	}
	for _, route := range console.PortalRoutes() {
		a, known := attacks[route]
		if !known {
			t.Errorf("%s has no row in attacks: say how it could be asked for what belongs to another", route)
			continue
		}
		if a.stream {
			continue
		}
		for i, p := range others {
			w.attackRoute(r, route, a, own, p)
			if after := w.state(p); after != before[i] && !strings.HasPrefix(route, "GET") {
				t.Fatalf("%s changed what belongs to another:\n%s\n%s", route, before[i], after)
			}
		}
	}
	// What the attacks may have done to the own things does not matter, but the session
	// must have been one that sees something.
	r.want(r.get("/portal/endpoints/"+own.endpoint), 200, "own-name", "own-description")
	r.want(r.get("/portal/deliveries/"+own.delivery), 200, "own-data")
}

// attackRoute asks one route for what belongs to p.
func (w *world) attackRoute(r *reader, route string, a attack, own, p *party) {
	w.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	queries := a.queries
	if len(queries) == 0 {
		queries = []func(*party) url.Values{func(*party) url.Values { return nil }}
	}
	ids := []string{""}
	if a.id != nil {
		ids = append(slices.Clone(p.all), a.id(own)) // every id of the other's, and the own with what the query names
	}
	for _, id := range ids {
		if a.id != nil && id == "" {
			continue
		}
		for _, query := range queries {
			values := query(p)
			if id == a.idOf(own) && !strings.Contains(values.Encode(), p.secret) {
				continue // an own thing may be asked for
			}
			at := "/portal" + strings.Replace(path, "{id}", id, 1)
			var got shown
			if method == "GET" {
				got = r.get(at + "?" + values.Encode())
			} else {
				got = r.post(at+"?"+values.Encode(), values)
			}
			asked := id + " " + values.Encode()
			if a.refused && got.code != 404 && got.code != 403 {
				w.t.Errorf("%s with %s: %d, want 404 or 403", route, asked, got.code)
			}
			if got.code >= 500 {
				w.t.Errorf("%s with %s: %d\n%s", route, asked, got.code, got.text)
			}
			for _, mark := range append([]string{planted}, p.all...) {
				if strings.Contains(got.text, mark) && !strings.Contains(asked, mark) {
					i := strings.Index(got.text, mark)
					w.t.Errorf("%s with %s shows %s: …%s…", route, asked, mark, got.text[max(0, i-80):min(len(got.text), i+80)])
				}
			}
		}
	}
}

func (a attack) idOf(p *party) string {
	if a.id == nil {
		return "-"
	}
	return a.id(p)
}

package compat

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// paging walks listings to their end and back, and while rows arrive.
func (w *world) paging() {
	for i := range 7 {
		w.send(ask{op: "CreateEndpoint", body: object{"url": w.hook.URL + "/ok", "name": fmt.Sprint("paged ", i), "owner_id": "paged"}})
		w.send(ask{op: "CreateEndpointEvent", body: object{"endpoint_id": w.ids["endpointID"], "event_type": "paged", "data": i}})
	}
	for _, op := range []string{"GetEndpoints", "GetEventsPaged", "GetEventDeliveriesPaged", "GetSubscriptions", "GetMetaEventsPaged", "LoadSourcesPaged", "LoadPortalLinksPaged"} {
		for _, sort := range []string{"", "ASC", "DESC"} {
			w.walk(op, sort)
		}
	}
	w.arrivals()
}

// walk reads a listing three rows at a time, forwards and then backwards.
func (w *world) walk(op, sort string) {
	const about = "paging"
	whole := w.send(ask{op: op, query: "perPage=1000&sort=" + sort}).field("uid")
	size := 3
	if len(whole) < 4 {
		size = 1
	}
	query := fmt.Sprintf("perPage=%d&sort=%s", size, sort)
	var seen []string
	var last answer
	for cursor := ""; ; {
		last = w.send(ask{op: op, query: query + "&direction=next&next_page_cursor=" + cursor})
		page := last.field("uid")
		if cursor != "" && (len(page) == 0 || page[0] != cursor) {
			w.check(about, false, "%s %s: the page at cursor %s starts with %v; a next cursor is its first row", op, sort, cursor, page)
			return
		}
		w.check(about, len(page) == 0 || last.pick("pagination.prev_page_cursor") == page[0], "%s %s: prev_page_cursor is not the first row", op, sort)
		w.check(about, last.at("pagination.has_prev_page") == (cursor != ""), "%s %s: has_prev_page is %v at cursor %q", op, sort, last.at("pagination.has_prev_page"), cursor)
		w.check(about, fmt.Sprint(last.at("pagination.per_page")) == fmt.Sprint(size), "%s: per_page is %v, want %d", op, last.at("pagination.per_page"), size)
		seen = append(seen, page...)
		if last.at("pagination.has_next_page") != true || len(seen) > len(whole) {
			break
		}
		cursor = last.pick("pagination.next_page_cursor")
	}
	w.check(about, slices.Equal(seen, whole), "%s %s: page by page %d rows, at once %d, or in another order", op, sort, len(seen), len(whole))
	var back []string
	for cursor := last.pick("pagination.prev_page_cursor"); cursor != "" && len(back) <= len(whole); {
		page := w.send(ask{op: op, query: query + "&direction=prev&prev_page_cursor=" + cursor})
		back = append(page.field("uid"), back...)
		if page.at("pagination.has_prev_page") != true {
			break
		}
		cursor = page.pick("pagination.prev_page_cursor")
	}
	want := whole[:max(0, len(whole)-len(last.list()))]
	w.check(about, slices.Equal(back, want), "%s %s: backwards %d rows, want the %d in front of the last page", op, sort, len(back), len(want))
}

// arrivals pages through events while more come: no row is seen twice or left out.
func (w *world) arrivals() {
	const about = "paging while rows arrive"
	whole := w.send(ask{op: "GetEventsPaged", query: "perPage=1000"}).field("uid")
	var seen []string
	for cursor := ""; len(seen) <= len(whole); {
		page := w.send(ask{op: "GetEventsPaged", query: "perPage=2&next_page_cursor=" + cursor})
		seen = append(seen, page.field("uid")...)
		w.send(ask{op: "CreateEndpointEvent", body: object{"endpoint_id": w.ids["endpointID"], "event_type": "meanwhile", "data": 1}})
		if page.at("pagination.has_next_page") != true {
			break
		}
		cursor = page.pick("pagination.next_page_cursor")
	}
	w.check(about, slices.Equal(seen, whole), "%d rows, want the %d that there were", len(seen), len(whole))
}

// emptyQueries sends every parameter of every listing without a value, as Convoy's
// clients do, and the Go client's zero dates.
func (w *world) emptyQueries() {
	const about = "empty query values"
	for _, op := range operations {
		if op.Method != "GET" || len(op.Query) == 0 {
			continue
		}
		a := ask{op: op.ID}
		if op.ID == "GetProjects" {
			a.key = rootKey
		}
		plain := w.send(a)
		a.query = strings.Join(op.Query, "=&") + "="
		empty := w.send(a)
		w.check(about, empty.code == 200 && len(empty.list()) == len(plain.list()), "%s?%s: %d %s, %d rows; without %d rows", op.ID, a.query, empty.code, empty.message, len(empty.list()), len(plain.list()))
		a.query = strings.Replace(a.query, "perPage=", "perPage=0", 1)
		zero := w.send(a)
		w.check(about, zero.code == 200, "%s?perPage=0: %d %s", op.ID, zero.code, zero.message)
	}
}

// dates are read as Convoy reads them. An unset date of the Go client is the year 1,
// which Convoy takes as it stands and so finds nothing; here it is as if unset.
func (w *world) dates() {
	const about = "dates"
	now := time.Now().UTC()
	const layout = "2006-01-02T15:04:05"
	for query, some := range map[string]bool{
		"startDate=" + now.Add(-time.Hour).Format(layout) + "&endDate=" + now.Add(time.Hour).Format(layout): true,
		"startDate=" + now.Add(time.Hour).Format(layout):                                                    false,
		"endDate=" + now.Add(-time.Hour).Format(layout):                                                     false,
		"startDate=0001-01-01T00:00:00":                                                                     true,
		"startDate=0001-01-01T00:00:00&endDate=0001-01-01T00:00:00":                                         true,
	} {
		for _, op := range []string{"GetEventsPaged", "GetEventDeliveriesPaged", "GetMetaEventsPaged"} {
			got := w.send(ask{op: op, query: query})
			w.check(about, got.code == 200 && len(got.list()) > 0 == some, "%s?%s: %d %s, %d rows, want some: %v", op, query, got.code, got.message, len(got.list()), some)
		}
	}
	created := w.send(ask{op: "GetEndpoint"}).pick("created_at")
	_, err := time.Parse(time.RFC3339Nano, created)
	w.check(about, err == nil && strings.HasSuffix(created, "Z"), "created_at is %q, want RFC 3339 in UTC", created)
}

// versions sends the older X-Convoy-Version headers.
func (w *world) versions() {
	const about = "X-Convoy-Version"
	in := func(v string) map[string]string { return map[string]string{"X-Convoy-Version": v} }
	for _, v := range []string{"0001-01-01", "2024-01-01", "2024-04-01", "2025-11-24"} {
		got := w.send(ask{op: "GetEndpoint", header: in(v)})
		w.check(about, got.code == 200 && got.header.Get("X-Convoy-Version") == v, "%s: %d, answered in %q", v, got.code, got.header.Get("X-Convoy-Version"))
		_, text := got.at("http_timeout").(string)
		w.check(about, text == (v < "2024-01-01"), "%s: http_timeout is %v", v, got.at("http_timeout"))
		w.check(about, (got.at("target_url") != nil) == (v < "2024-04-01") && (got.at("url") == nil) == (v < "2024-04-01"), "%s: url %v, target_url %v", v, got.at("url"), got.at("target_url"))
		w.check(about, (got.at("title") != nil) == (v < "2024-04-01") && (got.at("name") == nil) == (v < "2024-04-01"), "%s: name %v, title %v", v, got.at("name"), got.at("title"))
		list := w.send(ask{op: "GetEndpoints", header: in(v)})
		w.check(about, (list.at("content.0.target_url") != nil) == (v < "2024-04-01"), "%s: a listing has url %v, target_url %v", v, list.at("content.0.url"), list.at("content.0.target_url"))
	}
	old := w.send(ask{op: "CreateEndpoint", header: in("0001-01-01"), body: object{"url": w.hook.URL + "/ok", "name": "of old", "http_timeout": "30s", "rate_limit_duration": "1m0s"}})
	w.check(about, old.code == 201 && old.pick("http_timeout") == "30s" && old.pick("rate_limit_duration") == "1m0s", "0001-01-01: %d %s, http_timeout %v, rate_limit_duration %v", old.code, old.message, old.at("http_timeout"), old.at("rate_limit_duration"))
	w.check(about, old.at("advanced_signatures") == false, "0001-01-01: advanced_signatures is %v, want false", old.at("advanced_signatures"))
	bad := w.send(ask{op: "GetEndpoint", header: in("yesterday")})
	w.check(about, bad.code == 400, "a version that is none: %d, want 400", bad.code)
	plain := w.send(ask{op: "GetEndpoint"})
	w.check(about, plain.header.Get("X-Convoy-Version") == "2025-11-24", "without a header it answers in %q", plain.header.Get("X-Convoy-Version"))
	id := w.request("GET", "/api/v1/projects/"+w.ids["projectID"], nil, "", map[string]string{"X-Request-Id": "mine-1"})
	w.check(about, id.header.Get("X-Request-Id") == "mine-1", "X-Request-Id is not echoed")
}

// olderClients does what the older Go client does: other methods, and "{}" as a text.
func (w *world) olderClients() {
	const about = "older Go clients"
	project := "/api/v1/projects/" + w.ids["projectID"]
	doomed := w.send(ask{op: "CreatePortalLink", body: object{"name": "doomed", "owner_id": "acme"}}).pick("uid")
	for _, c := range []struct {
		method, path string
		body         any
		code         int
	}{
		{"POST", "", object{"name": "renamed"}, 202},
		{"POST", "/sources/" + w.ids["sourceID"], w.bodies["UpdateSource"], 202},
		{"PUT", "/eventdeliveries/batchretry?status=Failure&startDate=0001-01-01T00:00:00&endDate=0001-01-01T00:00:00&eventId=", nil, 200},
		{"PUT", "/endpoints/" + w.ids["endpointID"] + "/pause", []byte(`"{}"`), 202},
		{"PUT", "/endpoints/" + w.ids["endpointID"] + "/pause", []byte(`"{}"`), 202},
		{"PUT", "/portal-links/" + doomed, []byte(`"{}"`), 200},
		{"GET", "/", nil, 200},
		{"GET", "/endpoints/", nil, 200},
	} {
		got := w.request(c.method, project+c.path, c.body, "", nil)
		w.check(about, got.code == c.code, "%s %s: %d %s, want %d", c.method, c.path, got.code, got.message, c.code)
	}
	got := w.send(ask{op: "GetPortalLink", path: map[string]string{"portalLinkID": doomed}})
	w.check(about, got.code == 404, "a link revoked by PUT on itself is answered with %d, want 404", got.code)
	w.applications()
}

// applications makes one with two endpoints, and posts an event for it.
func (w *world) applications() {
	const about = "applications"
	project := "/api/v1/projects/" + w.ids["projectID"]
	app := w.request("POST", project+"/applications", object{"name": "app"}, "", nil)
	w.check(about, app.code == 201 && app.pick("uid") != "", "create: %d %s", app.code, app.message)
	for _, name := range []string{"one", "two"} {
		made := w.request("POST", project+"/applications/"+app.pick("uid")+"/endpoints", object{"url": w.hook.URL + "/app/" + name, "description": name, "secret": "s", "events": []string{"*"}}, "", nil)
		w.check(about, made.code == 201, "an endpoint: %d %s", made.code, made.message)
	}
	got := w.send(ask{op: "CreateEndpointEvent", body: object{"app_id": app.pick("uid"), "event_type": "for.app", "data": 1}})
	w.check(about, got.code == 201, "an event for it: %d %s", got.code, got.message)
	w.check(about, eventually(patience, func() bool { return len(w.hook.at("/app/one")) == 1 && len(w.hook.at("/app/two")) == 1 }), "the event does not reach both endpoints")
	for _, path := range []string{project + "/applications", "/api/v1/applications", "/api/v1/groups"} {
		got := w.request("GET", path, nil, "", nil)
		w.check(about, got.code == 200 && len(got.list()) == 1, "GET %s: %d %s, %d rows", path, got.code, got.message, len(got.list()))
	}
}

// removals are last: they take away what the others work on.
func (w *world) removals() {
	for _, c := range []struct{ op, message, gone, code string }{
		{"DeleteFilter", "Filter deleted successfully", "GetFilter", ""},
		{"DeleteSubscription", "Subscription deleted successfully", "GetSubscription", ""},
		{"DeleteSource", "Source deleted successfully", "GetSource", ""},
		{"DeleteEndpoint", "Endpoint deleted successfully", "GetEndpoint", ""},
		{"DeleteProject", "Project deleted successfully", "GetProject", ""},
	} {
		w.ok(ask{op: c.op}, 200, c.message, "stub")
		if c.op == "DeleteProject" {
			w.refused("once it is deleted", ask{op: c.gone, key: rootKey}, 404, "Resource not found")
			w.refused("the key of a deleted project", ask{op: c.gone}, 401, "authorization failed")
			continue
		}
		w.refused("once it is deleted", ask{op: c.gone}, 404, "Resource not found")
	}
}

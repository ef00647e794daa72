package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

// TestEveryRouteHasAnAction: what a route that changes something is called in the audit log
// is written down.
func TestEveryRouteHasAnAction(t *testing.T) {
	used := map[string]bool{}
	for _, rt := range routes {
		name := actionName(rt.pattern)
		_, known := routeActions[name]
		used[name] = true
		if reads := scopeFor(rt.pattern) == event.ScopeRead || rt.scope == ofNobody; known == reads {
			t.Errorf("%s: in routeActions: %v, only reads: %v", rt.pattern, known, reads)
		}
	}
	for name := range routeActions {
		if !used[name] {
			t.Errorf("there is no route %s", name)
		}
	}
}

// audits reads the audit log over the API.
func (w *world) audits(path string, headers ...string) (all []auditView) {
	w.t.Helper()
	a := w.do("GET", path, "", headers...)
	var page struct{ Content []auditView }
	if err := json.Unmarshal(a.Data, &page); err != nil || a.Code != 200 {
		w.t.Fatalf("%s: %d %s", path, a.Code, a.body)
	}
	return page.Content
}

func briefly(v auditView) string {
	return fmt.Sprintf("%s %s %s %s", v.ActorKind, v.Action, v.ObjectKind, v.Outcome)
}

// TestWhatTheCatalogDoesNotKnowIsAudited: retries, replays, jobs, secrets that are shown.
func TestWhatTheCatalogDoesNotKnowIsAudited(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.DeleteContent = func(_, _ event.ID) error { return nil } })
	w.jobs.run = func(j *event.Job) { j.State = event.JobDone }
	ep := w.addEndpoint(w.project, 1)
	ev := w.addEvent(w.project, 1)
	w.log.addDelivery(event.Delivery{ID: id('d', 1), ProjectID: w.project, EventID: ev, EndpointID: ep, Status: event.Failure})
	link, err := w.catalog.CreatePortalLink(event.PortalLink{ProjectID: w.project, Name: "people", OwnerID: "owner 1"})
	if err != nil {
		t.Fatal(err)
	}
	delivery := id('d', 1).String()
	for _, c := range []struct{ method, path, body, want string }{
		{"PUT", "/eventdeliveries/" + delivery + "/resend", "", "api_key delivery.retry delivery done"},
		{"POST", "/eventdeliveries/forceresend", `{"ids":["` + delivery + `"]}`, "api_key delivery.retry delivery done"},
		{"POST", "/eventdeliveries/batchretry?status=Failure", "", "api_key job.start job done"},
		{"PUT", "/events/" + ev.String() + "/replay", "", "api_key event.replay event done"},
		{"POST", "/events/batchreplay?query=in-the-payload", "", "api_key job.start job done"},
		{"DELETE", "/events/" + ev.String() + "/content", "", "api_key event.erase event done"},
		{"GET", "/endpoints/" + ep.String(), "", "api_key secret.reveal endpoint done"},
		{"GET", "/endpoints/" + ep.String(), "", ""}, // the same within a minute
		{"GET", "/endpoints/" + ep.String() + "?masked=true", "", ""},
		{"POST", "/endpoints/" + ep.String() + "/secrets/" + idOf('x', 1).String() + "/reveal", "", "api_key secret.reveal endpoint done"},
		{"POST", "/endpoints/" + ep.String() + "/secrets/" + idOf('x', 1).String() + "/reveal", "", "api_key secret.reveal endpoint done"}, // each time
		{"GET", "/portal-links?masked=true", "", ""},
		{"GET", "/portal-links/" + link.ID.String() + "?masked=true", "", ""},
		{"GET", "/portal-links/" + link.ID.String(), "", "api_key secret.reveal portal_link done"},
		{"GET", "/portal-links/" + link.ID.String() + "/refresh_token", "", "api_key portal_link.token portal_link done"},
		{"GET", "/endpoints", "", ""},
		{"GET", "/events", "", ""},
		{"PUT", "/endpoints/" + ep.String() + "/expire_secret", `{"secret":"the-new-one"}`, "api_key secret.rotate endpoint done"},
		{"PUT", "/endpoints/" + ep.String(), `{"url":"not a url", "http_timeout": "x"}`, ""},
	} {
		w.store.TakeTrail()
		a := w.do(c.method, w.in("%s", c.path), c.body, append(as(w.key), "X-Request-Id", "r-77")...)
		trail := w.store.TakeTrail()
		if c.want == "" {
			if len(trail) != 0 {
				t.Errorf("%s %s: %d, and the audit log has %+v", c.method, c.path, a.Code, trail)
			}
			continue
		}
		if len(trail) != 1 || briefly(newAuditView(&trail[0])) != c.want {
			t.Errorf("%s %s: %d %s, and the audit log has %+v, want %s", c.method, c.path, a.Code, a.Message, trail, c.want)
			continue
		}
		text, _ := json.Marshal(trail)
		if r := trail[0]; r.RequestID != "r-77" || r.Address != "192.0.2.1" || r.ProjectID != w.project || r.Actor.Name != "project 1 key" {
			t.Errorf("%s %s: %s", c.method, c.path, text)
		}
		for _, secret := range []string{"s3cret", "the-new-one", link.Token, w.key, "in-the-payload"} {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s %s: %s is in %s", c.method, c.path, secret, text)
			}
		}
	}
}

// TestRefusalsAreAudited: in the caller's own project, with what was asked for, and seldom.
func TestRefusalsAreAudited(t *testing.T) {
	now := epoch
	w := newPortalWorld(t)
	w.addLinks()
	w.api.o.Now = func() time.Time { return now }
	reader, _ := w.newKey(w.in("/keys"), `{"name":"reader","scopes":["read"]}`)
	elsewhere, _ := w.newKey(w.in("/keys"), `{"name":"elsewhere","allow_from":["198.51.100.7"]}`)
	_, otherKey := w.addProject(3)
	other := "/api/v1/projects/" + w.other.String()
	foreignEndpoint := w.others[0]["endpointID"].String()
	for _, c := range []struct{ name, key, method, path, want, object string }{
		{"scope", reader, "DELETE", w.in("/endpoints/%s", w.own["endpointID"]), "api_key endpoint.delete endpoint refused", w.own["endpointID"].String()},
		{"address", elsewhere, "GET", w.in("/endpoints"), "api_key read endpoints refused", ""},
		{"another's project", otherKey, "POST", other + "/endpoints", "api_key endpoint.create project refused", w.other.String()},
		{"the instance", otherKey, "POST", "/api/v1/keys", "api_key key.create key refused", ""},
		{"the instance's audit log", otherKey, "GET", "/api/v1/audit", "api_key read audit refused", ""},
		{"a portal's route", w.grants["link"], "POST", w.in("/keys"), "portal_link key.create project refused", w.project.String()},
		{"another owner's endpoint", w.grants["link"], "PUT", w.in("/endpoints/%s", foreignEndpoint), "portal_link endpoint.update endpoint refused", foreignEndpoint},
	} {
		for range 3 { // once a minute
			w.store.TakeTrail()
		}
		w.do(c.method, c.path, "{}", as(c.key)...)
		trail := w.store.TakeTrail()
		if len(trail) != 1 || briefly(newAuditView(&trail[0])) != c.want || c.object != "" && newAuditView(&trail[0]).ObjectID != c.object {
			t.Errorf("%s: %+v, want %s of %s", c.name, trail, c.want, c.object)
			continue
		}
		if trail[0].ProjectID == w.other || trail[0].Reason == "" {
			t.Errorf("%s: it is recorded as %+v", c.name, trail[0])
		}
		if w.do(c.method, c.path, "{}", as(c.key)...); len(w.store.TakeTrail()) != 0 {
			t.Errorf("%s: twice within a minute", c.name)
		}
		now = now.Add(time.Minute)
		if w.do(c.method, c.path, "{}", as(c.key)...); len(w.store.TakeTrail()) != 1 {
			t.Errorf("%s: not again after a minute", c.name)
		}
	}
	w.do("GET", w.in("/endpoints"), "", "Authorization", "Bearer CO.nobody.nothing")
	if trail := w.store.TakeTrail(); len(trail) != 0 {
		t.Errorf("a key that is not known: %+v", trail)
	}
}

// TestNoSecretWithoutItsRecord: where the audit log takes nothing, no secret is shown and no
// success is said.
func TestNoSecretWithoutItsRecord(t *testing.T) {
	w := newWorld(t)
	ep := w.addEndpoint(w.project, 1)
	ev := w.addEvent(w.project, 1)
	w.store.Fail(errors.New("disk"))
	for _, c := range [][2]string{{"GET", "/endpoints/" + ep.String()}, {"PUT", "/events/" + ev.String() + "/replay"}} {
		if a := w.do(c[0], w.in("%s", c[1]), ""); a.Code != 500 || strings.Contains(a.body, "s3cret") {
			t.Errorf("%s %s: %d %s", c[0], c[1], a.Code, a.body)
		}
	}
	w.faults = nil
}

// TestAuditList: each sees what it may, filtered and in pages.
func TestAuditList(t *testing.T) {
	w := newPortalWorld(t)
	w.addLinks()
	reader, _ := w.newKey(w.in("/keys"), `{"name":"reader","scopes":["read"]}`)
	intake, _ := w.newKey(w.in("/keys"), `{"name":"intake","scopes":["ingest"]}`)
	owners, _ := w.newKey(w.in("/keys"), `{"name":"owners","owner_id":"A"}`)
	all, own := w.audits("/api/v1/audit?perPage=1000"), w.audits(w.in("/audit?perPage=1000"), as(reader)...)
	if len(own) == 0 || len(all) <= len(own) {
		t.Fatalf("%d records of all and %d of the project", len(all), len(own))
	}
	for _, v := range own {
		if v.ProjectID != w.project.String() || v.ID.IsZero() || v.CreatedAt.IsZero() || v.ActorKind == "" || v.Action == "" {
			t.Errorf("%+v", v)
		}
	}
	w.want(w.do("GET", w.in("/audit"), "", as(intake)...), 403, `this key may not read; it needs the scope "read"`)
	for name, key := range map[string]string{"owner's": owners, "link": w.grants["link"]} {
		for _, path := range []string{w.in("/audit"), "/portal-api/audit", "/api/v1/audit"} {
			if a := w.do("GET", path, "", as(key)...); a.Code != 404 {
				t.Errorf("%s: %s: %d", name, path, a.Code)
			}
		}
	}
	for query, ok := range map[string]func(auditView) bool{
		"action=key.create":         func(v auditView) bool { return v.Action == "key.create" },
		"action=key.":               func(v auditView) bool { return v.ObjectKind == "key" },
		"actor=instance_key":        func(v auditView) bool { return v.ActorKind == "instance_key" },
		"object=" + own[0].ObjectID: func(v auditView) bool { return v.ObjectID == own[0].ObjectID },
		"outcome=refused":           func(v auditView) bool { return v.Outcome == "refused" },
	} {
		got, want := w.audits(w.in("/audit?perPage=1000&%s", query)), 0
		for _, v := range w.audits(w.in("/audit?perPage=1000")) {
			if ok(v) {
				want++
			}
		}
		if len(got) != want || want == 0 {
			t.Errorf("%s: %d records, want %d", query, len(got), want)
		}
	}
	for query, field := range map[string]string{"object=x": "object", "outcome=x": "outcome", "startDate=x": "startDate"} {
		if a := w.do("GET", w.in("/audit?%s", query), ""); a.Code != 400 || !strings.Contains(a.Message, field) {
			t.Errorf("%s: %d %s", query, a.Code, a.Message)
		}
	}
	walked, cursor := 0, ""
	for {
		var page struct {
			Content    []auditView
			Pagination struct {
				HasNext bool   `json:"has_next_page"`
				Next    string `json:"next_page_cursor"`
			}
		}
		if err := json.Unmarshal(w.do("GET", w.in("/audit?perPage=3&next_page_cursor=%s", cursor), "").Data, &page); err != nil {
			t.Fatal(err)
		}
		walked += len(page.Content)
		if cursor = page.Pagination.Next; !page.Pagination.HasNext {
			break
		}
	}
	if now := w.audits(w.in("/audit?perPage=1000")); walked != len(now) {
		t.Errorf("page by page %d records, at once %d", walked, len(now))
	}
}

// TestSealingRoutes are the instance's.
func TestSealingRoutes(t *testing.T) {
	state := event.Sealing{KeyID: "k2", Older: []string{"k1"}, Running: true, Left: 3}
	var asked event.Audit
	w := newWorld(t, func(o *Options) {
		o.Sealing = func() event.Sealing { return state }
		o.Reseal = func(by event.Audit) (event.Sealing, error) { asked = by; return state, nil }
	})
	a := w.do("POST", "/api/v1/secrets/reseal", "", "X-Request-Id", "r-9")
	if w.want(a, 202, "Secret keys read successfully"); asked.Actor.Kind != event.ActorInstanceKey || asked.RequestID != "r-9" {
		t.Errorf("asked by %+v", asked)
	}
	var view sealingView
	if err := json.Unmarshal(w.do("GET", "/api/v1/secrets", "").Data, &view); err != nil || view.Removable || view.Left != 3 {
		t.Errorf("%+v, %v", view, err)
	}
	state.Running, state.Left = false, 0
	if err := json.Unmarshal(w.do("GET", "/api/v1/secrets", "").Data, &view); err != nil || !view.Removable {
		t.Errorf("%+v, %v", view, err)
	}
	w.want(w.do("POST", "/api/v1/secrets/reseal", "", as(w.key)...), 403, errInstanceOnly.message)
	bare := newWorld(t)
	bare.want(bare.do("POST", "/api/v1/secrets/reseal", ""), 501, errNoSealing.message)
}

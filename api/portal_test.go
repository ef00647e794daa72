package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"posthaste/event"
)

// attack sends everything that the holder of a grant could think of to one route, and
// checks that no answer shows and no request changes what is not the owner's.
func (w *portalWorld) attack(rt route, grant, token string) {
	w.t.Helper()
	method, _, _ := strings.Cut(rt.pattern, " ")
	before := w.foreignState()
	b := w.others[0]
	queries := []string{"", "?perPage=1000",
		fmt.Sprintf("?endpointId=%s", b["endpointID"]),
		fmt.Sprintf("?endpointId=%s&endpointId=%s", b["endpointID"], w.own["endpointID"]),
		fmt.Sprintf("?endpointId=%s&endpointID=%s&ownerId=B", w.others[1]["endpointID"], b["endpointID"]),
		"?ownerId=B", "?ownerId=", "?q=FOREIGN", "?idempotencyKey=FOREIGN", "?query=FOREIGN",
		fmt.Sprintf("?subscriptionId=%s", b["subscriptionID"]), fmt.Sprintf("?eventId=%s", b["eventID"]),
		fmt.Sprintf("?eventId=%s", id('f', 51)),
		fmt.Sprintf("?next_page_cursor=%s&sort=ASC", b["endpointID"]), fmt.Sprintf("?groupId=%s&projectID=%s&token=x", w.other, w.other),
	}
	bodies := []string{"", "{}", "null", "[]", `"{}"`, `{"name":"own","owner_id":"B","url":"https://example.com/new"}`,
		`{"name":"own","OWNER_ID":"B","Owner_Id":"","url":"https://example.com/new2"}`,
		fmt.Sprintf(`{"name":"own","endpoint_id":%q,"filter_config":{"event_types":["*"]}}`, b["endpointID"]),
		fmt.Sprintf(`{"name":"own","endpoint_id":%q,"ENDPOINT_ID":%q}`, w.own["endpointID"], b["endpointID"]),
		fmt.Sprintf(`{"name":"own","endpoint_id":%q,"app_id":%q,"source_id":%q}`, w.own["endpointID"], w.project, w.anyOf("sourceID")),
		fmt.Sprintf(`{"name":"own","url":"https://example.com/3","appID":%q}`, w.project),
		fmt.Sprintf(`{"ids":[%q,%q,%q]}`, b["eventDeliveryID"], w.others[2]["eventDeliveryID"], w.own["eventDeliveryID"]),
		`{"event_type":"own.created","name":"own","secret":"new","expiration":1}`,
		`{"request":{"body":{"a":1}},"schema":{"body":{"a":1}}}`,
		fmt.Sprintf(`[{"uid":%q,"event_type":"x"}]`, b["filterID"]),
	}
	if method == "GET" {
		bodies = []string{""}
	} else {
		queries = queries[:4]
	}
	parties := append([]party{w.own}, w.others...)
	if !isOpen(rt) { // a few will do
		parties, queries, bodies = parties[:2], queries[:min(len(queries), 3)], bodies[:min(len(bodies), 6)]
	}
	for _, p := range parties {
		for _, query := range queries {
			for _, body := range bodies {
				path := w.path(rt, p) + query
				a := w.do(method, path, body, as(token)...)
				if a.Code >= 500 && a.Code != 501 {
					w.t.Fatalf("%s: %s %s %s: %s", grant, method, path, body, a.body)
				}
				for _, marker := range w.markers {
					if strings.Contains(a.body, marker) && !strings.Contains(path+body, marker) || strings.Contains(a.body, foreign) {
						w.t.Fatalf("%s: %s %s %s shows %s: %s", grant, method, path, body, marker, a.body)
					}
				}
			}
		}
	}
	if after := w.foreignState(); after != before {
		w.t.Fatalf("%s: %s changed what is not the owner's:\n%s\n%s", grant, rt.pattern, before, after)
	}
	w.checkWork(grant, rt)
}

// checkWork looks at what was asked of the engine.
func (w *portalWorld) checkWork(grant string, rt route) {
	w.t.Helper()
	for _, call := range w.work.calls {
		for _, id := range call.ids {
			d, err := w.log.Delivery(w.project, id)
			if err != nil || call.replay || d.EndpointID != w.own["endpointID"] {
				w.t.Fatalf("%s: %s had %s of another retried", grant, rt.pattern, id)
			}
		}
	}
	for _, id := range w.tested {
		if e := w.catalog.Snapshot().Endpoint(id); e != nil && (e.OwnerID != "A" || e.ProjectID != w.project) {
			w.t.Fatalf("%s: %s sent a test event to another", grant, rt.pattern)
		}
	}
	for _, job := range w.jobs.jobs[w.around:] {
		if !slices.Contains(job.Filter.Deliveries.Endpoints, w.own["endpointID"]) {
			w.t.Fatalf("%s: %s started a job over %+v", grant, rt.pattern, job.Filter)
		}
		for _, id := range job.Filter.Deliveries.Endpoints {
			if e := w.catalog.Snapshot().Endpoint(id); e == nil || e.OwnerID != "A" {
				w.t.Fatalf("%s: %s started a job over %+v", grant, rt.pattern, job.Filter)
			}
		}
	}
}

// No route shows or changes, to the holder of an owner's key or of a portal link, what
// is not the owner's.
func TestPortalGrantsStayWithinTheirOwner(t *testing.T) {
	for _, rt := range routes {
		t.Run(strings.ReplaceAll(rt.pattern, "/", "|"), func(t *testing.T) {
			t.Parallel()
			grants := []string{"key", "link"}
			if isOpen(rt) {
				grants = []string{"key", "reading key", "listing link", "short-lived link"}
			}
			for _, grant := range grants {
				w := newPortalWorld(t)
				w.addLinks()
				w.attack(rt, grant, w.grants[grant])
			}
		})
	}
}

// isOpen reports whether a portal grant may use a route.
func isOpen(rt route) bool {
	_, open := portalRules[portalKey(rt.pattern)]
	return open
}

func TestWhatIsNotOpenToPortalsIsNotFound(t *testing.T) {
	w := newPortalWorld(t)
	w.addLinks()
	for _, rt := range routes {
		method, _, _ := strings.Cut(rt.pattern, " ")
		if isOpen(rt) || rt.scope == ofNobody {
			continue
		}
		for grant, token := range w.grants {
			a := w.do(method, w.path(rt, w.own), "{}", as(token)...)
			if a.Code != 404 && a.Code != 403 {
				t.Errorf("%s got %d for %s: %s", grant, a.Code, rt.pattern, a.body)
			}
		}
	}
	for _, pattern := range []string{
		"GET " + inProject, "GET " + inProject + "/sources", "GET " + inProject + "/keys", "POST " + inProject + "/keys",
		"GET " + inProject + "/portal-links", "PUT " + inEvent + "/replay", "POST " + inProject + "/events/batchreplay",
		"POST " + inProject + "/eventdeliveries/forceresend", "GET " + inProject + "/jobs", "GET " + inProject + "/meta-events",
		"POST " + inProject + "/event-types", "GET /api/v1/projects", "GET /api/v1/keys",
	} {
		if _, open := portalRules[portalKey(pattern)]; open {
			t.Errorf("%s is open", pattern)
		}
		if !slices.ContainsFunc(routes, func(rt route) bool { return rt.pattern == pattern }) {
			t.Errorf("there is no route %s", pattern)
		}
	}
}

// Every rule is about a route.
func TestPortalRulesHaveRoutes(t *testing.T) {
	for key := range portalRules {
		for _, prefix := range []string{inProject, inPortal} {
			pattern := strings.Replace(key, " ", " "+prefix, 1)
			if !slices.ContainsFunc(routes, func(rt route) bool { return rt.pattern == pattern }) {
				t.Errorf("there is no route %s", pattern)
			}
		}
	}
}

// An owner's key does with its own what it may.
func TestThePortalShowsWhatIsTheOwners(t *testing.T) {
	w := newPortalWorld(t)
	for _, base := range []string{"/portal-api", w.in("")} {
		for path, want := range map[string][]event.ID{
			"/endpoints":                               {w.own["endpointID"]},
			"/endpoints?ownerId=A&q=OWN":               {w.own["endpointID"]},
			"/endpoints?ownerId=B":                     {},
			"/subscriptions":                           {id('s', 60), w.own["subscriptionID"]},
			"/events":                                  {id('f', 60), id('f', 51), id('f', 50), w.own["eventID"]},
			"/eventdeliveries":                         {id('d', 102), id('d', 100), id('d', 60), w.own["eventDeliveryID"]},
			"/eventdeliveries?status=Failure":          {w.own["eventDeliveryID"]},
			"/events?endpointId=" + w.others[0].text(): {},
			"/eventdeliveries?endpointId=" + w.others[0].text():     {},
			"/subscriptions?endpointId=" + w.others[0].text():       {},
			"/subscriptions?endpointId=&endpointId=" + w.own.text(): {id('s', 60), w.own["subscriptionID"]},
		} {
			got := w.rowsAs(base+path, w.grants["reading key"])
			if slices.Compare(texts26(got), texts26(want)) != 0 {
				t.Errorf("%s%s lists %v, want %v", base, path, got, want)
			}
		}
		one := w.do("GET", base+"/events/"+id('f', 51).String(), "", as(w.grants["reading key"])...)
		if got := fmt.Sprint(one.field("endpoints")); got != "["+w.own.text()+"]" {
			t.Errorf("an event goes to %s", got)
		}
	}
}

func (p party) text() string { return p["endpointID"].String() }

func texts26(ids []event.ID) []string {
	out := []string{}
	for _, id := range ids {
		out = append(out, id.String())
	}
	return out
}

// rowsAs is the ids of a page, for a key.
func (w *world) rowsAs(path, key string) []event.ID {
	w.t.Helper()
	a := w.do("GET", path, "", as(key)...)
	if a.Code != 200 {
		w.t.Fatalf("GET %s: %s", path, a.body)
	}
	var p shownPage
	if err := json.Unmarshal(a.Data, &p); err != nil {
		w.t.Fatal(err)
	}
	return p.ids()
}

func TestThePortalManagesEndpoints(t *testing.T) {
	w := newPortalWorld(t)
	manager, reader := as(w.grants["key"]), as(w.grants["reading key"])
	made := w.do("POST", "/portal-api/endpoints", `{"name":"new","url":"https://example.com/new","app_id":"","owner_id":null}`, manager...)
	w.want(made, 201, "Endpoint created successfully")
	if made.field("owner_id") != "A" {
		t.Errorf("the owner is %v", made.field("owner_id"))
	}
	one := "/portal-api/endpoints/" + made.field("uid").(string)
	moved := w.do("PUT", one, `{"name":"newer","owner_id":"B"}`, manager...)
	w.want(moved, 202, "Endpoint updated successfully")
	if moved.field("owner_id") != "A" || moved.field("name") != "newer" {
		t.Errorf("the update made %s", moved.Data)
	}
	w.want(w.do("POST", "/portal-api/endpoints", `{"name":"x","url":"https://example.com/x","AppID":"x"}`, manager...), 400, "app_id: is not for a portal to give; leave it out")
	w.want(w.do("PUT", one+"/pause", "", manager...), 202, "endpoint status updated successfully")
	w.want(w.do("POST", one+"/activate", "", manager...), 202, "endpoint status successfully activated")
	w.want(w.do("PUT", one+"/expire_secret", `{"expiration":1}`, manager...), 200, "endpoint secret expired successfully")
	sub := w.do("POST", "/portal-api/subscriptions", `{"name":"s","endpoint_id":"`+made.field("uid").(string)+`"}`, manager...)
	w.want(sub, 201, "Subscription created successfully")
	w.want(w.do("PUT", "/portal-api/subscriptions/"+sub.field("uid").(string), `{"endpoint_id":"`+w.others[0].text()+`"}`, manager...),
		400, "endpoint_id: the project has no endpoint with this id; create it first")
	w.want(w.do("DELETE", one, "", manager...), 200, "Endpoint deleted successfully")
	w.want(w.do("PUT", "/portal-api/eventdeliveries/"+w.own["eventDeliveryID"].String()+"/resend", "", manager...), 200, "App event processed for retry successfully")
	w.want(w.do("POST", "/portal-api/eventdeliveries/batchretry?status=Failure", "", manager...), 200, "Batch retry processing")
	if got := w.jobs.jobs[w.around].Filter.Deliveries.Endpoints; len(got) != 1 || got[0] != w.own["endpointID"] {
		t.Errorf("the job is over %v", got)
	}
	w.want(w.do("POST", "/portal-api/endpoints/"+w.own.text()+"/test", "", manager...), 201, "Test event queued successfully")
	for _, c := range [][2]string{{"POST", "/portal-api/endpoints"}, {"PUT", "/portal-api/endpoints/" + w.own.text()},
		{"POST", "/portal-api/eventdeliveries/batchretry"}, {"DELETE", "/portal-api/subscriptions/" + w.own["subscriptionID"].String()}} {
		w.want(w.do(c[0], c[1], "{}", reader...), 403, `this key may not manage; it needs the scope "manage"`)
	}
	for key, want := range map[string]string{"key": "own-endpoint-secret", "reading key": maskSecret("own-endpoint-secret")} {
		shown := w.do("GET", "/portal-api/endpoints/"+w.own.text(), "", as(w.grants[key])...)
		if !strings.Contains(shown.body, `"value":"`+want+`"`) {
			t.Errorf("%s is shown %s", key, shown.body)
		}
	}
}

// A grant that reaches no endpoint at all reaches nothing.
func TestAPortalGrantWithoutEndpoints(t *testing.T) {
	w := newPortalWorld(t)
	_, nobody, err := w.catalog.CreateKey(event.APIKey{ProjectID: w.project, Name: "x", OwnerID: "nobody", Scopes: event.ScopeRead | event.ScopeManage})
	w.must(err)
	for _, list := range []string{"/endpoints", "/subscriptions", "/events", "/eventdeliveries"} {
		if got := w.rowsAs("/portal-api"+list, nobody); len(got) != 0 {
			t.Errorf("%s lists %v", list, got)
		}
	}
	w.want(w.do("POST", "/portal-api/eventdeliveries/batchretry", "", as(nobody)...), 400, errNothingToRetry.Reason)
	if len(w.jobs.jobs) != w.around {
		t.Error("a job was started over everything")
	}
}

func TestThePortalTakesPortalKeysOnly(t *testing.T) {
	w := newWorld(t)
	w.want(w.do("GET", "/portal-api/endpoints", ""), 403, errPortalOnly.message)
	w.want(w.do("GET", "/portal-api/endpoints", "", as(w.key)...), 403, errPortalOnly.message)
	w.want(w.do("GET", "/portal-api/endpoints", "", "Authorization", ""), 401, "Authentication required")
	w.want(w.do("GET", "/portal-api/sources", "", as(w.key)...), 404, errNoRoute.message)
}

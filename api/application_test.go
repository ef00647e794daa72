package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestApplicationLifecycle(t *testing.T) {
	w := newWorld(t)
	a := w.do("POST", w.in("/applications"), `{"app_name":"Shop","support_email":"a@x.example","slack_webhook_url":"https://slack.example/x","endpoint":"https://x.example/in","secret":"s3cret"}`)
	w.want(a, 201, "Application created successfully")
	uid := a.field("uid").(string)
	endpoint := a.field("endpoints").([]any)[0].(map[string]any)
	shown := strings.NewReplacer(uid, id('a', 1).String(), endpoint["uid"].(string), id('e', 1).String(),
		endpoint["secrets"].([]any)[0].(map[string]any)["uid"].(string), id('x', 1).String()).Replace(string(a.Data))
	compareGolden(t, "application", []byte(shown))
	path := w.in("/applications/%s", uid)
	if got := w.do("GET", path, ""); string(got.Data) != string(a.Data) || got.Message != "Application fetched successfully" {
		t.Errorf("created %s\nfetched %q %s", a.Data, got.Message, got.Data)
	}
	u := w.do("PUT", path, `{"name":"Store"}`)
	w.want(u, 202, "Application updated successfully")
	if u.field("name") != "Store" || u.field("title") != "Store" || u.field("support_email") != "a@x.example" || u.field("is_disabled") != false {
		t.Errorf("updated %s", u.body)
	}
	w.want(w.do("PUT", path, `{"url":"https://y.example"}`), 400, "url: is one of an endpoint; change the endpoints of the application instead")
	w.want(w.do("DELETE", path, ""), 200, "Application deleted successfully")
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		w.want(w.do(method, path, `{}`), 404, "Resource not found")
	}
	if p, e, s := w.catalog.Snapshot().Counts(); p != 1 || e != 0 || s != 0 {
		t.Errorf("%d projects, %d endpoints and %d subscriptions are left", p, e, s)
	}
}

// An application whose endpoint is refused is not made.
func TestRefusedApplications(t *testing.T) {
	w := newWorld(t)
	for body, field := range map[string]string{
		`{}`: "name",
		`{"name":"x","url":"https://x.example/` + strings.Repeat("x", 2048) + `"}`: "url",
	} {
		if a := w.do("POST", w.in("/applications"), body); a.Code != 400 || !strings.HasPrefix(a.Message, field) {
			t.Errorf("%s: %d %q", body, a.Code, a.Message)
		}
	}
	if got := w.rows(w.in("/applications")); len(got.Content) != 0 {
		t.Errorf("%d applications are left", len(got.Content))
	}
}

func TestApplicationList(t *testing.T) {
	w := newWorld(t)
	for n := range 5 {
		w.addApplication(fmt.Sprintf("App %d", n))
	}
	for query, want := range map[string]int{"": 5, "q=app+1": 1, "q=x": 0, "perPage=2": 2, "q=&next_page_cursor=": 5} {
		if got := w.rows(w.in("/applications?%s", query)); len(got.Content) != want {
			t.Errorf("%q: %d applications, want %d", query, len(got.Content), want)
		}
	}
}

// Older clients name no project: it is the key's own, or for the instance's key in the
// query.
func TestApplicationsOfImpliedProjects(t *testing.T) {
	w := newWorld(t)
	stranger, _ := w.addProject(2)
	auth := "Bearer " + w.key
	a := w.do("POST", "/api/v1/applications", `{"name":"Own"}`, "Authorization", auth)
	w.want(a, 201, "Application created successfully")
	if a.field("project_id") != w.project.String() || a.field("group_id") != w.project.String() {
		t.Errorf("it belongs to %v", a.field("project_id"))
	}
	path := "/api/v1/applications/" + a.field("uid").(string)
	w.want(w.do("GET", path, "", "Authorization", auth), 200, "Application fetched successfully")
	const missing = "groupId: is missing: the instance's key does not say which project is meant; give the project's id in the query"
	w.want(w.do("GET", path, ""), 400, missing)
	w.want(w.do("GET", "/api/v1/applications?groupId=", ""), 400, missing)
	for _, name := range []string{"groupId", "projectID", "orgID"} {
		w.want(w.do("GET", path+"?"+name+"="+w.project.String(), ""), 200, "Application fetched successfully")
	}
	w.want(w.do("GET", path+"?groupId="+stranger.String(), ""), 404, "Resource not found")
	w.want(w.do("GET", path+"?groupId="+id('p', 9).String(), ""), 404, "Resource not found")
	w.want(w.do("GET", path+"?groupId=x", ""), 400, "groupId: not an id: want 26 characters of Crockford base 32")
	reader := "Bearer " + w.readerKey()
	w.want(w.do("POST", "/api/v1/applications", `{"name":"x"}`, "Authorization", reader), 403, `this key may not manage; it needs the scope "manage"`)
}

func TestEndpointsOfApplication(t *testing.T) {
	w := newWorld(t)
	app := w.addApplication("Shop")
	path := w.in("/applications/%s/endpoints", app)
	a := w.do("POST", path, `{"target_url":"https://x.example/a","description":"d","secret":"s3cret","events":["a","b"],
		"http_timeout":"15s","rate_limit":7,"rate_limit_duration":"1m"}`)
	w.want(a, 201, "Endpoint created successfully")
	for field, want := range map[string]string{
		"target_url": `"https://x.example/a"`, "url": `"https://x.example/a"`, "title": `"Shop"`, "name": `"Shop"`, "description": `"d"`,
		"secret": `"s3cret"`, "events": `["a","b"]`, "http_timeout": `"15s"`, "rate_limit": `7`, "rate_limit_duration": `"1m0s"`,
		"status": `"active"`, "app_id": `"` + app + `"`, "deleted_at": `null`,
	} {
		if got := a.json(field); got != want {
			t.Errorf("%s is %s, want %s", field, got, want)
		}
	}
	one := path + "/" + a.field("uid").(string)
	w.want(w.do("GET", one, ""), 200, "Endpoint fetched successfully")
	u := w.do("PUT", one, `{"url":"https://x.example/b","title":"T","events":["c"]}`)
	w.want(u, 202, "Endpoint updated successfully")
	if u.field("url") != "https://x.example/b" || u.field("name") != "T" || u.json("events") != `["c"]` || u.field("description") != "d" {
		t.Errorf("updated %s", u.body)
	}
	if u = w.do("PUT", one, `{"events":["regex:("]}`); u.Code != 400 {
		t.Errorf("a bad event type: %d %s", u.Code, u.body)
	}
	w.want(w.do("POST", path, `{"url":"https://x.example/c","events":["[b"]}`), 400,
		w.do("POST", path, `{"url":"https://x.example/c","events":["[b"]}`).Message)
	list := w.do("GET", path, "")
	w.want(list, 200, "Endpoints fetched successfully")
	var rows []json.RawMessage
	if err := json.Unmarshal(list.Data, &rows); err != nil || len(rows) != 1 {
		t.Errorf("listed %s", list.body)
	}
	other := w.addApplication("Other")
	w.want(w.do("GET", w.in("/applications/%s/endpoints/%s", other, a.field("uid")), ""), 404, "Resource not found")
	w.want(w.do("DELETE", one, ""), 200, "Endpoint deleted successfully")
	w.want(w.do("GET", one, ""), 404, "Resource not found")
	all := w.do("POST", path, `{"url":"https://x.example/d"}`)
	if all.json("events") != `["*"]` {
		t.Errorf("without event types it takes %s", all.json("events"))
	}
}

// Disabling an application pauses what is active; enabling it resumes what that paused.
func TestDisabledApplications(t *testing.T) {
	w := newWorld(t)
	app := w.addApplication("Shop")
	path := w.in("/applications/%s", app)
	var uids []string
	for range 2 {
		a := w.do("POST", path+"/endpoints", `{"url":"https://x.example"}`)
		uids = append(uids, a.field("uid").(string))
	}
	w.do("PUT", w.in("/endpoints/%s/pause", uids[0]), "")
	states := func(want string) {
		t.Helper()
		var got []string
		for _, uid := range uids {
			got = append(got, fmt.Sprint(w.do("GET", w.in("/endpoints/%s", uid), "").field("status")))
		}
		if fmt.Sprint(got) != want {
			t.Errorf("the endpoints are %v, want %s", got, want)
		}
	}
	states("[paused active]")
	w.want(w.do("PUT", path, `{"is_disabled":true}`), 202, "Application updated successfully")
	states("[paused paused]")
	made := w.do("POST", path+"/endpoints", `{"url":"https://x.example/new"}`)
	w.want(made, 201, "Endpoint created successfully")
	uids = append(uids, made.field("uid").(string))
	if made.field("status") != "paused" {
		t.Errorf("a new endpoint is %v", made.field("status"))
	}
	w.want(w.do("PUT", path, `{"is_disabled":false}`), 202, "Application updated successfully")
	states("[paused active active]")
	w.want(w.do("PUT", path, `{"is_disabled":false}`), 202, "Application updated successfully")
	states("[paused active active]")
}

package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const inProject = "/p/" + testProject

// operatorsPage is a page by which a project, or the instance, is set up.
type operatorsPage struct {
	path  string
	asks  string   // what of the API it cannot be without
	texts []string // that it shows
}

var operatorsPages = []operatorsPage{
	{inProject + "/audit?action=endpoint.", testProjects + "/audit", []string{"update endpoint", "ada", "192.0.2.7", "https://old.example", "https://new.example", inProject + "/endpoints/" + testObject, "cursor=c2", `<option value="endpoint." selected`}},
	{"/system", "/api/v1/system", []string{"1.2.3", "it is full", "2 h", "k7", "durability", "fsync", "1 MiB"}},
	{"/system/audit", "/api/v1/audit", []string{"Nothing was done", "posthaste audit"}},
	{"/system/keys", "/api/v1/keys", []string{"ada", "CO.abc", "instance admin"}},
	{"/projects", "/api/v1/projects", []string{"shop", "80.0 %"}},
	{inProject + "/keys", testProjects + "/keys", []string{"posthaste key create"}},
	{inProject + "/endpoints/" + testObject, testProjects + "/endpoints/" + testObject, []string{"was active", "asked for", "basic auth", "ends in 5 days", "/edit", "update endpoint"}},
	{inProject + "/endpoints/" + testObject + "/edit", testProjects + "/endpoints/" + testObject, []string{`value="ada"`, "leave empty to keep it", "PEM-CERT", "X-Region: eu", `<option value="linear" selected`, `value="30"`}},
	{inProject + "/new-endpoint", "", []string{"order.paid"}},
	{inProject + "/endpoints?q=a+b", testProjects + "/endpoints", []string{`href="?q=a&#43;b&amp;range=7d"`}},
	{inProject + "/subscriptions", testProjects + "/subscriptions", []string{"posthaste subscription create"}},
	{inProject + "/new-subscription", testProjects + "/endpoints", []string{"Orders"}},
	{inProject + "/subscriptions/" + testObject, testProjects + "/subscriptions/" + testObject, []string{"order.*\nx", "&#34;$gt&#34;: 1", `<option value="at_most_once" selected`}},
	{inProject + "/sources", testProjects + "/sources", []string{"posthaste source create github"}},
	{inProject + "/new-source", "", []string{"Add a source"}},
	{inProject + "/sources/" + testObject, testProjects + "/sources/" + testObject, []string{"/ingest/abc", `<option value="github" selected`, "leave empty to keep it", "Disable"}},
	{inProject + "/event-types", testProjects + "/event-types", []string{"order.paid", "100 %", "Example"}},
	{inProject + "/portal-links", testProjects + "/portal-links", []string{"https://app.example.com", "posthaste portal-link create"}},
	{inProject + "/settings", "/api/v1/projects", []string{`value="shop"`, `<option value="convoy" selected`, `<option value="SHA256 hex" selected`, `value="86400"`, "Delete the project"}},
	{inProject + "/jobs", testProjects + "/jobs", []string{"posthaste replay"}},
	{inProject + "/jobs/" + testObject, testProjects + "/jobs/" + testObject, []string{"order.paid", "3 of 10", "Cancel"}},
	{inProject + "/replay?type=order.paid&range=1h", testProjects + "/events/countbatchreplayevents", []string{"Replay 42", "order.paid"}},
}

// TestOperatorsPages: each page shows what there is, and says why when it cannot.
func TestOperatorsPages(t *testing.T) {
	d := newDesk(t)
	for _, p := range operatorsPages {
		t.Run(p.path, func(t *testing.T) {
			d.t = t
			d.api.set = nil
			w := d.get(p.path)
			d.want(w, http.StatusOK, p.texts...)
			if wrong := suspicious(t, w.Body.Bytes()); wrong != "" {
				t.Errorf("it has %s", wrong)
			}
			if strings.Contains(w.Body.String(), "********\"") && !strings.Contains(p.path, "/edit") {
				t.Error("a mask is shown as a value")
			}
			if p.asks == "" {
				return
			}
			for code, text := range map[int]string{403: "Your key may not do this", 404: "There is no such thing here", 500: "could not do this"} {
				d.api.on("GET "+p.asks, fakeAnswer{code: code, message: "because"})
				d.want(d.get(p.path), code, text)
			}
		})
	}
}

// operatorsForm is a form that the API refuses, and then takes.
type operatorsForm struct {
	path string
	form url.Values
	asks string
	back string // where it leads
}

var operatorsForms = []operatorsForm{
	{inProject + "/endpoints", url.Values{"name": {"typed-name"}, "url": {"typed"}, "types": {"a b"}, "form": {"whole"}}, "POST " + testProjects + "/endpoints", inProject + "/endpoints/" + testObject},
	{inProject + "/endpoints/" + testObject + "/edit", url.Values{"name": {"typed-name"}, "url": {"typed"}}, "PUT " + testProjects + "/endpoints/" + testObject, inProject + "/endpoints/" + testObject},
	{inProject + "/subscriptions", url.Values{"name": {"typed-name"}, "filter_config.filter.body": {`{"typed":1}`}}, "POST " + testProjects + "/subscriptions", inProject + "/subscriptions"},
	{inProject + "/subscriptions/" + testObject, url.Values{"name": {"typed-name"}}, "PUT " + testProjects + "/subscriptions/" + testObject, inProject + "/subscriptions/" + testObject},
	{inProject + "/sources", url.Values{"name": {"typed-name"}, "how": {"noop"}}, "POST " + testProjects + "/sources", inProject + "/sources/" + testObject},
	{inProject + "/sources/" + testObject, url.Values{"name": {"typed-name"}, "how": {"github"}}, "PUT " + testProjects + "/sources/" + testObject, inProject + "/sources/" + testObject},
	{inProject + "/event-types", url.Values{"name": {"typed-name"}}, "POST " + testProjects + "/event-types", inProject + "/event-types"},
	{inProject + "/portal-links", url.Values{"name": {"typed-name"}, "owner_id": {"tern"}}, "POST " + testProjects + "/portal-links", inProject + "/portal-links"},
	{inProject + "/keys", url.Values{"name": {"typed-name"}, "scopes": {"read"}}, "POST " + testProjects + "/keys", inProject + "/keys"},
	{"/system/keys", url.Values{"name": {"typed-name"}, "scopes": {"read"}}, "POST /api/v1/keys", "/system/keys"},
	{"/projects", url.Values{"name": {"typed-name"}}, "POST /api/v1/projects", "/projects"},
	{inProject + "/settings", url.Values{"name": {"typed-name"}, "strategy.type": {"linear"}, "strategy.duration": {"typed"}}, "PUT " + testProjects, inProject + "/settings"},
}

// TestRefusedFormsKeepWhatWasTyped: a refusal is shown at its field, with what was typed;
// a form that is taken leads elsewhere, so that loading again does not send it again.
func TestRefusedFormsKeepWhatWasTyped(t *testing.T) {
	for _, f := range operatorsForms {
		t.Run(f.path, func(t *testing.T) {
			d := newDesk(t)
			d.api.on(f.asks, fakeAnswer{code: 400, message: "name: is not <good>"})
			w := d.post(f.path, f.form)
			d.want(w, http.StatusUnprocessableEntity, `role="alert"`, "typed-name", `aria-invalid="true"`, `id="f-name-wrong">is not &lt;good&gt;`)
			d.api.on(f.asks, fakeAnswer{code: 403, message: "no scope"})
			d.want(d.post(f.path, f.form), http.StatusForbidden, "Your key may not do this", "no scope")
			d.api.on(f.asks, fakeAnswer{code: 500, message: "internal error"})
			d.want(d.post(f.path, f.form), http.StatusInternalServerError, "could not do this")
			d.api.on(f.asks, fakeAnswer{code: 201, data: `{"uid":"` + testObject + `","key":"CO.abc.secret","project":{"uid":"` + testProject + `"},"api_key":{"key":"CO.abc.secret"}}`})
			w = d.post(f.path, f.form)
			to, _, _ := strings.Cut(w.Header().Get("Location"), "?")
			if w.Code != http.StatusSeeOther || to != f.back {
				t.Errorf("taken: %d to %q, want 303 to %q", w.Code, to, f.back)
			}
			d.want(d.redirected(w), http.StatusOK)
		})
	}
}

// TestSecretsThatAreNotTypedStay: a form that shows no secret sends back what the API shows
// in its place, and what was typed when there is something.
func TestSecretsThatAreNotTypedStay(t *testing.T) {
	d := newDesk(t)
	edit := url.Values{
		"name": {"Orders"}, "authentication.type": {"basic_auth"}, "authentication.basic_auth.username": {"eve"}, "authentication.basic_auth.password": {""},
		"mtls_client_cert.client_cert": {"PEM-CERT"}, "mtls_client_cert.client_key": {""}, "custom_headers": {"X-A: b: c\r\nAuthorization: ********"},
		"rate_limit": {""}, "max_concurrency": {"many"}, "strategy.type": {""},
	}
	put := "PUT " + testProjects + "/endpoints/" + testObject
	d.post(inProject+"/endpoints/"+testObject+"/edit", edit)
	body := d.api.sent(t, put)
	for path, want := range map[string]any{
		"authentication.basic_auth.password": "********", "authentication.basic_auth.username": "eve", "mtls_client_cert.client_key": "********",
		"custom_headers.X-A": "b: c", "custom_headers.Authorization": "********", "rate_limit": 0.0, "max_concurrency": "many", "strategy": nil, "owner_id": "",
	} {
		if got := dig(body, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	d.post(inProject+"/endpoints", url.Values{"name": {"n"}, "url": {"u"}, "rate_limit": {"0"}, "http_timeout": {""}, "form": {"whole"}})
	made := d.api.sent(t, "POST "+testProjects+"/endpoints")
	if _, sent := made["http_timeout"]; sent || made["rate_limit"] != 0.0 {
		t.Errorf("a new endpoint is asked for as %v: what is empty has its default, 0 is no limit", made)
	}
	edit.Set("authentication.basic_auth.password", "new")
	d.api.on(put, fakeAnswer{code: 400, message: "authentication.basic_auth.password: is too short"})
	w := d.post(inProject+"/endpoints/"+testObject+"/edit", edit)
	d.want(w, http.StatusUnprocessableEntity, "is too short")
	if got := dig(d.api.sent(t, put), "authentication.basic_auth.password"); got != "new" {
		t.Errorf("the new password went as %v", got)
	}
	if strings.Contains(w.Body.String(), `value="new"`) {
		t.Error("the typed password is in the page")
	}
	d.post(inProject+"/sources/"+testObject, url.Values{"name": {"GH"}, "how": {"github"}, "verifier.hmac.secret": {""}})
	if got := dig(d.api.sent(t, "PUT "+testProjects+"/sources/"+testObject), "verifier.hmac.secret"); got != "********" {
		t.Errorf("the source's secret went as %v", got)
	}
	d.post(inProject+"/settings", url.Values{"name": {"shop"}, "strategy.type": {"schedule"}, "strategy.schedule": {"10, 60"}, "strategy.retry_count": {"3"}, "meta_event.secret": {""}, "meta_event.event_type": {"a", "b"},
		"version.0.sign": {"SHA256 hex"}, "version.0.uid": {"v-1"}, "version.2.sign": {"SHA512 base64"}, "ssl.enforce_secure_endpoints": {"on"}, "retention.payload": {""}})
	body = d.api.sent(t, "PUT "+testProjects)
	if _, sent := dig(body, "config.meta_event").(map[string]any)["secret"]; sent {
		t.Error("an empty secret was sent")
	}
	versions, _ := dig(body, "config.signature.versions").([]any)
	if len(versions) != 2 || dig(versions[0], "uid") != "v-1" || dig(versions[1], "hash") != "SHA512" {
		t.Errorf("versions went as %v", versions)
	}
	for path, want := range map[string]any{"config.ssl.enforce_secure_endpoints": true, "config.retention.payload": 0.0, "config.strategy.retry_count": 3.0} {
		if got := dig(body, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

// TestKeysAreShownOnce: on the page after the form, to who made it, and never again.
func TestKeysAreShownOnce(t *testing.T) {
	d := newDesk(t)
	d.api.on("POST "+testProjects+"/keys", fakeAnswer{code: 201, data: `{"uid":"x","name":"ada","key":"CO.abc.secret"}`})
	w := d.post(inProject+"/keys", url.Values{"name": {"ada"}, "scopes": {"read", "manage"}, "allow_from": {"10.0.0.0/8, 192.0.2.1"}, "expires": {"day"}, "expires_at": {"2026-05-01"}})
	at := w.Header().Get("Location")
	if strings.Contains(at, "secret") {
		t.Errorf("the key is in the address: %s", at)
	}
	body := d.api.sent(t, "POST "+testProjects+"/keys")
	if got := dig(body, "expires_at"); got != "2026-05-01T23:59:59Z" {
		t.Errorf("ends %v", got)
	}
	if got, _ := dig(body, "allow_from").([]any); len(got) != 2 {
		t.Errorf("may be used from %v", got)
	}
	other := newDesk(t)
	other.console, other.api = d.console, d.api
	other.cookie = nil
	for _, k := range other.post("/login", url.Values{"key": {"k2"}}).Result().Cookies() {
		if strings.HasSuffix(k.Name, "ph") {
			other.cookie = k
		}
	}
	if strings.Contains(other.get(at).Body.String(), "CO.abc.secret") {
		t.Error("another session is shown the key")
	}
	d.want(d.get(at), http.StatusOK, "CO.abc.secret", "shown this once")
	if strings.Contains(d.get(at).Body.String(), "CO.abc.secret") {
		t.Error("the key is shown twice")
	}
}

// TestPortalLinksAreShownWhenAskedFor: and no list has them.
func TestPortalLinksAreShownWhenAskedFor(t *testing.T) {
	d := newDesk(t)
	link := `{"uid":"` + testObject + `","name":"board","auth_type":"static_token","url":"https://p.example/portal?token=t0ken"}`
	d.api.on("GET "+testProjects+"/portal-links", fakeAnswer{code: 200, data: `{"content":[` + link + `],"pagination":{}}`})
	d.api.on("GET "+testProjects+"/portal-links/"+testObject, fakeAnswer{code: 200, data: link})
	d.api.on("GET "+testProjects+"/portal-links/"+testObject+"/refresh_token", fakeAnswer{code: 200, data: `"sh0rt"`})
	if list := d.get(inProject + "/portal-links"); strings.Contains(list.Body.String(), "t0ken") {
		t.Error("the list has the link in its page")
	}
	at := inProject + "/portal-links/" + testObject
	d.want(d.redirected(d.post(at+"/show", nil)), http.StatusOK, "https://p.example/portal?token=t0ken", "the link")
	d.want(d.redirected(d.post(at+"/token", nil)), http.StatusOK, "https://p.example/portal?token=sh0rt", "for one hour")
}

// TestFiltersAreTried: on an event that came, and on what was pasted; each part is told of.
func TestFiltersAreTried(t *testing.T) {
	d := newDesk(t)
	test := "POST " + testProjects + "/subscriptions/test_filter"
	d.api.on(test, fakeAnswer{code: 200, data: "true"})
	form := url.Values{"do": {"filter"}, "event": {testObject}, "filter_config.filter.body": {`{"n":7}`}, "filter_config.filter.headers": {`{"x-region":"eu"}`}, "name": {"typed-name"}}
	d.want(d.post(inProject+"/subscriptions", form), http.StatusOK, "lets this pass", "body fits", "headers fits", "typed-name", "&#34;n&#34;:7")
	var whole map[string]any
	for _, r := range d.api.asked {
		if strings.HasSuffix(r.path, "test_filter") && strings.Contains(r.body, "X-Region") && strings.Contains(r.body, "x-region") && strings.Contains(r.body, `"n":7`) {
			whole = map[string]any{}
		}
	}
	if whole == nil {
		t.Errorf("the filter was not tried on the event: %v", d.api.asked)
	}
	d.api.on(test, fakeAnswer{code: 200, data: "false"})
	d.want(d.post(inProject+"/subscriptions", form), http.StatusOK, "does not let this pass", "body does not fit")
	d.api.on(test, fakeAnswer{code: 400, message: "schema.body.n: $what is no operator"})
	d.want(d.post(inProject+"/subscriptions", form), http.StatusOK, "$what is no operator", `id="f-filter_config.filter.body-wrong"`)
	d.api.on("POST "+testProjects+"/subscriptions/test_function", fakeAnswer{code: 200, data: `{"payload":{"made":1},"log":["<b>said</b>"]}`})
	d.want(d.post(inProject+"/subscriptions", url.Values{"do": {"function"}, "function": {"x"}, "try.body": {`{"a":1}`}}), http.StatusOK, "&#34;made&#34;", "&lt;b&gt;said&lt;/b&gt;")
	d.want(d.post(inProject+"/subscriptions", url.Values{"do": {"filter"}, "try.body": {`{"a"`}}), http.StatusOK, "is not JSON", `id="f-try.body-wrong"`)
	for _, r := range d.api.asked {
		if r.method == http.MethodPost && r.path == testProjects+"/subscriptions" {
			t.Error("trying it out made a subscription")
		}
	}
}

// TestReplayIsCountedAndShown: what is counted is what is replayed, and the job is shown.
func TestReplayIsCountedAndShown(t *testing.T) {
	d := newDesk(t)
	w := d.get(inProject + "/replay?type=order.paid&range=1h&q=abc")
	d.want(w, http.StatusOK, "from=2026-03-04T04", "to=2026-03-04T05")
	d.api.on("POST "+testProjects+"/events/batchreplay", fakeAnswer{code: 200, location: testProjects + "/jobs/" + testObject})
	w = d.post(inProject+"/replay?type=order.paid&from=2026-03-04T04:00:00Z&to=2026-03-04T05:00:00Z&q=abc", url.Values{"rate": {"50"}})
	d.want(d.redirected(w), http.StatusOK, "Replay events", "It has begun.")
	last := d.api.asked
	for _, r := range last {
		if strings.HasSuffix(r.path, "/batchreplay") {
			if r.query.Get("rate") != "50" || r.query.Get("eventType") != "order.paid" || r.query.Get("query") != "abc" || r.query.Get("startDate") != "2026-03-04T04:00:00" {
				t.Errorf("asked for %v", r.query)
			}
		}
	}
	d.want(d.post(inProject+"/replay?type=order.paid", url.Values{"rate": {"fast"}}), http.StatusUnprocessableEntity, "whole number", `value="fast"`)
}

// TestProjectIsDeletedByItsName: and by nothing less.
func TestProjectIsDeletedByItsName(t *testing.T) {
	d := newDesk(t)
	d.want(d.post(inProject+"/settings/delete", url.Values{"confirm": {"shops"}}), http.StatusUnprocessableEntity, "not this project")
	for _, r := range d.api.asked {
		if r.method == http.MethodDelete {
			t.Fatal("it was deleted")
		}
	}
	d.want(d.redirected(d.post(inProject+"/settings/delete", url.Values{"confirm": {"shop"}})), http.StatusOK, "Deleted.")
}

// TestImport: an OpenAPI document that is pasted, and a refusal that keeps it.
func TestImport(t *testing.T) {
	d := newDesk(t)
	what := "POST " + testProjects + "/event-types/import"
	d.api.on(what, fakeAnswer{code: 400, message: "spec: is no OpenAPI document"})
	d.want(d.post(inProject+"/event-types/import", url.Values{"spec": {"openapi: typed"}}), http.StatusUnprocessableEntity, "is no OpenAPI document", "openapi: typed")
	d.api.on(what, fakeAnswer{code: 200, data: "[]"})
	d.want(d.redirected(d.post(inProject+"/event-types/import", url.Values{"spec": {"openapi: 3.1.0"}})), http.StatusOK, "in the catalogue")
}

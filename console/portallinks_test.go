package console_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"posthaste/console"
)

// upload posts a form with a file.
func (r *reader) upload(path string, form url.Values, field string, file []byte) shown {
	r.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for name, values := range form {
		for _, value := range values {
			_ = m.WriteField(name, value)
		}
	}
	part, err := m.CreateFormFile(field, "a file")
	if err != nil {
		r.t.Fatal(err)
	}
	_, _ = part.Write(file)
	_ = m.Close()
	req, err := http.NewRequest("POST", r.pages.URL+path, &body)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", m.FormDataContentType())
	return r.do(req)
}

// somePicture is a PNG as far as anybody looks.
var somePicture = []byte("\x89PNG\r\n\x1a\nand so on")

// TestPortalLinksAreMadeAndChanged: with all that there is to a link, which its portal then
// keeps to; what is wrong is said at its field, and what was not touched stays.
func TestPortalLinksAreMadeAndChanged(t *testing.T) {
	w := newWorld(t, "https://operator.example")
	project, key := w.project(nil)
	r, in := w.operator(project, key)
	r.want(r.get(in+"/portal-links"), 200, "No portal link yet", "posthaste portal-link create", "<code>https://operator.example</code> may show a portal in a frame", "new-portal-link")
	mine := uid(w.call(key, "POST", project+"/endpoints", object{"name": "mine", "url": w.recv.URL, "owner_id": "tern"}))
	w.call(key, "POST", project+"/endpoints", object{"name": "not-theirs", "url": w.recv.URL, "owner_id": "gull"})
	r.want(r.get(in+"/new-portal-link"), 200, "not-theirs", "mine")
	if p := r.want(r.get(in+"/new-portal-link?owner=tern"), 200, "mine", `value="tern"`); strings.Contains(p.text, "not-theirs") {
		t.Error("the form offers another owner's endpoint")
	}

	form := url.Values{"name": {"people"}, "owner_id": {"tern"}, "auth_type": {"static_token"}, "can_manage_endpoint": {"on"}, "endpoints": {mine}, "expires": {"86400"},
		"allowed_parents": {"https://shop.example\r\n\r\nhttps://shop.example/with/a/path"}, "brand.name": {"Tern events"}, "brand.accent": {"#ffee00"}}
	r.want(r.upload(in+"/portal-links", form, "brand.logo", somePicture), 422, "Nothing was saved",
		`id="f-allowed_parents-wrong">Entry 2: want an origin, such as https://app.example.com, without a path`, "with/a/path</textarea>", `value="`+mine+`" checked`, "Tern events")
	form.Set("allowed_parents", " https://shop.example \r\nhttps://other.example:8443")
	form.Set("brand.accent", "yellow")
	r.want(r.upload(in+"/portal-links", form, "brand.logo", somePicture), 422, `id="f-brand.accent-wrong">want a colour as #rrggbb`)
	form.Set("brand.accent", "#ffee00")
	r.want(r.upload(in+"/portal-links", form, "brand.logo", []byte("<svg onload=alert(1)>")), 422, `id="f-brand.logo-wrong">want a PNG`)
	if n := len(w.rows(key, project+"/portal-links")); n != 0 {
		t.Fatalf("refused forms made %d links", n)
	}
	p := r.want(r.upload(in+"/portal-links", form, "brand.logo", somePicture), 200, "people: the link", "<code class=\"mono\">"+w.pages.URL+"/portal?token=", "1 endpoint, chosen", "https://other.example:8443", "look and change")
	link := w.rows(key, project+"/portal-links")[0]
	token, at := link["token"].(string), in+"/portal-links/"+uid(link)
	if !strings.Contains(p.text, "token="+token+`"`) || strings.Contains(r.get(in+"/portal-links").text, token) {
		t.Error("the link is not to be copied once, on the page after it was made")
	}

	// The portal is as the link says.
	owner := w.reader()
	page := owner.want(owner.get("/portal?token="+url.QueryEscape(token)), 200, "<span>Tern events</span>", "/portal/logo", "mine")
	if policy := page.header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "frame-ancestors 'self' https://shop.example https://other.example:8443") {
		t.Errorf("it may be framed by %s", policy)
	}
	css := owner.get("/portal/brand.css").text
	preview := r.want(r.get(in+"/portal-links/accent?brand.accent=%23ffee00"), 200, "darkened, so that it can be read").text
	for _, colour := range []string{css[strings.Index(css, "#"):][:7], "#ffee00"} {
		if !strings.Contains(css, colour) || !strings.Contains(preview, `fill="`+colour+`"`) {
			t.Errorf("the portal has %s, and the preview %s", css, preview)
		}
	}
	r.want(r.get(in+"/portal-links/accent?brand.accent=nothing"), 200, "own blue")

	// Everything is in the form again, and stays when nothing is touched.
	r.want(r.get(at), 200, `value="people"`, `value="#ffee00"`, "https://shop.example\nhttps://other.example:8443</textarea>", `value="`+mine+`" checked`, "as it is now", "/logo", "Who changed it", "Revoke people now")
	if logo := r.want(r.get(at+"/logo"), 200); logo.text != string(somePicture) || logo.header.Get("Content-Type") != "image/png" {
		t.Errorf("the logo is %q, %s", logo.text, logo.header.Get("Content-Type"))
	}
	form.Set("expires", "keep")
	r.want(r.upload(at, form, "unused", nil), 200, "Saved.")
	kept := w.call(key, "GET", project+"/portal-links/"+uid(link), nil)
	for name, before := range link {
		if name != "updated_at" && name != "endpoints_metadata" && !reflect.DeepEqual(before, kept[name]) {
			t.Errorf("saving the form as it was turned %s from %v to %v", name, before, kept[name])
		}
	}
	big := make([]byte, 300<<10)
	r.want(r.upload(at, form, "brand.logo", big), 413, "Nothing was changed")
	r.want(r.post(at, url.Values{"name": {"people"}, "filler": {strings.Repeat("x", 300<<10)}}), 413, "Nothing was changed")
	r.want(r.post(at, url.Values{"name": {"crew"}, "owner_id": {"tern"}, "auth_type": {"static_token"}, "expires": {""}, "logo": {"none"}, "allowed_parents": {""}}), 200, "Saved.")
	if bare := w.call(key, "GET", project+"/portal-links/"+uid(link), nil); bare["name"] != "crew" || bare["expires_at"] != nil || bare["brand"] != nil ||
		len(bare["allowed_parents"].([]any)) != 0 || len(bare["endpoints"].([]any)) != 0 || bare["can_manage_endpoint"] != false {
		t.Errorf("the link became %v", bare)
	}
	owner.want(owner.get("/portal/endpoints"), 200, "<span>Webhooks</span>")
	page = owner.get("/portal/endpoints")
	if policy := page.header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "frame-ancestors 'self' https://operator.example") {
		t.Errorf("without parents of its own it may be framed by %s", policy)
	}
	r.want(r.get(in+"/portal-links?owner=nobody"), 200, "No portal link yet", "create nobody --owner nobody")
	r.want(r.post(at+"/revoke", nil), 200, "Revoked", "No portal link yet")
	owner.want(owner.get("/portal/endpoints"), 401)
}

// TestPagesRevealNothing: no page that is only looked at leaves a record of a secret that
// was shown, since it shows none.
func TestPagesRevealNothing(t *testing.T) {
	w := newWorld(t)
	project, key := w.project(object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1},
		"meta_event": object{"is_enabled": true, "type": "http", "url": w.recv.URL, "secret": "the-operational-secret", "event_type": []string{"endpoint.created"}}})
	p := w.party(project, key, "tern", "own")
	source := uid(w.call(key, "POST", project+"/sources", object{"name": "s", "type": "http", "verifier": object{"type": "hmac", "hmac": object{"header": "X", "hash": "SHA256", "encoding": "hex", "secret": "the-source-secret"}}}))
	token, link := w.link(key, project, nil)
	operator, in := w.operator(project, rootKey)
	owner := w.reader()
	owner.want(owner.get("/portal?token="+url.QueryEscape(token)), 200)
	ids := map[string]string{"endpoints": p.endpoint, "deliveries": p.delivery, "events": p.event, "jobs": p.job, "subscriptions": p.subs, "sources": source, "portal-links": link}
	walk := func(r *reader, base string, routes []string) {
		for _, route := range routes {
			method, path, _ := strings.Cut(route, " ")
			if method != "GET" || strings.HasSuffix(path, "/stream") {
				continue
			}
			kind, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
			path = strings.TrimSuffix(strings.Replace(path, "{id}", ids[kind], 1), "{$}")
			got := r.get(base + path)
			if got.code != 200 && !strings.HasSuffix(path, "/logo") {
				t.Errorf("%s%s: %d", base, path, got.code)
			}
			for _, secret := range []string{"own-secret-of", "the-operational-secret", "the-source-secret", token} {
				if strings.Contains(got.text, secret) {
					t.Errorf("%s%s shows %s", base, path, secret)
				}
			}
		}
	}
	walk(operator, in, console.ProjectRoutes())
	walk(operator, "", console.InstanceRoutes())
	walk(owner, "/portal", console.PortalRoutes())
	for _, id := range ids {
		operator.get(in + "/deliveries?q=" + id)
		owner.get("/portal/deliveries?q=" + id)
	}
	for _, row := range w.rows(rootKey, "/api/v1/audit?action=secret.reveal&perPage=100") {
		t.Errorf("looking at pages left the record that %v was shown a secret of %v %v", row["actor_name"], row["object_kind"], row["object_name"])
	}
	operator.want(operator.post(in+"/portal-links/"+link+"/show", nil), 200, token)
	operator.want(operator.post(in+"/portal-links/"+link+"/token", nil), 200, "for one hour")
	if rows := w.rows(rootKey, "/api/v1/audit?action=secret.reveal&object="+link); len(rows) != 1 {
		t.Errorf("a link that was shown left %d records", len(rows))
	}
}

var (
	rowLink  = regexp.MustCompile(`class="rowlink" href="[^"]*/endpoints/([0-9A-Z]{26})"`)
	nextLink = regexp.MustCompile(`<a class="btn" rel="next" href="([^"]+)"`)
)

// TestEndpointListsHavePages: both lists go on behind their first page, to the end and
// once each; a search finds what is behind it, and a choice of endpoints has the chosen.
func TestEndpointListsHavePages(t *testing.T) {
	w := newWorld(t)
	project, key := w.project(object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1}})
	p := w.party(project, key, "tern", "oldest")
	const more = 210
	asleep := uid(w.call(key, "POST", project+"/endpoints", object{"name": "many-asleep", "url": w.recv.URL, "owner_id": "tern"}))
	w.call(key, "PUT", project+"/endpoints/"+asleep+"/pause", nil)
	for i := 1; i < more; i++ {
		w.call(key, "POST", project+"/endpoints", object{"name": "many-" + strings.Repeat("i", i%3), "url": w.recv.URL, "owner_id": "tern"})
	}
	operator, in := w.operator(project, key)
	token, link := w.link(key, project, object{"endpoints": []string{p.endpoint}})
	all, _ := w.link(key, project, nil)
	owner := w.reader()
	owner.want(owner.get("/portal?token="+url.QueryEscape(all)), 200)
	for _, c := range []struct {
		r            *reader
		base         string
		pages, found int
	}{{operator, in, 2, 1}, {owner, "/portal", 5, 2}} {
		walk := func(at string) (pages int, seen map[string]int) {
			seen = map[string]int{}
			for at != "" && pages < 20 {
				page := c.r.want(c.r.get(at), 200)
				pages++
				for _, m := range rowLink.FindAllStringSubmatch(page.text, -1) {
					seen[m[1]]++
				}
				if pages > 1 && !strings.Contains(page.text, ">Newest</a>") {
					t.Errorf("%s has no way back", at)
				}
				at = ""
				if m := nextLink.FindStringSubmatch(page.text); m != nil {
					at = strings.ReplaceAll(m[1], "&amp;", "&")
				}
			}
			return pages, seen
		}
		pages, seen := walk(c.base + "/endpoints")
		if pages != c.pages || len(seen) != more+1 || seen[p.endpoint] != 1 {
			t.Errorf("%s: %d pages with %d endpoints, want %d with %d", c.base, pages, len(seen), c.pages, more+1)
		}
		if pages, seen := walk(c.base + "/endpoints?q=many-ii"); len(seen) != more/3 || pages != c.found {
			t.Errorf("%s: a search has %d pages with %d endpoints", c.base, pages, len(seen))
		}
		if _, seen := walk(c.base + "/endpoints?q=OLDEST"); len(seen) != 1 || seen[p.endpoint] != 1 {
			t.Errorf("%s: the search finds %v", c.base, seen)
		}
		c.r.want(c.r.get(c.base+"/endpoints?q=none-such"), 200, "No endpoint of that name")
		c.r.want(c.r.get(c.base+"/deliveries?endpoint="+p.endpoint), 200, `value="`+p.endpoint+`" selected>oldest-name`)
	}
	operator.want(operator.get(in+"/subscriptions/"+p.subs), 200, `value="`+p.endpoint+`" selected>oldest-name`)
	operator.want(operator.get(in+"/portal-links/"+link), 200, `value="`+p.endpoint+`" checked`)
	operator.want(operator.get(in+"/resend?status=Failure&endpoint="+p.endpoint), 200, "oldest-name")
	operator.want(operator.get(in+"/"), 200, "oldest-name", "many-asleep") // what needs a look, wherever it is
	if rows := w.rows(key, project+"/audit?action=secret.reveal&object="+p.endpoint); len(rows) != 0 {
		t.Errorf("looking at pages left %d records of secrets that were shown", len(rows))
	}
	few := w.reader()
	if page := few.want(few.get("/portal?token="+url.QueryEscape(token)), 200, "oldest-name"); strings.Contains(page.text, `type="search"`) {
		t.Error("a portal with one endpoint has a search for it")
	}
}

package console_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

func firstMatch(t *testing.T, pattern, text string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("%s is not in\n%s", pattern, text)
	}
	return m[1]
}

// link makes a portal link and returns its token and id.
func (w *world) link(key, project string, more object) (token, id string) {
	w.t.Helper()
	body := object{"name": "people", "owner_id": "tern", "can_manage_endpoint": true}
	for k, v := range more {
		body[k] = v
	}
	l := w.call(key, "POST", project+"/portal-links", body)
	return l["token"].(string), uid(l)
}

// TestPortalAddsAnEndpoint: a portal leads from a URL to a signature that is checked.
func TestPortalAddsAnEndpoint(t *testing.T) {
	w := newWorld(t)
	project, key := w.project(object{"strategy": object{"type": "schedule", "schedule": []int{30, 3600, 86400}, "retry_count": 4}})
	w.call(key, "POST", project+"/event-types", object{"name": "order.paid", "description": "Money came <b>in</b>",
		"json_schema": object{"type": "object", "properties": object{"order": object{"type": "string", "format": "uuid"}, "amount": object{"type": "integer"}}}})
	token, _ := w.link(key, project, nil)
	r := w.reader()
	r.want(r.get("/portal?token="+token), 200, "No endpoint yet", "We try 4 times over 1 day 1 hour", "X-Convoy-Signature: t=", "Add endpoint")
	r.want(r.get("/portal/event-types"), 200, "order.paid", "Money came &lt;b&gt;in&lt;/b&gt;", "3f2c8a10-5d1e-4c7b-9a51-0b6f7f1f2c11")
	r.want(r.get("/portal/new-endpoint"), 200, "Which events", "order.paid", "&#34;order&#34;")
	r.want(r.post("/portal/endpoints", url.Values{"url": {"http://10.0.0.1/"}, "all": {"on"}}), 422, "10.0.0.1", `role="alert"`)
	r.want(r.post("/portal/endpoints", url.Values{"url": {w.recv.URL + "/fine"}}), 422, "Choose the events")
	p := r.want(r.post("/portal/endpoints", url.Values{"url": {w.recv.URL + "/fine"}, "type": {"order.paid"}}), 200, "A test event", "Check the signature", "func valid", "hash_equals", "Nothing was sent to this endpoint yet")
	setup := strings.TrimSuffix(p.at, "#test")
	if !strings.HasSuffix(setup, "/setup") {
		t.Fatalf("it leads to %s", p.at)
	}
	r.want(r.post(setup, url.Values{"event_type": {"order.paid"}, "data": {"{"}}), 422, "refused because it is no JSON", `role="alert"`)
	r.want(r.post(strings.Replace(setup, "/setup", "/test", 1), url.Values{"data": {"{"}}), 400, "refused because it is no JSON")
	r.want(r.post(setup, url.Values{"event_type": {"order.paid"}, "data": {`{"order":7}`}}), 200)
	w.eventually("the test event arrived", func() bool { return strings.Contains(r.get(setup).text, "it arrived") })

	e := w.rows(key, project+"/endpoints")[0]
	d := w.rows(key, project+"/eventdeliveries?endpointId="+uid(e))[0]
	_, attempts := w.try(key, "GET", project+"/eventdeliveries/"+uid(d)+"/deliveryattempts", nil)
	stamp := firstMatch(t, `"X-Convoy-Signature":"t=(\d+),`, attempts["is"].(string))
	secret := w.call(key, "GET", project+"/endpoints/"+uid(e), nil)["secrets"].([]any)[0].(object)["value"].(string)
	mac := func(message string) string {
		m := hmac.New(sha256.New, []byte(secret))
		m.Write([]byte(message))
		return hex.EncodeToString(m.Sum(nil))
	}
	r.want(r.get(setup+"?computed="+mac(stamp+`,{"order":7}`)), 200, "This is right", `<li class="done" id="signature">`)
	r.want(r.get(setup+"?computed="+mac(`{"order":7}`)), 200, "over the body alone")
	delivery := r.want(r.get("/portal/deliveries/"+uid(d)+"?computed="+mac(stamp+`,{"order":7}`)), 200, "This is right", "by the secret with the print", "Subscription")
	if strings.Contains(delivery.text, secret) {
		t.Error("the page of the delivery has the secret")
	}
}

// TestSecretsAreInNoPage: before one is revealed, which is a POST that the audit log has.
func TestSecretsAreInNoPage(t *testing.T) {
	w := newWorld(t)
	project, key := w.project(nil)
	e := uid(w.call(key, "POST", project+"/endpoints", object{"name": "one", "url": w.recv.URL, "owner_id": "tern", "secret": "the-first-secret-of-all"}))
	w.call(key, "PUT", project+"/endpoints/"+e+"/expire_secret", object{"secret": "the-second-secret-of-all", "expiration": 24})
	token, _ := w.link(key, project, nil)
	r := w.reader()
	r.want(r.get("/portal?token="+token), 200)
	page := r.want(r.get("/portal/endpoints/"+e), 200, "Still signs for", "Expire now", "print <code>")
	for _, at := range []string{"/portal/endpoints/" + e, "/portal/endpoints", "/portal/endpoints/" + e + "/setup"} {
		if text := r.get(at).text; strings.Contains(text, "-secret-of-all") {
			t.Errorf("%s has a secret", at)
		}
	}
	reveals := func() int { return len(w.rows(key, project+"/audit?action=secret.reveal&object="+e)) }
	if n := reveals(); n != 0 {
		t.Errorf("looking at pages left %d records of secrets that were shown", n)
	}
	ids := regexp.MustCompile(`name="secret" value="([^"]+)"`).FindAllStringSubmatch(page.text, -1)
	old, current := ids[0][1], ids[len(ids)-1][1]
	r.want(r.post("/portal/endpoints/"+e+"/reveal", url.Values{"secret": {current}}, "HX-Request", "true"), 200, "the-second-secret-of-all", "data-left")
	r.want(r.post("/portal/endpoints/"+e+"/reveal", url.Values{"secret": {current}}), 200, "the-second-secret-of-all", "<main")
	if n := reveals(); n != 2 {
		t.Errorf("two reveals left %d records", n)
	}
	r.want(r.post("/portal/endpoints/"+e+"/reveal", url.Values{"secret": {e}}), 404, "There is no such secret any more")
	if p := r.want(r.post("/portal/endpoints/"+e+"/expire", url.Values{"secret": {old}}), 200); strings.Contains(p.text, "Still signs for") {
		t.Error("the old secret goes on")
	}
	r.want(r.post("/portal/endpoints/"+e+"/rotate", url.Values{"hours": {"1"}}), 200, "Still signs for")
	r.want(r.post("/portal/endpoints/"+e+"/state", url.Values{"to": {"paused"}}), 200, "ep-paused")
	r.want(r.post("/portal/endpoints/"+e+"/state", url.Values{"to": {"active"}}), 200, "ep-active")
}

// TestPortalLinksThatOnlyLook: no changes are offered, and none is made.
func TestPortalLinksThatOnlyLook(t *testing.T) {
	w := newWorld(t)
	project, key := w.project(object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1}})
	p := w.party(project, key, "tern", "own")
	token, _ := w.link(key, project, object{"can_manage_endpoint": false})
	r := w.reader()
	r.want(r.get("/portal?token="+token), 200, "own-name")
	for _, at := range []string{"/portal/endpoints", "/portal/endpoints/" + p.endpoint, "/portal/endpoints/" + p.endpoint + "/setup", "/portal/deliveries", "/portal/deliveries/" + p.delivery, "/portal/event-types"} {
		page := r.want(r.get(at), 200)
		_, main, _ := strings.Cut(page.text, "<main")
		if m := regexp.MustCompile(`method="post"[^>]*action="[^"]*(?:/endpoints|/deliveries/[^"]*/|/resend\?)[^"]*"|Add endpoint|Send test|Rotate…|Expire now|data-resend`).FindString(strings.ReplaceAll(main, `action="/portal/deliveries/resend"`, "")); m != "" && !strings.Contains(m, "/reveal") {
			t.Errorf("%s offers %s", at, m)
		}
	}
	r.want(r.get("/portal/new-endpoint"), 403, "lets you look")
	before := w.state(p)
	for at, form := range map[string]url.Values{
		"/portal/endpoints": {"url": {w.recv.URL}, "all": {"on"}}, "/portal/endpoints/" + p.endpoint + "/state": {"to": {"paused"}},
		"/portal/endpoints/" + p.endpoint + "/rotate": {"hours": {"0"}}, "/portal/endpoints/" + p.endpoint + "/reveal": {"secret": {p.secret}},
		"/portal/endpoints/" + p.endpoint + "/test": {}, "/portal/deliveries/" + p.delivery + "/resend": {}, "/portal/resend": {},
		"/portal/deliveries/" + p.delivery + "/curl": {}, "/portal/deliveries/resend": {"id": {p.delivery}},
	} {
		if got := r.want(r.post(at, form), 403, "lets you look"); strings.Contains(got.text, "own-secret") {
			t.Errorf("%s shows the secret", at)
		}
	}
	if after := w.state(p); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
}

// TestPortalSessionsEnd: with the hour, and with the link at the next request; a one-time
// link opens once.
func TestPortalSessionsEnd(t *testing.T) {
	w := newWorld(t, "https://operator.example")
	project, key := w.project(nil)
	r := w.reader()
	token, id := w.link(key, project, object{"allowed_parents": []string{"https://shop.example"}})
	p := r.want(r.get("/portal?token="+token), 200, "Endpoints")
	if strings.Contains(p.at, "token") || strings.Contains(p.text, token) || !strings.Contains(p.header.Get("Content-Security-Policy"), "frame-ancestors 'self' https://shop.example") || strings.Contains(p.header.Get("Content-Security-Policy"), "operator") {
		t.Errorf("at %s: policy %s", p.at, p.header.Get("Content-Security-Policy"))
	}
	if p := r.get("/login"); !strings.Contains(p.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("the console may be framed: %s", p.header.Get("Content-Security-Policy"))
	}
	w.ahead.Store(int64(59 * time.Minute))
	r.want(r.get("/portal/endpoints"), 200)
	w.ahead.Store(int64(61 * time.Minute))
	p = r.want(r.get("/portal/endpoints"), 401, "This page is over", `data-expired="https://shop.example"`)
	if !strings.Contains(p.header.Get("Content-Security-Policy"), "frame-ancestors 'self' https://shop.example") {
		t.Errorf("the expired page may be shown by %s", p.header.Get("Content-Security-Policy"))
	}
	r.want(r.get("/portal?token="+token), 200, "Endpoints")
	w.call(key, "PUT", project+"/portal-links/"+id+"/revoke", nil)
	r.want(r.get("/portal/deliveries"), 401, "has expired or was revoked", `data-expired="https://shop.example"`)
	r.want(r.get("/portal?token="+token), 401, "This link no longer works", `data-expired="https://shop.example"`)

	once, _ := w.link(key, project, object{"auth_type": "one_time"})
	if resp, err := w.reader().http.Head(w.pages.URL + "/portal?token=" + once); err != nil || resp.StatusCode != 204 {
		t.Errorf("HEAD: %v %v", resp, err)
	}
	r.want(r.get("/portal?token="+once), 200, "Endpoints")
	other := w.reader()
	other.want(other.get("/portal?token="+once), 401, "This link no longer works", `data-expired="https://operator.example"`)
	r.want(r.get("/portal/endpoints"), 200)
	for range 12 {
		other.get("/portal?token=PL.nothing")
	}
	p = other.want(other.get("/portal?token="+once), 429, "Too many links were refused")
	if p.header.Get("Retry-After") == "" {
		t.Error("it does not say when to come again")
	}
}

// TestPortalInAFrameWithoutCookies: a ticket opens it in a tab, once.
func TestPortalInAFrameWithoutCookies(t *testing.T) {
	w := newWorld(t, "https://operator.example")
	project, key := w.project(nil)
	token, _ := w.link(key, project, nil)
	frame := w.reader()
	frame.http.Jar = nil
	p := frame.want(frame.get("/portal?theme=dark&token="+token, "Sec-Fetch-Dest", "iframe"), 200, "Open in a new tab", `target="_blank"`, `data-theme="dark"`)
	ticket := firstMatch(t, `name="ticket" value="([^"]+)"`, p.text)
	if strings.Contains(p.text, token) {
		t.Error("the page has the token")
	}
	tab := w.reader()
	tab.want(tab.post("/portal/enter", url.Values{"ticket": {ticket}}, "Sec-Fetch-Dest", "document"), 200, "Endpoints")
	other := w.reader()
	other.want(other.post("/portal/enter", url.Values{"ticket": {ticket}}), 401, "This page is over")
	kept := w.reader()
	p = kept.want(kept.get("/portal?theme=dark&token="+token, "Sec-Fetch-Dest", "iframe"), 200, "No endpoint yet", `data-theme="dark"`)
	if p.at != "/portal/endpoints?theme=dark" {
		t.Errorf("with cookies a frame is led to %s", p.at)
	}
}

// TestPortalLooksLikeItsLink: name, picture and colour, which is darkened until it can be
// read.
func TestPortalLooksLikeItsLink(t *testing.T) {
	w := newWorld(t)
	project, key := w.project(nil)
	png := "\x89PNG\r\n\x1a\n-and-the-rest"
	token, _ := w.link(key, project, object{"brand": object{"name": "Tern & Co", "accent": "#ffee00", "logo": base64.StdEncoding.EncodeToString([]byte(png))}})
	r := w.reader()
	r.want(r.get("/portal?token="+token), 200, "<span>Tern &amp; Co</span>", `src="/portal/logo"`, "/portal/brand.css", "· Tern &amp; Co</title>")
	css := r.want(r.get("/portal/brand.css"), 200, ":root{--acc:light-dark(#")
	if strings.Contains(css.text, "light-dark(#ffee00") || !strings.Contains(css.text, ",#ffee00)") || css.header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("the colours are %s", css.text)
	}
	if logo := r.get("/portal/logo"); logo.text != png || logo.header.Get("Content-Type") != "image/png" || logo.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the logo is %q %v", logo.text, logo.header)
	}
	plain, _ := w.link(key, project, nil)
	r.want(r.get("/portal?token="+plain), 200, "<span>Webhooks</span>")
	if r.want(r.get("/portal/logo"), 404); strings.Contains(r.get("/portal/endpoints").text, "brand.css") {
		t.Error("a plain portal has a colour of its own")
	}
}

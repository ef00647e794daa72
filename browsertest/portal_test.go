package browsertest

import (
	"net/url"
	"strings"
	"testing"

	"posthaste/browsertest/tab"
)

// portalOf makes an endpoint of an owner, with a delivery, and a link to its portal.
func portalOf(p *project, owner string) (endpoint, address string) {
	p.t.Helper()
	endpoint = p.endpoint("Endpoint of "+owner, p.recv.URL+"/portal", owner)
	p.event(endpoint, "order.paid", object{"owner": owner})
	var link struct{ Token string }
	p.call(p.t, p.key, "POST", p.path+"/portal-links", object{"name": owner, "owner_id": owner, "can_manage_endpoint": true}, &link)
	return endpoint, p.console + "/portal?token=" + link.Token
}

// framed opens a page of another site that shows an address in a frame.
func (v *visit) framed(parent, address string) {
	v.t.Helper()
	v.must(v.Go(parent + "/?u=" + url.QueryEscape(address)))
}

// TestPortalInAFrame: on a page of another site that the operator listed, with cookies of
// other sites blocked, an owner sees what is theirs, goes from page to page and changes
// something.
func TestPortalInAFrame(t *testing.T) {
	t.Parallel()
	p := newProject(t, nil)
	endpoint, address := portalOf(p, "tern")
	other, _ := portalOf(p, "heron")
	v := open(t)
	v.framed(p.parent.URL, address)
	frame, err := chrome.Frame(v.Tab, p.console+"/portal/endpoints")
	v.must(err)
	defer frame.Close()
	f := &visit{t, frame, p.console}
	f.until(`location.pathname === "/portal/endpoints" && document.readyState === "complete"`)
	f.is("the token is gone", `!location.search && !document.documentElement.outerHTML.includes("token=")`)
	f.is("it knows that it is in a frame", `document.documentElement.hasAttribute("data-embed")`)
	f.is("it shows its owner's endpoint", `document.querySelector("main").innerText.includes("Endpoint of tern")`)
	f.is("and no other's", `!document.documentElement.innerText.includes("heron")`)
	f.is("scripts see no cookie", `!document.cookie.includes("ph_portal")`)
	f.do(`location.assign("/portal/deliveries")`)
	f.until(`document.querySelectorAll("#rows tr").length === 1`)
	f.do(`location.assign("/portal/endpoints/` + other + `")`)
	f.until(`document.querySelector("main").innerText.includes("no such thing")`)
	f.do(`location.assign("/portal/endpoints/` + endpoint + `")`)
	f.until(`document.querySelector(".states") && ` + tab.Ready)
	f.do(`document.querySelector("button[value=paused]").click()`)
	f.until(`document.querySelector("dialog[open] .btn.pri")`)
	f.do(`document.querySelector("dialog[open] .btn.pri").click()`)
	f.until(`document.querySelector(".title .ep-paused")`)
	for _, problem := range f.Problems() {
		if !strings.Contains(problem.Text, "404") {
			t.Errorf("in the frame: %s", problem.Text)
		}
	}
	v.Problems() // the 404, in the page around it

	top := open(t)
	top.goTo("/portal/endpoints")
	top.is("outside of that page nobody is signed in", `document.querySelector("h1").innerText === "This page is over"`)
	top.Problems() // the 401
}

// TestFramesThatAreRefused: pages that are not listed may not show the portal, and none
// may show the console.
func TestFramesThatAreRefused(t *testing.T) {
	t.Parallel()
	p := newProject(t, nil)
	_, address := portalOf(p, "tern")
	for name, c := range map[string]struct{ parent, address string }{
		"portal, by a page that is not listed":  {p.stranger.URL, address},
		"sign-in, by a page that is listed":     {p.parent.URL, p.console + "/login"},
		"a project, by a page that is listed":   {p.parent.URL, p.console + p.base + "/"},
		"an endpoint, by one that is not":       {p.stranger.URL, p.console + p.base + "/endpoints"},
		"the portal's list, by one that is not": {p.stranger.URL, p.console + "/portal/endpoints"},
	} {
		v := signIn(t, p.key)
		v.framed(c.parent, c.address)
		eventually(t, name+": a refusal", func() bool {
			for _, problem := range v.Problems() {
				if strings.Contains(problem.Text, "frame-ancestors") {
					return true
				}
			}
			return false
		})
		v.must(v.Go("about:blank"))
		v.Problems()
	}
}

// TestPortalEnds: a revoked link's page says what to do.
func TestPortalEnds(t *testing.T) {
	t.Parallel()
	p := newProject(t, nil)
	portalOf(p, "tern")
	v := open(t)
	v.goTo("/portal?token=" + strings.Repeat("x", 40))
	v.is("it says so", `document.querySelector("h1").innerText === "This link no longer works"`)
	v.Problems() // the 401
	in := signIn(t, p.key)
	in.goTo(p.base + "/portal-links")
	in.leaving(func() { in.click("form[action$='/show'] .btn") })
	in.is("the link can be copied", `document.querySelector("main [data-copy]").dataset.copy.includes("token=")`)
	in.press(tab.Escape)
}

// TestPortalLinkForm: an accent is shown as the portal will, while it is typed; a link that
// was made is there to be copied, and in its form again.
func TestPortalLinkForm(t *testing.T) {
	t.Parallel()
	p := newProject(t, nil)
	v := signIn(t, p.key)
	v.goTo(p.base + "/new-portal-link")
	v.typeIn("[name=name]", "people")
	v.typeIn("[name=owner_id]", "tern")
	v.typeIn("[name=allowed_parents]", "https://shop.example")
	v.click("details:has([name='brand.accent']) > summary")
	v.typeIn("[name='brand.accent']", "#ffcc00")
	v.until(`document.querySelectorAll("#accent svg").length === 2 && document.querySelector("#accent").innerText.includes("darkened")`)
	v.leaving(func() { v.click(".sheet .btn.pri") })
	v.is("the link can be copied", `document.querySelector("main [data-copy]").dataset.copy.includes("token=")`)
	v.leaving(func() { v.click(".t .rowlink") })
	v.is("the form has it", `document.querySelector("[name=allowed_parents]").value === "https://shop.example" && document.querySelectorAll("#accent svg").length === 2`)
}

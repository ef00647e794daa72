package browsertest

import "testing"

// TestWithoutScripts: with JavaScript off every page shows its heading, filters filter and
// forms post.
func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	p := newProject(t, object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1}})
	p.recv.says("plain-"+p.id, answer{code: 500})
	endpoint := p.endpoint("Order service", p.recv.URL+"/plain-"+p.id, "tern")
	p.event(endpoint, "order.paid", object{"order": 1})
	event := p.event(endpoint, "invoice.sent", object{"order": 2})
	eventually(t, "both failed", func() bool { return len(p.deliveries("status=Failure")) == 2 })
	p.recv.says("plain-"+p.id, answer{})

	v := open(t)
	v.must(v.Scripts(false))
	v.goTo("/login")
	v.typeIn("input[name=key]", p.key)
	v.click("button.pri")
	v.until(`document.querySelector(".tabs")`)
	id := p.deliveries("")[0].UID
	places := Places{"p": p.base, "empty": p.base, "endpoint": endpoint, "event": event, "delivery": id, "delivered": id}
	for _, page := range Console {
		if page.Name == "login" || page.Name == notFound || page.Name == instanceOnly {
			continue
		}
		v.goTo(places.URL("", page.Path))
		v.is(page.Name+" has a heading", `document.querySelector("h1, h2")?.textContent.trim()`)
		v.is(page.Name+" offers nothing that needs a script", `![...document.querySelectorAll("[data-act], [data-copy]")].some(e => e.checkVisibility())`)
	}

	v.goTo(p.base + "/deliveries")
	v.do(`document.querySelector("select[name=type]").value = "invoice.sent"`)
	v.click("#filters .btn")
	v.until(`location.search.includes("type=invoice.sent") && document.querySelectorAll("#rows tr").length === 1`)
	v.click("#rows .rowlink")
	v.until(`document.querySelector(".inspect")`)

	v.goTo(p.base + "/deliveries?status=Failure")
	v.click(".facets .btn")
	v.until(`document.querySelector(".dlgpage #dlg-title")?.innerText === "Resend 2 deliveries"`)
	v.click(".dlgpage .btn.pri")
	v.until(`location.pathname.includes("/jobs/") && document.querySelector("main").innerText.includes("2")`)
	eventually(t, "both arrived", func() bool { return len(p.deliveries("status=Success")) == 2 })

	v.goTo(p.base + "/endpoints/" + endpoint)
	v.click(".secrets .sv .cp")
	v.until(`document.querySelector("main")?.innerText.includes("endpoint-secret")`)
	v.goTo(p.base + "/endpoints/" + endpoint)
	v.do(`document.querySelectorAll("details").forEach(d => { d.open = true })`)
	v.leaving(func() { v.click("form[action$='/rotate'] .btn.pri") })
	v.is("the older one signs, too", `document.querySelector(".secrets .old")`)
	v.do(`document.querySelectorAll("details").forEach(d => { d.open = true })`)
	v.click("form[action$='/test'] .btn.pri")
	v.until(`location.pathname.includes("/deliveries/")`)
}

package browsertest

import (
	"net/http"
	"strings"
	"testing"

	"posthaste/browsertest/tab"
)

// fast tries again after a second, often enough to be watched.
var fast = object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1000}}

// TestFirstSteps is what somebody new does: sign in, wrongly at first, add an endpoint,
// send a test event and see it arrive; then the receiver fails, retries come, and once it
// is mended a person sends what waits.
func TestFirstSteps(t *testing.T) {
	t.Parallel()
	p := newProject(t, fast)
	v := open(t)
	v.goTo("/login?next=" + p.base + "/")
	v.typeIn("input[name=key]", "not-the-key")
	v.leaving(func() { v.press(tab.Enter) })
	v.is("a wrong key is refused", `document.querySelector("[role=alert]").innerText.includes("not known")`)
	v.Problems() // the browser notes the 401
	v.typeIn("input[name=key]", p.key)
	v.leaving(func() { v.click("button.pri") })
	if got := v.path(); got != p.base+"/" {
		t.Errorf("signing in led to %s", got)
	}

	v.click("main a.btn.pri") // of the empty overview
	v.until(`document.querySelector("form.sheet")`)
	v.typeIn("input[name=url]", p.recv.URL+"/first-"+p.id)
	v.typeIn("input[name=name]", "Order service")
	v.typeIn("textarea[name=types]", "order.*")
	v.click("form.sheet button.pri")
	v.until(`document.querySelector("h1").innerText === "Order service"`)

	v.sendTest("order.paid", `{"order": 17}`)
	v.shows("an event that arrived", ".title .st-success")
	v.is("its answer is shown", `document.querySelector("main").innerText.includes("200 OK")`)

	p.recv.says("first-"+p.id, answer{code: http.StatusInternalServerError, body: `{"error":"the disk of request {n} is full"}`})
	v.click(".facts a")
	v.until(`document.querySelector(".states")`)
	v.sendTest("order.paid", `{"order": 18}`)
	v.shows("attempts that failed", `.atts [data-att="3"]`)
	v.is("what the receiver said", `document.querySelector("main").innerText.includes("is full")`)
	v.is("a retry is due", `document.querySelector(".title .st").innerText.includes("Retry")`)
	if code := v.text(".atts"); strings.Count(code, "500") < 3 {
		t.Errorf("the attempts: %s", code)
	}
	p.recv.says("first-"+p.id, answer{})
	v.shows("it arrived at last", ".title .st-success")
}

// sendTest sends a test event by the dialog of an endpoint's page.
func (v *visit) sendTest(kind, data string) {
	v.t.Helper()
	v.click("[data-form=test-form]")
	v.until(`document.querySelector("dialog[open] textarea")`)
	v.typeIn("dialog input[name=event_type]", kind)
	v.typeIn("dialog textarea[name=data]", data)
	v.click("dialog .btn.pri")
	v.until(`location.pathname.includes("/deliveries/") && ` + tab.Ready)
}

// shows loads the page again until it has an element.
func (v *visit) shows(what, selector string) {
	v.t.Helper()
	eventually(v.t, what, func() bool {
		if value[bool](v, `!!document.querySelector(`+quote(selector)+`)`) {
			return true
		}
		v.goTo(v.path())
		return false
	})
}

// TestSecrets: one is shown for a while only, and rotating keeps the old one for the time
// that was chosen, which the page shows.
func TestSecrets(t *testing.T) {
	t.Parallel()
	p := newProject(t, nil)
	endpoint := p.endpoint("Order service", p.recv.URL+"/secrets", "")
	v := signIn(t, p.key)
	v.goTo(p.base + "/endpoints/" + endpoint)
	v.is("no secret is in the page", `!document.documentElement.outerHTML.includes("endpoint-secret")`)
	v.click(".secrets .sv .cp")
	v.until(`document.querySelector(".sv code[data-left]")?.textContent === "endpoint-secret"`)
	v.do(`document.querySelector(".sv code[data-left]").dataset.left = "2 s"`)
	v.until(`document.querySelector(".secrets").innerText.includes("•••")`)
	v.is("the secret is gone again", `!document.documentElement.outerHTML.includes("endpoint-secret")`)
	v.click(".secrets .sv .cp")
	v.until(`document.querySelector(".sv code[data-left]")?.textContent === "endpoint-secret"`)

	v.click("[data-form=rotate-form]")
	v.until(`document.querySelector("dialog[open] [value='168']")`)
	v.click("dialog [value='168']")
	v.leaving(func() { v.click("dialog .btn.pri") })
	v.is("the overlap is shown", `/Still signs for\s+(6|7) days/.test(document.querySelector(".secrets .old").innerText)`)
	v.is("there are two", `document.querySelectorAll(".secrets > li").length === 2`)
}

// TestResendAll: a preview says what would be sent, a job sends it and shows how far it
// is, and the list says what became of it.
func TestResendAll(t *testing.T) {
	t.Parallel()
	p := newProject(t, object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1}})
	p.recv.says("resend-"+p.id, answer{code: http.StatusBadGateway})
	endpoint := p.endpoint("Broken one", p.recv.URL+"/resend-"+p.id, "")
	for i := range 30 {
		p.event(endpoint, "order.paid", object{"order": i})
	}
	eventually(t, "all failed", func() bool { return len(p.deliveries("status=Failure")) == 30 })
	p.recv.says("resend-"+p.id, answer{})

	v := signIn(t, p.key)
	v.goTo(p.base + "/deliveries?status=Failure")
	v.click(".facets .btn")
	v.until(`document.querySelector("dialog[open] h2")`)
	v.is("the preview counts", `document.querySelector("#dlg-title").innerText === "Resend 30 deliveries"`)
	v.is("and says whose", `document.querySelector("dialog .mini").innerText.includes("Broken one")`)
	v.is("and warns", `document.querySelector("dialog").innerText.includes("twice")`)
	v.typeIn("dialog input[name=rate]", "5")
	v.do(`window.widths = new Set(); new MutationObserver(() => { const w = document.querySelector("dialog .prog")?.getAttribute("aria-label"); if (w) widths.add(w) }).observe(document.querySelector("#dlg"), {childList: true, subtree: true})`)
	v.click("dialog .btn.pri")
	v.until(`document.querySelector("#dlg-title")?.innerText === "Done: 30 sent again"`)
	v.is("progress was shown", `[...widths].some(w => w !== "100% done")`)
	v.press(tab.Escape)
	v.until(`!document.querySelector("dialog[open]") && document.querySelector("#dlg").children.length === 0`)
	eventually(t, "all arrived", func() bool { return len(p.deliveries("status=Success")) == 30 })
	v.goTo(p.base + "/deliveries")
	v.is("the list says so", `document.querySelectorAll("#rows .st-success").length === 30`)
	v.goTo(p.base + "/jobs")
	v.is("the job is listed", `document.querySelector("main").innerText.includes("30 of 30")`)
}

package browsertest

import (
	"net/http"
	"testing"

	"posthaste/browsertest/tab"
)

// TestSearch: operators and what was understood, a mistake that leaves the rows, values
// that are chosen and left out by a click, and ids that lead to their pages.
func TestSearch(t *testing.T) {
	t.Parallel()
	p := listed(t)
	v := signIn(t, p.key)
	v.goTo(p.base + "/deliveries")
	rows := `document.querySelectorAll("#rows tr").length`
	// Enter in a field that was written in is a change and a submit.
	v.do(`["before:request", "after:request", "finally:request"].forEach(e => { window[e] = 0; document.addEventListener("htmx:" + e, () => window[e]++) })`)
	v.typeIn("#filters input[name=q]", "code:4xx data.order=1")
	v.press(tab.Enter)
	v.until(rows + ` === 1 && window["finally:request"] === window["before:request"]`)
	v.is("a search is asked once", `window["after:request"] === 1`)
	v.is("what was understood are chips", `document.querySelector(".chips").innerText.includes("an attempt was answered 4xx")`)
	v.is("and how far was looked", `document.querySelector(".pager").innerText.includes("all of this time")`)
	v.is("a search is not live", `document.querySelector(".live").hidden`)
	v.leaving(func() { v.click(".chips li:nth-child(2) a") })
	v.is("a chip takes its operator away", rows+` === 12 && document.querySelector("#filters input[name=q]").value === "code:4xx"`)

	v.typeIn("#filters input[name=q]", "code:abc")
	v.press(tab.Enter)
	v.until(`document.querySelector("#problem").innerText.includes("is no code")`)
	v.is("the rows stay", rows+" === 12")
	eventually(t, "the browser notes an answer of 400", func() bool { return len(v.Problems()) > 0 })

	v.goTo(p.base + "/deliveries")
	v.until(`document.querySelectorAll("#rows input[name=id]").length > 5`)
	v.do(`(() => { const b = document.querySelectorAll("#rows input[name=id]"); b[5].click(); b[2].dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true, shiftKey: true})) })()`)
	v.is("with Shift all rows between are ticked", `document.querySelector(".selbar b").innerText === "4"`)
	v.leaving(func() { v.click("#rows .c-ep .only") })
	v.is("a click on a value chooses it", rows+" === 12 && location.search.includes('endpoint=')")
	v.goTo(p.base + "/deliveries")
	v.leaving(func() {
		v.do(`document.querySelector('#rows .c-ty .only[href*="invoice.sent"]').dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true, altKey: true}))`)
	})
	v.is("with Alt it is left out", rows+` === 16 && document.querySelector("#filters input[name=q]").value === "-type:invoice.sent"`)
	v.goTo(p.base + "/deliveries?status=Success")
	v.leaving(func() {
		v.do(`document.querySelector('#rows .c-st .only').dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true, altKey: true}))`)
	})
	v.is("a state by choosing the others", rows+` === 12 && !location.search.includes("status=Success")`)

	id := p.deliveries("status=Retry")[0].UID
	v.leaving(func() {
		v.typeIn("#filters input[name=q]", id)
		v.press(tab.Enter)
	})
	v.is("an id leads to its page", `location.pathname.endsWith(`+quote("/deliveries/"+id)+`)`)
	v.goTo(p.base + "/")
	v.leaving(func() {
		v.do(`(() => { const d = new DataTransfer(); d.setData("text", "  ` + id + `\n"); document.body.dispatchEvent(new ClipboardEvent("paste", {bubbles: true, clipboardData: d})) })()`)
	})
	v.is("so does one that is pasted", `location.pathname.endsWith(`+quote("/deliveries/"+id)+`)`)
	v.goTo(p.base + "/")
	v.leaving(func() { v.click(".why a") })
	v.is("a reason leads to its deliveries", rows+` === 12 && document.querySelector("#filters input[name=q]").value === "code:404"`)
}

// TestPause: before an endpoint is paused the page says what waits; afterwards it offers
// what was discarded.
func TestPause(t *testing.T) {
	t.Parallel()
	p := newProject(t, object{"strategy": object{"type": "linear", "duration": 3600, "retry_count": 3}})
	p.recv.says("pause-"+p.id, answer{code: http.StatusServiceUnavailable})
	endpoint := p.endpoint("Orders", p.recv.URL+"/pause-"+p.id, "")
	p.event(endpoint, "order.paid", object{"order": 1})
	eventually(t, "one waits", func() bool { return len(p.deliveries("status=Retry")) == 1 })
	v := signIn(t, p.key)
	v.goTo(p.base + "/endpoints/" + endpoint)
	v.click(".states .ep-paused")
	v.until(`document.querySelector("dialog[open]")?.innerText.includes("1 delivery waits for it now")`)
	v.press(tab.Escape)
	v.until(`!document.querySelector("dialog[open]")`)
	v.is("nothing has happened", `document.querySelector(".states .ep-active").getAttribute("aria-pressed") === "true"`)
	v.click(".states .ep-paused")
	v.leaving(func() { v.click("dialog[open] .btn.pri") })
	v.is("it is paused", `document.querySelector(".states .ep-paused").getAttribute("aria-pressed") === "true"`)
	p.event(endpoint, "order.paid", object{"order": 2})
	eventually(t, "one is discarded", func() bool { return len(p.deliveries("status=Discarded")) == 1 })
	v.leaving(func() { v.click(".states .ep-active") })
	v.click(`.hint a[href*="/resend?"]`)
	v.until(`document.querySelector("#dlg-title")?.innerText === "Resend 1 delivery"`)
	v.click("dialog[open] .btn.pri")
	v.until(`document.querySelector("#dlg-title")?.innerText.startsWith("Done")`)
	eventually(t, "it was sent again", func() bool { return len(p.deliveries("status=Discarded")) == 0 })
}

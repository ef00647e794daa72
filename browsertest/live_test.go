package browsertest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"posthaste/browsertest/tab"
)

// away lets a test say that nobody sees the page.
const away = `window.away = false; Object.defineProperty(document, "hidden", { get: () => window.away });
	window.leave = gone => { window.away = gone; document.dispatchEvent(new Event("visibilitychange")); }`

// goLive switches a list's live view on, and waits until it has begun and the list was read
// once more. From then on reads counts how often it was read.
func (v *visit) goLive() {
	v.t.Helper()
	v.do(`window.reads = 0; window.opened = 0;
		document.addEventListener("htmx:after:swap", e => { if (e.detail.ctx?.target?.id === "results") reads++; });
		document.addEventListener("htmx:sse:before:message", e => { if (e.detail.message.event === "open") opened++; })`)
	v.click(".live")
	v.until(`opened === 1 && reads === 1`)
}

// TestLiveEvents: events come on top without a reload, are held while the reader is
// scrolled down, and a connection that drops loses and repeats none. A page that nobody
// sees has no stream.
func TestLiveEvents(t *testing.T) {
	t.Parallel()
	p := newProject(t, nil)
	endpoint := p.endpoint("Order service", p.recv.URL+"/live-events", "")
	var ids []string // as the list has them
	send := func(n int) {
		for range n {
			ids = slices.Insert(ids, 0, "e-"+p.event(endpoint, "order.paid", object{"order": len(ids)}))
		}
	}
	send(20)
	way := newLine(t)
	v := open(t)
	v.base = way.URL
	v.must(v.Always(away))
	v.must(v.Size(1440, 400))
	v.in(p.key)
	v.goTo(p.base + "/events")
	v.goLive()
	rows := `document.querySelectorAll("#rows tr").length`

	send(2)
	v.until(rows + " === 22")
	v.is("with the beginning of their data", `document.querySelector("#rows tr.new .c-data").innerText === '{"order":21}'`)

	v.do(`scrollTo(0, 300)`)
	send(2)
	held := `document.querySelector(".live").dataset.held`
	v.until(held + ` === "2 new"`)
	v.is("it is said", `document.querySelector("#live-said").textContent === "2 new events"`)
	v.is("the list stands still", rows+" === 22")

	way.cut()
	v.until(`!document.querySelector("#problem").hidden`)
	send(3)
	way.mend()
	v.until(held + ` === "5 new" && opened === 2 && document.querySelector("#problem").hidden`)
	v.Problems() // the browser notes that it was cut off
	v.do(`scrollTo(0, 0)`)
	v.until(rows + " === 27")
	got := value[[]string](v, `[...document.querySelectorAll("#rows tr")].map(r => r.id)`)
	if !slices.Equal(got, ids) {
		t.Errorf("the list has\n%s, not\n%s", got, ids)
	}
	v.is("the list was not read again", "reads === 1")

	v.do(`leave(true)`)
	eventually(t, "the stream ends", func() bool { return way.streams() == 0 })
	send(1)
	v.do(`leave(false)`)
	v.until(rows + ` === 28 && opened === 3`)
	v.click(".live")
	eventually(t, "the stream ends", func() bool { return way.streams() == 0 })
}

// TestLiveDeliveries: a delivery has one row whatever becomes of it, the filters hold for
// what comes, and rows are held while some are ticked.
func TestLiveDeliveries(t *testing.T) {
	t.Parallel()
	p := newProject(t, fast)
	endpoint := p.endpoint("Order service", p.recv.URL+"/live-"+p.id, "")
	p.event(endpoint, "order.paid", nil)
	p.event(endpoint, "invoice.sent", nil)
	eventually(t, "both arrived", func() bool { return len(p.deliveries("status=Success")) == 2 })
	v := signIn(t, p.key)
	v.goTo(p.base + "/deliveries?type=invoice.sent")
	v.goLive()
	rows := `document.querySelectorAll("#rows tr").length`

	p.recv.says("live-"+p.id, answer{code: http.StatusServiceUnavailable})
	p.event(endpoint, "order.paid", nil)
	p.event(endpoint, "invoice.sent", nil)
	v.until(rows + ` === 2 && document.querySelector("#rows tr .st-retry")`)
	p.recv.says("live-"+p.id, answer{})
	v.until(`document.querySelector("#rows tr .st-success") && document.querySelectorAll("#rows .st-success").length === 2`)
	v.is("each has one row, of its type", rows+` === 2 && [...document.querySelectorAll("#rows .rowlink")].every(a => a.innerText === "invoice.sent")`)

	v.press("jx")
	v.is("one is ticked", `document.querySelector(".selbar b").innerText === "1"`)
	p.event(endpoint, "invoice.sent", nil)
	v.until(`document.querySelector(".live").dataset.held === "1 new"`)
	v.is("the list stands still", rows+` === 2 && document.querySelector("#rows input:checked")`)
	v.press("x")
	v.until(rows + ` === 3 && !document.querySelector(".live").dataset.held`)
	v.is("the list was not read again", "reads === 1")
}

// looking has a delivery's page look again more often than it does by itself.
const looking = `setInterval(() => { const w = document.querySelector("#watch[hx-get]"); if (w) htmx.trigger(w, "look"); }, 200)`

// TestDeliveryRefreshes: the page of a delivery that is tried again and again follows it to
// its end, and leaves its reader alone.
func TestDeliveryRefreshes(t *testing.T) {
	t.Parallel()
	p := newProject(t, object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1000}})
	p.recv.says("watched-"+p.id, answer{code: http.StatusServiceUnavailable, body: `{"error":"busy {n}"}`})
	endpoint := p.endpoint("Order service", p.recv.URL+"/watched-"+p.id, "")
	p.event(endpoint, "order.paid", object{"order": 1})
	eventually(t, "it failed", func() bool { return len(p.deliveries("status=Retry")) == 1 })
	id := p.deliveries("")[0].UID
	tried := func(n int) {
		t.Helper()
		eventually(t, fmt.Sprint(n, " attempts"), func() bool { return p.deliveries("")[0].Metadata.Trials >= n })
	}
	v := signIn(t, p.key)
	v.must(v.Always(away))
	v.goTo(p.base + "/deliveries/" + id)
	v.do(`window.same = true; document.querySelector("#act-copy").focus()`)
	now := value[int](v, `+document.querySelector("[aria-current][data-att]").dataset.att`)
	v.until(fmt.Sprintf(`+document.querySelector("[aria-current][data-att]").dataset.att > %d`, now))
	v.is("the answer is that of the last attempt", `document.querySelector(".panes").innerText.includes("busy " + document.querySelector("[aria-current][data-att]").dataset.att)`)
	v.is("the page is the same, and so is the focus", `window.same && document.activeElement.id === "act-copy"`)
	v.is("it is said", `/^Retry, attempts: \d+$/.test(document.querySelector("#said").textContent)`)

	v.do(looking)
	v.do(`getSelection().selectAllChildren(document.querySelector(".panes .hint"))`)
	reads := value[string](v, `getSelection().toString()`)
	now = value[int](v, `+document.querySelector(".atts [data-att]").dataset.att`)
	shown := value[string](v, `document.querySelector("[aria-current][data-att]").dataset.att`)
	tried(now + 1)
	v.until(fmt.Sprintf(`+document.querySelector(".atts [data-att]").dataset.att > %d`, now))
	v.is("what is being read stays", `getSelection().toString() === `+quote(reads)+` && document.querySelector("[aria-current][data-att]").dataset.att === `+quote(shown))
	v.do(`getSelection().removeAllRanges()`)
	v.until(`document.querySelector("[aria-current][data-att]") === document.querySelector(".atts [data-att]")`)

	v.leaving(func() { v.do(`document.querySelector(".atts [data-att='1']").click()`) }) // the mouse may miss: each new attempt moves it down
	v.do(`window.asks = 0; document.addEventListener("htmx:before:request", e => { if (e.detail.ctx.sourceElement.id === "watch") asks++; }); leave(true)`)
	v.until(`!document.querySelector("#watch.htmx-request")`)
	asks := value[int](v, "asks")
	v.do(`htmx.trigger("#watch", "look")`)
	v.is("a page that nobody sees does not ask", fmt.Sprintf("asks === %d", asks))
	v.do(`leave(false)`)
	v.until(fmt.Sprintf("asks > %d", asks))

	release, err := v.Hold("#act-secrets")
	v.must(err)
	v.until(`!document.querySelector("#watch.htmx-request")`)
	v.do(`window.asks = 0; htmx.trigger("#watch", "look")`)
	v.is("nor one on which the mouse is held down", "asks === 0")
	v.must(release())
	v.until(`document.querySelector("dialog[open] pre")`)
	v.do(`window.asks = 0; htmx.trigger("#watch", "look")`)
	v.is("nor one with a dialog", "asks === 0")
	v.press(tab.Escape)
	v.do(looking)
	p.recv.says("watched-"+p.id, answer{})
	v.until(`document.querySelector(".title .st-success") && !document.querySelector("#watch").hasAttribute("hx-get")`)
	v.is("no dialog came back", `!document.querySelector("dialog[open]")`)
	v.is("the chosen attempt stays", `document.querySelector("[aria-current][data-att]").dataset.att === "1" && document.querySelector(".panes").innerText.includes("busy 1")`)
	if said := v.text("#said"); !strings.HasPrefix(said, "Success, attempts: ") {
		t.Errorf("at the end it says %q", said)
	}
}

package browsertest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"posthaste/browsertest/tab"
)

func quote(text string) string { return strconv.Quote(text) }

// listed is a project with 24 deliveries of two types, half of them waiting for a retry.
func listed(t *testing.T) *project {
	t.Helper()
	p := newProject(t, object{"strategy": object{"type": "linear", "duration": 3600, "retry_count": 5}})
	p.recv.says("listed-"+p.id, answer{code: http.StatusNotFound, body: `{"error":"{n}"}`})
	fine, broken := p.endpoint("Fine", p.recv.URL+"/fine", ""), p.endpoint("Broken", p.recv.URL+"/listed-"+p.id, "")
	for i := range 24 {
		p.event([]string{fine, broken}[i%2], []string{"order.paid", "order.paid", "invoice.sent"}[i%3], object{"order": i})
	}
	eventually(t, "all were tried", func() bool {
		return len(p.deliveries("status=Success")) == 12 && len(p.deliveries("status=Retry")) == 12
	})
	return p
}

// TestFilters: what is chosen is in the address, what is not is not, Back takes it back,
// and an answer that fails leaves what is there and says so.
func TestFilters(t *testing.T) {
	t.Parallel()
	p := listed(t)
	v := signIn(t, p.key)
	v.goTo(p.base + "/deliveries")
	rows := `document.querySelectorAll("#rows tr").length`
	v.is("all are listed", rows+" === 24")
	v.choose("select[name=type]", "invoice.sent")
	v.until(rows + " === 8")
	if got := v.path(); got != p.base+"/deliveries?type=invoice.sent&range=24h" {
		t.Errorf("the address is %s", got)
	}
	v.is("it is a chip", `document.querySelector(".chips").innerText.includes("invoice.sent")`)
	v.leaving(func() { v.click(".facets .fa-retry") })
	v.is("two filters at once", rows+" === 4 && location.search.includes('status=Retry') && location.search.includes('type=invoice.sent')")
	v.leaving(func() { v.must(v.Back()) })
	v.is("back without the state", rows+" === 8 && !location.search.includes('status')")
	v.must(v.Back())
	v.until(rows + " === 24")
	v.is("back without the type", `!location.search && document.querySelector("select[name=type]").value === ""`)

	v.must(v.Offline(true))
	v.choose("select[name=type]", "order.paid")
	v.until(`!document.querySelector("#problem").hidden`)
	v.is("the old rows stay", rows+" === 24")
	v.must(v.Offline(false))
	v.Problems() // the browser notes that it is offline
	v.choose("select[name=type]", "invoice.sent")
	v.until(rows + ` === 8 && document.querySelector("#problem").hidden`)
}

// TestKeys: what the help says that keys do.
func TestKeys(t *testing.T) {
	t.Parallel()
	p := listed(t)
	v := signIn(t, p.key)
	v.goTo(p.base + "/deliveries")
	v.press("jj")
	v.is("j goes down", `[...document.querySelectorAll("#rows tr")].findIndex(r => r.classList.contains("cur")) === 1`)
	v.press("k")
	v.is("k goes up", `[...document.querySelectorAll("#rows tr")].findIndex(r => r.classList.contains("cur")) === 0`)
	v.press("xjx")
	v.is("x selects", `document.querySelector(".selbar b").innerText === "2"`)
	v.press("/")
	v.is("/ goes to the search", `document.activeElement.type === "search"`)
	v.press(tab.Escape)
	v.do(`document.activeElement.blur()`)
	v.press("?")
	v.is("? shows the keys", `document.querySelector("#help").open`)
	v.press(tab.Escape)
	v.is("Escape closes them", `!document.querySelector("#help").open`)
	v.press("jj")
	v.leaving(func() { v.press(tab.Enter) })
	v.is("Enter opens the row", `location.pathname.includes("/deliveries/")`)
	v.leaving(func() { // at once: the second key has 0.9 s to come
		v.do(`for (const key of ["g", "e"]) document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}))`)
	})
	v.is("g e goes to the endpoints", `location.pathname.endsWith("/endpoints")`)

	id := p.deliveries("status=Retry")[0].UID
	for n := 2; n <= 3; n++ {
		p.call(t, p.key, "PUT", p.path+"/eventdeliveries/"+id+"/resend", nil, nil)
		eventually(t, "one more attempt", func() bool {
			var d delivery
			p.call(t, p.key, "GET", p.path+"/eventdeliveries/"+id, nil, &d)
			return d.Metadata.Trials == n && d.Status == "Retry"
		})
	}
	v.goTo(p.base + "/deliveries/" + id)
	chosen := `document.querySelector("[data-att][aria-current]").dataset.att`
	v.is("the last is shown", chosen+` === "3"`)
	v.leaving(func() { v.press("[") })
	v.is("[ is the one before", chosen+` === "2"`)
	v.leaving(func() { v.press("[") })
	v.leaving(func() { v.press("]") })
	v.is("] is the next", chosen+` === "2"`)
	v.leaving(func() { v.click(`a[href*="view=diff"]`) })
	v.is("what differs", `document.querySelectorAll(".diff .ad").length > 0`)
}

// TestCharts: dragging on a chart chooses a span, and so do the arrow keys and Enter.
func TestCharts(t *testing.T) {
	t.Parallel()
	p := listed(t)
	v := signIn(t, p.key)
	v.goTo(p.base + "/")
	v.must(v.Hover(".charts .plot", .98, .5))
	v.is("one crosshair on all charts", `[...document.querySelectorAll(".charts .cross")].every(c => c.getAttribute("visibility") === "visible")`)
	v.leaving(func() { v.must(v.Drag(".charts .plot", .9, .999)) })
	v.is("a span was chosen", `location.search.includes("from=") && location.search.includes("to=")`)
	v.is("with all in it", `document.querySelector(".pager").innerText.startsWith("24 rows")`)
	v.is("and it is a chip", `document.querySelector(".chips").innerText.includes("between")`)
	v.leaving(func() { v.must(v.Drag(".histo .plot", .1, .3)) })
	v.is("a narrower one", `document.querySelector(".empty h2").innerText === "Nothing matches"`)
	v.leaving(func() { v.must(v.Back()) })
	v.is("back to the first", `document.querySelector(".pager").innerText.startsWith("24 rows")`)

	v.goTo(p.base + "/")
	v.do(`document.querySelector(".charts .strip").focus()`)
	v.press(tab.Left)
	v.is("the arrow shows a step", `document.querySelector(".charts .cross").getAttribute("visibility") === "visible"`)
	v.leaving(func() { v.press(tab.Enter) })
	v.is("and Enter opens it", `location.search.includes("from=")`)
	at := func(name string) string { // as the API takes it
		return strings.TrimSuffix(value[string](v, `new URLSearchParams(location.search).get("`+name+`")`), "Z")
	}
	want := len(p.deliveries("startDate=" + at("from") + "&endDate=" + at("to"))) // fewer than 24 if a step has just begun
	v.is("with what is in it", fmt.Sprintf(`document.querySelectorAll("#rows tr").length === %d`, want))
}

// TestThemeAndZone: both are the reader's choice, and the server renders them.
func TestThemeAndZone(t *testing.T) {
	t.Parallel()
	p := listed(t)
	v := signIn(t, p.key)
	v.must(v.Media("prefers-color-scheme", "light"))
	v.must(v.Zone("Asia/Kolkata"))
	v.goTo(p.base + "/deliveries")
	ground := `getComputedStyle(document.documentElement).backgroundColor`
	light := value[string](v, ground)
	v.click("[data-act=theme]")
	v.until(ground + " !== " + quote(light))
	v.goTo(p.base + "/deliveries")
	v.is("the server knows", `document.documentElement.dataset.theme === "dark"`)
	v.is("and it is dark", ground+" !== "+quote(light))

	at := `document.querySelector("#rows .c-tm time").innerText.slice(0, 2)`
	before := value[string](v, at)
	v.is("times are UTC", `document.querySelector("#rows time").getAttribute("datetime").slice(11, 13) === `+quote(before))
	v.leaving(func() { v.click("[data-act=tz]") })
	v.is("the zone is named", `/Kolkata|Calcutta/.test(document.querySelector(".tzb").innerText)`)
	if after := value[string](v, at); after == before {
		t.Errorf("it is still %s o'clock", after)
	}
	v.is("the exact time stays", `document.querySelector("#rows time").getAttribute("datetime").slice(11, 13) === `+quote(before))
	v.leaving(func() { v.click("[data-act=tz]") })
	if text := v.text(".tzb"); strings.TrimSpace(text) != "UTC" {
		t.Errorf("back in %s", text)
	}
}

package browsertest

import (
	"strings"
	"testing"

	"posthaste/browsertest/tab"
)

// focused describes what has the focus, and whether that can be seen.
const focused = `(() => {
	const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
	if (e === document.body) return "nothing";
	const name = e.tagName + "." + e.className + " " + (e.innerText || e.ariaLabel || e.name || "").slice(0, 30);
	const ring = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1 || s.boxShadow !== "none";
	if (!ring) return name + ": HIDDEN, no ring";
	if (r.width < 2 || r.height < 2 || r.bottom < 0 || r.top > innerHeight) return name + ": HIDDEN, out of sight";
	return name;
})()`

// TestKeyboardOnly goes round the list with the Tab key: the focus is always seen, reaches
// everything, a dialog keeps it, and Escape gives it back.
func TestKeyboardOnly(t *testing.T) {
	t.Parallel()
	p := newProject(t, object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1}})
	p.recv.says("keyboard-"+p.id, answer{code: 500})
	endpoint := p.endpoint("Broken", p.recv.URL+"/keyboard-"+p.id, "")
	for i := range 3 {
		p.event(endpoint, "order.paid", object{"order": i})
	}
	eventually(t, "all failed", func() bool { return len(p.deliveries("status=Failure")) == 3 })
	v := signIn(t, p.key)
	for _, path := range []string{"/deliveries", "/endpoints/" + endpoint, "/", "/subscriptions"} {
		v.goTo(p.base + path)
		v.round(path)
	}

	v.goTo(p.base + "/deliveries?status=Failure")
	v.do(`document.querySelector(".facets .btn").focus()`)
	v.press(tab.Enter)
	v.until(`document.querySelector("dialog[open] h2")`)
	v.is("the focus is in the dialog", `document.activeElement.closest("dialog[open]")`)
	for range 12 {
		v.press(tab.TabKey)
		if got := value[string](v, focused); strings.Contains(got, "HIDDEN") {
			t.Errorf("in the dialog: %s", got)
		}
		v.is("the dialog keeps the focus", `document.activeElement === document.body || document.activeElement.closest("dialog[open]")`)
	}
	v.press(tab.Escape)
	v.until(`!document.querySelector("dialog[open]")`)
	v.is("the focus is back", `document.activeElement.matches(".facets .btn")`)

	v.goTo(p.base + "/deliveries")
	v.press(tab.TabKey)
	v.is("first comes the way past the navigation", `document.activeElement.matches(".skip") && document.activeElement.getBoundingClientRect().width > 40`)
	v.press(tab.Enter)
	v.until(`location.hash === "#main"`)
	v.press(tab.TabKey)
	v.is("which leads into the page", `document.activeElement.closest("main")`)
}

// round goes once through what a page can be reached by.
func (v *visit) round(path string) {
	v.t.Helper()
	want := value[int](v, `[...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")].filter(e => e.checkVisibility() && e.tabIndex >= 0 && !e.disabled && !e.closest("dialog")).length`)
	seen := 0
	for range want + 3 {
		v.press(tab.TabKey)
		got := value[string](v, focused)
		if got == "nothing" {
			break
		}
		if seen++; strings.Contains(got, "HIDDEN") {
			v.t.Errorf("%s: %s", path, got)
		}
	}
	if seen < want-1 { // of radio buttons one is reached
		v.t.Errorf("%s: %d of %d things can be reached by the Tab key", path, seen, want)
	}
}

// TestLarge: at twice the size, 720 pixels wide, nothing is lost sideways and the text is
// still that of the page.
func TestLarge(t *testing.T) {
	t.Parallel()
	p := listed(t)
	v := signIn(t, p.key)
	id := p.deliveries("status=Retry")[0].UID
	for _, width := range []int64{720, 320} { // of 1440 at 200 %, of 1280 at 400 %
		v.must(v.Size(width, 450))
		for _, path := range []string{"/", "/deliveries", "/deliveries/" + id, "/endpoints", "/settings"} {
			v.goTo(p.base + path)
			if over := value[int](v, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
				t.Errorf("%s, %d wide: sticks out by %d: %s", path, width, over, value[string](v, widest))
			}
		}
	}
}

// TestForcedColors: where the system forces its colours, what was told by a background or a
// border is still told.
func TestForcedColors(t *testing.T) {
	t.Parallel()
	p := listed(t)
	v := signIn(t, p.key)
	v.must(v.Media("forced-colors", "active"))
	v.goTo(p.base + "/deliveries?status=Retry")
	line := func(selector string) string {
		return value[string](v, `getComputedStyle(document.querySelector(`+quote(selector)+`)).borderBottomColor`)
	}
	if on, off := line(".tabs [aria-current]"), line(".tabs a:not([aria-current])"); on == off {
		t.Errorf("the current page is not told: %s", on)
	}
	if on, off := line(".facets [aria-current]"), line(".facets nav a:not([aria-current])"); on == off {
		t.Errorf("the chosen state is not told: %s", on)
	}
	v.press("j")
	v.is("the row is told", `getComputedStyle(document.querySelector("tr.cur")).outlineStyle !== "none"`)
	v.goTo(p.base + "/")
	v.is("the range is told", `getComputedStyle(document.querySelector(".seg [aria-current]")).backgroundColor !== getComputedStyle(document.querySelector(".seg a:not([aria-current])")).backgroundColor`)
	v.is("the legend keeps its colours", `getComputedStyle(document.querySelector(".lg i.bad")).backgroundColor !== getComputedStyle(document.querySelector(".lg i.ok")).backgroundColor`)
	v.is("the bars do", `(r => getComputedStyle(r).fill !== getComputedStyle(document.querySelector(".pl rect.ok")).fill)(document.querySelector(".pl rect.warn"))`)
	v.goTo(p.base + "/endpoints/" + p.deliveries("status=Retry")[0].EndpointID)
	v.is("the state is told", `getComputedStyle(document.querySelector(".states [aria-pressed=true]")).outlineStyle !== "none" || getComputedStyle(document.querySelector(".states [aria-pressed=true]")).backgroundColor !== getComputedStyle(document.querySelector(".states [aria-pressed=false]")).backgroundColor`)
}

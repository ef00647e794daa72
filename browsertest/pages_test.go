package browsertest

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"testing"
)

//go:embed testdata/axe/axe.min.js
var axe string

// runAxe runs rules on the page and gives what was violated, in words.
const runAxe = `axe.run(document, %s).then(r => ({Rules: r.passes.length + r.violations.length, Bad: r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.target.join(" ") + ": " + n.failureSummary.replace(/\s+/g, " ")))}))`

// TestPages looks at every page in two widths and two themes: nothing is complained of,
// nothing sticks out sideways, and axe finds nothing.
func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for width, height := range map[int64]int64{1440: 900, 390: 844} {
		t.Run(fmt.Sprint("console ", width), func(t *testing.T) {
			t.Parallel()
			v := signIn(t, instanceKey)
			pages := withNavigation(v, w.places)
			v.must(v.Size(width, height))
			for _, page := range pages {
				v.look(page, w.places, width)
			}
		})
		t.Run(fmt.Sprint("portal ", width), func(t *testing.T) {
			t.Parallel()
			v := open(t)
			v.goTo("/portal?token=" + w.portal)
			v.must(v.Size(width, height))
			for _, page := range Portal {
				v.look(page, w.places, width)
			}
		})
	}
}

// withNavigation are the pages of the list, and those that the navigation has besides.
func withNavigation(v *visit, places Places) []Page {
	v.t.Helper()
	pages := slices.Clone(Console)
	v.goTo(places["p"] + "/")
	for _, href := range value[[]string](v, `[...document.querySelectorAll(".tabs a")].map(a => a.getAttribute("href"))`) {
		if !slices.ContainsFunc(pages, func(p Page) bool { return places.URL("", p.Path) == href }) {
			pages = append(pages, Page{strings.TrimPrefix(href, places["p"]+"/"), href})
		}
	}
	return pages
}

// notFound is the one page that the browser itself complains of.
const notFound = "not-found"

// instanceOnly is the one that a project's key may not see.
const instanceOnly = "system"

// look looks at a page in both themes.
func (v *visit) look(page Page, places Places, width int64) {
	v.t.Helper()
	at := fmt.Sprintf("%s, %d wide", page.Name, width)
	v.must(v.Media("prefers-color-scheme", "light"))
	v.must(v.Go(places.URL(v.base, page.Path)))
	if where := v.path(); strings.HasPrefix(where, "/login") && page.Name != "login" {
		v.t.Fatalf("%s: signed out", at)
	}
	if page.Name == notFound {
		v.Problems()
	}
	for _, p := range v.Problems() {
		count := &summary.errors
		if p.CSP {
			count = &summary.violations
		}
		count.Add(1)
		v.t.Errorf("%s: the browser says: %s", at, p.Text)
	}
	if over := value[int](v, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
		summary.overflows.Add(1)
		v.t.Errorf("%s: sticks out by %d pixels: %s", at, over, value[string](v, widest))
	}
	if testing.Short() && width < 1440 {
		return // axe takes most of the suite's time
	}
	v.do(axe)
	v.axe(at+", light", "{}")
	v.must(v.Media("prefers-color-scheme", "dark"))
	v.axe(at+", dark", `{runOnly: ["color-contrast"]}`) // nothing else has to do with colour
	v.Problems()                                        // of axe's own
}

// widest is what sticks out.
const widest = `[...document.querySelectorAll("main *, header *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 4).map(e => e.outerHTML.slice(0, 120)).join(" | ")`

func (v *visit) axe(at, options string) {
	v.t.Helper()
	found := value[struct {
		Rules int64
		Bad   []string
	}](v, fmt.Sprintf(runAxe, options))
	summary.visits.Add(1)
	summary.rules.Add(found.Rules)
	for _, bad := range found.Bad {
		summary.accessibility.Add(1)
		v.t.Errorf("%s: %s", at, bad)
	}
}

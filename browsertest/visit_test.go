package browsertest

import (
	"fmt"
	"testing"

	"posthaste/browsertest/tab"
)

// visit is a tab of a test. Each step has to succeed.
type visit struct {
	t *testing.T
	*tab.Tab
	base string // of addresses that begin with /
}

// open makes a tab of 1440 by 900. At the test's end its pages must have complained of
// nothing.
func open(t *testing.T) *visit {
	t.Helper()
	page, err := chrome.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(page.Close)
	v := &visit{t, page, shared.console}
	v.must(page.Size(1440, 900))
	t.Cleanup(v.quiet)
	return v
}

// signIn opens a tab and signs in with a key.
func signIn(t *testing.T, key string) *visit {
	t.Helper()
	v := open(t)
	v.in(key)
	return v
}

func (v *visit) in(key string) {
	v.t.Helper()
	v.goTo("/login")
	v.typeIn("input[name=key]", key)
	v.press(tab.Enter)
	v.until(`document.querySelector(".tabs")`)
}

func (v *visit) must(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

// quiet checks that no page complained.
func (v *visit) quiet() {
	v.t.Helper()
	for _, p := range v.Problems() {
		if p.CSP {
			summary.violations.Add(1)
		} else {
			summary.errors.Add(1)
		}
		v.t.Errorf("the browser says: %s", p.Text)
	}
}

func (v *visit) goTo(path string)         { v.t.Helper(); v.must(v.Go(v.base + path)) }
func (v *visit) until(js string)          { v.t.Helper(); v.must(v.Until(js)) }
func (v *visit) click(selector string)    { v.t.Helper(); v.must(v.Click(selector)) }
func (v *visit) typeIn(sel, text string)  { v.t.Helper(); v.must(v.Type(sel, text)) }
func (v *visit) choose(sel, value string) { v.t.Helper(); v.must(v.Choose(sel, value)) }
func (v *visit) press(keys string)        { v.t.Helper(); v.must(v.Keys(keys)) }
func (v *visit) path() string {
	v.t.Helper()
	return value[string](v, "location.pathname + location.search")
}
func (v *visit) text(selector string) string {
	v.t.Helper()
	return value[string](v, fmt.Sprintf(`[...document.querySelectorAll(%q)].map(e => e.innerText).join("\n")`, selector))
}

// loaded waits until a new page is there after something that leads to it.
func (v *visit) leaving(step func()) {
	v.t.Helper()
	v.do(`document.documentElement.dataset.before = "yes"`)
	step()
	v.until(`!document.documentElement.dataset.before && ` + tab.Ready)
}

// value is what an expression gives in the page.
func value[T any](v *visit, js string) T {
	v.t.Helper()
	got, err := tab.Eval[T](v.Tab, js)
	v.must(err)
	return got
}

// is checks a condition in the page.
func (v *visit) is(what, js string) {
	v.t.Helper()
	if !value[bool](v, "!!("+js+")") {
		v.t.Errorf("%s: %s is not so", what, js)
	}
}

// do runs a program in the page.
func (v *visit) do(js string) {
	v.t.Helper()
	value[bool](v, js+"\n;true")
}

package console

import (
	"bytes"
	"encoding/json"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"text/template/parse"
	"time"

	"golang.org/x/net/html"
)

// pageData is what the pages' templates are made with, and the parts of pages that handlers
// write on their own. A new page is added here.
var pageData = map[string]any{
	"login.html": signInView{}, "error.html": problem{}, "portalover.html": overView{}, "portalblocked.html": "", "portalnew.html": portalNew{}, "setup.html": setupView{}, "portaltypes.html": []typeEntry{}, "curl.html": curlView{}, "revealed.html": revealedView{}, "setup-result": setupView{}, "curl-dialog": curlView{}, "problem": problem{}, "said": "", "said.page": "",
	"overview.html": overviewView{}, "overview-live": overviewView{},
	"deliveries.html": deliveriesView{}, "deliveries-results": deliveriesView{}, "delivery.html": deliveryView{}, "delivery-news": deliveryNews{},
	"endpoints.html": endpointsView{}, "endpoint.html": &endpointView{}, "endpointform.html": endpointFormView{}, "revealed": revealedView{}, "portal.html": endpointsView{},
	"events.html": eventsView{}, "events-results": eventsView{}, "event.html": eventView{},
	"resend-dialog": resendView{}, "resend-dialog.page": resendView{}, "replay-dialog": replayView{}, "replay-dialog.page": replayView{},
	"jobs.html": []job{}, "jobs-live": []job{}, "job": job{}, "job.html": jobView{}, "job-live": jobView{},
	"audit.html": auditView{}, "system.html": system{}, "system-live": system{}, "keys.html": keysView{},
	"projects.html": projectsView{}, "project-switch": projectsView{},
	"subscriptions.html": subscriptionsView{}, "subscription.html": subscriptionView{},
	"sources.html": []source{}, "source.html": sourceView{}, "eventtypes.html": eventTypesView{},
	"portallinks.html": portalLinksView{}, "portallink.html": portalLinkView{}, "accent-part": []shade{}, "settings.html": settingsView{},
}

// attack is what strangers write wherever they can.
const attack = `"'><script>alert(1)</script><img src=x onerror=alert(1)></textarea></title><svg onload=alert(1)> javascript:alert(1) {{.}} ` + "\xff\xfe\x00\u2028"

// world is how values are filled.
type world struct {
	text     string
	pointers bool
	rows     int
}

var worlds = map[string]world{
	"zero":         {"", false, 0},
	"typical":      {"order.paid", true, 2},
	"hostile":      {attack, true, 2},
	"nil pointers": {attack, false, 1},
	"huge":         {strings.Repeat("A<&", 700) + attack, true, 1},
	"a bad link":   {"javascript:alert(1)", true, 1},
}

var (
	testNow  = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	someJSON = json.RawMessage(`{"a":"</script><script>alert(1)</script>","examples":[{"b":1}]}`)
)

// fill sets everything in v, as deep as it goes.
func (w world) fill(v reflect.Value, depth int) {
	switch v.Interface().(type) {
	case time.Time:
		if w.text != "" {
			v.Set(reflect.ValueOf(testNow))
		}
		return
	case template.URL:
		v.SetString(url.Values{"q": {w.text}}.Encode())
		return
	case template.HTML:
		v.SetString(string(prettyLines(w.text)))
		return
	case json.RawMessage:
		if w.text != "" {
			v.Set(reflect.ValueOf(someJSON))
		}
		return
	case *chart:
		s := statistics{Points: []point{{At: testNow}, {At: testNow.Add(time.Minute)}}}
		win := window{From: testNow, To: testNow.Add(time.Hour), Step: time.Minute}
		c := s.charts(&win, time.UTC, w.text)[0]
		c.Title, c.Now, c.Sub = w.text, w.text, w.text
		v.Set(reflect.ValueOf(c))
		return
	case form:
		v.Set(reflect.ValueOf(w.form()))
		return
	}
	if depth > 8 {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(w.text)
	case reflect.Bool:
		v.SetBool(w.pointers)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(w.rows))
	case reflect.Float64:
		v.SetFloat(float64(w.rows) * 1.5)
	case reflect.Pointer:
		if w.pointers {
			v.Set(reflect.New(v.Type().Elem()))
			w.fill(v.Elem(), depth+1)
		}
	case reflect.Slice:
		n := w.rows
		if v.Type().Elem() == reflect.TypeFor[*chart]() {
			n = 4 // a page with charts always has them
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			w.fill(v.Index(i), depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for _, key := range []string{w.text, "Failure", "503"}[:min(w.rows, 1)*3] {
			value := reflect.New(v.Type().Elem()).Elem()
			w.fill(value, depth+1)
			v.SetMapIndex(reflect.ValueOf(key), value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() || v.Type().Field(i).Anonymous && f.Kind() == reflect.Struct {
				w.fillField(f, depth)
			}
		}
	}
}

// fillField fills a field, and what is in an embedded one whose type is not exported.
func (w world) fillField(f reflect.Value, depth int) {
	if f.CanSet() {
		w.fill(f, depth+1)
		return
	}
	for i := range f.NumField() {
		if inner := f.Field(i); inner.CanSet() {
			w.fill(inner, depth+1)
		}
	}
}

// form has this text, and something wrong, in every field that a page has.
func (w world) form() form {
	f := newForm()
	if w.text == "" {
		return f
	}
	f.Problem, f.wrong = w.text, map[string]string{}
	lists := [][]part{endpointParts, subscriptionParts, sourceParts, keyParts, settingParts, portalLinkParts, eventTypeParts}
	for _, m := range []map[string][]part{authParts, verifierParts} {
		for _, list := range m {
			lists = append(lists, list)
		}
	}
	for _, list := range lists {
		for _, p := range list {
			f.values.Set(p.name, w.text)
			f.wrong[p.name] = w.text
		}
	}
	for _, name := range []string{"types", "custom_headers", "try.body", "try.headers", "try.query", "try.path", "spec", "expires", "version.0.sign", "version.0.uid", "confirm", "brand.logo", "endpoints"} {
		f.values.Set(name, w.text)
		f.wrong[name] = w.text
	}
	return f
}

func newTestConsole(t *testing.T, o Options) *Console {
	t.Helper()
	if o.API == nil {
		o.API = http.NotFoundHandler()
	}
	if o.Now == nil {
		o.Now = func() time.Time { return testNow }
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEveryTemplateWithAnyData: no template fails with nothing, with plain data or with
// what strangers send, and nothing that they send becomes an element, a handler or a link
// to a script.
func TestEveryTemplateWithAnyData(t *testing.T) {
	c := newTestConsole(t, Options{})
	for _, tpl := range c.templates.Templates() {
		if _, known := pageData[tpl.Name()]; !known && strings.HasSuffix(tpl.Name(), ".html") && tpl.Tree != nil && !parse.IsEmptyTree(tpl.Tree.Root) {
			t.Errorf("the page %s has no data in pageData: add it", tpl.Name())
		}
	}
	for name, zero := range pageData {
		for how, w := range worlds {
			for _, portal := range []bool{false, true} {
				if portal && how != "hostile" && how != "zero" {
					continue
				}
				p := page{Title: w.text, Nav: "overview", Base: "/p/x", Loc: time.UTC, TZ: "UTC", URL: &url.URL{Path: "/p/x/"}, Now: testNow, Portal: portal, Instance: true, Project: w.text, Said: w.text}
				if zero != nil {
					v := reflect.New(reflect.TypeOf(zero))
					w.fill(v.Elem(), 0)
					if e, is := v.Elem().Interface().(*endpointView); is && e == nil { // its handler never has none
						v.Elem().Set(reflect.ValueOf(&endpointView{}))
						w.fill(v.Elem().Elem(), 0)
					}
					p.D = v.Elem().Interface()
				}
				var b bytes.Buffer
				if err := c.templates.ExecuteTemplate(&b, name, p); err != nil {
					t.Errorf("%s with %s data: %v", name, how, err)
					continue
				}
				if wrong := suspicious(t, b.Bytes()); wrong != "" {
					t.Errorf("%s with %s data has %s", name, how, wrong)
				}
			}
		}
	}
}

// suspicious is what in a page a stranger's text may have become; "" if nothing has.
func suspicious(t *testing.T, text []byte) (wrong string) {
	root, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script":
			if n.FirstChild != nil {
				return "a script in the page"
			}
		case "img":
			if src := attr(n, "src"); !strings.HasPrefix(src, "/p/x/portal-links/") {
				return "a picture of " + src
			}
		case "iframe", "object", "embed", "style", "base":
			return "an element " + n.Data
		}
		for _, a := range n.Attr {
			value := strings.ToLower(strings.TrimSpace(a.Val))
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style", strings.HasPrefix(a.Key, "hx-on"):
				return "the attribute " + a.Key
			case (a.Key == "href" || a.Key == "src" || a.Key == "action" || strings.HasPrefix(a.Key, "hx-")) && strings.HasPrefix(value, "javascript:"):
				return "a link to a script in " + a.Key
			}
		}
	}
	return ""
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// forbidden is what no template may have: the policy of pages refuses it, or it is code.
var forbidden = regexp.MustCompile(`(?i)hx-on|js:|\sstyle=|<style|<script(?:\s[^>]*)?>[^<{]|javascript:|\son[a-z]+=|hx-vals|hx-trigger="[^"]*\[|href="\{\{\.URL\}\}"`)

// TestTemplatesHaveNoCode: no template has a script, a style or a handler in it.
func TestTemplatesHaveNoCode(t *testing.T) {
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if m := forbidden.FindString(line); m != "" {
				t.Errorf("%s:%d has %q", name, i+1, m)
			}
		}
	}
}

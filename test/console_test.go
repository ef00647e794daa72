package test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// visitor is a browser without a script, at the console.
type visitor struct {
	t    *testing.T
	base string
	http *http.Client
}

func newVisitor(t *testing.T, base string) *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, base, &http.Client{Jar: jar, Timeout: patience}}
}

// shownPage is an answer after redirects.
type shownPage struct {
	code   int
	path   string
	text   string
	header http.Header
}

// main is the page's own part, without the frame, as far as it is worth showing.
func (p shownPage) main() string {
	_, main, _ := strings.Cut(p.text, "<main")
	return main[:min(len(main), 4000)]
}

func (v *visitor) read(resp *http.Response, err error) shownPage {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return shownPage{resp.StatusCode, resp.Request.URL.RequestURI(), string(text), resp.Header}
}

func (v *visitor) get(path string) shownPage {
	v.t.Helper()
	return v.read(v.http.Get(v.base + path))
}

func (v *visitor) post(path string, form url.Values) shownPage {
	v.t.Helper()
	return v.read(v.http.PostForm(v.base+path, form))
}

// want checks a page's code and that it has these texts.
func (v *visitor) want(p shownPage, code int, texts ...string) shownPage {
	v.t.Helper()
	if p.code != code {
		v.t.Fatalf("%s: code %d, want %d\n%s", p.path, p.code, code, p.main())
	}
	for _, text := range texts {
		if !strings.Contains(p.text, text) {
			v.t.Fatalf("%s does not have %q\n%s", p.path, text, p.main())
		}
	}
	return p
}

// consoleWorld is a server with a console, a project with an endpoint whose receiver
// refuses what is marked so, and a visitor.
type consoleWorld struct {
	*visitor
	s            *server
	project, key string
	endpoint     string
	recv         *receiver
}

func newConsoleWorld(t *testing.T) *consoleWorld {
	s := newServer(t)
	s.console = freeAddr(t)
	s.start()
	recv := newReceiver(t)
	recv.answer = func(_ int, r *http.Request) int {
		if strings.HasPrefix(r.URL.Path, "/broken") {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	}
	w := &consoleWorld{visitor: newVisitor(t, "http://"+s.console), s: s, recv: recv}
	w.project, w.key = s.project(object{"strategy": object{"type": "linear", "duration": 3600, "retry_count": 3}})
	w.endpoint = s.endpoint(w.project, w.key, recv.URL+"/fine", object{"name": "Fine & <b>bold</b>", "owner_id": "tern"})
	return w
}

func (w *consoleWorld) signIn(key string) shownPage {
	w.t.Helper()
	return w.post("/login", url.Values{"key": {key}})
}

// TestConsoleNeedsAKey: no page without one, and a wrong one is refused with a reason.
func TestConsoleNeedsAKey(t *testing.T) {
	w := newConsoleWorld(t)
	in := "/p/" + w.project[strings.LastIndex(w.project, "/")+1:]
	if p := w.get(in + "/deliveries?status=Failure"); !strings.HasPrefix(p.path, "/login?next=") {
		t.Errorf("without a key: %s", p.path)
	}
	w.want(w.signIn("nothing"), http.StatusUnauthorized, "This key is not known")
	w.want(w.get("/portal/endpoints"), http.StatusUnauthorized, "This page is over")
	p := w.post("/login", url.Values{"key": {w.key}, "next": {in + "/deliveries?status=Failure"}})
	w.want(p, http.StatusOK, "<h1>Deliveries</h1>")
	if !strings.HasSuffix(p.path, "status=Failure") {
		t.Errorf("led to %s", p.path)
	}
	p = w.post("/logout", nil)
	if p.path != "/login" {
		t.Errorf("signing out led to %s", p.path)
	}
	if p := w.get(in + "/"); !strings.HasPrefix(p.path, "/login") {
		t.Errorf("after signing out: %s", p.path)
	}
	w.post("/login", url.Values{"key": {w.key}, "next": {"https://elsewhere.example/"}})
	for range 60 { // 12 are enough, but for one that is forgotten every six seconds
		if p = w.signIn("nothing"); p.code == http.StatusTooManyRequests {
			break
		}
	}
	if p.code != http.StatusTooManyRequests || p.header.Get("Retry-After") == "" {
		t.Errorf("wrong keys one after the other: %d, Retry-After %q", p.code, p.header.Get("Retry-After"))
	}
}

var inlineScript = regexp.MustCompile(`(?i)<script[^>]*>[^<]|\son[a-z]+=|<style|\sstyle=|javascript:|hx-on|js:`)

// TestConsolePages: every page shows what there is, escaped, with its headers, to a
// browser without a script.
func TestConsolePages(t *testing.T) {
	w := newConsoleWorld(t)
	broken := w.s.endpoint(w.project, w.key, w.recv.URL+"/broken", object{"name": "Broken one", "owner_id": "tern"})
	for i, to := range []string{w.endpoint, w.endpoint, w.endpoint, broken} {
		w.s.must(w.key, "POST", w.project+"/events", []byte(fmt.Sprintf(`{"endpoint_id":%q,"event_type":"order.paid","data":{"n": %d, "x": "<script>alert(1)</script>"}}`, to, i)), nil)
	}
	in := "/p/" + w.project[strings.LastIndex(w.project, "/")+1:]
	w.want(w.signIn(w.key), http.StatusOK)

	eventually(t, "all are counted", func() bool {
		return strings.Contains(w.get(in+"/").text, "<b>4</b> deliveries</a> in the last 24 hours, <b>75.0 %</b> delivered") &&
			strings.Contains(w.get(in+"/deliveries").text, "st-retry")
	})
	overview := w.want(w.get(in+"/"), http.StatusOK, "Needs attention", "Broken one", "503 Service Unavailable", "Fine &amp; &lt;b&gt;bold&lt;/b&gt;")
	list := w.want(w.get(in+"/deliveries"), http.StatusOK, "st-retry", "st-success", "Fine &amp; &lt;b&gt;bold&lt;/b&gt;")
	w.want(w.get(in+"/deliveries?status=Retry"), http.StatusOK, "Broken one")
	w.want(w.get(in+"/deliveries?endpoint="+broken+"&status=Success"), http.StatusOK, "Nothing matches")
	id := regexp.MustCompile(`id="d-([0-9A-Z]{26})"`).FindStringSubmatch(w.get(in + "/deliveries?endpoint=" + w.endpoint).text)[1]
	one := w.want(w.get(in+"/deliveries/"+id), http.StatusOK, "200 OK", "Copy as cURL", "X-Convoy-Signature", "&lt;script&gt;alert(1)&lt;/script&gt;")
	endpoint := w.want(w.get(in+"/endpoints/"+w.endpoint), http.StatusOK, "Signing secret", "Rotate", w.recv.URL+"/fine")
	endpoints := w.want(w.get(in+"/endpoints"), http.StatusOK, "Broken one", "Add endpoint")
	jobs := w.want(w.get(in+"/jobs"), http.StatusOK, "No job yet")
	missing := w.want(w.get(in+"/endpoints/01JXXXXXXXXXXXXXXXXXXXXXXX"), http.StatusNotFound, "There is no such thing here")
	w.want(w.get(in+"/nothing"), http.StatusNotFound, "There is no such page")
	if p := w.get(in + "/deliveries?q=" + id); p.path != in+"/deliveries/"+id {
		t.Errorf("an id led to %s", p.path)
	}
	for _, p := range []shownPage{overview, list, one, endpoint, endpoints, jobs, missing} {
		if m := inlineScript.FindString(p.text); m != "" {
			t.Errorf("%s has %q", p.path, m)
		}
		if csp := p.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", p.path, csp)
		}
		if p.header.Get("Cache-Control") != "no-store" || p.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", p.path, p.header)
		}
	}
	for _, m := range regexp.MustCompile(`(?:href|src)="(/a/[^"]+)"`).FindAllStringSubmatch(overview.text, -1) {
		if p := w.get(m[1]); p.code != http.StatusOK || !strings.Contains(p.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %s", m[1], p.code, p.header.Get("Cache-Control"))
		}
	}
}

// TestConsoleChangesThings: what the pages' forms do.
func TestConsoleChangesThings(t *testing.T) {
	w := newConsoleWorld(t)
	in := "/p/" + w.project[strings.LastIndex(w.project, "/")+1:]
	w.want(w.signIn(w.key), http.StatusOK)
	at := in + "/endpoints/" + w.endpoint
	w.want(w.post(at+"/state", url.Values{"to": {"paused"}}), http.StatusOK, "ep-paused", "Those that wait already are held")
	w.want(w.post(at+"/state", url.Values{"to": {"active"}}), http.StatusOK, "New events are delivered as they come")
	before := regexp.MustCompile(`name="secret" value="([^"]+)"`).FindStringSubmatch(w.get(at).text)[1]
	w.want(w.post(at+"/reveal", url.Values{"secret": {before}}), http.StatusOK, "endpoint-secret")
	w.want(w.post(at+"/rotate", url.Values{"hours": {"1"}}), http.StatusOK, "Still signs for")
	tested := w.want(w.post(at+"/test", url.Values{"event_type": {"order.paid"}, "data": {`{"test": 1}`}}), http.StatusOK, "order.paid")
	if !strings.Contains(tested.path, "/deliveries/") {
		t.Errorf("a test event led to %s", tested.path)
	}
	made := w.want(w.post(in+"/endpoints", url.Values{"name": {"New"}, "url": {w.recv.URL + "/new"}, "types": {"order.*"}}), http.StatusOK, "order.*", "New")
	if !strings.Contains(made.path, "/endpoints/") {
		t.Errorf("a new endpoint led to %s", made.path)
	}
	w.want(w.post(in+"/endpoints", url.Values{"name": {"Bad"}, "url": {"http://10.0.0.1/"}}), http.StatusUnprocessableEntity, "10.0.0.1", `role="alert"`)

	cross, err := http.NewRequest("POST", w.base+at+"/state", strings.NewReader("to=paused"))
	if err != nil {
		t.Fatal(err)
	}
	cross.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	cross.Header.Set("Origin", "https://elsewhere.example")
	cross.Header.Set("Sec-Fetch-Site", "cross-site")
	if p := w.read(w.http.Do(cross)); p.code != http.StatusForbidden {
		t.Errorf("a page of another origin: %d", p.code)
	}
}

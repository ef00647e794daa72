package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"posthaste/catalog/catalogtest"
	"posthaste/event"
)

func TestNewRefusesWhatCannotWork(t *testing.T) {
	c := catalogtest.Open(t)
	for name, o := range map[string]Options{
		"Catalog":    {Reader: newMemory()},
		"Reader":     {Catalog: c},
		"APIVersion": {Catalog: c, Reader: newMemory(), APIVersion: "v1"},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), "Options."+name) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func TestRoutingAnswersInTheEnvelope(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		method, path string
		code         int
		message      string
	}{
		{"GET", "/", 404, errNoRoute.message},
		{"GET", "/nothing", 404, errNoRoute.message},
		{"GET", "/api/v1/projects/x/y/z", 404, errNoRoute.message},
		{"GET", "/api//v1/projects", 404, errNoRoute.message},
		{"GET", "/api/v1/../v1/projects", 404, errNoRoute.message},
		{"PATCH", "/api/v1/projects", 405, errMethod.message},
		{"DELETE", "/api/v1/projects", 405, errMethod.message},
		{"POST", w.in("/events"), 405, errMethod.message},
		{"GET", "/api/v1/projects/", 200, "Projects fetched successfully"},
		{"GET", w.in("/"), 200, "Project fetched successfully"},
		{"GET", w.in("/endpoints/"), 200, "Endpoints fetched successfully"},
		{"HEAD", w.in(""), 200, "Project fetched successfully"},
		{"GET", "/api/v1/projects/not-an-id", 404, "Resource not found"},
		{"GET", w.in("/endpoints/a%%2Fb"), 404, "Resource not found"},
		{"GET", w.in("/events/%%FF"), 404, "Resource not found"},
		{"GET", w.in("/eventdeliveries/1"), 404, "Resource not found"},
		{"GET", w.in("/eventdeliveries/%s/deliveryattempts", id('d', 1)), 404, "Resource not found"},
		{"GET", w.in("/subscriptions/%s", id('s', 1)), 404, "Resource not found"},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			a := w.do(c.method, c.path, "")
			w.want(a, c.code, c.message)
			if got := a.header.Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type is %q", got)
			}
			if c.code == 405 && !strings.Contains(a.header.Get("Allow"), "GET") {
				t.Errorf("Allow is %q", a.header.Get("Allow"))
			}
		})
	}
}

func TestAuthentication(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name, header string
		code         int
		message      string
	}{
		{"none", "", 401, "Authentication required"},
		{"unknown key", "Bearer CO.nobody.nothing", 401, "authorization failed"},
		{"no key", "Bearer", 401, "authorization failed"},
		{"another scheme", "Basic " + w.key, 401, "authorization failed"},
		{"project's key", "Bearer " + w.key, 200, "Project fetched successfully"},
		{"scheme in small letters", "bearer " + w.key, 200, "Project fetched successfully"},
		{"instance's key", "Bearer " + catalogtest.InstanceKey, 200, "Project fetched successfully"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.do("GET", w.in(""), "", "Authorization", c.header)
			w.want(a, c.code, c.message)
			if got := a.header.Get("WWW-Authenticate"); (got == "Bearer") != (c.code == 401) {
				t.Errorf("WWW-Authenticate is %q with %d", got, c.code)
			}
		})
	}
}

// Every route is closed to a caller without a key and to the key of another project.
func TestEveryRouteIsolatesProjects(t *testing.T) {
	w := newWorld(t)
	_, otherKey := w.addProject(2)
	for _, rt := range routes {
		if rt.scope == ofNobody {
			continue
		}
		method, path := w.pathOf(rt)
		w.want(w.do(method, path, "{}", "Authorization", ""), 401, "Authentication required")
		a := w.do(method, path, "{}", "Authorization", "Bearer "+otherKey)
		switch {
		case forProjectKeys[rt.pattern] != nil:
			if strings.Contains(a.body, w.project.String()) {
				t.Errorf("%s shows another project: %s", rt.pattern, a.body)
			}
		case rt.scope == ofInstance:
			w.want(a, 403, errInstanceOnly.message)
		case rt.scope == ofPortal:
			w.want(a, 403, errPortalOnly.message)
		default:
			w.want(a, 404, "Resource not found")
		}
	}
}

// pathOf is the method and a path of a route. What it names is no thing's id, but the
// project's.
func (w *world) pathOf(rt route) (method, path string) {
	method, path, _ = strings.Cut(rt.pattern, " ")
	return method, pathParam.ReplaceAllString(path, w.project.String())
}

var pathParam = regexp.MustCompile(`\{[^}]*\}`)

// A project sees nothing of another by naming its things.
func TestThingsOfAnotherProjectAreNotFound(t *testing.T) {
	w := newWorld(t)
	other, _ := w.addProject(2)
	endpoint := w.addEndpoint(other, 1)
	subscription := w.addSubscription(other, endpoint, 1)
	ev := w.addEvent(other, 1)
	w.log.addDelivery(event.Delivery{ID: id('d', 1), ProjectID: other, EventID: ev, EndpointID: endpoint})
	for _, c := range [][2]string{
		{"GET", "/endpoints/" + endpoint.String()},
		{"PUT", "/endpoints/" + endpoint.String()},
		{"DELETE", "/endpoints/" + endpoint.String()},
		{"PUT", "/endpoints/" + endpoint.String() + "/pause"},
		{"POST", "/endpoints/" + endpoint.String() + "/activate"},
		{"PUT", "/endpoints/" + endpoint.String() + "/expire_secret"},
		{"GET", "/subscriptions/" + subscription.String()},
		{"PUT", "/subscriptions/" + subscription.String()},
		{"DELETE", "/subscriptions/" + subscription.String()},
		{"PUT", "/subscriptions/" + subscription.String() + "/toggle_status"},
		{"GET", "/events/" + ev.String()},
		{"GET", "/eventdeliveries/" + id('d', 1).String()},
		{"GET", "/eventdeliveries/" + id('d', 1).String() + "/deliveryattempts"},
	} {
		w.want(w.do(c[0], w.in("%s", c[1]), "{}", "Authorization", "Bearer "+w.key), 404, "Resource not found")
	}
	for _, list := range []string{"/endpoints", "/subscriptions", "/events", "/eventdeliveries"} {
		if got := w.rows(w.in("%s", list)); len(got.Content) != 0 {
			t.Errorf("%s shows %d rows of another project", list, len(got.Content))
		}
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	w := newWorld(t)
	a := w.do("GET", w.in(""), "", "X-Request-Id", "abc-1.2_3", "X-Convoy-Version", "2024-01-01")
	if a.header.Get("X-Request-Id") != "abc-1.2_3" || a.header.Get("X-Convoy-Version") != "2024-01-01" {
		t.Errorf("headers are %v", a.header)
	}
	if a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("an answer with secrets may be cached: %v", a.header)
	}
	for _, bad := range []string{"", "a b", "a\"b", "ü", strings.Repeat("x", 129)} {
		a := w.do("GET", "/nothing", "", "X-Request-Id", bad)
		if _, err := event.ParseID(a.header.Get("X-Request-Id")); err != nil {
			t.Errorf("request id %q was answered with %q", bad, a.header.Get("X-Request-Id"))
		}
		if a.header.Get("X-Convoy-Version") != CurrentVersion {
			t.Errorf("version is %q", a.header.Get("X-Convoy-Version"))
		}
	}
	w.want(w.do("GET", w.in(""), "", "X-Convoy-Version", "tomorrow"), 400, "X-Convoy-Version: want a date like 2025-11-24")
}

func TestBodies(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.MaxBodyBytes = 200 })
	for _, c := range []struct {
		name, body, contentType, encoding string
		code                              int
		message                           string
	}{
		{"no type", `{}`, "", "", 415, errMediaType.message},
		{"form", `a=b`, "application/x-www-form-urlencoded", "", 415, errMediaType.message},
		{"broken type", `{}`, "application/json;;", "", 415, errMediaType.message},
		{"gzip", `{}`, "application/json", "gzip", 415, errEncoding.message},
		{"parameter", `{"name":"x","url":"https://x.example"}`, "application/json;charset=utf-8", "", 201, "Endpoint created successfully"},
		{"large", `{"name":"` + strings.Repeat("x", 200) + `"}`, "application/json", "", 413, "request body too large: at most 200 bytes are taken here"},
		{"empty", ``, "application/json", "", 400, "invalid JSON at byte 0: unexpected end of JSON input"},
		{"cut", `{"name":`, "application/json", "", 400, "invalid JSON at byte 8: unexpected end of JSON input"},
		{"not JSON", `{"name":x}`, "application/json", "", 400, "invalid JSON at byte 9: invalid character 'x' looking for beginning of value"},
		{"two values", `{} {}`, "application/json", "", 400, "invalid JSON at byte 4: invalid character '{' after top-level value"},
		{"not UTF-8", "{\"name\":\"a\xff\"}", "application/json", "", 400, "invalid JSON: not UTF-8 at byte 10"},
		{"array", `[]`, "application/json", "", 400, "want an object, got array (at byte 1)"},
		{"text", `"{}"`, "application/json", "", 400, "want an object, got string (at byte 4)"},
		{"wrong kind", `{"rate_limit":"many"}`, "application/json", "", 400, "rate_limit: want a whole number, got string (at byte 20)"},
		{"fraction", `{"rate_limit":1.5}`, "application/json", "", 400, "rate_limit: want a whole number, got number 1.5 (at byte 17)"},
		{"deep", `{"authentication":{"api_key":{"header_name":1}}}`, "application/json", "", 400, "authentication.api_key.header_name: want a string, got number (at byte 45)"},
		{"unknown fields", `{"name":"x","url":"https://x.example","what":{"ever":[1]}}`, "application/json", "", 201, "Endpoint created successfully"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.do("POST", w.in("/endpoints"), c.body, "Content-Type", c.contentType, "Content-Encoding", c.encoding)
			w.want(a, c.code, c.message)
		})
	}
}

func TestErrorsAndTheirCodes(t *testing.T) {
	for _, c := range []struct {
		err        error
		code       int
		retryAfter string
		faults     int
	}{
		{event.Invalid("f", "r"), 400, "", 0},
		{fmt.Errorf("read: %w", event.ErrNotFound), 404, "", 0},
		{fmt.Errorf("write: %w", event.ErrConflict), 409, "", 0},
		{&event.OverloadError{What: "w", After: 2500 * time.Millisecond}, 503, "3", 0},
		{event.ErrOverloaded, 503, "1", 0},
		{&event.FullError{Reason: "no room", After: 2500 * time.Millisecond}, 503, "3", 0},
		{&httpError{429, "too many requests"}, 429, "1", 0},
		{event.ErrClosed, 503, "1", 0},
		{errors.New("the disk is gone: /secret/path"), 500, "", 1},
	} {
		t.Run(c.err.Error(), func(t *testing.T) {
			w := newWorld(t)
			w.log.fail = c.err
			a := w.do("GET", w.in("/events"), "")
			if a.Code != c.code || a.header.Get("Retry-After") != c.retryAfter || len(w.faults) != c.faults {
				t.Errorf("got %d, Retry-After %q, %d faults", a.Code, a.header.Get("Retry-After"), len(w.faults))
			}
			one := id('f', 1).String()
			for _, path := range []string{"", "/events/" + one, "/eventdeliveries", "/eventdeliveries/" + one, "/eventdeliveries/" + one + "/deliveryattempts"} {
				if got := w.do("GET", w.in("%s", path), ""); got.Code != c.code {
					t.Errorf("%s: %d, want %d", path, got.Code, c.code)
				}
			}
			if strings.Contains(a.body, "secret") {
				t.Errorf("the answer gives the cause away: %s", a.body)
			}
		})
	}
}

// panicking is a Reader that panics.
type panicking struct{ Reader }

func (panicking) Event(_, _ event.ID) (*event.Event, error) { panic("boom") }

func TestAPanicIsAnAnswer(t *testing.T) {
	var told string
	w := newWorld(t, func(o *Options) {
		o.Reader = panicking{}
		o.Fault = func(id string, err error) { told = id + ": " + err.Error() }
	})
	w.want(w.do("GET", w.in("/events/%s", id('f', 1)), "", "X-Request-Id", "r1"), 500, "internal error")
	if !strings.HasPrefix(told, "r1: panic: boom\n") || !strings.Contains(told, "getEvent") {
		t.Errorf("the fault does not say what happened: %s", told)
	}
}

func TestOverRealHTTP(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w.api)
	defer server.Close()
	r, err := http.NewRequest("HEAD", server.URL+w.in(""), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.key)
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != 200 || answer.ContentLength <= 0 {
		t.Errorf("HEAD got %d with length %d", answer.StatusCode, answer.ContentLength)
	}
}

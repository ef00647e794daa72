package console

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

const (
	testProject  = "01KAM4Z8V1V6W3J7C2Q9RZB5XN"
	testObject   = "01KAM4Z8V1V6W3J7C2Q9RZB5XM"
	testProjects = "/api/v1/projects/" + testProject
)

// fakeAPI answers for the API: what a test set, and else something that fits.
type fakeAPI struct {
	mu    sync.Mutex
	set   map[string]fakeAnswer // by method and path
	asked []askedRequest
}

type fakeAnswer struct {
	code     int
	message  string
	data     string
	location string
}

type askedRequest struct {
	method, path string
	query        url.Values
	body         string
}

// canned are the data of what every test may ask for. A path's last id is written {id}.
var canned = map[string]string{
	"GET /api/v1/projects": `[{"uid":"` + testProject + `","name":"shop","type":"outgoing","config":{
		"strategy":{"type":"schedule","schedule_name":"convoy","schedule":[10,30],"retry_count":8},"retention":{"payload":86400,"history":172800,"max_bytes":0},
		"signature":{"header":"X-Sig","versions":[{"uid":"v-1","hash":"SHA256","encoding":"hex"}]},"meta_event":{"is_enabled":true,"url":"https://m.example","secret":"whsec_****beef","event_type":["endpoint.created"]},
		"ssl":{"enforce_secure_endpoints":true},"ratelimit":{"count":7,"duration":60,"enabled":true}}}]`,
	"GET /api/v1/keys":                                       `{"content":[{"uid":"` + testObject + `","name":"ada","scopes":["read"],"role":{"type":"instance_admin"},"prefix":"CO.abc"}],"pagination":{}}`,
	"GET /api/v1/audit":                                      `{"content":[],"pagination":{}}`,
	"GET /api/v1/system":                                     `{"version":"1.2.3","uptime":7200,"checks":[{"name":"disk","ok":false,"text":"it is full"}],"disk":{"state":"soft","reason":"it is full","free_bytes":1048576,"total_bytes":4194304},"secrets":{"key_id":"k7"},"settings":[{"name":"durability","value":"fsync"}]}`,
	"GET " + testProjects + "/audit":                         `{"content":[{"uid":"a","action":"endpoint.update","object_kind":"endpoint","object_id":"` + testObject + `","object_name":"Orders","project_id":"` + testProject + `","actor_kind":"api_key","actor_name":"ada","actor_id":"k","address":"192.0.2.7","outcome":"done","changes":[{"field":"url","before":"https://old.example","after":"https://new.example"}]}],"pagination":{"has_next_page":true,"next_page_cursor":"c2"}}`,
	"GET " + testProjects + "/keys":                          `{"content":[],"pagination":{}}`,
	"GET " + testProjects + "/endpoints":                     `{"content":[{"uid":"` + testObject + `","name":"Orders","url":"https://o.example/","owner_id":"tern"}],"pagination":{}}`,
	"GET " + testProjects + "/endpoints/{id}":                testEndpoint,
	"GET " + testProjects + "/subscriptions":                 `{"content":[],"pagination":{}}`,
	"GET " + testProjects + "/subscriptions/{id}":            `{"uid":"` + testObject + `","name":"Paid","function":"","endpoint_metadata":{"uid":"` + testObject + `"},"filter_config":{"event_types":["order.*","x"],"filter":{"body":{"n":{"$gt":1}},"headers":{},"query":{},"path":{}}},"delivery_mode":"at_most_once"}`,
	"GET " + testProjects + "/sources":                       `{"content":[],"pagination":{}}`,
	"GET " + testProjects + "/sources/{id}":                  `{"uid":"` + testObject + `","name":"GH","type":"http","provider":"github","url":"/ingest/abc","verifier":{"type":"hmac","hmac":{"header":"X-Hub-Signature-256","hash":"SHA256","encoding":"hex","secret":"********"}}}`,
	"GET " + testProjects + "/event-types":                   `[{"uid":"` + testObject + `","name":"order.paid","json_schema":{"examples":[{"order":17}]}}]`,
	"GET " + testProjects + "/portal-links":                  `{"content":[],"pagination":{}}`,
	"GET " + testProjects + "/events":                        `{"content":[],"pagination":{}}`,
	"GET " + testProjects + "/events/{id}":                   `{"uid":"` + testObject + `","event_type":"order.paid","data":{"n":7},"headers":{"X-Region":["eu"]}}`,
	"GET " + testProjects + "/events/countbatchreplayevents": `{"num":42,"complete":true}`,
	"GET " + testProjects + "/eventdeliveries":               `{"content":[],"pagination":{}}`,
	"GET " + testProjects + "/jobs":                          `{"content":[],"pagination":{}}`,
	"GET " + testProjects + "/jobs/{id}":                     `{"uid":"` + testObject + `","kind":"batch_replay","state":"running","total":10,"done":3,"filter":{"eventType":"order.paid"}}`,
	"GET " + testProjects + "/statistics":                    `{"total":{"deliveries":5,"by_status":{"Success":4,"Failure":1}},"points":[{"at":"2026-03-04T05:00:00Z","deliveries":5}]}`,
	"GET " + testProjects + "/statistics/endpoints":          `[]`,
	"GET " + testProjects + "/statistics/event-types":        `[{"event_type":"order.paid","total":{"deliveries":9,"by_status":{"Success":9}}}]`,
}

const testEndpoint = `{"uid":"` + testObject + `","name":"Orders","url":"https://o.example/","owner_id":"tern","status":"paused","http_timeout":10,"rate_limit":0,"max_concurrency":3,
	"advanced_signatures":true,"signature_mode":"convoy","content_type":"application/json","custom_headers":{"X-Region":"eu","Authorization":"********"},
	"authentication":{"type":"basic_auth","basic_auth":{"username":"ada","password":"********"}},
	"mtls_client_cert":{"client_cert":"PEM-CERT","client_key":"********"},"client_cert_expires_at":"2026-03-10T00:00:00Z",
	"strategy":{"type":"linear","duration":30,"retry_count":4},"secrets":[],
	"status_history":[{"from":"active","to":"paused","reason":"asked for","at":"2026-03-04T05:00:00Z"}]}`

func (f *fakeAPI) on(what string, a fakeAnswer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.set == nil {
		f.set = map[string]fakeAnswer{}
	}
	f.set[what] = a
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.asked = append(f.asked, askedRequest{r.Method, r.URL.Path, r.URL.Query(), string(body)})
	what := r.Method + " " + r.URL.Path
	a, some := f.set[what]
	f.mu.Unlock()
	if !some {
		data := canned[what]
		if data == "" {
			data = canned[strings.TrimSuffix(what, testObject)+"{id}"]
		}
		a = fakeAnswer{code: 200, data: data}
		if data == "" && r.Method == http.MethodGet {
			a = fakeAnswer{code: 404, message: "Resource not found"}
		}
	}
	if a.data == "" {
		a.data = "null"
	}
	if a.location != "" {
		w.Header().Set("Location", a.location)
	}
	w.Header().Set("Content-Type", "application/json")
	message, _ := json.Marshal(a.message)
	w.WriteHeader(a.code)
	_, _ = fmt.Fprintf(w, `{"status":%v,"message":%s,"data":%s}`, a.code < 300, message, a.data)
}

// sent is the body of the last request of a kind, decoded.
func (f *fakeAPI) sent(t *testing.T, what string) map[string]any {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.asked) - 1; i >= 0; i-- {
		if r := f.asked[i]; r.method+" "+r.path == what {
			var body map[string]any
			if err := json.Unmarshal([]byte(r.body), &body); err != nil {
				t.Fatalf("%s was sent %q: %v", what, r.body, err)
			}
			return body
		}
	}
	t.Fatalf("%s was not sent; there were %v", what, f.asked)
	return nil
}

// dig is a value by its path; nil if there is none.
func dig(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

// desk is a console over a fake API, and somebody who has signed in.
type desk struct {
	t       *testing.T
	api     *fakeAPI
	console *Console
	cookie  *http.Cookie
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, api: &fakeAPI{}}
	d.console = newTestConsole(t, Options{API: d.api, PortalParents: []string{"https://app.example.com"}})
	w := d.post("/login", url.Values{"key": {"k"}})
	for _, k := range w.Result().Cookies() {
		if strings.HasSuffix(k.Name, "ph") {
			d.cookie = k
		}
	}
	if d.cookie == nil {
		t.Fatalf("signing in: %d %s", w.Code, w.Body)
	}
	return d
}

func (d *desk) do(r *http.Request) *httptest.ResponseRecorder {
	r.Host = "localhost"
	if d.cookie != nil {
		r.AddCookie(d.cookie)
	}
	r.AddCookie(&http.Cookie{Name: "ph_project", Value: testProject})
	w := httptest.NewRecorder()
	d.console.ServeHTTP(w, r)
	return w
}

func (d *desk) get(path string) *httptest.ResponseRecorder {
	return d.do(httptest.NewRequest(http.MethodGet, path, nil))
}

func (d *desk) post(path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return d.do(r)
}

func (d *desk) want(w *httptest.ResponseRecorder, code int, texts ...string) {
	d.t.Helper()
	if w.Code != code {
		d.t.Fatalf("code %d, want %d\n%s", w.Code, code, mainOf(w))
	}
	for _, text := range texts {
		if !strings.Contains(w.Body.String(), text) {
			d.t.Errorf("there is no %q in\n%s", text, mainOf(w))
		}
	}
}

func mainOf(w *httptest.ResponseRecorder) string {
	_, main, found := strings.Cut(w.Body.String(), "<main")
	if !found {
		main = w.Body.String()
	}
	return main[:min(len(main), 3000)]
}

// redirected follows a form's answer, which must be a 303.
func (d *desk) redirected(w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	d.t.Helper()
	if w.Code != http.StatusSeeOther {
		d.t.Fatalf("code %d, want 303\n%s", w.Code, mainOf(w))
	}
	return d.get(w.Header().Get("Location"))
}

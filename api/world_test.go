package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/catalog/catalogtest"
	"posthaste/event"
)

// epoch is when everything in a world happens.
var (
	epoch = time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	stamp = event.StampOf(epoch)
)

// world is an API over an empty catalog and an empty log, and one project in it.
type world struct {
	t       *testing.T
	api     *API
	catalog *catalog.Catalog
	store   *catalogtest.Store
	log     *memory
	work    *fakeWorker
	jobs    *fakeJobs
	project event.ID
	key     string // the project's
	faults  []error
}

func newWorld(t *testing.T, options ...func(*Options)) *world {
	t.Helper()
	w := &world{t: t, store: catalogtest.New(), log: newMemory()}
	w.work, w.jobs = &fakeWorker{log: w.log}, newFakeJobs()
	co := catalogtest.Options()
	co.Now = func() time.Time { return epoch }
	var err error
	if w.catalog, err = catalog.Open(w.store, co); err != nil {
		t.Fatal(err)
	}
	o := Options{
		Catalog: w.catalog, Reader: w.log, Work: w.work, Jobs: w.jobs,
		Audit: w.store,
		Now:   func() time.Time { return epoch },
		Fault: func(_ string, err error) { w.faults = append(w.faults, err) },
	}
	for _, f := range options {
		f(&o)
	}
	if w.api, err = New(o); err != nil {
		t.Fatal(err)
	}
	w.project, w.key = w.addProject(1)
	return w
}

// id is the n-th id of a kind, the same in every run. Ids of one kind sort by n.
func id(kind byte, n int) event.ID {
	out := firstIDOf(epoch.Add(time.Duration(n) * time.Second))
	out[6], out[14], out[15] = kind, byte(n>>8), byte(n)
	return out
}

func (w *world) addProject(n int) (event.ID, string) {
	w.t.Helper()
	config := event.DefaultProjectConfig()
	config.Signature.Versions[0].ID, config.Signature.Versions[0].CreatedAt = id('v', n), epoch
	p, _, key, err := w.catalog.CreateProject(event.Project{ID: id('p', n), Name: fmt.Sprintf("project %d", n), Config: config})
	if err != nil {
		w.t.Fatal(err)
	}
	return p.ID, key
}

func (w *world) addEndpoint(project event.ID, n int) event.ID {
	w.t.Helper()
	e, err := w.catalog.CreateEndpoint(event.Endpoint{
		ID: id('e', n), ProjectID: project, OwnerID: fmt.Sprintf("owner %d", n%2), Name: fmt.Sprintf("Endpoint %d", n),
		URL: fmt.Sprintf("https://example.com/%d?a=1&b=<2>", n), AdvancedSignatures: true,
		HTTPTimeout: 10, RateLimit: 5000, RateLimitDuration: 60,
		Secrets: []event.Secret{{ID: id('x', n), Value: "s3cret", CreatedAt: stamp, UpdatedAt: stamp}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return e.ID
}

func (w *world) addSubscription(project, endpoint event.ID, n int) event.ID {
	w.t.Helper()
	s, err := w.catalog.CreateSubscription(event.Subscription{
		ID: id('s', n), ProjectID: project, EndpointID: endpoint, Name: fmt.Sprintf("Subscription %d", n),
		FilterConfig: event.FilterConfig{EventTypes: []string{"order.created"}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return s.ID
}

// eventData is JSON that encoding/json would change: spaces, <, >, &, key order,
// numbers, escapes.
const eventData = "{ \"z\":1.50,\t\"a\" : \"<b>&\\u003c\", \"big\":12345678901234567890 }"

func (w *world) addEvent(project event.ID, n int) event.ID {
	e := &event.Event{
		ID: id('f', n), ProjectID: project, Type: "order.created", IdempotencyKey: fmt.Sprintf("key-%d", n),
		OwnerID: fmt.Sprintf("owner %d", n%2),
		Headers: []event.Header{{Name: "X-One", Value: "1"}, {Name: "X-Two", Value: "a"}, {Name: "X-Two", Value: "b"}},
		Data:    []byte(eventData), ReceivedAt: epoch.Add(time.Duration(n) * time.Second),
	}
	w.log.addEvent(e)
	return e.ID
}

// answer is what came back.
type answer struct {
	Code    int             `json:"-"`
	Status  bool            `json:"status"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`

	header http.Header
	body   string
}

// do sends a request with the instance's key. headers are names and values; they
// come last and win.
func (w *world) do(method, path, body string, headers ...string) answer {
	w.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+catalogtest.InstanceKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	a := answer{Code: rec.Code, header: rec.Result().Header, body: rec.Body.String()}
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil {
		w.t.Fatalf("%s %s: answer %d is not JSON: %v\n%s", method, path, rec.Code, err, rec.Body)
	}
	if a.Status != (a.Code < 300) {
		w.t.Fatalf("%s %s: code %d with status %v", method, path, a.Code, a.Status)
	}
	return a
}

// in is a path in the world's project.
func (w *world) in(format string, args ...any) string {
	return "/api/v1/projects/" + w.project.String() + fmt.Sprintf(format, args...)
}

func (w *world) want(a answer, code int, message string) {
	w.t.Helper()
	if a.Code != code || a.Message != message {
		w.t.Fatalf("got %d %q, want %d %q\n%s", a.Code, a.Message, code, message, a.body)
	}
}

// field digs a value out of an answer's data: field("endpoint_metadata", "uid").
func (a answer) field(path ...string) any {
	var v any
	if json.Unmarshal(a.Data, &v) != nil {
		return nil
	}
	for _, name := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

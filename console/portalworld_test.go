package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"posthaste/console"
	"posthaste/internal/app"
)

const rootKey = "the-instance-key-of-this-test"

type object = map[string]any

// world is a whole server in this process with a console in front of it, whose clock can
// be set, and a receiver that refuses what is posted below /broken.
type world struct {
	t        *testing.T
	api      string // the API's base
	pages    *httptest.Server
	recv     *httptest.Server
	ahead    atomic.Int64 // of the console's clock
	answered atomic.Int64 // requests, by the receiver
	projects int
}

func newWorld(t *testing.T, parents ...string) *world {
	t.Helper()
	w := &world{t: t}
	w.recv = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("X-Request-Id", fmt.Sprint(w.answered.Add(1)))
		if strings.HasPrefix(r.URL.Path, "/broken") {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprintf(rw, `{"answer":%q}`, r.URL.Path)
	}))
	t.Cleanup(w.recv.Close)
	a, err := app.New(app.Options{
		DataDir: t.TempDir(), Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", InstanceKey: rootKey, SecretKeys: app.NewSecretKeys(), Pepper: bytes.Repeat([]byte("p"), app.PepperBytes),
		AllowHTTP: true, EgressAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, DiskReserve: 1 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	w.api = "http://" + a.Addr()
	to, _ := url.Parse(w.api)
	pages, err := console.New(console.Options{API: httputil.NewSingleHostReverseProxy(to), PortalParents: parents,
		Now: func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	w.pages = httptest.NewServer(pages)
	t.Cleanup(w.pages.Close)
	return w
}

// try calls the API.
func (w *world) try(key, method, path string, body any) (int, object) {
	w.t.Helper()
	var in io.Reader
	if body != nil {
		raw, isRaw := body.(json.RawMessage) // which is sent as it is
		if !isRaw {
			var err error
			if raw, err = json.Marshal(body); err != nil {
				w.t.Fatal(err)
			}
		}
		in = bytes.NewReader(raw)
	}
	r, err := http.NewRequest(method, w.api+path, in)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var a struct {
		Data json.RawMessage
	}
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	var data object
	if json.Unmarshal(a.Data, &data) != nil {
		data = object{"is": string(a.Data)}
	}
	return resp.StatusCode, data
}

// call is a call of the API that succeeds.
func (w *world) call(key, method, path string, body any) object {
	w.t.Helper()
	code, data := w.try(key, method, path, body)
	if code/100 != 2 {
		w.t.Fatalf("%s %s: %d %v", method, path, code, data)
	}
	return data
}

func (w *world) project(config object) (path, key string) {
	w.t.Helper()
	w.projects++
	made := w.call(rootKey, "POST", "/api/v1/projects?orgID=x", object{"name": fmt.Sprint("project ", w.projects), "type": "outgoing", "config": config})
	return "/api/v1/projects/" + made["project"].(object)["uid"].(string), made["api_key"].(object)["key"].(string)
}

func uid(o object) string { return o["uid"].(string) }

// rows are the rows of a listing.
func (w *world) rows(key, path string) (rows []object) {
	w.t.Helper()
	for _, row := range w.call(key, "GET", path, nil)["content"].([]any) {
		rows = append(rows, row.(object))
	}
	return rows
}

// eventually waits for a condition.
func (w *world) eventually(what string, holds func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	w.t.Fatal("never: " + what)
}

// reader is a browser without a script.
type reader struct {
	*world
	http *http.Client
}

func (w *world) reader() *reader {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &reader{w, &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

// shown is an answer, after redirects.
type shown struct {
	code   int
	at     string
	text   string
	header http.Header
}

func (r *reader) do(req *http.Request) shown {
	r.t.Helper()
	resp, err := r.http.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return shown{resp.StatusCode, resp.Request.URL.RequestURI(), string(text), resp.Header}
}

func (r *reader) get(path string, headers ...string) shown {
	r.t.Helper()
	req, err := http.NewRequest("GET", r.pages.URL+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return r.do(req)
}

func (r *reader) post(path string, form url.Values, headers ...string) shown {
	r.t.Helper()
	req, err := http.NewRequest("POST", r.pages.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return r.do(req)
}

// want checks an answer's code and that it has these texts.
func (r *reader) want(p shown, code int, texts ...string) shown {
	r.t.Helper()
	_, main, _ := strings.Cut(p.text, "<main")
	if main == "" {
		main = p.text
	}
	main = main[:min(len(main), 3000)]
	if p.code != code {
		r.t.Fatalf("%s: code %d, want %d\n%s", p.at, p.code, code, main)
	}
	for _, text := range texts {
		if !strings.Contains(p.text, text) {
			r.t.Fatalf("%s does not have %q\n%s", p.at, text, main)
		}
	}
	return p
}

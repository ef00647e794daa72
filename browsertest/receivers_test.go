package browsertest

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// receivers are endpoints by the first part of their paths. Each answers 200 until it is
// told otherwise.
type receivers struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]answer
	seen    map[string]int
}

// answer is what a receiver says. {n} in its body is the number of the request.
type answer struct {
	code   int
	body   string
	header http.Header
}

func newReceivers() *receivers {
	r := &receivers{answers: map[string]answer{}, seen: map[string]int{}}
	r.Server = httptest.NewServer(r)
	return r
}

// says decides what a receiver answers from now on.
func (r *receivers) says(name string, a answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[name] = a
}

func (r *receivers) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	name := strings.Trim(req.URL.Path, "/")
	r.mu.Lock()
	r.seen[name]++
	n, a := r.seen[name], r.answers[name]
	r.mu.Unlock()
	if a.code == 0 {
		a = answer{code: http.StatusOK, body: `{"received":true}`}
	}
	for k, v := range a.header {
		w.Header()[k] = v
	}
	w.WriteHeader(a.code)
	fmt.Fprint(w, strings.ReplaceAll(a.body, "{n}", fmt.Sprint(n)))
}

// newParent is a site that shows an address in a frame: /?u=address.
func newParent() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>shop</title><iframe src="%s" width="1000" height="700" allow="clipboard-write"></iframe>`, html.EscapeString(r.URL.Query().Get("u")))
	}))
}

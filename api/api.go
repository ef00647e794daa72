package api

import (
	"fmt"
	"net/http"
	"path"
	"runtime/debug"
	"strings"
)

// API answers requests below /api/v1 and /portal-api. Use it as an http.Handler, from any number
// of goroutines.
type API struct {
	o      Options
	mux    *http.ServeMux
	seldom *seldom
	portal bool // answers a portal grant, see within
	outer  *API // the one that a portal's was made of; nil for that
	// encoders has a token for each stream that may encode rows at present, so that streams
	// cannot take the processor from deliveries.
	encoders chan struct{}
}

// New builds an API. It reads nothing and starts nothing.
func New(o Options) (*API, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	a := &API{o: o, mux: http.NewServeMux(), seldom: &seldom{}, encoders: make(chan struct{}, maxEncoders)}
	for _, rt := range routes {
		a.mux.Handle(rt.pattern, &routeHandler{a, rt})
	}
	return a, nil
}

// ServeHTTP answers one request, always in Convoy's envelope: also for a path or
// method that there is not, and when a handler panics.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set(requestIDHeader, requestID(r))
	h.Set(versionHeader, a.o.APIVersion)
	a.applyPreference(h, r)
	defer a.recoverPanic(w)
	r = withoutTrailingSlash(r)
	if err := a.checkRoute(r, h); err != nil {
		a.write(w, reply{}, err)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// recoverPanic turns a panic into an answer of 500. Nothing was written before:
// writing the answer is the last thing that a request does. A stream, which has begun,
// ends with a line that its readers pass over.
func (a *API) recoverPanic(w http.ResponseWriter) {
	if v := recover(); v != nil {
		a.write(w, reply{}, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
	}
}

// withoutTrailingSlash makes /projects/ mean /projects.
func withoutTrailingSlash(r *http.Request) *http.Request {
	if !strings.HasSuffix(r.URL.Path, "/") {
		return r
	}
	u := *r.URL
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	r = r.WithContext(r.Context()) // a shallow copy
	r.URL = &u
	return r
}

// checkRoute finds out whether the mux has a handler for a request. It asks first
// because the mux answers in plain text when it has none, and with a redirect
// when a path is not in its shortest form.
func (a *API) checkRoute(r *http.Request, h http.Header) error {
	if p := r.URL.EscapedPath(); !strings.HasPrefix(p, "/") || path.Clean(p) != p {
		return errNoRoute
	}
	refusal, pattern := a.mux.Handler(r)
	if pattern != "" {
		return nil
	}
	probe := probeWriter{header: make(http.Header)}
	refusal.ServeHTTP(&probe, r)
	if probe.code != http.StatusMethodNotAllowed {
		return errNoRoute
	}
	h["Allow"] = probe.header["Allow"]
	if takesEvents(r.URL.Path) {
		h.Set("Allow", h.Get("Allow")+", POST")
	}
	return errMethod
}

// probeWriter remembers what a handler would have answered.
type probeWriter struct {
	header http.Header
	code   int
}

func (p *probeWriter) Header() http.Header         { return p.header }
func (p *probeWriter) WriteHeader(code int)        { p.code = code }
func (p *probeWriter) Write(b []byte) (int, error) { return len(b), nil }

package console

import (
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/rs/zerolog"
)

// Options are what a Console needs and what an operator may change.
type Options struct {
	// API answers for the pages: the whole API, as its listener serves it. Required.
	API http.Handler
	// Version is shown at the foot of the settings.
	Version string
	// PortalParents are the origins of pages that may show the portal in a frame, as
	// https://app.example.com. None by default: then no page may.
	PortalParents []string
	// PlainHTTP lets people sign in over http from other machines. Over https, and from
	// this machine, they always may.
	PlainHTTP bool
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Logger is told of pages that failed. The zero value logs nothing.
	Logger zerolog.Logger
}

// Console serves the console's and the portal's pages. Any goroutine may use it.
type Console struct {
	o         Options
	assets    *assets
	templates *template.Template
	sessions  *sessions
	tries     *tries
	flashes   *once[flash]   // what a form led to, for the page after it
	tickets   *once[session] // of frames whose browser may keep no cookie, to begin in a tab
	exports   chan struct{}  // a token for each export that is running
	renders   chan struct{}  // a token for each page that is being rendered
	handler   http.Handler
}

// maxRenders bounds how many pages are rendered at once, so that pages cannot take the
// processor from deliveries.
const maxRenders = 4

// New makes a Console. It starts nothing.
func New(o Options) (*Console, error) {
	if o.API == nil {
		return nil, errors.New("console: Options.API is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	files, err := loadAssets()
	if err != nil {
		return nil, err
	}
	c := &Console{
		o: o, assets: files, sessions: newSessions(o.Now), tries: newTries(o.Now), flashes: newOnce[flash](o.Now), tickets: newOnce[session](o.Now),
		exports: make(chan struct{}, maxExports), renders: make(chan struct{}, maxRenders),
	}
	if c.templates, err = loadTemplates(c); err != nil {
		return nil, err
	}
	c.handler = c.secured(c.routes())
	return c, nil
}

// ServeHTTP serves a page.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// routes are all pages. Whatever changes something is a POST.
func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /a/", c.assets)
	mux.HandleFunc("GET /{$}", c.start)
	mux.HandleFunc("GET /login", c.signInPage)
	mux.HandleFunc("POST /login", c.signIn)
	mux.HandleFunc("POST /logout", c.signOut)
	mux.HandleFunc("GET /portal", c.enterPortal)
	mux.HandleFunc("GET /portal/enter", c.entered)
	mux.HandleFunc("POST /portal/enter", c.enterByTicket)
	for _, pages := range []map[string]handler{operatorPages, managePages} {
		for pattern, serve := range pages {
			method, path := cut(pattern)
			mux.HandleFunc(method+" /p/{project}"+path, c.forOperators(readWhole(serve)))
		}
	}
	for pattern, serve := range instancePages {
		mux.HandleFunc(pattern, c.forInstance(readWhole(serve)))
	}
	for pattern, serve := range portalPages {
		method, path := cut(pattern)
		mux.HandleFunc(method+" /portal"+path, c.forOwners(readWhole(serve)))
	}
	mux.HandleFunc("/", c.notFound)
	return mux
}

package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"sync"
	"time"
)

// adminServer is the admin listener: metrics, health and profiles, for the
// operator alone.
type adminServer struct {
	listener net.Listener
	server   *http.Server
	serving  sync.WaitGroup
}

func (a *App) startAdmin(ctx context.Context) error {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", a.o.AdminListen)
	if err != nil {
		return fmt.Errorf("--admin-listen: %w", err)
	}
	a.admin = &adminServer{listener: ln, server: &http.Server{
		Handler:           a.adminRoutes(),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
	}}
	a.admin.serving.Go(func() {
		if err := a.admin.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error().Err(err).Msg("the admin listener ended")
		}
	})
	return nil
}

func (a *App) stopAdmin(ctx context.Context) error {
	err := a.admin.server.Shutdown(ctx)
	if err != nil {
		err = a.admin.server.Close()
	}
	a.admin.serving.Wait()
	return err
}

func (a *App) adminRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		a.m.registry.WritePrometheus(w)
	})
	mux.HandleFunc("GET /livez", a.livez)
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.HandleFunc("GET /healthz", a.readyz)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// livez says whether the process is worth keeping.
func (a *App) livez(w http.ResponseWriter, _ *http.Request) {
	if err := a.failure.Load(); err != nil {
		writeHealth(w, http.StatusServiceUnavailable, "the store failed")
		return
	}
	writeHealth(w, http.StatusOK, "alive")
}

// check is one thing that must be well for events to be taken.
type check struct {
	name  string
	wrong string // "": nothing
}

func (a *App) checks() []check {
	all := []check{{name: "store"}, {name: "serving"}, {name: "disk"}}
	if a.failure.Load() != nil {
		all[0].wrong = "the store failed"
	}
	switch {
	case a.awaitsClock.Load():
		all[1].wrong = "waiting: the machine's clock is more than a day behind the store"
	case !a.ready.Load():
		all[1].wrong = "starting or stopping"
	}
	if err := a.disk.full(false); err != nil {
		all[2].wrong = err.Error()
	}
	return all
}

// readyz says whether events are taken, and if not, why. With ?verbose it lists what was
// looked at.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	code, text, list := http.StatusOK, "ready", ""
	for _, c := range a.checks() {
		mark, state := "+", "ok"
		if c.wrong != "" {
			mark, state = "-", c.wrong
			if code == http.StatusOK {
				code, text = http.StatusServiceUnavailable, c.wrong
			}
		}
		list += fmt.Sprintf("[%s] %s: %s\n", mark, c.name, state)
	}
	if r.URL.Query().Has("verbose") {
		text = list + text
	}
	writeHealth(w, code, text)
}

func writeHealth(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text+"\n")
}

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

// readyz says whether events are taken.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	if a.failure.Load() != nil {
		writeHealth(w, http.StatusServiceUnavailable, "the store failed")
		return
	}
	if a.awaitsClock.Load() {
		writeHealth(w, http.StatusServiceUnavailable, "waiting: the machine's clock is more than a day behind the store")
		return
	}
	if !a.ready.Load() {
		writeHealth(w, http.StatusServiceUnavailable, "starting or stopping")
		return
	}
	writeHealth(w, http.StatusOK, "ready")
}

func writeHealth(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text+"\n")
}

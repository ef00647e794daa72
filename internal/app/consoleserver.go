package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"posthaste/console"
)

// consoleServer is the console's listener: pages for operators, and the portal's.
type consoleServer struct {
	listener net.Listener
	server   *http.Server
	serving  sync.WaitGroup
}

// startConsole serves the pages, unless the operator wants none. The pages ask the API's
// own handlers, which are there by now.
func (a *App) startConsole(ctx context.Context) error {
	if a.o.ConsoleListen == "" {
		return nil
	}
	pages, err := console.New(console.Options{
		API: a.management, Version: a.o.Version, PortalParents: a.o.PortalParents, PlainHTTP: a.o.ConsolePlainHTTP, Logger: a.log,
	})
	if err != nil {
		return err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", a.o.ConsoleListen)
	if err != nil {
		return fmt.Errorf("--console-listen: %w", err)
	}
	a.console = &consoleServer{listener: ln, server: &http.Server{
		Handler:           pages,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    32 << 10,
	}}
	a.console.serving.Go(func() {
		if err := a.console.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error().Err(err).Msg("the console's listener ended")
		}
	})
	return nil
}

func (a *App) stopConsole(ctx context.Context) error {
	if a.console == nil {
		return nil
	}
	err := a.console.server.Shutdown(ctx)
	if err != nil {
		err = a.console.server.Close()
	}
	a.console.serving.Wait()
	return err
}

// ConsoleAddr is the console's address, once started; "" if there is none.
func (a *App) ConsoleAddr() string {
	if a.console == nil {
		return ""
	}
	return a.console.listener.Addr().String()
}

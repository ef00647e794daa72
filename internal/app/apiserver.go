package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"

	"posthaste/api"
	"posthaste/event"
	"posthaste/ingest"
)

// apiServer is the API listener: fasthttp in front, event intake on it, and
// everything else handed to net/http.
type apiServer struct {
	listener net.Listener
	server   *fasthttp.Server
	serving  sync.WaitGroup
	streams  *streams
}

func (a *App) startAPI(ctx context.Context) error {
	intake := a.newIntake()
	sources := a.newInbound(intake)
	management, err := api.New(api.Options{
		Catalog: a.catalog, Reader: a.wal, Counts: a.wal, Streams: a.live,
		Work: a.engine, Jobs: batches{a.jobs, a.wal},
		Health: a.health, Transform: a.tryFunction(), CheckFunction: a.checkFunction(), TestOAuth2: a.testOAuth2,
		CheckURL: urlPolicy(a.guard()), Submit: a.engine.Submit, DeleteContent: a.wal.DeleteContent,
		MaxScanRows: a.o.ScanRows, MaxSearchRows: a.o.SearchRows,
		PublicURL: a.o.PublicURL, PortalURL: a.o.PortalURL, Strict: a.o.Strict,
		Audit: a.wal, Sealing: a.Sealing, Reseal: a.Reseal, System: a.system,
		Full: a.disk.full, Fault: a.fault, MaxRetrySeconds: event.DefaultMaxBackoff,
	})
	if err != nil {
		return err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", a.o.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	a.management = management
	rest := fasthttpadaptor.NewFastHTTPHandler(a.withHealth(management))
	a.api = &apiServer{listener: ln, streams: newStreams(management)}
	door := ingest.ServerOptions{
		MaxRequestBytes: a.o.MaxRequestBytes, MaxConns: a.connectionBound(descriptorLimit()), IdleTimeout: a.o.IdleTimeout,
		Largest: a.largest, Rejected: a.m.rejected, Refused: a.refused(), Unaccepted: a.unaccepted,
	}
	a.api.server = ingest.Server(door, a.recovering(func(ctx *fasthttp.RequestCtx) {
		switch {
		case intake.Handle(ctx) || sources.Handle(ctx):
		case api.IsStream(string(ctx.Method()), string(ctx.Path())):
			a.api.streams.handle(ctx)
		default:
			rest(ctx)
		}
	}))
	a.api.serving.Go(func() {
		if err := a.api.server.Serve(ingest.Listener(ln, door)); err != nil {
			a.log.Error().Err(err).Msg("the API listener ended")
		}
	})
	return nil
}

// stopAPI refuses new requests and waits for those that are being answered. Streams have
// been told to end by then, unless the start failed.
func (a *App) stopAPI(ctx context.Context) error {
	a.live.Close()
	err := a.api.server.ShutdownWithContext(ctx)
	_ = a.api.listener.Close() // Shutdown leaves it open if Serve has not begun yet
	a.api.serving.Wait()
	err = errors.Join(err, a.api.streams.wait(ctx))
	if err != nil {
		a.log.Warn().Err(err).Msg("some connections to the API were still open")
	}
	return nil
}

// recovering answers 500 when a handler panics; fasthttp would end the process.
func (a *App) recovering(handler fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		defer func() {
			if v := recover(); v != nil {
				a.log.Error().Interface("panic", v).Bytes("stack", debug.Stack()).Msg("a request panicked")
				ctx.Response.Reset()
				ctx.SetStatusCode(fasthttp.StatusInternalServerError)
				ctx.SetContentType("application/json")
				ctx.SetBodyString(`{"status":false,"message":"internal error"}`)
				ctx.SetConnectionClose()
			}
		}()
		handler(ctx)
	}
}

func (a *App) fault(requestID string, err error) {
	a.log.Error().Str("request", requestID).Err(err).Msg("a request failed")
}

// health says how an endpoint does.
func (a *App) health(endpoint event.ID) (cbState string, failures int) {
	state, failures := a.engine.Health(endpoint)
	return state.String(), failures
}

func (a *App) testOAuth2(ctx context.Context, o *event.OAuth2Auth) (token, tokenType string, expires time.Time, err error) {
	t, err := a.sender.Tokens().Test(ctx, o)
	return t.AccessToken, t.TokenType, t.ExpiresAt, err
}

// withHealth answers the routes beside the API's own. It is no ServeMux, which would
// answer a path that is not in its shortest form before the API can.
func (a *App) withHealth(rest http.Handler) http.Handler {
	health, docs := http.HandlerFunc(a.readyz), api.Docs()
	beside := map[string]http.Handler{
		"/healthz": health, "/health": health,
		"/docs": docs, "/docs/": docs, "/openapi.yaml": docs,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := beside[r.URL.Path]; h != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			h.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/ingest"
)

// streams are the API's answers that go on for as long as their client likes. They have
// their connections for themselves: fasthttp's own handlers could neither bound the time of
// a write nor see a client go.
type streams struct {
	handler http.Handler
	open    sync.WaitGroup
	ctx     context.Context // done when the server stops
	stop    context.CancelFunc
}

func newStreams(handler http.Handler) *streams {
	s := &streams{handler: handler}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// lastWrite is how long a client has to take what it is being sent while the server stops.
const lastWrite = time.Second

// handle answers a request on its connection, which is closed afterwards.
func (s *streams) handle(ctx *fasthttp.RequestCtx) {
	r, err := plainRequest(ctx)
	if err != nil {
		ctx.Error("Bad Request", fasthttp.StatusBadRequest)
		ctx.SetConnectionClose()
		return
	}
	conn := ingest.Unwatched(ctx.Conn())
	s.open.Add(1)
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(net.Conn) {
		defer s.open.Done()
		s.serve(conn, r)
	})
}

// serve runs the handler until it ends, or the client goes.
func (s *streams) serve(conn net.Conn, r *http.Request) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var watching sync.WaitGroup
	watching.Go(func() { // nothing more is to come of the client but its end
		_, _ = io.Copy(io.Discard, conn)
		cancel()
	})
	hurry := context.AfterFunc(s.ctx, func() { _ = conn.SetWriteDeadline(time.Now().Add(lastWrite)) })
	w := &plainWriter{conn: conn, header: make(http.Header), stopping: s.ctx}
	s.handler.ServeHTTP(w, r.WithContext(ctx))
	_ = w.FlushError()
	hurry()
	_ = conn.Close()
	watching.Wait()
}

// wait ends what the clients are being sent, and waits until all streams are gone, or ctx
// is done. What they are told must have ended by then. fasthttp does not take over a
// connection that was closed under it, and tells nobody: such a stream is never gone.
func (s *streams) wait(ctx context.Context) error {
	s.stop()
	gone := make(chan struct{})
	go func() { s.open.Wait(); close(gone) }()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("streams are still open: %w", ctx.Err())
	}
}

// plainRequest is a request that shares no memory with fasthttp's.
func plainRequest(ctx *fasthttp.RequestCtx) (*http.Request, error) {
	r, err := http.NewRequestWithContext(context.Background(), string(ctx.Method()), string(ctx.RequestURI()), http.NoBody)
	if err != nil {
		return nil, err
	}
	for name, value := range ctx.Request.Header.All() {
		r.Header.Add(string(name), string(value))
	}
	r.Host, r.RequestURI, r.RemoteAddr = string(ctx.Host()), string(ctx.RequestURI()), ctx.RemoteAddr().String()
	return r, nil
}

// plainWriter writes an answer of HTTP/1.1 that ends with its connection.
type plainWriter struct {
	conn     net.Conn
	header   http.Header
	stopping context.Context
	buf      bytes.Buffer
	wrote    bool // the head
}

func (w *plainWriter) Header() http.Header { return w.header }

func (w *plainWriter) WriteHeader(code int) {
	if w.wrote {
		return
	}
	w.wrote = true
	w.header.Set("Connection", "close")
	w.header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	fmt.Fprintf(&w.buf, "HTTP/1.1 %d %s\r\n", code, http.StatusText(code))
	_ = w.header.Write(&w.buf) // it is in memory
	w.buf.WriteString("\r\n")
}

func (w *plainWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.buf.Write(p)
}

// FlushError sends what was written. An http.ResponseController calls it.
func (w *plainWriter) FlushError() error {
	_, err := w.conn.Write(w.buf.Bytes())
	w.buf.Reset()
	if err != nil {
		return fmt.Errorf("write to the client: %w", err)
	}
	return nil
}

// SetWriteDeadline bounds the writes to come, unless the server stops.
func (w *plainWriter) SetWriteDeadline(t time.Time) error {
	if w.stopping.Err() != nil {
		return nil
	}
	return w.conn.SetWriteDeadline(t)
}

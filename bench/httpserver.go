package bench

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// stopTimeout bounds how long a stopping server waits for handlers.
const stopTimeout = 3 * time.Second

// httpServer is a fasthttp server on a free port, with as few headers as may be.
type httpServer struct {
	addr   string
	ln     net.Listener
	server *fasthttp.Server
	done   chan error // what Serve returned

	mu struct {
		sync.Mutex
		conns  map[net.Conn]struct{} // open
		closed bool
	}
}

func startHTTP(host string, handle fasthttp.RequestHandler) (*httpServer, error) {
	ln, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	s := &httpServer{addr: ln.Addr().String(), ln: ln, done: make(chan error, 1)}
	s.mu.conns = make(map[net.Conn]struct{})
	s.server = &fasthttp.Server{
		Handler:               handle,
		ConnState:             s.track,
		Logger:                noLogger{},
		NoDefaultServerHeader: true,
		NoDefaultDate:         true,
		NoDefaultContentType:  true,
		MaxRequestBodySize:    64 << 20,
	}
	go func() { s.done <- s.server.Serve(ln) }()
	return s, nil
}

// track keeps the set of open connections: fasthttp's own shutdown waits for
// ever for one on which no request has come yet.
func (s *httpServer) track(c net.Conn, state fasthttp.ConnState) {
	if state != fasthttp.StateNew && state != fasthttp.StateClosed {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case state == fasthttp.StateClosed:
		delete(s.mu.conns, c)
	case s.mu.closed:
		_ = c.Close()
	default:
		s.mu.conns[c] = struct{}{}
	}
}

// close closes the listener and every connection, at once, and waits for the
// goroutines. Who still sends to it is of no interest any more.
func (s *httpServer) close() error {
	err := s.ln.Close()
	s.mu.Lock()
	s.mu.closed = true
	for c := range s.mu.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	serveErr := <-s.done
	if shutErr := s.server.ShutdownWithContext(ctx); shutErr != nil && !errors.Is(shutErr, net.ErrClosed) {
		err = errors.Join(err, shutErr)
	}
	return errors.Join(err, serveErr)
}

// noLogger drops fasthttp's lines about connections that were cut.
type noLogger struct{}

func (noLogger) Printf(string, ...any) {}

package bench

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// stopTimeout bounds how long a stopping server waits for requests in progress.
const stopTimeout = 3 * time.Second

// httpServer is a fasthttp server on a free port, with as few headers as may be.
type httpServer struct {
	addr   string
	ln     net.Listener
	server *fasthttp.Server
	done   chan error // what Serve returned
}

func startHTTP(host string, handle fasthttp.RequestHandler) (*httpServer, error) {
	ln, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	s := &httpServer{
		addr: ln.Addr().String(),
		ln:   ln,
		done: make(chan error, 1),
		server: &fasthttp.Server{
			Handler:               handle,
			NoDefaultServerHeader: true,
			NoDefaultDate:         true,
			NoDefaultContentType:  true,
			MaxRequestBodySize:    64 << 20,
			CloseOnShutdown:       true,
		},
	}
	go func() { s.done <- s.server.Serve(ln) }()
	return s, nil
}

// close stops the server and waits for its goroutine. The listener is closed here
// too: a shutdown that comes before Serve has begun does not know it.
func (s *httpServer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := s.server.ShutdownWithContext(ctx)
	_ = s.ln.Close()
	if serveErr := <-s.done; err == nil && !errors.Is(serveErr, net.ErrClosed) {
		err = serveErr
	}
	return err
}

package console

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// stream answers a request for a stream while the handler goes on writing it. Closing the
// answer's body ends the handler, and waits for it.
func (t inProcess) stream(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	body, pipe := io.Pipe()
	w := &streamed{header: make(http.Header), pipe: pipe, began: make(chan struct{})}
	b := &streamBody{PipeReader: body, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(b.done)
		t.api.ServeHTTP(w, r.WithContext(ctx))
		w.WriteHeader(http.StatusOK)
		_ = pipe.Close()
	}()
	select {
	case <-w.began:
	case <-ctx.Done():
		_ = b.Close()
		return nil, ctx.Err()
	}
	return &http.Response{
		Status: http.StatusText(w.code), StatusCode: w.code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: b, ContentLength: -1, Request: r,
	}, nil
}

// streamed is what a handler writes of a stream: whoever reads it holds it up.
type streamed struct {
	header http.Header
	pipe   *io.PipeWriter
	began  chan struct{} // closed when code is set
	code   int
}

func (s *streamed) Header() http.Header { return s.header }

func (s *streamed) WriteHeader(code int) {
	if s.code == 0 {
		s.code = code
		close(s.began)
	}
}

func (s *streamed) Write(p []byte) (int, error) {
	s.WriteHeader(http.StatusOK)
	return s.pipe.Write(p)
}

// FlushError does nothing: what is written is read.
func (s *streamed) FlushError() error { return nil }

type streamBody struct {
	*io.PipeReader
	cancel context.CancelFunc
	done   chan struct{}
}

var errUnread = errors.New("nobody reads this stream any more")

// Close ends the handler and waits for it. It is safe to call twice.
func (b *streamBody) Close() error {
	b.cancel()
	_ = b.CloseWithError(errUnread)
	<-b.done
	return nil
}

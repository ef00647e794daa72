package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"posthaste/client"
)

// inProcess is a transport that calls the API's handler instead of sending anything.
type inProcess struct{ api http.Handler }

// remoteKey is where the context of a request has the address that the page was asked
// for from: keys may be bound to addresses.
type remoteKey struct{}

func withRemote(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, remoteKey{}, address)
}

// RoundTrip answers a request by the handler.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.RemoteAddr, _ = r.Context().Value(remoteKey{}).(string)
	r.RequestURI = r.URL.RequestURI()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	if r.Header.Get("Accept") == "text/event-stream" {
		return t.stream(r)
	}
	w := &answer{header: make(http.Header), code: http.StatusOK}
	t.api.ServeHTTP(w, r)
	return &http.Response{
		Status: http.StatusText(w.code), StatusCode: w.code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// answer is what a handler wrote.
type answer struct {
	header http.Header
	body   bytes.Buffer
	code   int
	wrote  bool
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(code int) {
	if !a.wrote {
		a.code, a.wrote = code, true
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.wrote = true
	return a.body.Write(p)
}

// pageTime bounds what a page waits for the API.
const pageTime = 20 * time.Second

// newBackend is a client of the API for one key.
func (c *Console) newBackend(key string) (*client.Client, error) {
	return client.New(client.Options{
		BaseURL: "http://api", Key: key, Tries: 1, Timeout: pageTime,
		UserAgent: "posthaste-console", Transport: inProcess{c.o.API},
	})
}

// codeOf is the status with which the API refused; 0 for another error.
func codeOf(err error) int {
	if refusal := (*client.Error)(nil); errors.As(err, &refusal) {
		return refusal.Status
	}
	return 0
}

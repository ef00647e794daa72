package ingest

import (
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// fullTable is a listener of a process whose table of descriptors is full for a while.
type fullTable struct {
	net.Listener
	fails atomic.Int64 // so many calls more
}

func (f *fullTable) Accept() (net.Conn, error) {
	if f.fails.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return f.Listener.Accept()
}

// TestAServerOutlivesAFullTableOfDescriptors: what cannot be accepted is told of and tried
// again, and the server serves when it can.
func TestAServerOutlivesAFullTableOfDescriptors(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	full := &fullTable{Listener: ln}
	full.fails.Store(6)
	var told atomic.Int64
	o := ServerOptions{Unaccepted: func(err error) {
		if errors.Is(err, syscall.EMFILE) {
			told.Add(1)
		}
	}}
	s := Server(o, func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("served") })
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(Listener(full, o)) }()
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	resp, err := c.Get("http://" + ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("answered %s", resp.Status)
	}
	if told.Load() != 6 {
		t.Errorf("told of %d failures, want 6", told.Load())
	}
	if err := s.Shutdown(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A server whose listener fails and fails can be stopped.
func TestAServerThatCannotAcceptStops(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	full := &fullTable{Listener: ln}
	full.fails.Store(1 << 60)
	failed := make(chan struct{}, 1)
	o := ServerOptions{Unaccepted: func(error) {
		select {
		case failed <- struct{}{}:
		default:
		}
	}}
	s := Server(o, func(*fasthttp.RequestCtx) {})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(Listener(full, o)) }()
	<-failed
	if err := s.Shutdown(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

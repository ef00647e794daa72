package bench

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// Events go out at their times, in order and without a hole.
func TestOpenLoop(t *testing.T) {
	const n = 200
	r := startTestReceiver(t)
	for _, mode := range []Mode{ModeBare, ModeSingle} {
		g := newTestGenerator(t, Load{Mode: mode, URL: "http://" + r.Addr(), Connections: 4})
		r.Begin(7, n)
		begun := time.Now()
		got, err := g.Run(context.Background(), Burst{First: 7, Max: n, For: time.Minute, Rate: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < (n-1)*time.Millisecond {
			t.Errorf("%d events at 1000/s took %s", n, took)
		}
		receipts := r.Receipts(n)
		if got.Published != n || receipts.Delivered != n || receipts.Strays != 0 || receipts.Latency.Count != n {
			t.Errorf("generator %+v, receiver %+v", got, receipts)
		}
		p := got.Pace
		if p.Rate != 1000 || p.Achieved <= 0 || p.Achieved > 1001 || p.Late.Count != n || p.Unsent != 0 {
			t.Errorf("pace %+v", p)
		}
	}
}

// The time bound counts by due times: as many events as belong into it.
func TestOpenLoopLasts(t *testing.T) {
	r := startTestReceiver(t)
	g := newTestGenerator(t, Load{Mode: ModeBare, URL: "http://" + r.Addr(), Connections: 2})
	r.Begin(0, 1000)
	got, err := g.Run(context.Background(), Burst{Max: 1000, For: 100 * time.Millisecond, Rate: 500})
	if err != nil || got.Published+got.Pace.Unsent != 50 || r.Receipts(got.Published).Delivered != got.Published {
		t.Errorf("%+v, %v", got, err)
	}
}

// A server that stops for a while shows in the latencies of all events that were
// due meanwhile, not only in those of the few requests that it held up.
func TestOpenLoopCountsTheWait(t *testing.T) {
	const n, conns, stall = 300, 2, 100 * time.Millisecond
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if calls.Add(1) <= conns {
			time.Sleep(stall)
		}
	}))
	defer server.Close()
	g := newTestGenerator(t, Load{Mode: ModeBare, URL: server.URL, Connections: conns})
	got, err := g.Run(context.Background(), Burst{Max: n, For: time.Minute, Rate: 1000})
	if err != nil {
		t.Fatal(err)
	}
	p := got.Pace
	// Some hundred of the three hundred were due before the server went on: the
	// 25th of them, and so the 90th percentile, waited for most of that time.
	if got.Latency.P90 < 50 || p.Waited == 0 || p.MaxBacklog < 50 || p.Late.P90 < 50 {
		t.Errorf("latency %v, pace %+v", got.Latency, p)
	}
	if got.Published != n || got.Latency.Count != n {
		t.Errorf("%+v", got)
	}
	if closed, err := g.Run(context.Background(), Burst{Max: n, For: time.Minute}); err != nil || closed.Pace != nil {
		t.Errorf("a closed loop after it: %+v, %v", closed, err)
	}
}

// What a server cannot take in time is given up, and said.
func TestOpenLoopGivesUp(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		time.Sleep(10 * time.Millisecond)
	}))
	defer server.Close()
	g := newTestGenerator(t, Load{Mode: ModeSingle, URL: server.URL, Connections: 1})
	got, err := g.Run(context.Background(), Burst{Max: 1000, For: 100 * time.Millisecond, Rate: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	if p := got.Pace; p.Held() || p.Unsent < 500 || p.Unsent+got.Published != 1000 || int64(got.Published) != got.Requests {
		t.Errorf("%+v, pace %+v", got, p)
	}
}

func TestOpenLoopEndsEarly(t *testing.T) {
	refusing := httptest.NewServer(http.NotFoundHandler())
	defer refusing.Close()
	g := newTestGenerator(t, Load{Mode: ModeSingle, URL: refusing.URL, Connections: 2})
	burst := Burst{Max: 1000, For: time.Hour, Rate: 10}
	if _, err := g.Run(context.Background(), burst); !errors.Is(err, ErrRefused) {
		t.Errorf("got %v, want ErrRefused", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	burst.Rate = 0.1
	r := startTestReceiver(t)
	g = newTestGenerator(t, Load{Mode: ModeBare, URL: "http://" + r.Addr(), Connections: 2})
	if _, err := g.Run(ctx, burst); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}

// A batch is due when its first event is.
func TestOpenLoopOfBatches(t *testing.T) {
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	defer server.Close()
	g := newTestGenerator(t, Load{Mode: ModeBatch, URL: server.URL, Connections: 2, BatchSize: 10})
	got, err := g.Run(context.Background(), Burst{Max: 95, For: time.Minute, Rate: 1000})
	if err != nil || got.Published != 95 || requests.Load() != 10 {
		t.Errorf("%+v in %d requests, %v", got, requests.Load(), err)
	}
}

// A batch of the generator's that was too late stays too late.
func TestPace(t *testing.T) {
	p := Pace{Rate: 100, lastSend: 990 * time.Millisecond}
	if p.finish(100, p.Late); p.Achieved != 100 || !p.Held() {
		t.Errorf("%+v", p)
	}
	p.lastSend = 2 * time.Second
	if p.finish(100, p.Late); p.Achieved > 50 || p.Held() {
		t.Errorf("%+v", p)
	}
}

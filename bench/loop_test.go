package bench

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

func startTestReceiver(t *testing.T) *Receiver {
	t.Helper()
	r, err := StartReceiver("127.0.0.1", goldenSecret, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func newTestGenerator(t *testing.T, load Load) *Generator {
	t.Helper()
	load.Endpoints = placeholders(3)
	load.PayloadBytes = 300
	g, err := NewGenerator(load)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

func TestBareLoop(t *testing.T) {
	const n = 2000
	r := startTestReceiver(t)
	g := newTestGenerator(t, Load{Mode: ModeBare, URL: "http://" + r.Addr(), Connections: 4})
	for _, first := range []uint64{0, measuredFirst} {
		r.Begin(first, n)
		got, err := g.Run(context.Background(), Burst{First: first, Max: n, For: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		receipts := r.Receipts(n)
		if got.Published != n || got.Requests != n || got.Failed != 0 || receipts.Delivered != n || receipts.Lost+receipts.Duplicates+receipts.Strays != 0 {
			t.Errorf("generator %+v, receiver %+v", got, receipts)
		}
		if got.Latency.Count != n || receipts.Latency.Count != n {
			t.Errorf("latencies of %d requests and %d receipts, want %d", got.Latency.Count, receipts.Latency.Count, n)
		}
		p := Phase{Burst: got, Receipts: receipts}
		if p.Rate() <= 0 || receipts.LastNS < got.FirstSendNS || receipts.LastNS > got.LastDoneNS {
			t.Errorf("rate %v: first send %d, last receipt %d, last answer %d", p.Rate(), got.FirstSendNS, receipts.LastNS, got.LastDoneNS)
		}
	}
}

func TestNullPipe(t *testing.T) {
	const n = 500
	r := startTestReceiver(t)
	p, err := StartNullPipe(r.Addr(), 4)
	if err != nil {
		t.Fatal(err)
	}
	g := newTestGenerator(t, Load{Mode: ModeSingle, URL: "http://" + p.Addr(), Connections: 4})
	r.Begin(0, n)
	got, err := g.Run(context.Background(), Burst{Max: n, For: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if receipts := r.Receipts(n); got.Published != n || receipts.Delivered != n || receipts.Lost != 0 {
		t.Errorf("generator %+v, receiver %+v", got, receipts)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// The time bound leaves no hole: what was published is one run of numbers.
func TestGeneratorStopsInTime(t *testing.T) {
	r := startTestReceiver(t)
	g := newTestGenerator(t, Load{Mode: ModeBare, URL: "http://" + r.Addr(), Connections: 3})
	r.Begin(10, maxEvents/10)
	got, err := g.Run(context.Background(), Burst{First: 10, Max: maxEvents / 10, For: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if receipts := r.Receipts(got.Published); got.Published == 0 || receipts.Delivered != got.Published || receipts.Strays != 0 {
		t.Errorf("generator %+v, receiver %+v", got, receipts)
	}
}

func TestGeneratorAsksAgain(t *testing.T) {
	var calls, batches atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/projects/P/events/batch" && r.Header.Get("Content-Type") == "application/x-ndjson" && r.Header.Get("Authorization") == "Bearer K" {
			batches.Add(1)
		}
		if n := calls.Add(1); n == 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
		} else if n == 4 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer server.Close()
	g := newTestGenerator(t, Load{Mode: ModeBatch, URL: server.URL, Project: "P", Key: "K", Connections: 1, BatchSize: 4})
	got, err := g.Run(context.Background(), Burst{Max: 10, For: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if got.Published != 10 || got.Requests != 3 || got.Refused != 2 || calls.Load() != 5 || batches.Load() != 5 {
		t.Errorf("got %+v after %d calls, %d of them right", got, calls.Load(), batches.Load())
	}
}

func TestGeneratorGivesUpOnRefusal(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	g := newTestGenerator(t, Load{Mode: ModeSingle, URL: server.URL, Connections: 2})
	if _, err := g.Run(context.Background(), Burst{Max: 10, For: time.Minute}); !errors.Is(err, ErrRefused) {
		t.Errorf("got %v, want ErrRefused", err)
	}
}

func TestGeneratorIsCancelled(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	g := newTestGenerator(t, Load{Mode: ModeSingle, URL: server.URL, Connections: 2})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := g.Run(ctx, Burst{Max: 10, For: time.Minute}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}

func TestNewGeneratorRefuses(t *testing.T) {
	good := Load{Mode: ModeBatch, URL: "http://127.0.0.1:1", Endpoints: []string{"E"}, Connections: 1, BatchSize: 1, PayloadBytes: MinPayloadBytes}
	if _, err := NewGenerator(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Load){
		"url":         func(l *Load) { l.URL = "http://a b/" },
		"connections": func(l *Load) { l.Connections = 0 },
		"endpoints":   func(l *Load) { l.Endpoints = nil },
		"batch":       func(l *Load) { l.BatchSize = 0 },
		"payload":     func(l *Load) { l.PayloadBytes = MinPayloadBytes - 1 },
	} {
		bad := good
		change(&bad)
		if _, err := NewGenerator(bad); err == nil {
			t.Errorf("%s: accepted %+v", name, bad)
		}
	}
}

// A signature is checked where there is one, on every 64th event.
func TestReceiverChecksSignatures(t *testing.T) {
	r := startTestReceiver(t)
	r.Begin(0, 200)
	client := newHostClient(r.Addr(), false, 1)
	defer client.CloseIdleConnections()
	for seq := range uint64(129) {
		body := appendPayload(nil, 200, seq)
		stampPayload(body, seq, time.Now().UnixNano())
		secret := goldenSecret
		if seq == 64 {
			secret = "another"
		}
		header := ""
		if seq > 0 {
			header = signAsServer(secret, body, time.Now())
		}
		if code := postTo(t, client, "http://"+r.Addr()+"/e/1", body, header); code != 200 {
			t.Fatalf("event %d: status %d", seq, code)
		}
	}
	if code := postTo(t, client, "http://"+r.Addr()+"/e/1", []byte("{}"), ""); code != 400 {
		t.Errorf("a body without a number: status %d", code)
	}
	got := r.Receipts(129)
	if got.Verified != 1 || got.Unverified != 1 || got.Unreadable != 1 || got.Delivered != 129 {
		t.Errorf("got %+v", got)
	}
}

func postTo(t *testing.T, client *fasthttp.HostClient, url string, body []byte, signature string) int {
	t.Helper()
	var req fasthttp.Request
	var resp fasthttp.Response
	req.Header.SetMethod("POST")
	req.SetRequestURI(url)
	req.SetBodyRaw(body)
	if signature != "" {
		req.Header.Set(SignatureHeader, signature)
	}
	if err := client.Do(&req, &resp); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode()
}

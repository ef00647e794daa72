package bench

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// How the fake server misbehaves.
const (
	faultNone      = "none"
	faultLose      = "lose"    // accepts every 50th event and forgets it
	faultRepeat    = "repeat"  // delivers every 50th event twice
	faultForge     = "forge"   // signs with another secret
	faultCompact   = "compact" // removes white space from the data
	faultRefuse    = "refuse"  // answers 503 to every second request for events
	faultReject    = "reject"  // answers 400 to every request for events
	faultNoBatch   = "nobatch" // does not know the batch route
	faultNeverUp   = "neverup" // ends at once
	faultNoRows    = "norows"  // has no rows in its listings
	fakeRetryAfter = 50 * time.Millisecond
	fakeInFlight   = 64
)

// fakeServer is the least that bench takes for a server: it accepts and delivers,
// and keeps nothing.
type fakeServer struct {
	fault string
	key   string

	mu struct {
		sync.Mutex
		endpoints map[string]fakeEndpoint
		requests  int
		store     fakeStore
	}
	accepted atomic.Int64
	slots    chan struct{}
	client   *http.Client
	stopped  context.Context
	work     sync.WaitGroup
}

type fakeEndpoint struct {
	UID     string `json:"uid"`
	URL     string `json:"url"`
	Secret  string `json:"secret"`
	OwnerID string `json:"owner_id"`
}

type fakeEvent struct {
	EndpointID     string          `json:"endpoint_id"`
	OwnerID        string          `json:"owner_id"`
	EventType      string          `json:"event_type"`
	IdempotencyKey string          `json:"idempotency_key"`
	Data           json.RawMessage `json:"data"`
}

// fakeServe takes the flags that bench gives to serve and runs until SIGTERM.
func fakeServe(fault string, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	data := flags.String("data", "", "")
	listen := flags.String("listen", "", "")
	admin := flags.String("admin-listen", "", "")
	egress := flags.String("egress-allow", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	key := os.Getenv("POSTHASTE_ROOT_KEY")
	if *egress != "127.0.0.0/8" || len(key) < 32 || fault == faultNeverUp {
		return fmt.Errorf("fault %s, egress %q, key %d bytes", fault, *egress, len(key))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s := newFakeServer(ctx, fault, key)
	defer s.work.Wait()
	if err := s.remember(*data); err != nil {
		return err
	}
	adminMux := http.NewServeMux()
	adminMux.HandleFunc("GET /metrics", fakeMetrics)
	adminMux.HandleFunc("GET /debug/pprof/heap", func(http.ResponseWriter, *http.Request) {})
	adminMux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	adminMux.HandleFunc("GET /debug/pprof/profile", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "profile of ", r.FormValue("seconds"), " s")
	})
	return serveUntil(ctx, map[string]http.Handler{*listen: s.routes(), *admin: adminMux})
}

func serveUntil(ctx context.Context, handlers map[string]http.Handler) error {
	ended := make(chan error, len(handlers))
	for addr, h := range handlers {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		go func() { ended <- http.Serve(ln, h) }()
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

func newFakeServer(ctx context.Context, fault, key string) *fakeServer {
	s := &fakeServer{
		fault: fault, key: key, stopped: ctx,
		slots:  make(chan struct{}, fakeInFlight),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: fakeInFlight}},
	}
	s.mu.endpoints = make(map[string]fakeEndpoint)
	return s
}

func (s *fakeServer) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/projects", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 201, `{"project":{"uid":"P1"},"api_key":{"key":"`+s.key+`"}}`)
	})
	mux.HandleFunc("POST /api/v1/projects/P1/endpoints", s.createEndpoint)
	mux.HandleFunc("DELETE /api/v1/projects/P1/endpoints/{id}", s.deleteEndpoint)
	mux.HandleFunc("POST /api/v1/projects/P1/subscriptions", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 201, `{"uid":"S1"}`)
	})
	mux.HandleFunc("POST /api/v1/projects/P1/events", s.events)
	if s.fault != faultNoBatch {
		mux.HandleFunc("POST /api/v1/projects/P1/events/batch", s.events)
	}
	s.stockRoutes(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.knows(r.Header.Get("Authorization")) {
			answer(w, 401, "null")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, code int, data string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	fmt.Fprintf(w, `{"status":%t,"message":"said the fake","data":%s}`, code < 300, data)
}

func (s *fakeServer) createEndpoint(w http.ResponseWriter, r *http.Request) {
	var e fakeEndpoint
	if json.NewDecoder(r.Body).Decode(&e) != nil || e.Secret == "" || !strings.HasPrefix(e.URL, "http://127.0.0.1:") {
		answer(w, 400, "null")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.UID = fmt.Sprintf("E%d", len(s.mu.endpoints))
	s.mu.endpoints[e.UID] = e
	s.mu.store.keep(e)
	answer(w, 201, `{"uid":"`+e.UID+`"}`)
}

func (s *fakeServer) deleteEndpoint(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.mu.endpoints, r.PathValue("id"))
	answer(w, 200, "null")
}

// events takes one event or many: JSON values one after the other.
func (s *fakeServer) events(w http.ResponseWriter, r *http.Request) {
	if code := s.misbehave(); code != 0 {
		answer(w, code, "null")
		return
	}
	for dec := json.NewDecoder(r.Body); ; {
		var ev fakeEvent
		if err := dec.Decode(&ev); err == io.EOF {
			break
		} else if err != nil {
			answer(w, 400, "null")
			return
		}
		s.accept(ev)
	}
	answer(w, 201, "null")
}

func (s *fakeServer) misbehave() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.requests++
	switch {
	case s.fault == faultReject:
		return 400
	case s.fault == faultRefuse && s.mu.requests%2 == 0:
		return 503
	}
	return 0
}

func (s *fakeServer) accept(ev fakeEvent) {
	if s.fault == faultCompact {
		var small bytes.Buffer
		if json.Compact(&small, ev.Data) == nil {
			ev.Data = small.Bytes()
		}
	}
	times := 1
	switch chosen := s.accepted.Add(1)%50 == 0; {
	case chosen && s.fault == faultLose:
		times = 0
	case chosen && s.fault == faultRepeat:
		times = 2
	}
	for _, e := range slices.Repeat(s.owed(ev), times) {
		s.slots <- struct{}{}
		s.work.Go(func() {
			defer func() { <-s.slots }()
			s.deliver(e, ev)
		})
	}
}

// deliver tries until the receiver answers 200 or is there no more.
func (s *fakeServer) deliver(e fakeEndpoint, ev fakeEvent) {
	for !s.attempt(e, ev) {
		if sleep(s.stopped, fakeRetryAfter) != nil {
			return
		}
	}
}

func (s *fakeServer) attempt(e fakeEndpoint, ev fakeEvent) bool {
	req, err := http.NewRequestWithContext(s.stopped, "POST", e.URL, bytes.NewReader(ev.Data))
	if err != nil {
		return false
	}
	if s.fault == faultForge {
		e.Secret += "!"
	}
	req.Header.Set(SignatureHeader, signAsServer(e.Secret, ev.Data, time.Now()))
	if ev.IdempotencyKey != "" {
		req.Header.Set(IdempotencyHeader, ev.IdempotencyKey)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return errors.Is(err, syscall.ECONNREFUSED)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.Body.Close() == nil && resp.StatusCode == 200
}

func signAsServer(secret string, body []byte, now time.Time) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d,%s", now.Unix(), body)
	return fmt.Sprintf("t=%d,v1=%s", now.Unix(), hex.EncodeToString(mac.Sum(nil)))
}

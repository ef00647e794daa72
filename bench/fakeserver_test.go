package bench

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
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
	faultForget    = "forget"  // delivers nothing of what it accepted once it has been killed
	fakeRetryAfter = 50 * time.Millisecond
	fakeInFlight   = 64
)

// fakeServer is the least that bench takes for a server: it accepts and delivers.
// What it has taken it delivers once more after a restart.
type fakeServer struct {
	fault string
	key   string

	mu struct {
		sync.Mutex
		endpoints map[string]fakeEndpoint
		requests  int
	}
	accepted  atomic.Int64
	delivered atomic.Int64
	journal   *os.File // what it has taken
	slots     chan struct{}
	client    *http.Client
	stopped   context.Context
	work      sync.WaitGroup
}

type fakeEndpoint struct {
	UID    string `json:"uid"`
	URL    string `json:"url"`
	Secret string `json:"secret"`
}

type fakeEvent struct {
	EndpointID     string          `json:"endpoint_id"`
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
	if err := s.openJournal(filepath.Join(*data, "journal")); err != nil {
		return err
	}
	adminMux := http.NewServeMux()
	adminMux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%s %d\n%s{outcome=\"delivered\"} %d\n", metricEvents, s.accepted.Load(), metricTerminal, s.delivered.Load())
	})
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
	mux.HandleFunc("PUT /api/v1/projects/P1/endpoints/{id}", s.moveEndpoint)
	mux.HandleFunc("DELETE /api/v1/projects/P1/endpoints/{id}", s.deleteEndpoint)
	mux.HandleFunc("POST /api/v1/projects/P1/subscriptions", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 201, `{"uid":"S1"}`)
	})
	mux.HandleFunc("POST /api/v1/projects/P1/events", s.events)
	if s.fault != faultNoBatch {
		mux.HandleFunc("POST /api/v1/projects/P1/events/batch", s.events)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+s.key {
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
	s.note(e)
	answer(w, 201, `{"uid":"`+e.UID+`"}`)
}

func (s *fakeServer) moveEndpoint(w http.ResponseWriter, r *http.Request) {
	var in fakeEndpoint
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.URL == "" {
		answer(w, 400, "null")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.mu.endpoints[r.PathValue("id")]
	e.URL = in.URL
	s.mu.endpoints[e.UID] = e
	s.note(e)
	answer(w, 202, "null")
}

// openJournal reads what an earlier process has taken and delivers it once more.
func (s *fakeServer) openJournal(path string) (err error) {
	if s.journal, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return err
	}
	for dec := json.NewDecoder(s.journal); ; {
		var line struct {
			fakeEndpoint
			fakeEvent
		}
		switch err := dec.Decode(&line); {
		case err != nil: // the end, or a line that was cut short
			return nil
		case line.UID != "":
			s.mu.endpoints[line.UID] = line.fakeEndpoint
		default:
			s.accept(line.fakeEvent)
		}
	}
}

func (s *fakeServer) note(what any) {
	line, err := json.Marshal(what)
	if err == nil {
		_, err = s.journal.Write(append(line, '\n'))
	}
	if err != nil {
		panic(err)
	}
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
		if s.fault != faultForget {
			s.note(ev)
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
	for range times {
		s.work.Go(func() { s.deliver(ev) })
	}
}

// deliver tries until the receiver answers 200.
func (s *fakeServer) deliver(ev fakeEvent) {
	for !s.attempt(ev) {
		if sleep(s.stopped, fakeRetryAfter) != nil {
			return
		}
	}
	s.delivered.Add(1)
}

func (s *fakeServer) attempt(ev fakeEvent) bool {
	s.slots <- struct{}{}
	defer func() { <-s.slots }()
	s.mu.Lock()
	e := s.mu.endpoints[ev.EndpointID]
	s.mu.Unlock()
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
		return false
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.Body.Close() == nil && resp.StatusCode == 200
}

func signAsServer(secret string, body []byte, now time.Time) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d,%s", now.Unix(), body)
	return fmt.Sprintf("t=%d,v1=%s", now.Unix(), hex.EncodeToString(mac.Sum(nil)))
}

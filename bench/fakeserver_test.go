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
	faultLose      = "lose"     // accepts every 10th event and forgets it
	faultRepeat    = "repeat"   // delivers every 10th event twice
	faultForge     = "forge"    // signs with another secret
	faultCompact   = "compact"  // removes white space from the data
	faultRefuse    = "refuse"   // answers 503 to every second request for events
	faultReject    = "reject"   // answers 400 to every request for events
	faultNoBatch   = "nobatch"  // does not know the batch route
	faultNeverUp   = "neverup"  // ends at once
	faultNoFanout  = "nofanout" // does not know the fan-out route
	faultUnsigned  = "unsigned" // signs nothing
	faultTerse     = "terse"    // answers 202 with nothing in it where it can
	faultSlow      = "slow"     // delivers one at a time, with a pause
	faultDeaf      = "deaf"     // delivers nothing
	faultHalf      = "half"     // refuses every subscription but the first
	faultNoDelete  = "nodelete" // refuses to delete endpoints
	faultNoLimit   = "nolimit"  // takes no notice of rate limits
	faultForget    = "forget"   // delivers nothing of what it accepted once it has been killed
	faultNoRows    = "norows"   // has no rows in its listings
	faultHasty     = "hasty"    // gives an attempt a fifth of a second, so that those that hang free their slots
	fakeRetryAfter = 50 * time.Millisecond
	fakeInFlight   = 64
	fakeTimeout    = time.Minute
	fakeHaste      = 200 * time.Millisecond
)

// fakeServer is the least that bench takes for a server: it accepts and delivers.
// What it has taken it delivers once more after a restart.
type fakeServer struct {
	fault string
	key   string

	mu struct {
		sync.Mutex
		endpoints     map[string]fakeEndpoint
		subscriptions map[string]struct{}
		made          int
		requests      int
		keys          map[string]bool // of the servers over its directory so far
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
	UID     string `json:"uid"`
	URL     string `json:"url"`
	Secret  string `json:"secret"`
	OwnerID string `json:"owner_id"`

	RateLimit         int `json:"rate_limit"`
	RateLimitDuration int `json:"rate_limit_duration"`
	pace              *fakePace
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
	console := flags.String("console-listen", "", "")
	egress := flags.String("egress-allow", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	key := os.Getenv("POSTHASTE_ROOT_KEY")
	if *egress != "127.0.0.0/8" || len(key) < 32 || fault == faultNeverUp {
		return fmt.Errorf("fault %s, egress %q, key %d bytes", fault, *egress, len(key))
	}
	if err := writeFakeStore(*data); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s := newFakeServer(ctx, fault, key)
	defer s.work.Wait()
	if err := s.openJournal(filepath.Join(*data, "journal")); err != nil {
		return err
	}
	defer s.settleJournal()
	s.addKey(key)
	s.note(journalLine{Key: key})
	adminMux := http.NewServeMux()
	adminMux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%s %d\n%s{outcome=\"delivered\"} %d\n", metricEvents, s.accepted.Load(), metricTerminal, s.delivered.Load())
		writeFakeHeap(w)
	})
	adminMux.HandleFunc("GET /debug/pprof/heap", func(http.ResponseWriter, *http.Request) {})
	adminMux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	adminMux.HandleFunc("GET /debug/pprof/profile", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "profile of ", r.FormValue("seconds"), " s")
	})
	pages := http.NewServeMux()
	pages.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	return serveUntil(ctx, map[string]http.Handler{*listen: s.routes(), *admin: adminMux, *console: pages})
}

// serveUntil answers nothing before all listen: the server is ready then.
func serveUntil(ctx context.Context, handlers map[string]http.Handler) error {
	listeners := make(map[string]net.Listener, len(handlers))
	for addr := range handlers {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		listeners[addr] = ln
	}
	ended := make(chan error, len(handlers))
	for addr, h := range handlers {
		go func() { ended <- http.Serve(listeners[addr], h) }()
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
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: fakeInFlight}, Timeout: fakeTimeout},
	}
	s.mu.endpoints = make(map[string]fakeEndpoint)
	s.mu.subscriptions = make(map[string]struct{})
	s.mu.keys = make(map[string]bool)
	switch fault {
	case faultSlow:
		s.slots = make(chan struct{}, 1)
	case faultHasty:
		s.client.Timeout = fakeHaste
	}
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
	mux.HandleFunc("GET /api/v1/projects/P1/left", s.left)
	mux.HandleFunc("POST /api/v1/projects/P1/subscriptions", s.subscribe)
	mux.HandleFunc("DELETE /api/v1/projects/P1/subscriptions/{id}", s.unsubscribe)
	mux.HandleFunc("POST /api/v1/projects/P1/events", s.events)
	if s.fault != faultNoBatch {
		mux.HandleFunc("POST /api/v1/projects/P1/events/batch", s.events)
	}
	if s.fault != faultNoFanout {
		mux.HandleFunc("POST /api/v1/projects/P1/events/fanout", s.events)
	}
	s.stockRoutes(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.hasKey(r.Header.Get("Authorization")) {
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
	e.pace = s.newPace(&e)
	e.UID = fmt.Sprintf("E%d", s.mu.made)
	s.mu.made++
	s.mu.endpoints[e.UID] = e
	s.note(journalLine{Endpoint: &e})
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
	s.note(journalLine{Endpoint: &e})
	answer(w, 202, "null")
}

// openJournal reads what an earlier process has taken and delivers it once more.
func (s *fakeServer) openJournal(path string) (err error) {
	if s.journal, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return err
	}
	for dec := json.NewDecoder(s.journal); ; {
		var line journalLine
		switch err := dec.Decode(&line); {
		case err != nil: // the end, or a line that was cut short
			return nil
		case line.Key != "":
			s.addKey(line.Key)
		case line.Endpoint != nil:
			s.mu.Lock()
			s.mu.endpoints[line.Endpoint.UID] = *line.Endpoint
			s.mu.Unlock()
		case line.Event != nil:
			for _, e := range s.owedTo(*line.Event) {
				s.accept(e, *line.Event)
			}
		}
	}
}

// settleJournal forgets the events when the last of them is delivered.
func (s *fakeServer) settleJournal() {
	if s.delivered.Load() < s.accepted.Load() {
		return
	}
	text, err := os.ReadFile(s.journal.Name())
	var kept []byte
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte(`{"Event":`)) {
			kept = append(kept, line...)
		}
	}
	if err == nil {
		err = os.WriteFile(s.journal.Name(), kept, 0o600)
	}
	if err != nil {
		panic(err)
	}
}

type journalLine struct {
	Key      string        `json:",omitempty"`
	Endpoint *fakeEndpoint `json:",omitempty"`
	Event    *fakeEvent    `json:",omitempty"`
}

func (s *fakeServer) note(what journalLine) {
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
	if s.fault == faultNoDelete {
		answer(w, 403, "null")
		return
	}
	delete(s.mu.endpoints, r.PathValue("id"))
	answer(w, 200, "null")
}

func (s *fakeServer) subscribe(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == faultHalf && len(s.mu.subscriptions) > 0 {
		answer(w, 400, "null")
		return
	}
	if s.fault == faultTerse {
		w.WriteHeader(202)
		return
	}
	id := fmt.Sprintf("S%d", s.mu.made)
	s.mu.subscriptions[id] = struct{}{}
	answer(w, 201, `{"uid":"`+id+`"}`)
}

func (s *fakeServer) unsubscribe(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.mu.subscriptions, r.PathValue("id"))
	answer(w, 200, "null")
}

// left counts what nobody has deleted.
func (s *fakeServer) left(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer(w, 200, fmt.Sprintf(`{"made":%d,"left":%d}`, s.mu.made, len(s.mu.endpoints)+len(s.mu.subscriptions)))
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
		owed := s.owedTo(ev)
		if len(owed) == 0 {
			answer(w, 400, "null")
			return
		}
		if s.fault != faultForget {
			s.note(journalLine{Event: &ev})
		}
		for _, e := range owed {
			s.accept(e, ev)
		}
	}
	if s.fault == faultTerse {
		w.WriteHeader(202)
		return
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

// owedTo is the endpoint of an event, or those of its owner.
func (s *fakeServer) owedTo(ev fakeEvent) (all []fakeEndpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.mu.endpoints {
		if ev.OwnerID == "" && e.UID == ev.EndpointID || ev.OwnerID != "" && e.OwnerID == ev.OwnerID {
			all = append(all, e)
		}
	}
	return all
}

func (s *fakeServer) accept(e fakeEndpoint, ev fakeEvent) {
	if s.fault == faultCompact {
		var small bytes.Buffer
		if json.Compact(&small, ev.Data) == nil {
			ev.Data = small.Bytes()
		}
	}
	times := 1
	switch chosen := s.accepted.Add(1)%10 == 0; {
	case s.fault == faultDeaf:
		times = 0
	case chosen && s.fault == faultLose:
		times = 0
	case chosen && s.fault == faultRepeat:
		times = 2
	}
	for range times {
		if e.pace != nil {
			e.pace.add(ev)
			continue
		}
		s.dispatch(e, ev)
	}
}

func (s *fakeServer) dispatch(e fakeEndpoint, ev fakeEvent) {
	if s.fault != faultSlow {
		s.slots <- struct{}{}
	}
	s.work.Go(func() {
		if s.fault == faultSlow { // accepts at once
			s.slots <- struct{}{}
			time.Sleep(2 * time.Millisecond)
		}
		delivered := s.attempt(e, ev)
		<-s.slots
		if !delivered {
			s.retry(e, ev)
		}
	})
}

// retry tries until the receiver answers 200. It takes no slot from others.
func (s *fakeServer) retry(e fakeEndpoint, ev fakeEvent) {
	for sleep(s.stopped, fakeRetryAfter) == nil {
		if s.attempt(e, ev) {
			return
		}
	}
}

func (s *fakeServer) attempt(e fakeEndpoint, ev fakeEvent) bool {
	s.mu.Lock()
	if now, ok := s.mu.endpoints[e.UID]; ok {
		e = now
	}
	s.mu.Unlock()
	req, err := http.NewRequestWithContext(s.stopped, "POST", e.URL, bytes.NewReader(ev.Data))
	if err != nil {
		return false
	}
	if s.fault == faultForge {
		e.Secret += "!"
	}
	if s.fault != faultUnsigned {
		req.Header.Set(SignatureHeader, signAsServer(e.Secret, ev.Data, time.Now()))
	}
	if ev.IdempotencyKey != "" {
		req.Header.Set(IdempotencyHeader, ev.IdempotencyKey)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.Body.Close() != nil || resp.StatusCode != 200 {
		return false
	}
	s.delivered.Add(1)
	return true
}

func signAsServer(secret string, body []byte, now time.Time) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d,%s", now.Unix(), body)
	return fmt.Sprintf("t=%d,v1=%s", now.Unix(), hex.EncodeToString(mac.Sum(nil)))
}

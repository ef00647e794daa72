package sender

import (
	"bufio"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/internal/netguard"
)

// world is a catalog, a sender that may call this machine, and one project.
type world struct {
	t       testing.TB
	catalog *catalog.Catalog
	sender  *Sender
	project *catalog.Project
}

// noStore keeps nothing: the catalog of a test lives in memory.
type noStore struct{}

func (noStore) LoadCatalog(func(event.CatalogRecord) error) error      { return nil }
func (noStore) CASCatalog([]event.CatalogRecord, ...event.Audit) error { return nil }

func loopback() *netguard.Policy {
	return &netguard.Policy{AllowHTTP: true, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
}

func newWorld(t testing.TB, o Options) *world {
	t.Helper()
	if o.Guard == nil {
		o.Guard = loopback()
	}
	o.UserAgent = "posthaste/1.2.3"
	c, err := catalog.Open(noStore{}, catalog.Options{
		Pepper:      []byte("0123456789abcdef"),
		InstanceKey: "an instance key that is long enough",
		URLPolicy:   func(raw string, _ bool) (string, error) { return raw, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, catalog: c, sender: New(o)}
	t.Cleanup(w.sender.Close)
	w.project, _, _, err = c.CreateProject(event.Project{Name: "p", Type: "outgoing", Config: event.DefaultProjectConfig()})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// endpoint makes one with a timeout that no test waits for.
func (w *world) endpoint(url string, change ...func(*event.Endpoint)) *catalog.Endpoint {
	w.t.Helper()
	e := event.Endpoint{
		ProjectID: w.project.ID, URL: url, Name: "e", HTTPTimeout: 20,
		AdvancedSignatures: true, Secrets: []event.Secret{{Value: "topsecret"}},
	}
	for _, f := range change {
		f(&e)
	}
	ep, err := w.catalog.CreateEndpoint(e)
	if err != nil {
		w.t.Fatal(err)
	}
	return ep
}

// hasty is an endpoint whose attempts end after a second.
func (w *world) hasty(url string) *catalog.Endpoint {
	return w.endpoint(url, func(e *event.Endpoint) { e.HTTPTimeout = 1 })
}

func (w *world) configure(change func(*event.ProjectConfig)) {
	w.t.Helper()
	p, err := w.catalog.UpdateProject(w.project.ID, func(p *event.Project) error { change(&p.Config); return nil })
	if err != nil {
		w.t.Fatal(err)
	}
	w.project = p
}

func newEvent(data string, headers ...event.Header) *event.Event {
	return &event.Event{ID: event.NewID(), Type: "t", Data: []byte(data), Headers: headers}
}

// attempt makes one attempt and checks what holds for all of them.
func (w *world) attempt(ep *catalog.Endpoint, ev *event.Event) *event.Attempt {
	w.t.Helper()
	d := &event.Delivery{ID: event.NewID(), EventID: ev.ID, EndpointID: ep.ID}
	a := &event.Attempt{DeliveryID: d.ID, EndpointID: ep.ID, Number: 3, Manual: true}
	w.sender.Attempt(w.project, ep, d, ev, a)
	if a.DeliveryID != d.ID || a.EndpointID != ep.ID || a.Number != 3 || !a.Manual {
		w.t.Errorf("the caller's fields were changed: %+v", a)
	}
	if a.StartedAt.IsZero() || a.Duration < 0 || a.URL == "" {
		w.t.Errorf("times or URL are missing: %+v", a)
	}
	if a.StatusCode != 0 && a.Timing.Wait <= 0 || a.Timing.Before() < 0 || a.Timing.Before()+a.Timing.Wait > a.Duration {
		w.t.Errorf("the parts of %s do not add up: %+v", a.Duration, a.Timing)
	}
	if failed := a.Class != event.ClassNone && a.Class != event.ClassStatus; failed != (a.Error != "") || failed && a.StatusCode != 0 {
		w.t.Errorf("class %q, error %q, status %d do not go together", a.Class, a.Error, a.StatusCode)
	}
	return a
}

// receiver is a TCP server whose answers are written byte by byte by a test.
type receiver struct {
	addr  string
	url   string
	conns atomic.Int32
	wg    sync.WaitGroup
	mu    sync.Mutex
	open  []net.Conn
	ended chan struct{} // one for each connection whose sender hung up
}

// request is one request as it came over the wire.
type request struct{ head, body string }

// handler answers the n-th request of a connection; false hangs up.
type handler func(c net.Conn, r request, n int) bool

func newReceiver(t testing.TB, h handler) *receiver {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, ln, h)
}

func serve(t testing.TB, ln net.Listener, h handler) *receiver {
	r := &receiver{addr: ln.Addr().String(), ended: make(chan struct{}, 1000)}
	r.url = "http://" + r.addr + "/hook"
	r.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			r.conns.Add(1)
			r.mu.Lock()
			r.open = append(r.open, c)
			r.mu.Unlock()
			r.wg.Go(func() { r.serveConn(c, h) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		r.hangUp()
		r.wg.Wait()
	})
	return r
}

func (r *receiver) hangUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.open {
		c.Close()
	}
}

func (r *receiver) serveConn(c net.Conn, h handler) {
	defer c.Close()
	br := bufio.NewReader(c)
	for n := 0; ; n++ {
		req, err := readRequest(br)
		if err != nil {
			r.ended <- struct{}{}
			return
		}
		if !h(c, req, n) {
			return
		}
	}
}

func readRequest(br *bufio.Reader) (request, error) {
	var head strings.Builder
	length := 0
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return request{}, err
		}
		head.WriteString(line)
		if line == "\r\n" {
			break
		}
		if v, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			for _, d := range strings.TrimSpace(v) {
				length = length*10 + int(d-'0')
			}
		}
	}
	body := make([]byte, length)
	for n := 0; n < length; {
		m, err := br.Read(body[n:])
		if err != nil {
			return request{}, err
		}
		n += m
	}
	return request{head.String(), string(body)}, nil
}

// say answers every request with the same bytes.
func say(answer string) handler {
	return func(c net.Conn, _ request, _ int) bool {
		_, err := c.Write([]byte(answer))
		return err == nil
	}
}

// sayAndClose answers and hangs up.
func sayAndClose(answer string) handler {
	return func(c net.Conn, _ request, _ int) bool {
		_, _ = c.Write([]byte(answer))
		return false
	}
}

const (
	answerOK   = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	answer500  = "HTTP/1.1 500 Oops\r\nContent-Length: 1\r\n\r\nx"
	answer503  = "HTTP/1.1 503 Busy\r\nContent-Length: 1\r\n\r\ny"
	ghost      = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nghost"
	noBody204  = "HTTP/1.1 204 No Content\r\n\r\n"
	closeAfter = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
)

func expect(t testing.TB, a *event.Attempt, class event.ErrorClass, status int) {
	t.Helper()
	if a.Class != class || a.StatusCode != status {
		t.Errorf("class %q, status %d, error %q; want class %q, status %d", a.Class, a.StatusCode, a.Error, class, status)
	}
}

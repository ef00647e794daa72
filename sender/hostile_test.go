package sender

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// maxHostileBytes is how much an attempt may allocate whatever its peer does, over TLS
// and with what the test's own receiver takes: no more can be in memory for it.
const maxHostileBytes = 1 << 20

// maxHostileRead is how much of an answer is read: what is recorded, what is drained
// beyond it, and the largest head.
const maxHostileRead = DefaultMaxResponseBodyBytes + drainBytes + 3*maxHeadBytes

// hostilePatience is how long an attempt may hang before the test gives up: far above
// every timeout in the table.
const hostilePatience = 30 * time.Second

// hostileRow is one way of a receiver to behave, and what every attempt to it must end
// with. It is made anew for each scheme.
type hostileRow struct {
	name  string
	only  string            // the scheme that it is about; "" is both
	serve handler           // answers requests that were read
	peer  func(c net.Conn)  // instead of serve: has the connection as it is
	bare  bool              // the peer speaks TCP, also to https
	tls   func(*tls.Config) // changes how https is spoken
	host  string            // of the URL, instead of the address
	data  string            // of the event; {} by default
	want  []hostileEnd      // one for each attempt
	again func()            // between two attempts, if there is something to wait for
	conns int32             // connections that must have been made in all; 0: any number
	reads int64             // bytes that may be read of each answer; maxHostileRead by default
	slow  bool              // ends with the attempt's time
	limit int               // that time, in seconds; 1 by default
	check func(t *testing.T, all []*event.Attempt)
}

// hostileEnd is what an attempt must end with.
type hostileEnd struct {
	class  event.ErrorClass
	status int
}

func ended(status int) hostileEnd {
	if status >= 200 && status <= 299 {
		return hostileEnd{event.ClassNone, status}
	}
	return hostileEnd{event.ClassStatus, status}
}

func failed(class event.ErrorClass) hostileEnd { return hostileEnd{class: class} }

// hostileResult is one line of the table.
type hostileResult struct {
	Row       string  `json:"row"`
	Scheme    string  `json:"scheme"`
	Outcome   string  `json:"outcome"`
	Error     string  `json:"error"`
	Millis    float64 `json:"ms"`
	ReadBytes int64   `json:"read_bytes"`
	Allocated uint64  `json:"allocated_bytes"`
}

// TestHostileReceivers makes attempts to receivers that do everything wrong, over plain
// HTTP and over TLS, and holds each to its outcome, and to bounds of what it reads and
// allocates. HOSTILE_REPORT names a directory to which the measured table is written.
func TestHostileReceivers(t *testing.T) {
	here := netip.MustParseAddr("127.0.0.1")
	w := newTLSWorld(t, func(o *Options) {
		o.Dial.Lookup = func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{here}, nil }
	})
	var table []hostileResult
	for _, scheme := range []string{"http", "https"} {
		for _, row := range hostileRows(t) {
			if !row.slow && (row.only == "" || row.only == scheme) {
				t.Run(scheme+"/"+row.name, func(t *testing.T) { table = append(table, w.face(t, scheme, row)) })
			}
		}
	}
	table = append(table, w.faceSlow(t)...)
	writeHostileTable(t, "receivers", table)
}

// face makes a row's attempts, one after the other.
func (w *tlsWorld) face(t *testing.T, scheme string, row hostileRow) hostileResult {
	r := w.hostile(t, scheme, row)
	var read atomic.Int64
	ep, ev := w.counting(w.endpointOf(r, row), &read), row.event()
	runtime.GC()
	before, begun := allocated(), time.Now()
	all := w.attempts(t, ep, ev, row)
	took := time.Since(begun)
	result := describe(scheme, row, all, took, read.Load(), (allocated()-before)/uint64(len(all)))
	row.hold(t, r, all, result)
	return result
}

// faceSlow makes the attempts that take all their time, at once. What they allocate is
// measured together, and shared out.
func (w *tlsWorld) faceSlow(t *testing.T) (table []hostileResult) {
	type meeting struct {
		row    hostileRow
		scheme string
		r      *receiver
		ep     *catalog.Endpoint
		ev     *event.Event
		read   atomic.Int64
		all    []*event.Attempt
		took   time.Duration
	}
	var meetings []*meeting
	for _, scheme := range []string{"http", "https"} {
		for _, row := range hostileRows(t) {
			if !row.slow || row.only != "" && row.only != scheme {
				continue
			}
			m := &meeting{row: row, scheme: scheme, r: w.hostile(t, scheme, row), ev: row.event()}
			m.ep = w.counting(w.endpointOf(m.r, row), &m.read)
			meetings = append(meetings, m)
		}
	}
	runtime.GC()
	before := allocated()
	var all sync.WaitGroup
	for _, m := range meetings {
		all.Go(func() {
			begun := time.Now()
			m.all = w.attempts(t, m.ep, m.ev, m.row)
			m.took = time.Since(begun)
		})
	}
	all.Wait()
	share := (allocated() - before) / uint64(len(meetings))
	for _, m := range meetings {
		result := describe(m.scheme, m.row, m.all, m.took, m.read.Load(), share)
		t.Run(m.scheme+"/"+m.row.name, func(t *testing.T) { m.row.hold(t, m.r, m.all, result) })
		table = append(table, result)
	}
	return table
}

// hostile is a receiver that behaves as the row says.
func (w *tlsWorld) hostile(t *testing.T, scheme string, row hostileRow) *receiver {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if scheme == "https" && !row.bare {
		config := &tls.Config{Certificates: []tls.Certificate{w.cert}}
		if row.tls != nil {
			row.tls(config)
		}
		ln = tls.NewListener(ln, config)
	}
	var r *receiver
	if row.peer == nil {
		r = serve(t, ln, row.serve)
	} else {
		r = servePeer(t, ln, row.peer)
	}
	host := r.addr
	if row.host != "" {
		host = row.host + host[strings.LastIndexByte(host, ':'):]
	}
	r.url = scheme + "://" + host + "/hook"
	return r
}

// servePeer hands connections to peer as they are, each in a goroutine of its own.
func servePeer(t testing.TB, ln net.Listener, peer func(net.Conn)) *receiver {
	r := &receiver{addr: ln.Addr().String()}
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
			r.wg.Go(func() { defer c.Close(); peer(c) })
		}
	})
	t.Cleanup(func() { ln.Close(); r.hangUp(); r.wg.Wait() })
	return r
}

func (w *tlsWorld) endpointOf(r *receiver, row hostileRow) *catalog.Endpoint {
	if row.slow {
		return w.endpoint(r.url, func(e *event.Endpoint) { e.HTTPTimeout = max(row.limit, 1) })
	}
	return w.endpoint(r.url)
}

// counting has the endpoint's connections count what is read of answers.
func (w *world) counting(ep *catalog.Endpoint, n *atomic.Int64) *catalog.Endpoint {
	host := &w.sender.clients.get(w.project, ep, time.Now()).target.host
	dial := host.DialTimeout
	host.DialTimeout = func(addr string, timeout time.Duration) (net.Conn, error) {
		made, err := dial(addr, timeout)
		if err != nil {
			return nil, err
		}
		c := made.(*conn)
		c.Conn = &counted{c.Conn, n}
		return c, nil
	}
	return ep
}

type counted struct {
	net.Conn
	n *atomic.Int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n.Add(int64(n))
	return n, err
}

func (row *hostileRow) event() *event.Event {
	if row.data == "" {
		return newEvent("{}")
	}
	return newEvent(row.data)
}

// attempts makes one attempt for each outcome that is wanted.
func (w *tlsWorld) attempts(t *testing.T, ep *catalog.Endpoint, ev *event.Event, row hostileRow) (all []*event.Attempt) {
	done := make(chan *event.Attempt, 1)
	for i := range row.want {
		if i > 0 && row.again != nil {
			row.again()
		}
		go func() { done <- w.attempt(ep, ev) }()
		select {
		case a := <-done:
			all = append(all, a)
		case <-time.After(hostilePatience):
			t.Errorf("%s: attempt %d has not ended after %s", row.name, i+1, hostilePatience)
			return append(all, &event.Attempt{})
		}
	}
	return all
}

// hold checks the row's attempts against what is wanted, and the bounds.
func (row *hostileRow) hold(t *testing.T, r *receiver, all []*event.Attempt, m hostileResult) {
	for i, want := range row.want {
		if i < len(all) && (all[i].Class != want.class || all[i].StatusCode != want.status) {
			t.Errorf("attempt %d: class %q, status %d, error %q; want class %q, status %d", i+1, all[i].Class, all[i].StatusCode, all[i].Error, want.class, want.status)
		}
	}
	for _, a := range all {
		if len(a.ResponseBody) > DefaultMaxResponseBodyBytes || len(a.ResponseHeaders) > maxRecordedHeaderBytes || len(a.Error) > maxErrorBytes+64 {
			t.Errorf("recorded too much: %d bytes of body, %d of headers, %d of error", len(a.ResponseBody), len(a.ResponseHeaders), len(a.Error))
		}
	}
	bound := max(row.reads, maxHostileRead)
	if n := int64(len(all)); m.ReadBytes > n*bound || m.Allocated > maxHostileBytes && !raceEnabled {
		t.Errorf("%d bytes were read in %d attempts, %d allocated in each; the bounds of each are %d and %d", m.ReadBytes, n, m.Allocated, bound, maxHostileBytes)
	}
	if n := r.conns.Load(); row.conns > 0 && n != row.conns {
		t.Errorf("%d connections, want %d", n, row.conns)
	}
	if row.check != nil {
		row.check(t, all)
	}
}

func describe(scheme string, row hostileRow, all []*event.Attempt, took time.Duration, read int64, bytes uint64) hostileResult {
	m := hostileResult{Row: row.name, Scheme: scheme, Millis: float64(took.Microseconds()) / 1000, ReadBytes: read, Allocated: bytes}
	var ends []string
	for _, a := range all {
		end := a.Class.String()
		if a.Class == event.ClassNone || a.Class == event.ClassStatus {
			end = fmt.Sprint(a.StatusCode)
		}
		ends = append(ends, end)
		if a.Error != "" {
			m.Error = a.Error
		}
	}
	m.Outcome = strings.Join(ends, ", ")
	return m
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// writeHostileTable prints the table, and writes it to the directory of HOSTILE_REPORT.
func writeHostileTable(t *testing.T, name string, table []hostileResult) {
	var text bytes.Buffer
	text.WriteString("| receiver | over | outcome | recorded error | ms | read | allocated |\n| --- | --- | --- | --- | ---: | ---: | ---: |\n")
	for _, m := range table {
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %.1f | %d | %d |\n", m.Row, m.Scheme, m.Outcome, strings.ReplaceAll(m.Error, "|", "\\|"), m.Millis, m.ReadBytes, m.Allocated)
	}
	t.Logf("%d rows, measured:\n%s", len(table), &text)
	dir := os.Getenv("HOSTILE_REPORT")
	if dir == "" {
		return
	}
	raw, err := json.MarshalIndent(table, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for ending, content := range map[string][]byte{".md": text.Bytes(), ".json": raw} {
		if err := os.WriteFile(filepath.Join(dir, "hostile-"+name+ending), content, 0o644); err != nil {
			t.Error(err)
		}
	}
}

// reset ends a connection with RST instead of FIN.
func reset(c net.Conn) {
	if over, ok := c.(*tls.Conn); ok {
		c = over.NetConn()
	}
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// swallow reads until the other side hangs up.
func swallow(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

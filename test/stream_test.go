package test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// sse is a client of a stream.
type sse struct {
	t    *testing.T
	body io.ReadCloser
	text *bufio.Scanner
	last string // the id that a client goes on from
}

type sseMessage struct {
	name string
	data string
}

// listen opens a stream with a key, behind the message with this id.
func (s *server) listen(key, path, last string) *sse {
	s.t.Helper()
	r, err := http.NewRequest("GET", "http://"+s.api+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Accept-Encoding", "gzip")
	return readStream(s.t, http.DefaultClient, r, last)
}

func readStream(t *testing.T, by *http.Client, r *http.Request, last string) *sse {
	t.Helper()
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := by.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if h := resp.Header; resp.StatusCode != 200 || !strings.HasPrefix(h.Get("Content-Type"), "text/event-stream") ||
		h.Get("Content-Encoding") != "" || h.Get("X-Accel-Buffering") != "no" || h.Get("Cache-Control") != "no-store" {
		t.Fatalf("a stream began with %d %v", resp.StatusCode, h)
	}
	l := &sse{t: t, body: resp.Body, text: bufio.NewScanner(resp.Body)}
	l.text.Buffer(nil, 1<<20)
	return l
}

// next is the next message; one without a name is the end.
func (l *sse) next() (m sseMessage) {
	guard := time.AfterFunc(patience, func() { l.body.Close() })
	defer guard.Stop()
	for l.text.Scan() {
		name, value, _ := strings.Cut(l.text.Text(), ": ")
		switch {
		case name == "event":
			m.name = value
		case name == "id":
			l.last = value
		case name == "data":
			m.data += value
		case name == "" && (m.name != "" || m.data != ""):
			return m
		}
	}
	return sseMessage{}
}

// want reads a message and checks its name.
func (l *sse) want(name string) sseMessage {
	l.t.Helper()
	m := l.next()
	if m.name != name {
		l.t.Fatalf("got %q %s, want %s", m.name, m.data, name)
	}
	return m
}

// delivered reads until so many deliveries have succeeded, and counts how often each did.
func (l *sse) delivered(n int) map[string]int {
	l.t.Helper()
	times := make(map[string]int)
	for len(times) < n {
		var d struct {
			UID, Status string
			Attempt     *struct {
				Number     int
				StatusCode int `json:"status_code"`
			}
		}
		m := l.want("delivery")
		if err := json.Unmarshal([]byte(m.data), &d); err != nil {
			l.t.Fatal(err)
		}
		if d.Status != "Success" {
			continue
		}
		if d.Attempt == nil || d.Attempt.Number != 1 || d.Attempt.StatusCode != 200 {
			l.t.Fatalf("an attempt is not told: %s", m.data)
		}
		times[d.UID]++
	}
	return times
}

func (s *server) postSome(project, key, endpoint string, n int) {
	s.t.Helper()
	for i := range n {
		s.must(key, "POST", project+"/events", object{"endpoint_id": endpoint, "event_type": "order.paid", "data": object{"n": i}}, nil)
	}
}

// TestStream: a client sees what is posted, once, goes on where it was after a break, and
// is told where it cannot. A stop does not wait for it.
func TestStream(t *testing.T) {
	s := newServer(t, "--shutdown-timeout", "1h")
	s.start()
	recv := newReceiver(t)
	project, key := s.project(nil)
	endpoint := s.endpoint(project, key, recv.URL, nil)
	path := "/api/v1" + strings.TrimPrefix(project, "/api/v1") + "/eventdeliveries/stream"

	first := s.listen(key, path+"?status=Success&endpointId="+endpoint, "")
	first.want("open")
	events := s.listen(key, strings.Replace(path, "eventdeliveries", "events", 1), "")
	events.want("open")
	s.postSome(project, key, endpoint, 30)
	all := first.delivered(20)
	first.body.Close() // in the middle of a batch
	s.postSome(project, key, endpoint, 30)
	again := s.listen(key, path+"?status=Success&endpointId="+endpoint, first.last)
	if m := again.want("open"); m.data != `{"resumed":true}` {
		t.Errorf("it resumed with %s", m.data)
	}
	for id, n := range again.delivered(40) {
		all[id] += n
	}
	for id, n := range all {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
	if len(all) != 60 {
		t.Errorf("%d deliveries came of 60", len(all))
	}
	for range 60 {
		events.want("event")
	}

	s.stop()
	if m := again.want("end"); !strings.Contains(m.data, `"code":503`) {
		t.Errorf("it ended with %s", m.data)
	}
	s.start()
	after := s.listen(key, path, again.last)
	if m := after.want("reset"); !strings.Contains(m.data, `"restarted"`) {
		t.Errorf("after a restart: %s", m.data)
	}
	s.postSome(project, key, endpoint, 1)
	after.delivered(1)
}

// TestStreamOfAReaderThatDoesNotRead: deliveries go on, the reader loses its connection,
// and learns that it missed something when it comes back.
func TestStreamOfAReaderThatDoesNotRead(t *testing.T) {
	s := newServer(t, "--max-streams", "2")
	s.start()
	recv := newReceiver(t)
	project, key := s.project(nil)
	endpoint := s.endpoint(project, key, recv.URL, nil)
	path := "/api/v1" + strings.TrimPrefix(project, "/api/v1") + "/eventdeliveries/stream"
	other := s.listen(rootKey, path+"?status=Success&maxRows=1", "")
	other.want("open")
	lazy := s.dawdle(key, path)
	if code, a := s.call(key, "GET", path, nil); code != http.StatusTooManyRequests {
		t.Errorf("one stream too many of a key: %d %s", code, a.Message)
	}

	// 40 events of 15 KB, three messages each: eight of these are more than a socket takes, ten more than is kept.
	one := `{"endpoint_id":"` + endpoint + `","event_type":"order.paid","custom_headers":{"x-long":"` + strings.Repeat("h", 15000) + `"},"data":{}}`
	batch := []byte("[" + strings.TrimSuffix(strings.Repeat(one+",", 40), ",") + "]")
	posted := 0
	post := func() {
		s.must(key, "POST", project+"/events/batch", batch, nil)
		posted += 40
	}
	for range 8 {
		post()
	}
	eventually(t, "the reader is cut off", lazy.gone)
	for range 10 {
		post()
	}
	eventually(t, "everything is delivered", func() bool {
		var count struct{ Totals map[string]int }
		s.must(key, "GET", project+"/eventdeliveries/statustotals", nil, &count)
		return count.Totals["Success"] == posted
	})
	text, last := lazy.read()
	if !strings.Contains(text, "event: delivery") {
		t.Errorf("it got %.200q", text)
	}
	if m := other.next(); m.name != "delivery" {
		t.Errorf("the other one got %q %s", m.name, m.data)
	}
	var back *http.Response
	eventually(t, "its place is free again", func() bool {
		r, _ := http.NewRequest("GET", "http://"+s.api+path, nil)
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Last-Event-ID", last)
		var err error
		if back, err = http.DefaultClient.Do(r); err != nil {
			t.Fatal(err)
		}
		if back.StatusCode != http.StatusOK {
			back.Body.Close()
		}
		return back.StatusCode == http.StatusOK
	})
	defer back.Body.Close()
	if m := (&sse{t: t, body: back.Body, text: bufio.NewScanner(back.Body)}).next(); m.name != "reset" || !strings.Contains(m.data, `"expired"`) {
		t.Errorf("it came back to %q %s", m.name, m.data)
	}
}

// dawdler is a client that does not read.
type dawdler struct {
	t    *testing.T
	conn net.Conn
	s    *server
	key  string
	path string
	head string // that it has read
}

func (s *server) dawdle(key, path string) *dawdler {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.api)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", path, key)
	d := &dawdler{t: s.t, conn: conn, s: s, key: key, path: path}
	for head := make([]byte, 1); !strings.HasSuffix(d.head, `"resumed":false}`); d.head += string(head) {
		if _, err := conn.Read(head); err != nil {
			s.t.Fatal(err)
		}
	}
	return d
}

// gone reports whether its stream counts no more: another one of its key can be opened.
func (d *dawdler) gone() bool {
	r, _ := http.NewRequest("GET", "http://"+d.s.api+d.path, nil)
	r.Header.Set("Authorization", "Bearer "+d.key)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode == 200
}

// read reads what was sent, and says where to go on.
func (d *dawdler) read() (text, last string) {
	_ = d.conn.SetReadDeadline(time.Now().Add(patience))
	all, _ := io.ReadAll(d.conn)
	for _, m := range regexp.MustCompile(`\nid: (\S+)\n`).FindAllStringSubmatch(string(all), -1) {
		last = m[1]
	}
	return string(all), last
}

// TestPortalAndConsoleStreams: the pages get rows, the portal its owner's only, and neither
// goes on after who reads has left or lost the right.
func TestPortalAndConsoleStreams(t *testing.T) {
	w := newConsoleWorld(t)
	foreign := w.s.endpoint(w.project, w.key, w.recv.URL+"/foreign", object{"name": "Foreign one", "owner_id": "wren"})
	var link struct{ UID, Token string }
	w.s.must(w.key, "POST", w.project+"/portal-links", object{"name": "Tern", "owner_id": "tern", "auth_type": "static_token"}, &link)

	w.want(w.signIn(w.key), http.StatusOK)
	in := "/p/" + w.project[strings.LastIndex(w.project, "/")+1:]
	operator := w.tail(in + "/deliveries/stream?range=24h")
	people := newVisitor(t, w.base)
	people.get("/portal?token=" + url.QueryEscape(link.Token))
	portal := people.tail("/portal/deliveries/stream")
	api := w.s.listen(link.Token, "/portal-api/eventdeliveries/stream", "")
	api.want("open")

	for range 3 {
		w.s.postSome(w.project, w.key, foreign, 1)
		w.s.postSome(w.project, w.key, w.endpoint, 1)
	}
	for id := range api.delivered(3) {
		if id == "" {
			t.Error("a delivery without an id")
		}
	}
	seen := operator.rows(6)
	if strings.Count(seen, "Foreign one") == 0 || !strings.Contains(seen, "Fine &amp; &lt;b&gt;bold&lt;/b&gt;") {
		t.Errorf("the operator sees %s", seen)
	}
	if own := portal.rows(3); strings.Contains(own, "Foreign") || strings.Contains(own, foreign) {
		t.Errorf("the portal sees %s", own)
	}

	w.s.must(w.key, "PUT", w.project+"/portal-links/"+link.UID+"/revoke", nil, nil)
	for _, l := range []*sse{portal, api} {
		m := l.next()
		for m.name == "" && m.data != "" || m.name == "batch" || m.name == "delivery" {
			m = l.next()
		}
		if m.name != "end" || !strings.Contains(m.data, `"code":401`) {
			t.Errorf("after the link was revoked: %q %s", m.name, m.data)
		}
	}
	w.post("/logout", nil)
	m := operator.next()
	for m.name != "end" && (m.name != "" || m.data != "") {
		m = operator.next()
	}
	if !strings.Contains(m.data, `"code":401`) {
		t.Errorf("after signing out: %q %s", m.name, m.data)
	}
}

// tail opens a page's stream as its script does.
func (v *visitor) tail(path string) *sse {
	v.t.Helper()
	r, err := http.NewRequest("GET", v.base+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("HX-Request", "true")
	l := readStream(v.t, &http.Client{Jar: v.http.Jar.(*cookiejar.Jar)}, r, "")
	l.want("open")
	return l
}

// rows reads until so many different rows have come, and returns them.
func (l *sse) rows(n int) string {
	l.t.Helper()
	var text strings.Builder
	ids := make(map[string]bool)
	for len(ids) < n {
		m := l.next()
		if m.name == "" && m.data == "" {
			l.t.Fatalf("it ended after %d rows of %d", len(ids), n)
		}
		for _, found := range regexp.MustCompile(`<tr id="(d-[0-9A-Z]{26})"`).FindAllStringSubmatch(m.data, -1) {
			ids[found[1]] = true
		}
		text.WriteString(m.data)
	}
	return text.String()
}

// TestDeliveryTail: the command prints a line for each change, goes on over a restart of
// the server, and ends well when it is interrupted.
func TestDeliveryTail(t *testing.T) {
	s := newServer(t)
	s.start()
	recv := newReceiver(t)
	project, key := s.project(nil)
	endpoint := s.endpoint(project, key, recv.URL, nil)
	tail := exec.Command(binary, "delivery", "tail", "--server", "http://"+s.api, "--key", key, "--status", "Success", "--project", project[strings.LastIndex(project, "/")+1:])
	out, err := tail.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := tail.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tail.Start(); err != nil {
		t.Fatal(err)
	}
	defer tail.Process.Kill()
	lines, notes := bufio.NewScanner(out), bufio.NewScanner(said)
	wait := func(from *bufio.Scanner, text string) {
		t.Helper()
		guard := time.AfterFunc(patience, func() { _ = tail.Process.Kill() })
		defer guard.Stop()
		for from.Scan() {
			if strings.Contains(from.Text(), text) {
				return
			}
		}
		t.Fatalf("it never said %q", text)
	}
	wait(notes, "Listening")
	s.postSome(project, key, endpoint, 1)
	wait(lines, "order.paid")
	s.stop()
	s.start()
	wait(notes, "What happened meanwhile is not shown: the server was restarted")
	s.postSome(project, key, endpoint, 1)
	wait(lines, "Success")
	if err := tail.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := tail.Wait(); err != nil {
		t.Errorf("an interrupt: %v", err)
	}
}

package browsertest

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// line is a way to the console that can be cut, and that knows how many streams go over it.
type line struct {
	net.Listener
	URL string

	mu    sync.Mutex // guards what follows
	down  bool
	conns map[net.Conn]bool // whether a stream goes over it
}

func newLine(t *testing.T) *line {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	l := &line{Listener: ln, URL: "http://localhost:" + port, conns: map[net.Conn]bool{}}
	var serving sync.WaitGroup
	serving.Go(func() { l.serve(strings.TrimPrefix(shared.console, "http://"), &serving) })
	t.Cleanup(func() {
		ln.Close()
		l.cut()
		serving.Wait()
	})
	return l
}

func (l *line) serve(to string, serving *sync.WaitGroup) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		serving.Go(func() { l.carry(conn, to) })
	}
}

// carry passes on what both ends say, until one of them goes or the line is cut.
func (l *line) carry(conn net.Conn, to string) {
	defer conn.Close()
	if !l.note(conn, false) {
		return
	}
	defer l.forget(conn)
	far, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer far.Close()
	var back sync.WaitGroup
	defer back.Wait()
	back.Go(func() {
		_, _ = io.Copy(conn, far)
		conn.Close()
	})
	defer far.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		if first, _, _ := bytes.Cut(buf[:n], []byte("\r\n")); bytes.Contains(first, []byte("/stream?")) {
			l.note(conn, true)
		}
		if _, err := far.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (l *line) note(conn net.Conn, stream bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.down {
		l.conns[conn] = stream
	}
	return !l.down
}

func (l *line) forget(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
}

// cut ends all connections and lets none come until the line is mended.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for conn := range l.conns {
		conn.Close()
	}
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

// streams is how many go over the line.
func (l *line) streams() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, stream := range l.conns {
		if stream {
			n++
		}
	}
	return n
}

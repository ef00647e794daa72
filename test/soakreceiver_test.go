package test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// manners are how the soak's receivers take the first attempt of each event, by path; they take the
// second. A path that is not here takes the first.
var manners = map[string]func(w http.ResponseWriter, r *http.Request){
	"/good": nil,
	"/slow": func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(50 * time.Millisecond)
		w.WriteHeader(http.StatusInternalServerError)
	},
	"/busy": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
	"/hang": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"/reset": func(w http.ResponseWriter, _ *http.Request) {
		if c := hijack(w); c != nil {
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}
	},
	"/garbage": func(w http.ResponseWriter, _ *http.Request) {
		if c := hijack(w); c != nil {
			_, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.2p1\r\n\x00\x01\x02 nothing like HTTP")
			_ = c.Close()
		}
	},
	"/half": func(w http.ResponseWriter, _ *http.Request) {
		if c := hijack(w); c != nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of")
			_ = c.Close()
		}
	},
}

func hijack(w http.ResponseWriter) net.Conn {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return nil
	}
	return c
}

// mob is the soak's receivers, and what they took.
type mob struct {
	*httptest.Server
	mu    sync.Mutex
	tried map[string]bool // first attempts, by path and number
	taken map[string]int  // by path and number
	wrong []string
}

func newMob(t *testing.T) *mob {
	m := &mob{tried: make(map[string]bool), taken: make(map[string]int)}
	m.Server = httptest.NewUnstartedServer(m)
	m.Config.ErrorLog = quiet
	m.Start()
	t.Cleanup(m.Close)
	return m
}

func (m *mob) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || strings.HasPrefix(r.URL.Path, "/churn") {
		return
	}
	var n int
	if _, err := fmt.Sscanf(string(body), `{"n":%d}`, &n); err != nil {
		m.mu.Lock()
		m.wrong = append(m.wrong, fmt.Sprintf("%s: %.80q", r.URL.Path, body))
		m.mu.Unlock()
		return
	}
	what := fmt.Sprint(r.URL.Path, " ", n)
	m.mu.Lock()
	bad, again := manners[r.URL.Path], m.tried[what]
	m.tried[what] = true
	if bad == nil || again {
		m.taken[what]++
	}
	m.mu.Unlock()
	if bad != nil && !again {
		bad(w, r)
	}
}

// took is how many different events were taken, and how many more came twice.
func (m *mob) took() (events, again int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.taken {
		again += n - 1
	}
	return len(m.taken), again
}

// missing are those of the accepted events that were not taken.
func (m *mob) missing(accepted []string) (missing []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, what := range accepted {
		if m.taken[what] == 0 {
			missing = append(missing, what)
		}
	}
	return missing
}

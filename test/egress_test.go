package test

import (
	"bufio"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// tunneller is an HTTP proxy that opens tunnels to those who know its password.
type tunneller struct {
	net.Listener
	want string // of Proxy-Authorization
	mu   sync.Mutex
	to   []string
}

func newTunneller(t *testing.T, credentials string) *tunneller {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tunneller{Listener: ln, want: "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	t.Cleanup(func() { ln.Close() })
	return p
}

func (p *tunneller) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	req, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	p.mu.Lock()
	p.to = append(p.to, req.Method+" "+req.RequestURI)
	p.mu.Unlock()
	if req.Header.Get("Proxy-Authorization") != p.want {
		_, _ = io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
		return
	}
	there, err := net.Dial("tcp", req.RequestURI)
	if err != nil {
		_, _ = io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		return
	}
	defer there.Close()
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(there, r); there.Close() }()
	_, _ = io.Copy(c, there)
}

func (p *tunneller) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.to...)
}

// TestEgressSettings: deliveries go through the proxy that is configured, and not that of
// the environment; what the operator denies cannot be made an endpoint, nor the server.
func TestEgressSettings(t *testing.T) {
	trap := newTunneller(t, "")
	proxy := newTunneller(t, "ann:pass:word")
	t.Setenv("HTTP_PROXY", "http://"+trap.Addr().String())
	t.Setenv("HTTPS_PROXY", "http://"+trap.Addr().String())
	file := filepath.Join(t.TempDir(), "proxy")
	if err := os.WriteFile(file, []byte("ann:pass:word\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := newInbox(t)
	p := newProject(t, linear(1, 3), "--egress-proxy", "http://"+proxy.Addr().String(), "--egress-proxy-auth-file", file,
		"--egress-deny", "127.0.0.9/32,8.8.8.0/24", "--egress-ports", "1024-65535")
	event := p.send(p.add(in.URL, nil), `{"n":1}`)
	p.await(event, "Success")
	if to := proxy.asked(); len(to) != 1 || "CONNECT "+strings.TrimPrefix(in.URL, "http://") != to[0] || len(trap.asked()) != 0 {
		t.Errorf("the proxy was asked for %q, the environment's for %q; want one tunnel to %s", to, trap.asked(), in.URL)
	}
	for url, says := range map[string]string{
		"http://127.0.0.9:8080/":     "url", // denied, within what is allowed
		"https://8.8.8.8:8443/":      "url",
		"https://example.com/":       "port 443",
		"https://example.com:6379/":  "port 6379",
		"http://" + p.api + "/x":     "url", // the server itself
		"http://" + p.admin + "/x":   "url",
		"http://10.0.0.1:8080/":      "url",
		"http://169.254.169.254:80/": "port 80",
		"http://[::1]:8080/":         "url",
	} {
		p.refused("POST", "/endpoints", object{"name": "e", "url": url}, says)
	}
	p.stop()
}

// TestProxyThatIsDown: deliveries wait for it, no attempt is charged, and the operator
// can see why.
func TestProxyThatIsDown(t *testing.T) {
	proxy := newTunneller(t, "")
	addr := proxy.Addr().String()
	proxy.Close()
	in := newInbox(t)
	begin := time.Now()
	p := newProject(t, linear(1, 2), "--egress-proxy", "http://"+addr)
	event := p.send(p.add(in.URL, nil), `{"n":1}`)
	eventually(t, "the metric counts attempts that failed on this machine", func() bool {
		return p.metric(`posthaste_delivery_attempts_total{result="local"}`) >= 3
	})
	if d := p.deliveryOf(event); d.Metadata.NumTrials != 0 || d.Status == "Failure" {
		t.Errorf("%+v: want no attempt", d)
	}
	p.stop()
	if n := strings.Count(p.log.String(), "attempts cannot be made, for a fault of this machine"); n < 1 || n > 1+int(time.Since(begin)/(10*time.Second)) {
		t.Errorf("said %d times within %s, want once in ten seconds:\n%s", n, time.Since(begin), p.log)
	}
}

// TestEgressIsAudited: who tried to have requests sent where none may go, and which
// endpoints led there.
func TestEgressIsAudited(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, linear(1, 2))
	endpoint := p.add(in.URL, nil)
	type record struct {
		Actor                   string `json:"actor_kind"`
		Object                  string `json:"object_id"`
		Action, Outcome, Reason string
		Count                   int
	}
	trail := func() (all []record) {
		t.Helper()
		var page struct{ Content []record }
		p.do("GET", "/audit?perPage=100&outcome=refused", nil, &page)
		return page.Content
	}
	for range 3 { // once a minute
		p.refused("POST", "/endpoints", object{"name": "e", "url": "http://169.254.169.254/latest"}, "url")
	}
	if all := trail(); len(all) != 1 || all[0].Actor != "api_key" || all[0].Action != "endpoint.create" || !strings.Contains(all[0].Reason, "169.254.169.254") {
		t.Errorf("the audit log has %+v", all)
	}
	p.stop()
	p.args = append(p.args, "--egress-deny", "127.0.0.1/32")
	p.start()
	p.await(p.send(endpoint, `{"n":1}`), "Failure")
	p.stop()
	p.start()
	all := trail()
	if len(all) != 2 || all[0].Actor != "server" || all[0].Action != "endpoint.block" || all[0].Object != endpoint || all[0].Count != 2 || all[0].Reason == "" {
		t.Errorf("the audit log has %+v", all)
	}
	if n := len(in.arrivals()); n != 0 {
		t.Errorf("%d requests came", n)
	}
}

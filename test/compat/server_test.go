package compat

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

const rootKey = "the-instance-key-of-this-test"

// binary is the program under test, built once by TestMain.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "posthaste-compat-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "posthaste")
	build := exec.Command("go", "build", "-o", binary, "posthaste/cmd/posthaste")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// startServer runs the program on a new data folder until the test ends, and returns
// where its API is.
func startServer(t *testing.T) (base string) {
	t.Helper()
	api, admin := freeAddr(t), freeAddr(t)
	cmd := exec.Command(binary, "serve", "--data", t.TempDir(), "--listen", api, "--admin-listen", admin, "--console-listen", "",
		"--egress-allow", "127.0.0.0/8", "--log-format", "json")
	cmd.Env = append(os.Environ(), "POSTHASTE_ROOT_KEY="+rootKey)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if faults := bytes.Count(log.Bytes(), []byte(`"level":"error"`)); faults > 0 {
			t.Logf("the server logged %d errors; its log ends with\n%s", faults, tail(log.Bytes(), 3000))
		}
	})
	if !eventually(patience, func() bool {
		resp, err := http.Get("http://" + admin + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}) {
		t.Fatalf("the server is not ready within %s; it said:\n%s", patience, tail(log.Bytes(), 3000))
	}
	return "http://" + api
}

// patience is how long is waited for what is sure to come.
const patience = time.Minute

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }

// eventually asks every few milliseconds until the answer is yes or the time is over.
func eventually(limit time.Duration, ask func() bool) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ask() {
			return true
		}
	}
	return false
}

// given are the ports that freeAddr has given out.
var given sync.Map

// freeAddr is an address where nobody listens, of a range that the system gives to
// nobody and that the other tests of the binary leave alone.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 1000 {
		addr := fmt.Sprint("127.0.0.1:", 27000+rand.IntN(5000))
		if _, taken := given.LoadOrStore(addr, true); taken {
			continue
		}
		if ln, err := net.Listen("tcp", addr); err == nil {
			ln.Close()
			return addr
		}
	}
	t.Fatal("no port from 27000 to 31999 is free")
	return ""
}

// receiver takes deliveries: at /ok with 200, at /fail with 500 until it is healed, and
// plays the token server at /token.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	got  []arrival
	well bool
}

type arrival struct {
	path   string
	header http.Header
	body   []byte
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch req.URL.Path {
	case "/token":
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"a-token","token_type":"Bearer","expires_in":3600}`)
		return
	case "/fail":
		if !r.well {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}
	r.got = append(r.got, arrival{req.URL.Path, req.Header, body})
}

// at are the deliveries that came to a path.
func (r *receiver) at(path string) (all []arrival) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.got {
		if a.path == path {
			all = append(all, a)
		}
	}
	return all
}

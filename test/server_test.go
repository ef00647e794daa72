package test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
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

func TestMain(m *testing.M) {
	if job := os.Getenv(driverVariable); job != "" {
		os.Exit(drive(job)) // a child of a test, see idledriver_test.go
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "posthaste-test-")
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

// server is one run after the other of the program on one data folder.
type server struct {
	t     *testing.T
	dir   string
	api   string
	admin string
	args  []string
	env   []string            // beside the test's own
	whole []string            // all of its environment, instead
	out   *bytes.Buffer       // of stdout; nil: nowhere
	user  *syscall.Credential // whose process it is; nil: as this one
	// program is what is run; "": binary.
	program string
	// console is where its pages are; "" for none.
	console string
	cmd     *exec.Cmd
	log     *bytes.Buffer
}

func newServer(t *testing.T, args ...string) *server {
	s := &server{t: t, dir: t.TempDir(), api: freeAddr(t), admin: freeAddr(t), args: args}
	t.Cleanup(s.kill)
	return s
}

// given are the ports that freeAddr has given out.
var given sync.Map

// freeAddr is an address where nobody listens, nor will when tests run at once: no
// port is given twice, and none is of those that the system gives to connections and
// to listeners that ask for any.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 1000 {
		addr := fmt.Sprint("127.0.0.1:", 12000+rand.IntN(15000))
		if _, taken := given.LoadOrStore(addr, true); taken {
			continue
		}
		if ln, err := net.Listen("tcp", addr); err == nil {
			ln.Close()
			return addr
		}
	}
	t.Fatal("no port from 12000 to 26999 is free")
	return ""
}

// start runs the program and returns how long it took until it was ready.
func (s *server) start() time.Duration {
	s.t.Helper()
	begin := time.Now()
	s.launch()
	for deadline := begin.Add(patience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if s.ready() == http.StatusOK {
			return time.Since(begin)
		}
	}
	s.kill()
	s.t.Fatalf("not ready within %s; it said:\n%s", patience, s.log)
	return 0
}

// ready is what the server's readyz answers; 0: nothing.
func (s *server) ready() int {
	resp, err := http.Get("http://" + s.admin + "/readyz")
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// launch runs the program and does not wait for anything.
func (s *server) launch() {
	s.t.Helper()
	args := append([]string{"serve", "--data", s.dir, "--listen", s.api, "--admin-listen", s.admin,
		"--console-listen", s.console, "--egress-allow", "127.0.0.0/8", "--log-format", "json"}, s.args...)
	s.cmd = exec.Command(cmp.Or(s.program, binary), args...)
	if s.cmd.Env = s.whole; s.whole == nil {
		s.cmd.Env = append(append(os.Environ(), "POSTHASTE_ROOT_KEY="+rootKey), s.env...)
	}
	if s.out != nil {
		s.cmd.Stdout = s.out
	}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: s.user}
	s.log = &bytes.Buffer{}
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// kill ends the program as a power switch would, and waits until it is gone.
func (s *server) kill() {
	if s.cmd == nil || s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// stop ends the program gracefully.
func (s *server) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	overdue := time.AfterFunc(2*patience, func() { _ = s.cmd.Process.Kill() })
	defer overdue.Stop()
	if err := s.cmd.Wait(); err != nil {
		s.t.Fatalf("stop: %v\n%s", err, s.log)
	}
}

// answer is the API's envelope.
type answer struct {
	Status  bool            `json:"status"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// call sends a request with a JSON body, or none for nil.
func (s *server) call(key, method, path string, body any) (int, answer) {
	s.t.Helper()
	var in io.Reader
	if raw, ok := body.([]byte); ok {
		in = bytes.NewReader(raw)
	} else if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, "http://"+s.api+path, in)
	if err != nil {
		s.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v\n%s", method, path, err, s.log)
	}
	defer resp.Body.Close()
	var a answer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		s.t.Fatalf("%s %s: not the envelope: %v", method, path, err)
	}
	return resp.StatusCode, a
}

// must is call for a request that has to succeed; it reads data into out.
func (s *server) must(key, method, path string, body, out any) {
	s.t.Helper()
	code, a := s.call(key, method, path, body)
	if code/100 != 2 || !a.Status {
		s.t.Fatalf("%s %s: %d %s", method, path, code, a.Message)
	}
	if out != nil {
		if err := json.Unmarshal(a.Data, out); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, a.Data)
		}
	}
}

type object = map[string]any

// project makes a project and returns its path and key.
func (s *server) project(config object) (path, key string) {
	s.t.Helper()
	var made struct {
		APIKey  struct{ Key string } `json:"api_key"`
		Project struct{ UID string } `json:"project"`
	}
	s.must(rootKey, "POST", "/api/v1/projects?orgID=ignored", object{"name": "test", "type": "outgoing", "config": config}, &made)
	return "/api/v1/projects/" + made.Project.UID, made.APIKey.Key
}

// endpoint makes an endpoint that wants everything.
func (s *server) endpoint(project, key, url string, extra object) string {
	s.t.Helper()
	body := object{"name": "receiver", "url": url, "secret": "endpoint-secret", "rate_limit": 0}
	for k, v := range extra {
		body[k] = v
	}
	var made struct{ UID string }
	s.must(key, "POST", project+"/endpoints", body, &made)
	s.must(key, "POST", project+"/subscriptions", object{"name": "all", "endpoint_id": made.UID,
		"filter_config": object{"event_types": []string{"*"}}}, nil)
	return made.UID
}

// run runs another command of the program and returns what it printed.
func (s *server) run(args ...string) string {
	s.t.Helper()
	out, err := exec.Command(binary, args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

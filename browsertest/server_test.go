package browsertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"posthaste/browsertest/tab"
)

const instanceKey = "the-instance-key-of-the-browser-tests"

type object = map[string]any

// server is the program, and what its endpoints and its portal's parents are.
type server struct {
	api, admin string
	console    string // as the browser calls it, by the name localhost
	recv       *receivers
	parent     *httptest.Server // may show the portal in a frame
	stranger   *httptest.Server // may not
	cmd        *exec.Cmd
	log        bytes.Buffer
}

// listenSomewhere takes a port that the system gives to no connection, nor to whoever asks for
// any, so that it is still free a moment later.
func listenSomewhere() (ln net.Listener, err error) {
	for range 100 {
		if ln, err = net.Listen("tcp", fmt.Sprint("127.0.0.1:", 11000+rand.IntN(1000))); err == nil {
			break
		}
	}
	return ln, err
}

func startServer(program, dir string) (*server, error) {
	s := &server{recv: newReceivers(), parent: newParent(), stranger: newParent()}
	var addrs [3]string
	for i := range addrs {
		ln, err := listenSomewhere()
		if err != nil {
			return nil, err
		}
		addrs[i] = ln.Addr().String()
		defer ln.Close() // once all are chosen, so that they differ
	}
	s.api, s.admin = "http://"+addrs[0], "http://"+addrs[1]
	_, port, _ := net.SplitHostPort(addrs[2])
	s.console = "http://localhost:" + port
	s.cmd = exec.Command(program, "serve", "--data", dir, "--listen", addrs[0], "--admin-listen", addrs[1],
		"--console-listen", addrs[2], "--portal-parents", s.parent.URL, "--egress-allow", "127.0.0.0/8", "--log-format", "json")
	s.cmd.Env = append(os.Environ(), "POSTHASTE_ROOT_KEY="+instanceKey)
	s.cmd.Stderr = &s.log
	return s, nil
}

// launch starts the program and waits until it is ready.
func (s *server) launch() error {
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(tab.Patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get(s.admin + "/readyz")
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	s.stop()
	return fmt.Errorf("the server was not ready within %s; it said:\n%s", tab.Patience, &s.log)
}

func (s *server) stop() {
	if s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
	s.recv.Close()
	s.parent.Close()
	s.stranger.Close()
}

// call asks the API, which has to agree, and reads its data into out.
func (s *server) call(t *testing.T, key, method, path string, body, out any) {
	t.Helper()
	code, answer := s.ask(t, key, method, path, body)
	if code/100 != 2 {
		t.Fatalf("%s %s: %d %s", method, path, code, answer.Message)
	}
	if out != nil {
		if err := json.Unmarshal(answer.Data, out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, answer.Data)
		}
	}
}

// envelope is what the API answers with.
type envelope struct {
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

func (s *server) ask(t *testing.T, key, method, path string, body any) (int, envelope) {
	t.Helper()
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, s.api+path, in)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", method, path, err, &s.log)
	}
	defer resp.Body.Close()
	var e envelope
	if err := json.NewDecoder(resp.Body).Decode(&e); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, e
}

// project is one of a test's own.
type project struct {
	t       *testing.T
	id, key string
	path    string // of the API
	base    string // of the console's pages, without the server's address
	*server
}

func newProject(t *testing.T, config object) *project {
	t.Helper()
	var made struct {
		APIKey  struct{ Key string } `json:"api_key"`
		Project struct{ UID string } `json:"project"`
	}
	name := strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(t.Name(), "/", " "), "Test"))
	shared.call(t, instanceKey, "POST", "/api/v1/projects", object{"name": name, "type": "outgoing", "config": config}, &made)
	id := made.Project.UID
	return &project{t, id, made.APIKey.Key, "/api/v1/projects/" + id, "/p/" + id, shared}
}

// endpoint makes one that wants everything.
func (p *project) endpoint(name, url, owner string) string {
	p.t.Helper()
	var made struct{ UID string }
	p.call(p.t, p.key, "POST", p.path+"/endpoints", object{"name": name, "url": url, "secret": "endpoint-secret", "owner_id": owner}, &made)
	p.call(p.t, p.key, "POST", p.path+"/subscriptions", object{"name": "all of " + name, "endpoint_id": made.UID, "filter_config": object{"event_types": []string{"*"}}}, nil)
	return made.UID
}

// event sends one to an endpoint and returns its id.
func (p *project) event(endpoint, kind string, data any) string {
	p.t.Helper()
	var made struct{ UID string }
	p.call(p.t, p.key, "POST", p.path+"/events", object{"endpoint_id": endpoint, "event_type": kind, "data": data}, &made)
	return made.UID
}

// delivery is what the API says of one.
type delivery struct {
	UID, Status string
	Event       string `json:"event_id"`
	EndpointID  string `json:"endpoint_id"`
	Metadata    struct {
		Trials int `json:"num_trials"`
	}
}

// deliveries are those that a query selects.
func (p *project) deliveries(query string) []delivery {
	p.t.Helper()
	var page struct{ Content []delivery }
	p.call(p.t, p.key, "GET", p.path+"/eventdeliveries?perPage=100&"+query, nil, &page)
	return page.Content
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(tab.Patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within %s: %s", tab.Patience, what)
}

package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// sealingView is how far the server is with a new key.
type sealingView struct {
	KeyID     string   `json:"key_id"`
	OlderKeys []string `json:"older_keys"`
	Running   bool     `json:"running"`
	Left      int      `json:"left"`
	Done      int      `json:"done"`
	Removable bool     `json:"removable"`
}

func (s *server) sealing() (v sealingView) {
	s.t.Helper()
	s.must(rootKey, "GET", "/api/v1/secrets", nil, &v)
	return v
}

// keyIDs are the ids of the key file's keys, in its order.
func (s *server) keyIDs() (ids []string) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "secrets.key"))
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if id, _, ok := strings.Cut(line, " "); ok && id != "#" {
			ids = append(ids, id)
		}
	}
	return ids
}

// dropOlderKeys leaves the first key of the file.
func (s *server) dropOlderKeys() {
	s.t.Helper()
	path := filepath.Join(s.dir, "secrets.key")
	text, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	first := regexp.MustCompile(`(?m)^[a-z0-9]+ .*\n?`).Find(text)
	if err := os.WriteFile(path, first, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// onboard makes n endpoints at once.
func (p *project) onboard(n int, url string) {
	p.t.Helper()
	items := make([]object, n)
	for i := range items {
		items[i] = object{"name": fmt.Sprint("many ", i), "url": url}
	}
	p.do("POST", "/onboard", object{"items": items}, nil)
}

// TestSecretKeyRotationOnline: a new key is taken by a server at work, with traffic that is
// signed right throughout, and the older one can go when the command says so.
func TestSecretKeyRotationOnline(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, nil)
	ep := p.add(in.URL, nil)
	p.onboard(1500, in.URL)
	stop, sending := make(chan struct{}), sync.WaitGroup{}
	sending.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			code, a, _, err := p.request("POST", "/events", fmt.Sprintf(`{"endpoint_id":%q,"event_type":"t","data":%d}`, ep, n))
			if err != nil || code/100 != 2 {
				t.Errorf("event %d: %d %s %v", n, code, a.Message, err)
				return
			}
		}
	})
	first := p.keyIDs()
	for range 2 {
		n := len(in.arrivals())
		in.await(t, n+20)
		p.run("secrets", "rotate", "--data", p.dir)
		said := p.reseal()
		ids := p.keyIDs()
		if want := fmt.Sprintf("Every secret is sealed under the key %s", ids[0]); !strings.Contains(said, want) || !strings.Contains(said, ids[1]) {
			t.Errorf("it said %q, want %q and that %s may go", said, want, ids[1])
		}
		if v := p.sealing(); !v.Removable || v.KeyID != ids[0] || v.Done < 1501 {
			t.Errorf("%+v", v)
		}
	}
	n := len(in.arrivals())
	in.await(t, n+20)
	close(stop)
	sending.Wait()
	for _, a := range in.arrivals() {
		if err := a.verify(t, convoySecret("endpoint-secret")); err != nil {
			t.Fatalf("request %d: %v", a.n, err)
		}
	}
	trail := p.audit("/api/v1/audit?perPage=1000&sort=ASC&action=secrets.reseal")
	if ids := p.keyIDs(); len(trail) != 4 || trail[0].Outcome != "begun" || trail[1].Outcome != "done" || trail[1].ActorKind != "instance_key" ||
		trail[1].Changes[0].Before != first[0] || trail[3].Changes[0].After != ids[0] {
		t.Errorf("the audit log has %+v", trail)
	}

	// The older keys are not needed: not by this process, nor by the next.
	p.dropOlderKeys()
	p.hangUp(t, func(v sealingView) bool { return len(v.OlderKeys) == 0 })
	p.kill()
	p.start()
	p.await(p.send(ep, `{"after":"all"}`), "Success")
	all := in.arrivals()
	if err := all[len(all)-1].verify(t, convoySecret("endpoint-secret")); err != nil {
		t.Error(err)
	}
}

// reseal runs the command with the instance's key.
func (p *project) reseal(args ...string) string {
	p.t.Helper()
	cmd := exec.Command(binary, append([]string{"secrets", "reseal", "--server", "http://" + p.api}, args...)...)
	cmd.Env = append(os.Environ(), "POSTHASTE_KEY="+rootKey)
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// hangUp sends SIGHUP and waits until the server is so far.
func (p *project) hangUp(t *testing.T, far func(sealingView) bool) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "SIGHUP has the keys read again", func() bool { return far(p.sealing()) })
}

// TestSecretKeyRotationRefused: a key file that lacks a key which is needed changes nothing.
func TestSecretKeyRotationRefused(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, nil)
	ep := p.add(in.URL, nil)
	path := filepath.Join(p.dir, "secrets.key")
	own, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before := p.sealing()
	p.run("secrets", "rotate", "--data", p.dir)
	p.dropOlderKeys() // too early
	for name, text := range map[string][]byte{"without the older key": nil, "damaged": []byte("abc def\n"), "empty": {}} {
		if text != nil {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		code, a := p.call(rootKey, "POST", "/api/v1/secrets/reseal", nil)
		if code != 400 || !strings.Contains(a.Message, "key") {
			t.Errorf("%s: %d %s", name, code, a.Message)
		}
	}
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if code, _ := p.call(p.key, "POST", "/api/v1/secrets/reseal", nil); code != 403 {
		t.Errorf("with a project's key: %d", code)
	}
	if err := os.WriteFile(path, own, 0o600); err != nil {
		t.Fatal(err)
	}
	if now := p.sealing(); now.KeyID != before.KeyID || !now.Removable {
		t.Errorf("before %+v, now %+v", before, now)
	}
	p.await(p.send(ep, `{}`), "Success")
	p.kill()
	p.start()
	p.await(p.send(ep, `{}`), "Success")
}

var sealedAtStart = regexp.MustCompile(`"records":(\d+).*secrets were sealed under the first key`)

// TestSecretKeyRotationAcrossKill: killed at any moment of it, the next start goes on with
// both keys, and every endpoint signs as it did.
func TestSecretKeyRotationAcrossKill(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, nil)
	ep := p.add(in.URL, nil)
	const many = 3000
	p.onboard(many, in.URL)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	midst, rounds := 0, 4
	const enough = 60 // that none of so many comes in the middle is no chance
	for round := 0; round < rounds || midst == 0 && round < enough; round++ {
		p.run("secrets", "rotate", "--data", p.dir)
		var begun sealingView
		p.must(rootKey, "POST", "/api/v1/secrets/reseal", nil, &begun)
		if begun.Left == 0 || !begun.Running {
			t.Fatalf("round %d: nothing to write: %+v", round, begun)
		}
		time.Sleep(time.Duration(random.IntN(30)) * time.Millisecond)
		p.kill()
		p.start()
		if m := sealedAtStart.FindSubmatch(p.log.Bytes()); m != nil {
			if n, _ := strconv.Atoi(string(m[1])); n > 0 && n <= many {
				midst++
			}
		}
		if v := p.sealing(); v.KeyID != p.keyIDs()[0] || !v.Removable {
			t.Errorf("round %d: after the start %+v, the file has %v", round, v, p.keyIDs())
		}
		p.dropOlderKeys()
		p.kill()
		p.start() // with the new key alone
		body := fmt.Sprintf(`{"round":%d}`, round)
		p.await(p.send(ep, body), "Success")
		all := in.arrivals()
		if a := all[len(all)-1]; a.body != body || a.verify(t, convoySecret("endpoint-secret")) != nil {
			t.Errorf("round %d: %s came, signed wrongly or not at all", round, a.body)
		}
	}
	t.Logf("%d of the kills in the middle of writing records anew", midst)
	if midst == 0 {
		t.Errorf("none of %d kills came in the middle: the test says nothing", enough)
	}
}

// auditRow is a record of the audit log as the API shows it.
type auditRow struct {
	UID        string
	CreatedAt  time.Time `json:"created_at"`
	ProjectID  string    `json:"project_id"`
	ActorKind  string    `json:"actor_kind"`
	ActorID    string    `json:"actor_id"`
	ActorName  string    `json:"actor_name"`
	Action     string
	ObjectKind string `json:"object_kind"`
	ObjectID   string `json:"object_id"`
	ObjectName string `json:"object_name"`
	Outcome    string
	Reason     string
	Address    string
	RequestID  string `json:"request_id"`
	Changes    []struct{ Field, Before, After string }
}

// audit reads the audit log with the instance's key.
func (s *server) audit(path string) []auditRow {
	s.t.Helper()
	var all page[auditRow]
	s.must(rootKey, "GET", path, nil, &all)
	return all.Content
}

// TestAuditLog: what is answered with success has its record after kill -9; what the server
// does by itself has one, too; the command shows it.
func TestAuditLog(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(status(410))
	p := newProject(t, linear(1, 2))
	first := p.audit("/api/v1/audit?action=server.start")
	if len(first) != 1 || first[0].ActorKind != "server" || !strings.Contains(first[0].ObjectName, "posthaste ") {
		t.Errorf("the start: %+v", first)
	}
	ep := p.add(in.URL, nil)
	d := p.await(p.send(ep, `{"n":1}`), "Failure")
	p.awaitEndpoint(ep, "inactive")
	own := p.path + "/audit?perPage=1000"
	byServer := p.audit(own + "&actor=server")
	if len(byServer) != 1 || byServer[0].Action != "endpoint.status" || byServer[0].ObjectID != ep || !strings.Contains(byServer[0].Reason, "410") {
		t.Errorf("by the server itself: %+v", byServer)
	}
	in.reply(nil)
	p.resend(d.UID)
	var key struct{ UID, Key string }
	p.do("POST", "/keys", object{"name": "short-lived", "scopes": []string{"read"}}, &key)
	if code, _ := p.call(key.Key, "DELETE", p.path+"/endpoints/"+ep, nil); code != 403 {
		t.Errorf("a reader deletes: %d", code)
	}
	for n := range 20 {
		p.do("PUT", "/endpoints/"+ep, object{"name": fmt.Sprint("name ", n)}, nil)
		if n%7 == 6 {
			p.kill()
			p.start()
			got := p.audit(own + "&action=endpoint.update&object=" + ep)
			if len(got) != n+1 || got[0].ObjectName != fmt.Sprint("name ", n) || got[0].Changes[0].After != fmt.Sprint("name ", n) {
				t.Fatalf("killed after %d changes, the audit log has %d: %+v", n+1, len(got), got[:min(2, len(got))])
			}
		}
	}
	p.do("DELETE", "/keys/"+key.UID, nil, nil)
	if code, _ := p.call(key.Key, "GET", p.path, nil); code != 401 {
		t.Errorf("a revoked key: %d", code)
	}
	want := map[string]int{"endpoint.create done": 1, "subscription.create done": 1, "delivery.retry done": 1, "key.create done": 2,
		"endpoint.delete refused": 1, "endpoint.update done": 20, "key.revoke done": 1, "project.create done": 1}
	for _, r := range p.audit(own) {
		want[r.Action+" "+r.Outcome]--
		if r.ActorKind == "api_key" && (r.ActorID == "" || r.Address != "127.0.0.1" || r.RequestID == "") {
			t.Errorf("%+v", r)
		}
		if strings.HasPrefix(r.Action, "event.") {
			t.Errorf("posting an event is no management: %+v", r)
		}
	}
	for what, n := range want {
		if n > 0 {
			t.Errorf("%d records are missing: %s", n, what)
		}
	}
	cmd := exec.Command(binary, "audit", "--server", "http://"+p.api, "--project", strings.TrimPrefix(p.path, "/api/v1/projects/"), "--outcome", "refused")
	cmd.Env = append(os.Environ(), "POSTHASTE_KEY="+p.key)
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("short-lived")) || !bytes.Contains(out, []byte("endpoint.delete")) {
		t.Errorf("%v: %s", err, out)
	}
	cmd = exec.Command(binary, "audit", "--server", "http://"+p.api, "--instance", "--json", "--all")
	cmd.Env = append(os.Environ(), "POSTHASTE_KEY="+rootKey)
	out, err := cmd.Output()
	for line := range bytes.Lines(out) {
		if json.Unmarshal(line, new(auditRow)) != nil {
			t.Errorf("not a record: %s", line)
		}
	}
	if err != nil || bytes.Count(out, []byte("server.start")) < 3 {
		t.Errorf("%v: %s", err, out)
	}
}

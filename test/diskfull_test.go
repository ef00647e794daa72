package test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const mib = 1 << 20

// newServerOn is a server whose data folder is a file system of its own, in memory.
func newServerOn(t *testing.T, size int, args ...string) *server {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may mount a file system, which this test fills")
	}
	s := newServer(t, append([]string{"--memtable-bytes", "1MiB"}, args...)...)
	if err := syscall.Mount("tmpfs", s.dir, "tmpfs", 0, fmt.Sprint("size=", size)); err != nil {
		t.Skipf("no file system can be mounted here, which this test fills: %v", err)
	}
	t.Cleanup(func() {
		s.kill()
		if err := syscall.Unmount(s.dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", s.dir, err)
		}
	})
	return s
}

// free is how many bytes are free on the server's disk.
func (s *server) free() int64 {
	s.t.Helper()
	var f syscall.Statfs_t
	if err := syscall.Statfs(s.dir, &f); err != nil {
		s.t.Fatal(err)
	}
	return int64(f.Bavail) * f.Bsize
}

func (s *server) filler() string { return filepath.Join(s.dir, "filler") }

// fill takes the space on the server's disk, but for so much, in one go. The server may
// take some meanwhile.
func (s *server) fill(leave int64) {
	s.t.Helper()
	f, err := os.OpenFile(s.filler(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	had, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		s.t.Fatal(err)
	}
	for n := s.free() - leave; n > 0; n -= 64 << 10 {
		for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
			err = syscall.Fallocate(int(f.Fd()), 0, had, n)
		}
		if err == nil {
			break
		}
	}
	if leave == 0 {
		err = fillPages(f)
	}
	if err != nil {
		s.t.Fatalf("the disk could not be filled: %v", err)
	}
}

// fillPages takes what is left when no large piece is.
func fillPages(f *os.File) error {
	_, err := f.Seek(0, io.SeekEnd)
	for page := make([]byte, 4<<10); err == nil; {
		_, err = f.Write(page)
	}
	if errors.Is(err, syscall.ENOSPC) {
		return nil
	}
	return err
}

// relieve gives back what fill took.
func (s *server) relieve() {
	s.t.Helper()
	if err := os.Remove(s.filler()); err != nil {
		s.t.Fatal(err)
	}
}

// ballast is the size of the server's ballast, 0 if it is not there.
func (s *server) ballast() int64 {
	s.t.Helper()
	info, err := os.Stat(filepath.Join(s.dir, "log", "ballast"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return info.Size()
}

// ask reads a page of the admin listener; "" while nobody listens.
func (s *server) ask(path string) (code int, text string) {
	resp, err := http.Get("http://" + s.admin + path)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// value is that of a metric; "" if there is none of that name and those labels.
func (s *server) value(name string) string {
	_, page := s.ask("/metrics")
	for line := range strings.Lines(page) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// diskState is the state that the server says its disk is in.
func (s *server) diskState() string {
	for _, state := range []string{"ok", "soft", "hard"} {
		if s.value(fmt.Sprintf("posthaste_disk_state{state=%q}", state)) == "1" {
			return state
		}
	}
	return ""
}

// wait waits until something is so.
func (s *server) wait(what string, so func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited in vain: %s; %d bytes are free; it said:\n%s", what, s.free(), s.log)
		}
	}
}

func (s *server) waitState(state string) {
	s.t.Helper()
	s.wait("the disk is "+state, func() bool { return s.diskState() == state })
}

// gate is a server in front of a receiver that lets nothing through before it is opened.
func gate(t *testing.T, recv *receiver) (url string, open func()) {
	opened := make(chan struct{})
	open = sync.OnceFunc(func() { close(opened) })
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-opened:
			recv.serve(w, r)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(open)
	return srv.URL, open
}

// post posts a body to a path with a key and returns the answer as it came.
func (s *server) post(path, key string, body []byte) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequest("POST", "http://"+s.api+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatalf("POST %s: %v\n%s", path, err, s.log)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(text)
}

// wantFull checks an answer to what needs space.
func wantFull(t *testing.T, what string, resp *http.Response, body string) {
	t.Helper()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "10" || resp.Header.Get("X-Request-Id") == "" ||
		!strings.HasPrefix(body, `{"status":false,"message":"the server's disk is full: `) || !strings.HasSuffix(body, `,"reason":"disk_full"}`) ||
		!strings.Contains(body, " MiB are free, and nothing new is taken before ") {
		t.Errorf("%s: %d, Retry-After %q, %s", what, resp.StatusCode, resp.Header.Get("Retry-After"), body)
	}
}

// TestTheDiskFillsUp: posts are taken until the reserve is reached, and no further; what
// was taken is delivered meanwhile, also by the next process; when there is space again,
// posts are taken again. All of them arrive as they were posted.
func TestTheDiskFillsUp(t *testing.T) {
	s := newServerOn(t, 64*mib, "--disk-reserve", "16MiB", "--disk-ballast", "8MiB")
	s.start()
	recv := newReceiver(t)
	url, open := gate(t, recv)
	project, key := s.project(object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1000}})
	endpoint := s.endpoint(project, key, url, nil)
	var source struct {
		MaskID string `json:"mask_id"`
	}
	s.must(key, "POST", project+"/sources", object{"name": "in", "type": "http", "verifier": object{"type": "noop"}}, &source)
	if s.ballast() != 8*mib {
		t.Errorf("the ballast has %d bytes", s.ballast())
	}
	s.fill(20 * mib)

	var acked [][]byte
	rng := rand.NewChaCha8([32]byte{7})
	data := func() []byte { // that does not compress
		raw := make([]byte, 32<<10)
		rng.Read(raw)
		return fmt.Appendf(nil, `{"n": %d, "x":"%x"}`, len(acked), raw)
	}
	post := func() (*http.Response, string) {
		body := data()
		resp, text := s.post(project+"/events", key, fmt.Appendf(nil, `{"endpoint_id":%q,"event_type":"t","data":%s}`, endpoint, body))
		if resp.StatusCode == http.StatusCreated {
			acked = append(acked, body)
		}
		return resp, text
	}
	resp, text := post()
	for resp.StatusCode == http.StatusCreated {
		if len(acked) > 64*mib/(64<<10) {
			t.Fatal("more was taken than the disk holds")
		}
		resp, text = post()
	}
	wantFull(t, "an event", resp, text)
	t.Logf("%d events were taken until %d KiB were free", len(acked), s.free()>>10)

	refusedWhileSoft(t, s, project, key, endpoint, source.MaskID)
	open()
	waitForAll(t, s, recv, acked)
	if state := s.diskState(); state != "soft" {
		t.Errorf("after the deliveries the disk is %q", state)
	}

	s.stop() // which may have given some back
	s.fill(12 * mib)
	s.launch()
	s.wait("not ready for the disk", func() bool {
		code, text := s.ask("/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(text, "disk is full")
	})
	s.wait("the API listens", func() bool {
		resp, err := http.Get("http://" + s.api + "/healthz")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	resp, text = post()
	wantFull(t, "an event after the restart", resp, text)

	s.relieve()
	s.wait("an event is taken again", func() bool { resp, _ = post(); return resp.StatusCode == http.StatusCreated })
	s.wait("ready again", func() bool { code, _ := s.ask("/readyz"); return code == http.StatusOK })
	for range 5 {
		post()
	}
	waitForAll(t, s, recv, acked)
	if bad := recv.wrong(); len(bad) > 0 {
		t.Errorf("%d deliveries were not what was posted, the first: %s", len(bad), bad[0])
	}
	s.stop()
}

// refusedWhileSoft checks what is refused, and what is not, while the disk is soft.
func refusedWhileSoft(t *testing.T, s *server, project, key, endpoint, mask string) {
	t.Helper()
	var page struct{ Content []struct{ UID string } }
	s.must(key, "GET", project+"/events?perPage=1", nil, &page)
	for path, body := range map[string]string{
		project + "/events/batch":                    fmt.Sprintf(`[{"endpoint_id":%q,"event_type":"t","data":1}]`, endpoint),
		project + "/events/fanout":                   `{"owner_id":"x","event_type":"t","data":1}`,
		project + "/endpoints":                       `{"name":"x","url":"http://127.0.0.1:1/"}`,
		project + "/events/batchreplay":              `{}`,
		project + "/endpoints/" + endpoint + "/test": `{}`,
		"/ingest/" + mask:                            `{}`,
	} {
		resp, text := s.post(path, key, []byte(body))
		wantFull(t, path, resp, text)
	}
	if code, a := s.call(key, "PUT", project+"/events/"+page.Content[0].UID+"/replay", nil); code != http.StatusServiceUnavailable {
		t.Errorf("a replay: %d %s", code, a.Message)
	}
	if code, a := s.call(rootKey, "PUT", project, object{"name": "shorter", "config": object{"retention": object{"payload": 7200}}}); code/100 != 2 {
		t.Errorf("a shorter retention: %d %s", code, a.Message)
	}
	if code, text := s.ask("/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(text, "disk is full") {
		t.Errorf("readyz: %d %s", code, text)
	}
	if _, text := s.ask("/readyz?verbose"); !strings.Contains(text, "[+] store: ok\n[+] serving: ok\n[-] disk: the server's disk is full") {
		t.Errorf("readyz?verbose: %s", text)
	}
	if code, text := s.ask("/livez"); code != http.StatusOK {
		t.Errorf("livez: %d %s", code, text)
	}
	if state := s.diskState(); state != "soft" {
		t.Errorf("the state is %q", state)
	}
	if n := s.value(`posthaste_ingest_rejected_total{reason="disk"}`); n == "" || n == "0" {
		t.Errorf("%q refusals for the disk are counted", n)
	}
	var free float64
	if _, err := fmt.Sscan(s.value("posthaste_disk_free_bytes"), &free); err != nil || free <= 0 || free >= 20*mib {
		t.Errorf("%v bytes are said to be free: %v", free, err)
	}
}

// waitForAll waits until every body has arrived.
func waitForAll(t *testing.T, s *server, recv *receiver, bodies [][]byte) {
	t.Helper()
	s.wait("all that was acknowledged is delivered", func() bool {
		for _, body := range bodies {
			if recv.count(body) == 0 {
				return false
			}
		}
		return true
	})
}

// loaded is a server under load on a disk of its own.
func loaded(t *testing.T, args ...string) (*server, *receiver, *load) {
	t.Helper()
	recv := newReceiver(t)
	recv.expect = intact
	s := newServerOn(t, 96*mib, args...)
	s.start()
	project, key := s.project(object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1000}})
	l := &load{s: s, project: project, key: key, stop: make(chan struct{}), endpoints: []string{
		s.endpoint(project, key, recv.URL+"/a", object{"owner_id": "everyone"}),
		s.endpoint(project, key, recv.URL+"/b", object{"owner_id": "everyone"}),
	}}
	for i := range 3 {
		l.workers.Go(func() { l.run(i) })
	}
	s.wait("the load has begun", func() bool { return l.count() > 200 })
	return s, recv, l
}

// count is how many events were acknowledged.
func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// ended checks that all arrived.
func (l *load) ended(t *testing.T, recv *receiver) {
	t.Helper()
	close(l.stop)
	l.workers.Wait()
	waitDelivered(t, recv, l)
	if bad := recv.wrong(); len(bad) > 0 {
		t.Errorf("%d deliveries were not what was posted, the first: %s", len(bad), bad[0])
	}
	t.Logf("%d events were acknowledged, all were delivered", len(l.acked))
}

// TestTheDiskIsFullAtOnce: somebody takes all there is, under load. The ballast lets the
// server write what is on its way; it holds deliveries and takes nothing, also as a new
// process, until there is space; then it goes on, with a ballast.
func TestTheDiskIsFullAtOnce(t *testing.T) {
	s, recv, l := loaded(t, "--disk-reserve", "0", "--disk-ballast", "8MiB")
	s.fill(0)
	s.waitState("hard")
	if n := s.ballast(); n != 0 && n != 8*mib { // it is given up for the log, which may have had nothing to write
		t.Errorf("the ballast has %d bytes", n)
	}
	if n := s.value("posthaste_disk_refused_writes_total"); n == "" || n == "0" {
		t.Errorf("%q refused writes are counted", n)
	}
	s.wait("no attempt is on its way", func() bool { return s.value("posthaste_inflight") == "0" })
	begun := s.value("posthaste_delivery_attempt_duration_seconds_count")
	had := l.count()
	time.Sleep(time.Second)
	if now := s.value("posthaste_delivery_attempt_duration_seconds_count"); now != begun || l.count() != had {
		t.Errorf("while it is hard there were %s attempts, before %s, and %d events were taken", now, begun, l.count()-had)
	}
	if state := s.diskState(); state != "hard" {
		t.Errorf("the state is %q", state)
	}

	s.kill()
	had = l.count()
	s.fill(4 * mib) // enough to start with
	s.args = append(s.args, "--disk-reserve", "32MiB")
	s.launch()
	s.waitState("hard")
	if n := l.count(); n != had {
		t.Errorf("the new process took %d events", n-had)
	}
	s.relieve()
	s.waitState("ok")
	if n := s.ballast(); n != 8*mib {
		t.Errorf("the new ballast has %d bytes; it said:\n%s", n, s.log)
	}
	s.wait("events are taken again", func() bool { return l.count() > had+200 })
	l.ended(t, recv)
	s.stop()
}

// exit waits for the end of the program and returns its code.
func (s *server) exit() int {
	s.t.Helper()
	patience := time.AfterFunc(60*time.Second, func() { _ = s.cmd.Process.Signal(syscall.SIGQUIT) }) // with all stacks
	defer patience.Stop()
	err := s.cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		s.t.Fatalf("it ended with %v; it said:\n%s", err, s.log)
	}
	return exit.ExitCode()
}

// wantAdvice checks that the program ended for the disk and said what to do.
func (s *server) wantAdvice() {
	s.t.Helper()
	if code := s.exit(); code != 74 {
		s.t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"no space left", "the file system of " + s.dir, "of 96 MiB are free", "make room there and start again"} {
		if !strings.Contains(s.log.String(), want) {
			s.t.Errorf("it did not say %q:\n%s", want, s.log)
		}
	}
}

// TestAFullDiskWithoutBallast: a program that was killed is started on a disk without any
// space. It ends with its code and says why. With space it starts, and nothing is lost.
func TestAFullDiskWithoutBallast(t *testing.T) {
	s, recv, l := loaded(t, "--disk-reserve", "0", "--disk-ballast", "0")
	s.kill()
	s.fill(0)
	s.launch()
	s.wantAdvice()
	s.relieve()
	s.start()
	l.ended(t, recv)
	s.stop()
}

// TestStartOnAFullDisk: with a ballast the server starts, takes nothing, and goes on when
// there is space.
func TestStartOnAFullDisk(t *testing.T) {
	s, recv, l := loaded(t, "--disk-reserve", "4MiB", "--disk-ballast", "8MiB")
	s.kill() // with much in the write-ahead log
	s.fill(0)
	s.launch()
	s.waitState("hard")
	if s.value("posthaste_disk_refused_writes_total") == "0" {
		t.Error("no write was refused: this test tests nothing")
	}
	s.relieve()
	s.waitState("ok")
	l.ended(t, recv)
	s.stop()
}

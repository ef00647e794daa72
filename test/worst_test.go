package test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// maxWorstMiB is how much memory any one input may make the server take, in MiB.
const maxWorstMiB = 512

// worstResult is what one input did to the server.
type worstResult struct {
	Input   string  `json:"input"`
	Answer  string  `json:"answer"`
	Seconds float64 `json:"seconds"`     // until it was answered or closed
	CPU     float64 `json:"cpu_seconds"` // of the server and its children
	Growth  float64 `json:"growth_mib"`  // peak of resident memory above what it was before
}

// TestWorstHostileInputs sends the server what strangers and tenants could send to hurt
// it, one thing after the other, and prints the ten that took the most memory and the
// ten that took the longest. After each the server must take an ordinary event.
//
// With HOSTILE_REPORT, a directory, each input gets a server of its own, so that no
// memory of one before it is used again, the slow inputs are sent too, and the whole
// table is written there.
func TestWorstHostileInputs(t *testing.T) {
	dir := os.Getenv("HOSTILE_REPORT")
	h := newTarget(t)
	var table []worstResult
	for _, in := range worstInputs() {
		if in.slow && dir == "" {
			continue
		}
		if dir != "" && len(table) > 0 {
			h.kill()
			h = newTarget(t)
		}
		t.Run(in.name, func(t *testing.T) {
			m := h.under(t).suffer(in)
			table = append(table, m)
			if in.answer != "" && !strings.HasPrefix(m.Answer, in.answer) {
				t.Errorf("answered %q, want %q", m.Answer, in.answer)
			}
			if m.Growth > maxWorstMiB {
				t.Errorf("the server grew by %.0f MiB; the bound is %d", m.Growth, maxWorstMiB)
			}
		})
	}
	writeWorst(t, dir, table)
}

// target is a server under attack, with one of everything.
type target struct {
	*project
	ep     string        // id of an endpoint
	source string        // path of a source
	begun  *atomic.Int64 // when the input began to be sent, in Unix nanoseconds
}

func newTarget(t *testing.T) *target {
	recv := newReceiver(t)
	h := &target{project: newProject(t, nil), begun: new(atomic.Int64)}
	h.ep = h.add(recv.URL, nil)
	_, h.source = h.project.source(object{"name": "in", "type": "http", "verifier": object{"type": "noop"}})
	for range 20 {
		h.send(h.ep, `{"warm":"up"}`)
	}
	return h
}

func (h *target) under(t *testing.T) *target {
	return &target{h.project.under(t), h.ep, h.source, h.begun}
}

// begin notes that what was prepared is now sent.
func (h *target) begin() { h.begun.CompareAndSwap(0, time.Now().UnixNano()) }

// suffer measures what an input does, and checks that the server is well after it.
func (h *target) suffer(in worstInput) worstResult {
	h.admins("/debug/pprof/heap?gc=1")
	before, cpu := h.resident(), h.processor()
	var peak atomic.Int64
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for tick := time.NewTicker(time.Millisecond); ; {
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
				peak.Store(max(peak.Load(), h.resident()))
			}
		}
	})
	h.begun.Store(0)
	answer := in.send(h)
	took := time.Since(time.Unix(0, h.begun.Load()))
	close(stop)
	watching.Wait()
	m := worstResult{
		Input: in.name, Answer: answer, Seconds: took.Seconds(), CPU: h.processor() - cpu,
		Growth: float64(max(0, peak.Load()-before)) / (1 << 20),
	}
	h.send(h.ep, `{"after":"all"}`)
	return m
}

// family is the server's process and its children.
func (h *target) family() []string {
	pid := strconv.Itoa(h.cmd.Process.Pid)
	all := []string{pid}
	tasks, _ := filepath.Glob("/proc/" + pid + "/task/*/children")
	for _, f := range tasks {
		text, _ := os.ReadFile(f)
		all = append(all, strings.Fields(string(text))...)
	}
	return all
}

// resident is the memory of the server and its children, in bytes.
func (h *target) resident() (bytes int64) {
	for _, pid := range h.family() {
		text, _ := os.ReadFile("/proc/" + pid + "/statm")
		if f := strings.Fields(string(text)); len(f) > 1 {
			pages, _ := strconv.ParseInt(f[1], 10, 64)
			bytes += pages * int64(os.Getpagesize())
		}
	}
	return bytes
}

// processor is the time that the server and its children, those that ended among them,
// have computed, in seconds.
func (h *target) processor() (seconds float64) {
	const ticksPerSecond = 100 // USER_HZ
	for _, pid := range h.family() {
		text, _ := os.ReadFile("/proc/" + pid + "/stat")
		_, rest, _ := strings.Cut(string(text), ") ")
		if f := strings.Fields(rest); len(f) > 14 {
			for _, field := range f[11:15] { // utime, stime, cutime, cstime
				n, _ := strconv.ParseFloat(field, 64)
				seconds += n / ticksPerSecond
			}
		}
	}
	return seconds
}

// writeWorst prints the ten worst, and writes all to dir unless it is "".
func writeWorst(t *testing.T, dir string, table []worstResult) {
	lines := func(all []worstResult) string {
		var b strings.Builder
		b.WriteString("| input | answer | growth MiB | seconds | cpu seconds |\n| --- | --- | ---: | ---: | ---: |\n")
		for _, m := range all {
			fmt.Fprintf(&b, "| %s | %s | %.1f | %.3f | %.2f |\n", m.Input, m.Answer, m.Growth, m.Seconds, m.CPU)
		}
		return b.String()
	}
	most := func(of func(worstResult) float64) []worstResult {
		all := slices.Clone(table)
		slices.SortStableFunc(all, func(a, b worstResult) int { return int(1e6 * (of(b) - of(a))) })
		return all[:min(10, len(all))]
	}
	memory := lines(most(func(m worstResult) float64 { return m.Growth }))
	longest := lines(most(func(m worstResult) float64 { return m.Seconds }))
	t.Logf("of %d inputs, the ten that took the most memory:\n%s\nand the ten that took the longest:\n%s", len(table), memory, longest)
	if dir == "" {
		return
	}
	raw, err := json.MarshalIndent(table, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text := "By memory:\n\n" + memory + "\nBy time:\n\n" + longest + "\nAll:\n\n" + lines(table)
	for name, content := range map[string][]byte{"hostile-inputs.md": []byte(text), "hostile-inputs.json": raw} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Error(err)
		}
	}
}

// post sends a request with a key and returns the status of its answer, and what the
// message begins with.
func (h *target) post(path, media, encoding string, body io.Reader) string {
	req, err := http.NewRequest("POST", "http://"+h.api+path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.key)
	req.Header.Set("Content-Type", media)
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	return h.exchange(req)
}

func (h *target) get(path string) string {
	req, err := http.NewRequest("GET", "http://"+h.api+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.key)
	return h.exchange(req)
}

// unkept makes a connection for each request: some of them end theirs.
var unkept = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}

func (h *target) exchange(req *http.Request) string {
	h.begin()
	resp, err := unkept.Do(req)
	if err != nil {
		return "closed"
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	var a answer
	_ = json.Unmarshal(raw, &a)
	return fmt.Sprint(resp.StatusCode, " ", clip(a.Message, 60))
}

func clip(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == '|' {
			return ' '
		}
		return r
	}, s)
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "") + "..."
	}
	return s
}

// raw writes bytes as they are on a new connection and returns the status of each
// answer until the connection is closed.
func (h *target) raw(text string) string {
	h.begin()
	c, err := net.Dial("tcp", h.api)
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	var writing sync.WaitGroup
	writing.Go(func() { _, _ = io.WriteString(c, text) })
	defer writing.Wait()
	defer c.Close()
	count := map[int]int{}
	for r := bufio.NewReader(c); ; {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			break
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		count[resp.StatusCode]++
		if resp.Close {
			break
		}
	}
	var all []string
	for code, n := range count {
		all = append(all, fmt.Sprintf("%d x %d", code, n))
	}
	slices.Sort(all)
	return strings.Join(append(all, "closed"), ", ")
}

// many makes n connections, writes text on each, keeps them for a while, and closes
// them. It returns how many were answered meanwhile.
func (h *target) many(n int, text string, hold time.Duration) string {
	h.begin()
	conns := make([]net.Conn, 0, n)
	for range n {
		c, err := net.Dial("tcp", h.api)
		if err != nil {
			break
		}
		conns = append(conns, c)
		_, _ = io.WriteString(c, text)
	}
	answered := map[string]int{}
	end := time.Now().Add(hold)
	for _, c := range conns {
		_ = c.SetReadDeadline(end)
		line, _ := bufio.NewReader(c).ReadString('\n')
		if f := strings.Fields(line); len(f) > 1 {
			answered[f[1]]++
		}
		_ = c.Close()
	}
	said := []string{fmt.Sprintf("%d connections", len(conns))}
	for code, k := range answered {
		said = append(said, fmt.Sprintf("%s x %d", code, k))
	}
	slices.Sort(said[1:])
	return strings.Join(said, ", ")
}

// event is the body of an event with this data.
func (h *target) event(data string) io.Reader {
	return strings.NewReader(fmt.Sprintf(`{"endpoint_id":%q,"event_type":"t","data":%s}`, h.ep, data))
}

// repeated is a text with piece in it n times.
func repeated(head, piece string, n int, tail string) io.Reader {
	var b bytes.Buffer
	b.Grow(len(head) + n*len(piece) + len(tail))
	b.WriteString(head)
	for range n {
		b.WriteString(piece)
	}
	b.WriteString(tail)
	return &b
}

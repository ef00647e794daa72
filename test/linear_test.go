package test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// The tests of the linear files let many clients ask the real binary at once, keep what
// each was answered and when, and have porcupine look for one order of all questions
// that explains every answer: an order in which each has its effect at one moment
// between being asked and being answered. A question without an answer, because the
// server was killed or the client hung up, may have had its effect at any moment since,
// or never.

// asked is a question. Those about different things are checked apart.
type asked struct{ what, of, with string }

// told is the answer.
type told struct {
	code int // 0: there was none
	is   string
	n    int
}

// unsent is told where the question did not leave the client: it is not kept.
const unsent = -1

// again does a round once, or with SOAK, a duration, until it is over.
func again(t *testing.T, round func()) {
	t.Helper()
	var soak time.Duration
	if text := os.Getenv("SOAK"); text != "" {
		var err error
		if soak, err = time.ParseDuration(text); err != nil {
			t.Fatalf("SOAK=%q: want a duration such as 10m", text)
		}
	}
	for end := time.Now().Add(soak); ; {
		if round(); t.Failed() || !time.Now().Before(end) {
			return
		}
	}
}

// history is what clients asked and were told.
type history struct {
	t     *testing.T
	seed  uint64
	began time.Time

	stopped chan struct{}
	clients sync.WaitGroup
	faults  atomic.Int64 // answers of 500 and above

	mu  sync.Mutex
	ops []porcupine.Operation
}

func newHistory(t *testing.T) *history {
	h := &history{t: t, seed: uint64(time.Now().UnixNano()), began: time.Now(), stopped: make(chan struct{})}
	t.Logf("seed %d", h.seed)
	return h
}

// killed kills the server so many times in the middle of it all, and starts it again. It
// returns when the history is long enough for check.
func (h *history) killed(s *server, kills int, spoil spoiler) {
	h.t.Helper()
	rng := rand.New(rand.NewPCG(h.seed, 1<<32))
	for range kills {
		time.Sleep(time.Duration(100+rng.IntN(300)) * time.Millisecond) // the moment of the kill is what is random
		s.kill()
		s.start()
	}
	asked := len(h.all())
	eventually(h.t, "there is enough to check", func() bool {
		ops := h.all()
		i, _ := spoil(ops)
		return i >= 0 && len(ops) >= asked+50
	})
}

// client is one that asks, one question after the other.
type client struct {
	h      *history
	number int
	rng    *rand.Rand
	http   *http.Client
}

func (h *history) client(n int) *client {
	return &client{h: h, number: n, rng: rand.New(rand.NewPCG(h.seed, uint64(n))), http: &http.Client{Transport: &http.Transport{}}}
}

// start lets so many clients ask until the history ends.
func (h *history) start(clients int, ask func(c *client)) { h.startUpTo(1<<62, clients, ask) }

// startUpTo lets clients ask until the history ends, or so many questions were asked,
// of all clients together.
func (h *history) startUpTo(questions int64, clients int, ask func(c *client)) {
	var n atomic.Int64
	for i := range clients {
		c := h.client(i)
		h.clients.Go(func() {
			defer c.http.CloseIdleConnections()
			for n.Add(1) <= questions && !h.ended() {
				ask(c)
			}
		})
	}
}

func (h *history) ended() bool {
	select {
	case <-h.stopped:
		return true
	default:
		return false
	}
}

// end waits until no client asks any more.
func (h *history) end() {
	close(h.stopped)
	h.clients.Wait()
	if n := h.faults.Load(); n > 0 {
		h.t.Errorf("%d answers of 500 and above", n)
	}
}

// ask asks a question, and keeps it with its answer.
func (c *client) ask(q asked, answer func() told) told {
	call := time.Since(c.h.began)
	a := answer()
	back := time.Since(c.h.began)
	if a.code == unsent {
		time.Sleep(2 * time.Millisecond) // the server is down
		return a
	}
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	c.h.ops = append(c.h.ops, porcupine.Operation{ClientId: c.number, Input: q, Call: int64(call), Output: a, Return: int64(back)})
	return a
}

// send sends a request about a project. code is 0 if no answer came, unsent if there was
// nobody to ask.
func (c *client) send(ctx context.Context, p *project, method, path string, body any) (code int, a answer, header http.Header) {
	var in io.Reader = http.NoBody
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			c.h.t.Error(err)
			return unsent, a, nil
		}
		in = strings.NewReader(string(raw))
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+p.api+p.path+path, in)
	if err != nil {
		c.h.t.Error(err)
		return unsent, a, nil
	}
	req.Header.Set("Authorization", "Bearer "+p.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return unsent, a, nil
	}
	if err != nil {
		return 0, a, nil
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return 0, a, nil // it ended in the middle
	}
	if resp.StatusCode >= http.StatusInternalServerError {
		c.h.faults.Add(1)
		return 0, a, nil
	}
	return resp.StatusCode, a, resp.Header
}

// tell sends a request, and is told what read makes of the answer.
func (c *client) tell(p *project, method, path string, body any, read func(code int, a answer, header http.Header) told) told {
	code, a, header := c.send(context.Background(), p, method, path, body)
	if code <= 0 {
		return told{code: code}
	}
	return read(code, a, header)
}

// onlyCode is told where there is no more to an answer than its code.
func onlyCode(code int, _ answer, _ http.Header) told { return told{code: code} }

// all are the operations in the order in which they were asked. Those without an answer
// end behind all others. Of those that have no effect, or have one once only whoever asks,
// the first of a kind stands for all: many that may have happened or not are more than
// porcupine can try.
func (h *history) all() []porcupine.Operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	ops := slices.Clone(h.ops)
	slices.SortStableFunc(ops, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	last, known := int64(time.Since(h.began)), make(map[asked]bool)
	kept := ops[:0]
	for _, op := range ops {
		if op.Output.(told).code == 0 {
			op.Return = last
			q := op.Input.(asked)
			if known[q] && slices.Contains([]string{"read", "post", "revoke"}, q.what) {
				continue
			}
			known[q] = true
		}
		kept = append(kept, op)
	}
	return kept
}

// modelOf is a model of things of which each begins in a state. step is the state that a
// question leads to, and whether it may be answered so.
func modelOf[S comparable](first S, step func(s S, q asked, a told) (S, bool)) porcupine.Model {
	return porcupine.Model{
		Partition: partition,
		Init:      func() any { return first },
		Step: func(s, q, a any) (bool, any) {
			next, ok := step(s.(S), q.(asked), a.(told))
			return ok, next
		},
		DescribeOperation: func(q, a any) string { return fmt.Sprintf("%+v: %+v", q, a) },
		DescribeState:     func(s any) string { return fmt.Sprintf("%+v", s) },
	}
}

// partition takes a history apart by what is asked about.
func partition(ops []porcupine.Operation) [][]porcupine.Operation {
	at := make(map[string]int)
	var parts [][]porcupine.Operation
	for _, op := range ops {
		of := op.Input.(asked).of
		i, known := at[of]
		if !known {
			i = len(parts)
			at[of] = i
			parts = append(parts, nil)
		}
		parts[i] = append(parts[i], op)
	}
	return parts
}

// spoiler picks an answer of a history, and says what it is to be instead so that no order
// explains it; -1: there is none to pick.
type spoiler func(ops []porcupine.Operation) (int, told)

// check checks that an order explains all answers, and that none would if one of them
// were another: the history is one in which a mistake shows.
func (h *history) check(m porcupine.Model, spoil spoiler) {
	h.t.Helper()
	ops := h.all()
	h.describe(ops)
	result, info := porcupine.CheckOperationsVerbose(m, ops, 5*patience)
	if result != porcupine.Ok {
		h.t.Errorf("porcupine says %s; see %s", result, h.draw(m, info))
		return
	}
	i, a := spoil(ops)
	if i < 0 {
		h.t.Error("the history has no answer that could be spoilt")
		return
	}
	ops[i].Output = a
	if result := porcupine.CheckOperationsTimeout(m, ops, 5*patience); result != porcupine.Illegal {
		h.t.Errorf("with %+v for %+v porcupine says %s", a, ops[i].Input, result)
	}
}

// saying spoils an answer to a question about a thing of which another answer was told
// before: it says what nobody ever said.
func saying(what, text string) spoiler {
	return func(ops []porcupine.Operation) (int, told) {
		said := make(map[string]int64) // by thing: when it was first answered
		for i, op := range ops {
			of, a := op.Input.(asked).of, op.Output.(told)
			if a.is == "" || op.Input.(asked).what != what {
				continue
			}
			at, known := said[of]
			if known && op.Call > at {
				a.is = text
				return i, a
			}
			if !known || op.Return < at {
				said[of] = op.Return
			}
		}
		return -1, told{}
	}
}

// describe says how much was asked.
func (h *history) describe(ops []porcupine.Operation) {
	h.t.Helper()
	count := make(map[string]int)
	most := 0
	for _, part := range partition(ops) {
		most = max(most, len(part))
	}
	for _, op := range ops {
		a := op.Output.(told)
		count[fmt.Sprint(op.Input.(asked).what, " ", cmp.Or(fmt.Sprint(a.code), "none"))]++
	}
	h.t.Logf("%d questions about %d things, %d at most about one: %v", len(ops), len(partition(ops)), most, count)
}

// draw writes porcupine's picture of a history to a file that stays, and returns its name.
func (h *history) draw(m porcupine.Model, info porcupine.LinearizationInfo) string {
	h.t.Helper()
	dir, err := os.MkdirTemp("", "posthaste-linear-")
	if err != nil {
		h.t.Fatal(err)
	}
	path := filepath.Join(dir, strings.ReplaceAll(h.t.Name(), "/", "-")+".html")
	if err := porcupine.VisualizePath(m, info, path); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// traced is a configuration whose deliveries say in headers what they are of.
func traced(config object) object { return with(config, object{"add_event_id_trace_headers": true}) }

// line is a question of a history that is written down.
type line struct {
	from, to int64
	q        asked
	a        told
}

// wantVerdict checks what porcupine says of a history.
func wantVerdict(t *testing.T, m porcupine.Model, want porcupine.CheckResult, lines ...line) {
	t.Helper()
	var ops []porcupine.Operation
	for i, l := range lines {
		ops = append(ops, porcupine.Operation{ClientId: i, Input: l.q, Call: l.from, Output: l.a, Return: l.to})
	}
	if got := porcupine.CheckOperationsTimeout(m, ops, 5*patience); got != want {
		t.Errorf("porcupine says %s, want %s", got, want)
	}
}

package test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestOutOfMemory has the process ended for want of memory, under load, and starts it again without
// that bound: nothing that was acknowledged is missing, or torn.
func TestOutOfMemory(t *testing.T) {
	ends := soaking(t, 2, 20)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	recv := newReceiver(t)
	recv.expect = intact
	s := newServer(t)
	s.start()
	path, key := s.project(linear(1, 1000))
	l := &load{s: s, project: path, key: key}
	l.everyone(recv.URL, "/a", "/b")
	l.begin(4)
	defer l.end()

	hows := make(map[string]int)
	for range ends {
		before, _ := l.so()
		eventually(t, "there is traffic", func() bool { n, _ := l.so(); return n >= before+200 })
		how := squeeze(t, s.cmd.Process.Pid, (2+rng.IntN(14))<<20)
		s.ends(t, 5*patience)
		hows[fmt.Sprintf("%s: %s", how, s.cmd.ProcessState)]++
		if s.cmd.ProcessState.Success() {
			t.Fatalf("it ended of its own accord:\n%s", s.log)
		}
		s.start()
	}
	l.end()
	l.stop = make(chan struct{}) // for the deferred end
	waitDelivered(t, recv, l)
	if bad := recv.wrong(); len(bad) > 0 {
		t.Errorf("%d deliveries were not what was posted, the first: %s", len(bad), bad[0])
	}
	events, owed := l.so()
	t.Logf("%d ends for want of memory (%v), %d events acknowledged, %d deliveries owed for them, 0 lost, 0 torn", ends, hows, events, owed)
	s.stop()
}

// ends waits until the process has ended.
func (s *server) ends(t *testing.T, limit time.Duration) {
	t.Helper()
	ended := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(limit):
		_ = s.cmd.Process.Kill()
		<-ended
		t.Fatalf("it did not end within %s", limit)
	}
}

// TestABacklogWithinGOMEMLIMIT owes far more to an endpoint that is down than the process is told to
// use: it stays near its bound, and delivers all of it when the endpoint is up.
func TestABacklogWithinGOMEMLIMIT(t *testing.T) {
	const goLimit, most = 160 << 20, 256 << 20
	rounds := soaking(t, 24, 400) // of 4 MiB
	var up atomic.Bool
	recv := newReceiver(t)
	recv.answer = func(int, *http.Request) int {
		if up.Load() {
			return http.StatusOK
		}
		return http.StatusServiceUnavailable
	}
	s := newServer(t)
	s.env = []string{fmt.Sprintf("GOMEMLIMIT=%d", goLimit)}
	s.start()
	path, key := s.project(linear(1, 1000))
	ep := s.endpoint(path, key, recv.URL, nil)
	const perRound = 64
	pad := strings.Repeat("x", 64<<10)
	body := func(n int) []byte { return fmt.Appendf(nil, `{"n":%d,"pad":%q}`, n, pad) }
	for round := range rounds {
		var batch bytes.Buffer
		for n := range perRound {
			fmt.Fprintf(&batch, `{"endpoint_id":%q,"event_type":"t","data":%s}`+"\n", ep, body(round*perRound+n))
		}
		s.postBatch(path, key, &batch)
	}
	peak := statusBytes(t, s.cmd.Process.Pid, "VmHWM")
	if peak > most {
		t.Errorf("it took %d MiB with %d MiB owed, GOMEMLIMIT is %d MiB", peak>>20, rounds*4, goLimit>>20)
	}
	up.Store(true)
	owed := rounds * perRound
	within(t, 60*time.Second+time.Duration(rounds)*time.Second, "all that was owed arrives", func() bool {
		recv.mu.Lock()
		defer recv.mu.Unlock()
		return len(recv.got) == owed
	})
	t.Logf("GOMEMLIMIT %d MiB, %d MiB owed: %d MiB at most, %d after all was delivered", goLimit>>20, rounds*4, peak>>20, statusBytes(t, s.cmd.Process.Pid, "VmRSS")>>20)
	s.stop()
}

package test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// metric reads one sample of /metrics.
func (s *server) metric(name string) float64 {
	s.t.Helper()
	text := s.admins("/metrics")
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				s.t.Fatal(err)
			}
			return v
		}
	}
	s.t.Fatalf("no metric %s in:\n%s", name, text)
	return 0
}

func (s *server) admins(path string) string {
	s.t.Helper()
	resp, err := http.Get("http://" + s.admin + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %d %v", path, resp.StatusCode, err)
	}
	return string(body)
}

// heap is the server's live heap in bytes, after a collection.
func (s *server) heap() float64 {
	s.t.Helper()
	s.admins("/debug/pprof/heap?gc=1")
	return s.metric("go_memstats_heap_alloc_bytes")
}

// TestMemoryIsBoundedWhileAnEndpointIsDown owes ever more to an endpoint that
// does not answer. What waits in memory stays within its bound, and the heap
// levels off: of the last 40 MiB posted next to nothing is in it. Once the
// endpoint answers, everything arrives.
func TestMemoryIsBoundedWhileAnEndpointIsDown(t *testing.T) {
	const perRound, rounds, queueBytes = 10_000, 6, 2 << 20
	recv := newReceiver(t)
	up := make(chan struct{})
	var arrived atomic.Int64
	seen := make([]atomic.Bool, perRound*rounds)
	recv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		select {
		case <-up:
		case <-r.Context().Done():
			return
		}
		var n int
		if _, serr := fmt.Sscanf(string(body), `{"n":%d,`, &n); err == nil && serr == nil && !seen[n].Swap(true) {
			arrived.Add(1)
		}
	})
	s := newServer(t, "--queue-bytes", strconv.Itoa(queueBytes), "--endpoint-window", "500", "--memtable-bytes", "4MiB", "--cache-bytes", "4MiB")
	s.start()
	project, key := s.project(object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 100}})
	ep := s.endpoint(project, key, recv.URL, object{"http_timeout": 60})

	var heaps []float64
	pad := strings.Repeat("x", 1000)
	for round := range rounds {
		for start := round * perRound; start < (round+1)*perRound; start += 500 {
			var body bytes.Buffer
			for n := start; n < start+500; n++ {
				fmt.Fprintf(&body, `{"endpoint_id":%q,"event_type":"t","data":{"n":%d,"pad":%q}}`+"\n", ep, n, pad)
			}
			s.postBatch(project, key, &body)
		}
		if held := s.metric("posthaste_queue_bytes"); held > queueBytes+(1<<20) {
			t.Errorf("%.0f bytes wait in memory, the bound is %d", held, queueBytes)
		}
		heaps = append(heaps, s.heap())
	}
	t.Logf("heap after each %d events of 1 KiB: %.1f MiB", perRound, mebibytes(heaps))
	if grown := heaps[rounds-1] - heaps[1]; grown > 10<<20 {
		t.Errorf("the heap grew by %.1f MiB while 40 MiB more were owed", grown/(1<<20))
	}
	close(up)
	within(t, 5*patience, "everything that was owed arrives", func() bool { return arrived.Load() == perRound*rounds })
	s.stop()
}

func mebibytes(bytes []float64) []float64 {
	out := make([]float64, len(bytes))
	for i, b := range bytes {
		out[i] = b / (1 << 20)
	}
	return out
}

func (s *server) postBatch(project, key string, body io.Reader) {
	s.t.Helper()
	req, err := http.NewRequest("POST", "http://"+s.api+project+"/events/batch", body)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/x-ndjson")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		text, _ := io.ReadAll(resp.Body)
		s.t.Fatalf("batch: %d %.300s", resp.StatusCode, text)
	}
}

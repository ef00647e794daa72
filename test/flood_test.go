package test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestAFloodIsItsOwnProjectsAffair: a project that posts far more than a project may is
// told so, and when to come again; it gets in what the rate lets in and no more, and
// another project gets in all of its own meanwhile, and has it delivered.
func TestAFloodIsItsOwnProjectsAffair(t *testing.T) {
	t.Parallel()
	const rate, others = 200, 100
	in := newInbox(t)
	flood := newProject(t, linear(1, 1), "--project-ingest-rate", strconv.Itoa(rate))
	calm := flood.another(linear(1, 1))
	from, to := flood.add(in.URL+"/flood", nil), calm.add(in.URL+"/calm", nil)

	var accepted, refused atomic.Int64
	stop, begin := make(chan struct{}), time.Now()
	var posters sync.WaitGroup
	for i := range 4 {
		posters.Go(func() { flood.pour(from, 1+99*(i%2), stop, &accepted, &refused) })
	}
	eventually(t, "the flood is refused", func() bool { return refused.Load() > 0 })
	for n := range others {
		code, a, _, err := calm.request("POST", "/events", object{"endpoint_id": to, "event_type": "t", "data": n})
		if err != nil || code != http.StatusCreated {
			t.Fatalf("the other project is answered %d %s %v", code, a.Message, err)
		}
	}
	calmDone := time.Now()
	close(stop)
	posters.Wait()

	most := int64(rate + rate*time.Since(begin).Seconds() + 1)
	if n := accepted.Load(); n > most {
		t.Errorf("%d events got in, at most %d may in %s", n, most, time.Since(begin))
	}
	t.Logf("%d events of the flood got in and %d requests were refused, while %d of the other project's got in within %s",
		accepted.Load(), refused.Load(), others, calmDone.Sub(begin))
	eventually(t, "all that got in is delivered", func() bool {
		return int64(len(in.arrivals())) == accepted.Load()+others
	})
}

// pour posts batches of so many events as fast as they are answered, until stop.
func (p *project) pour(endpoint string, size int, stop chan struct{}, accepted, refused *atomic.Int64) {
	one := `{"endpoint_id":"` + endpoint + `","event_type":"t","data":1}`
	body := "[" + strings.Repeat(one+",", size-1) + one + "]"
	for {
		select {
		case <-stop:
			return
		default:
		}
		code, a, header, err := p.request("POST", "/events/batch", body)
		switch {
		case err != nil:
			p.t.Error(err)
			return
		case code == http.StatusCreated:
			accepted.Add(int64(size))
		case code != http.StatusTooManyRequests || a.Message != "exceeded rate limit":
			p.t.Errorf("the flood is answered %d %s", code, a.Message)
			return
		default:
			refused.Add(1)
			if after, err := strconv.Atoi(header.Get("Retry-After")); err != nil || after < 1 || header.Get("X-RateLimit-Limit") == "" {
				p.t.Errorf("429 with Retry-After %q and X-RateLimit-Limit %q", header.Get("Retry-After"), header.Get("X-RateLimit-Limit"))
			}
		}
	}
}

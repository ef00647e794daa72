package bench

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"posthaste/bench/report"
)

// How often a monitor looks at a server's memory, and how often at its metrics:
// these cost the server something.
const (
	memoryEvery  = 200 * time.Millisecond
	metricsEvery = 500 * time.Millisecond
	// seriesPoints is how many points of a series are reported.
	seriesPoints = 1000
)

const mebibyte = 1 << 20

// The metrics of the server that a monitor reads.
const (
	metricEvents   = "posthaste_events_total"
	metricTerminal = "posthaste_delivery_terminal_total"
	metricAttempts = "posthaste_delivery_attempts_total"
	metricDisk     = "posthaste_store_disk_bytes"
)

// monitor notes the memory of a server and what it owes, over time and over its
// restarts, in a goroutine of its own until end is called. Each event is owed to
// one endpoint.
type monitor struct {
	began  time.Time
	cancel context.CancelFunc
	done   chan struct{}
	http   *http.Client

	mu struct {
		sync.Mutex
		pid      int
		adminURL string
		carried  float64 // owed when this process began

		resident []report.Point // MiB
		owed     []report.Point // deliveries
		events   []report.Point // accepted by this process and those before it
		disk     []report.Point // MiB
		before   float64        // events accepted by the processes before
		attempts []report.Point // by this process
		peak     float64        // MiB: the most that any process had resident
	}
}

// startMonitor begins to watch a server that owes nothing yet.
func startMonitor(ctx context.Context, s *Server) *monitor {
	ctx, cancel := context.WithCancel(ctx)
	m := newMonitor(s)
	m.cancel = cancel
	go m.run(ctx)
	return m
}

func newMonitor(s *Server) *monitor {
	m := &monitor{
		began: time.Now(), done: make(chan struct{}),
		http: &http.Client{Transport: new(http.Transport), Timeout: 5 * time.Second},
	}
	m.follow(s, 0)
	return m
}

// follow goes on with another process of the server, which owes so many
// deliveries when it starts.
func (m *monitor) follow(s *Server, owed int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.pid, m.mu.adminURL, m.mu.carried = s.child.pid(), s.AdminURL, float64(owed)
	if n := len(m.mu.events); n > 0 {
		m.mu.before = m.mu.events[n-1].Value
	}
}

// end stops watching. A second call does nothing.
func (m *monitor) end() {
	m.cancel()
	<-m.done
}

func (m *monitor) run(ctx context.Context) {
	defer close(m.done)
	defer m.http.CloseIdleConnections()
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	scraped := time.Time{}
	for {
		m.noteMemory()
		if now := time.Now(); now.Sub(scraped) >= metricsEvery {
			scraped = now
			m.noteMetrics(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (m *monitor) noteMemory() {
	m.mu.Lock()
	defer m.mu.Unlock()
	rss, most := usageOf(m.mu.pid).rss, maxRSS(m.mu.pid)
	if rss == 0 {
		return // between two processes
	}
	m.mu.resident = append(m.mu.resident, m.point(float64(rss)/mebibyte))
	m.mu.peak = max(m.mu.peak, float64(rss)/mebibyte, float64(most)/mebibyte)
}

// noteMetrics leaves a gap where the server does not answer.
func (m *monitor) noteMetrics(ctx context.Context) {
	m.mu.Lock()
	pid, url := m.mu.pid, m.mu.adminURL
	m.mu.Unlock()
	got, err := scrape(ctx, m.http, url)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil || pid != m.mu.pid {
		return
	}
	m.mu.owed = append(m.mu.owed, m.point(max(m.mu.carried+got[metricEvents]-got[metricTerminal], 0)))
	m.mu.events = append(m.mu.events, m.point(m.mu.before+got[metricEvents]))
	m.mu.attempts = append(m.mu.attempts, m.point(got[metricAttempts]))
	m.mu.disk = append(m.mu.disk, m.point(got[metricDisk]/mebibyte))
}

func (m *monitor) point(v float64) report.Point {
	return report.Point{Seconds: time.Since(m.began).Seconds(), Value: v}
}

// peak is the most that the server had resident at any time, in MiB, as far as the
// kernel kept count.
func (m *monitor) peak() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.peak
}

// peakBetween is the most that was seen in a part of the time, in MiB.
func (m *monitor) peakBetween(from, to time.Time) (most float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range between(m.mu.resident, from.Sub(m.began), to.Sub(m.began)) {
		most = max(most, p.Value)
	}
	return most
}

// owed is what the server owed when it was last asked.
func (m *monitor) owed() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.mu.owed); n > 0 {
		return int(m.mu.owed[n-1].Value)
	}
	return 0
}

// diskMiB is the size of the store when it was last asked, and false if it does not
// say.
func (m *monitor) diskMiB() (float64, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.mu.disk); n > 0 && m.mu.disk[n-1].Value > 0 {
		return m.mu.disk[n-1].Value, true
	}
	return 0, false
}

// slowest is the lowest rate, in events a second, at which events were accepted over
// any stretch of so long between two times; false if there is none.
func (m *monitor) slowest(from, to time.Time, stretch time.Duration) (rate float64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	points := between(m.mu.events, from.Sub(m.began), to.Sub(m.began))
	first := 0
	for i, p := range points {
		for first < i && p.Seconds-points[first+1].Seconds >= stretch.Seconds() {
			first++
		}
		took := p.Seconds - points[first].Seconds
		if took < stretch.Seconds() {
			continue
		}
		if r := (p.Value - points[first].Value) / took; !ok || r < rate {
			rate, ok = r, true
		}
	}
	return rate, ok
}

// attempted is how many attempts a second ended between two times in the life of one
// process; false if they are not known.
func (m *monitor) attempted(from, to time.Time) (rate float64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	points := between(m.mu.attempts, from.Sub(m.began), to.Sub(m.began))
	if len(points) < 2 {
		return 0, false
	}
	first, last := points[0], points[len(points)-1]
	return (last.Value - first.Value) / (last.Seconds - first.Seconds), last.Value > 0
}

func between(points []report.Point, from, to time.Duration) []report.Point {
	low, _ := slices.BinarySearchFunc(points, from.Seconds(), comparePoint)
	high, _ := slices.BinarySearchFunc(points, to.Seconds(), comparePoint)
	return points[low:high]
}

func comparePoint(p report.Point, s float64) int { return cmp.Compare(p.Seconds, s) }

// series are the figures for plots.
func (m *monitor) series() []report.Series {
	m.mu.Lock()
	defer m.mu.Unlock()
	return []report.Series{
		{Name: "resident memory of the server", Unit: "MiB", Limit: residentLimitMiB, Points: thin(m.mu.resident, seriesPoints)},
		{Name: "deliveries owed", Unit: "deliveries", Points: thin(m.mu.owed, seriesPoints)},
		{Name: "events accepted", Unit: "events/s", Points: thin(rates(m.mu.events), seriesPoints)},
	}
}

// rates is the increase per second from each point to the next.
func rates(counts []report.Point) []report.Point {
	var out []report.Point
	for i := 1; i < len(counts); i++ {
		if took := counts[i].Seconds - counts[i-1].Seconds; took > 0 {
			out = append(out, report.Point{Seconds: counts[i].Seconds, Value: (counts[i].Value - counts[i-1].Value) / took})
		}
	}
	return out
}

// thin keeps at most n points: of as many neighbours as it takes the highest, so
// that no peak is lost.
func thin(points []report.Point, n int) []report.Point {
	group := (len(points) + n - 1) / n
	if group <= 1 {
		return slices.Clone(points)
	}
	out := make([]report.Point, 0, n)
	for some := range slices.Chunk(points, group) {
		out = append(out, slices.MaxFunc(some, func(a, b report.Point) int { return cmp.Compare(a.Value, b.Value) }))
	}
	return out
}

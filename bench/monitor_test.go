package bench

import (
	"context"
	"slices"
	"testing"
	"time"

	"posthaste/bench/report"
)

func TestParseMetrics(t *testing.T) {
	got := parseMetrics("# TYPE a counter\na{x=\"1\"} 3\na{x=\"with space\"} 4\nb 1.5e3\nnonsense\n\nc nan-ish\n")
	if got["a"] != 7 || got["b"] != 1500 || len(got) != 2 {
		t.Errorf("got %v", got)
	}
}

func points(values ...float64) (out []report.Point) {
	for i, v := range values {
		out = append(out, report.Point{Seconds: float64(i), Value: v})
	}
	return out
}

func TestThinKeepsPeaks(t *testing.T) {
	all := points(1, 9, 2, 3, 4, 5, 8)
	got := thin(all, 3)
	if want := []report.Point{{Seconds: 1, Value: 9}, {Seconds: 5, Value: 5}, {Seconds: 6, Value: 8}}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if got := thin(all, 7); !slices.Equal(got, all) {
		t.Errorf("got %v", got)
	}
	if got := thin(nil, 7); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestRates(t *testing.T) {
	if got, want := rates(points(0, 10, 40)), []report.Point{{Seconds: 1, Value: 10}, {Seconds: 2, Value: 30}}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestSlowestStretch(t *testing.T) {
	m := &monitor{began: time.Now()}
	m.mu.events = points(0, 100, 200, 205, 210, 310, 410)
	at := func(s int) time.Time { return m.began.Add(time.Duration(s) * time.Second) }
	if rate, ok := m.slowest(at(0), at(7), 2*time.Second); !ok || rate != 5 {
		t.Errorf("got %v, %t", rate, ok)
	}
	if rate, ok := m.slowest(at(0), at(7), 4*time.Second); !ok || rate != 52.5 {
		t.Errorf("got %v, %t", rate, ok)
	}
	if rate, ok := m.slowest(at(0), at(3), 4*time.Second); ok {
		t.Errorf("got %v of a time that is too short", rate)
	}
}

// What a killed process accepted and owed goes on counting.
func TestMonitorFollows(t *testing.T) {
	l := testLauncher(t, faultNone)
	s, err := l.StartServer(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Stop() }()
	m := newMonitor(s)
	defer m.http.CloseIdleConnections()
	m.noteMetrics(context.Background())
	m.mu.events[0].Value = 70
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := l.spawn(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	if err := s.awaitReady(context.Background()); err != nil {
		t.Fatal(err)
	}
	m.follow(s, 50)
	m.noteMetrics(context.Background())
	m.noteMemory()
	if m.owed() != 50 || m.peak() <= 1 {
		t.Errorf("owed %d, peak %v MiB", m.owed(), m.peak())
	}
	series := m.series()
	if n := len(m.mu.events); n != 2 || m.mu.events[1].Value != 70 || len(series[1].Points) == 0 {
		t.Errorf("events %v, series %+v", m.mu.events, series)
	}
}

func TestArrived(t *testing.T) {
	l := NewLedger(100, 12)
	for _, seq := range []uint64{104, 104, 109, 105} {
		l.Receive(seq, 1)
	}
	for _, c := range []struct {
		from        uint64
		every, want int
	}{{104, 0, 1}, {103, 0, 0}, {104, 5, 2}, {100, 1, 3}, {99, 1, 0}, {112, 0, 0}} {
		if got := l.Arrived(c.from, c.every); got != c.want {
			t.Errorf("from %d every %d: %d, want %d", c.from, c.every, got, c.want)
		}
	}
}

package console

import (
	"net/http/httptest"
	"testing"
	"time"
)

// TestWindowHasTheSecondThatRuns: in the first second of a minute, too, what happened in it
// is counted.
func TestWindowHasTheSecondThatRuns(t *testing.T) {
	now := time.Date(2026, 5, 1, 20, 40, 0, 300e6, time.UTC)
	w := windowOf(httptest.NewRequest("GET", "/?range=24h", nil), now, "24h")
	if got := w.query().Get("endDate"); got != "2026-05-01T20:40:01" {
		t.Errorf("it ends at %s", got)
	}
	for name, w := range map[string]window{
		"without an end":     windowOf(httptest.NewRequest("GET", "/?from=2026-05-01T20:00:00Z", nil), now, "24h"),
		"what waits, a year": latest(now, windowLengths["1y"], 7*24*time.Hour),
	} {
		if got := w.query().Get("endDate"); got != "2026-05-01T20:40:01" {
			t.Errorf("%s: it ends at %s", name, got)
		}
	}
	if w.From.Add(24*time.Hour).Before(now) || w.From.Truncate(w.Step) != w.From {
		t.Errorf("it begins at %v", w.From)
	}
}

// TestLatestRate: the step that runs counts by what of it is over, once that says something.
func TestLatestRate(t *testing.T) {
	begins := []time.Time{time.Unix(0, 0), time.Unix(900, 0)}
	for over, want := range map[time.Duration]float64{
		10 * time.Second: 1, 3 * time.Minute: 1, 5 * time.Minute: 9, 10 * time.Minute: 4.5, 15 * time.Minute: 3, time.Hour: 3,
	} {
		w := window{Step: 15 * time.Minute, To: begins[1].Add(over)}
		if got := w.latest([]float64{1, 3}, begins); got != want {
			t.Errorf("%v after a step began: %v, want %v", over, got, want)
		}
	}
	minutes := window{Step: time.Minute, To: time.Unix(959, 0)}
	if got := minutes.latest([]float64{1, 3}, begins); got != 1 {
		t.Errorf("of minutes: %v", got)
	}
	if got := minutes.latest(nil, nil); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
	if got := minutes.latest([]float64{3}, []time.Time{minutes.To}); got < 3 {
		t.Errorf("of a step that begins now: %v", got)
	}
}

package console

import (
	"testing"
	"time"
)

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

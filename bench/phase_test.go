package bench

import (
	"strings"
	"testing"
	"time"
)

// phaseOf is a phase of n deliveries in the time given.
func phaseOf(n int, took time.Duration) *Phase {
	return &Phase{
		Burst: BurstResult{Published: n, FirstSendNS: 1000},
		Receipts: Receipts{
			Tally:   Tally{Published: n, Delivered: n, LastNS: 1000 + int64(took)},
			Healthy: ClassTally{Delivered: n, LastNS: 1000 + int64(took)},
		},
	}
}

func TestNewRun(t *testing.T) {
	r := newRun(phaseOf(30_000, time.Second), phaseOf(24_000, time.Second))
	if r.Value != 24_000 || r.BaselineValue != 30_000 || r.Ratio != 0.8 || r.Published != 24_000 || r.Seconds != 1 {
		t.Errorf("got %+v", r)
	}
}

// What is accepted but not yet delivered counts for nothing, and waiting for it
// counts in full.
func TestRateIsNotFlatteredByBacklog(t *testing.T) {
	p := phaseOf(1000, 4*time.Second)
	p.Burst.LastDoneNS = p.Burst.FirstSendNS + int64(time.Second)
	if got := p.Rate(); got != 250 {
		t.Errorf("1000 events accepted in 1 s and delivered in 4 s are %v/s, want 250", got)
	}
	p.Receipts.Healthy.Delivered, p.Receipts.Duplicates = 500, 500
	if got := p.Rate(); got != 125 {
		t.Errorf("500 of them delivered, twice, are %v/s, want 125", got)
	}
	p.Receipts.Healthy.Delivered = 0
	if got := p.Rate(); got != 0 {
		t.Errorf("none delivered is %v/s", got)
	}
}

func TestPhaseCheck(t *testing.T) {
	cases := []struct {
		name   string
		change func(*Receipts)
		want   string
	}{
		{"good", func(r *Receipts) { r.Duplicates, r.Verified = 5, 10 }, ""},
		{"empty", func(r *Receipts) { r.Published = 0 }, "no event"},
		{"lost", func(r *Receipts) { r.Lost, r.Missing = 2, []uint64{7, 9} }, "2 of 100 accepted events did not arrive, among them [7 9]"},
		{"forged", func(r *Receipts) { r.Unverified, r.Verified = 1, 4 }, "1 of 5 signatures"},
		{"unreadable", func(r *Receipts) { r.Unreadable = 3 }, "3 deliveries"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := phaseOf(100, time.Second)
			c.change(&p.Receipts)
			err := p.Check()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

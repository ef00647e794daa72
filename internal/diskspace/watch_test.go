package diskspace

import (
	"testing"
	"time"
)

const mib = 1 << 20

// free is a disk of 1000 MiB of which so many are free.
func free(n int64) Sample {
	return Sample{Usage: Usage{FreeBytes: n * mib, TotalBytes: 1000 * mib, FreeInodes: 100_000, TotalInodes: 200_000}}
}

func with(s Sample, change func(*Sample)) Sample {
	change(&s)
	return s
}

type look struct {
	after time.Duration // since the look before
	s     Sample
	want  State
}

// TestWatch: a reserve of 100 MiB is soft below 100 until 125, hard below 25 until 50.
func TestWatch(t *testing.T) {
	owing := func(s Sample, n int64) Sample { return with(s, func(s *Sample) { s.Owed = n * mib }) }
	refused := func(s Sample) Sample { return with(s, func(s *Sample) { s.Refused = true }) }
	inodes := func(n int64) Sample { return with(free(900), func(s *Sample) { s.FreeInodes = n }) }
	for name, looks := range map[string][]look{
		"enough":                       {{0, free(900), OK}, {0, free(100), OK}},
		"soft and back":                {{0, free(99), Soft}, {0, free(100), Soft}, {0, free(124), Soft}, {0, free(125), OK}, {0, free(100), OK}},
		"soft to hard":                 {{0, free(99), Soft}, {0, free(25), Soft}, {0, free(24), Hard}},
		"hard and back":                {{0, free(24), Hard}, {0, free(25), Hard}, {0, free(49), Hard}, {0, free(50), Soft}, {0, free(25), Soft}, {0, free(125), OK}},
		"hard to ok":                   {{0, free(0), Hard}, {0, free(900), OK}},
		"straight to hard":             {{0, free(900), OK}, {0, free(3), Hard}},
		"a ballast that was given up":  {{0, owing(free(900), 64), Hard}, {0, free(900), OK}},
		"a refused write":              {{0, refused(free(900)), Hard}, {Doubt - 1, free(900), Hard}, {1, free(900), OK}},
		"a second one":                 {{0, refused(free(900)), Hard}, {Doubt - 1, refused(free(900)), Hard}, {Doubt - 1, free(900), Hard}, {1, free(900), OK}},
		"read-only":                    {{0, with(free(900), func(s *Sample) { s.ReadOnly = true }), Hard}, {0, free(900), OK}},
		"files":                        {{0, inodes(1000), OK}, {0, inodes(999), Soft}, {0, inodes(1249), Soft}, {0, inodes(1250), OK}, {0, inodes(249), Hard}, {0, inodes(499), Hard}, {0, inodes(500), Soft}},
		"no count of files":            {{0, with(free(900), func(s *Sample) { s.FreeInodes, s.TotalInodes = 0, 0 }), OK}},
		"hard when nothing is to have": {{0, owing(free(10), 64), Hard}, {0, owing(free(10), 64), Hard}},
	} {
		t.Run(name, func(t *testing.T) {
			w, now := Watch{Reserve: 100 * mib}, time.Unix(1_700_000_000, 0)
			if w.State() != OK {
				t.Errorf("before the first look: %v", w.State())
			}
			for i, l := range looks {
				now = now.Add(l.after)
				if got := w.Look(now, l.s); got != l.want || w.State() != got {
					t.Fatalf("look %d: %v, state %v, want %v", i, got, w.State(), l.want)
				}
			}
		})
	}
}

// TestNoReserve: what is free does not count, what is refused does.
func TestNoReserve(t *testing.T) {
	var w Watch
	now := time.Unix(1_700_000_000, 0)
	if got := w.Look(now, free(0)); got != OK {
		t.Errorf("nothing free: %v", got)
	}
	if got := w.Look(now, Sample{Refused: true}); got != Hard {
		t.Errorf("refused: %v", got)
	}
	if got := w.Look(now.Add(Doubt), free(0)); got != OK {
		t.Errorf("afterwards: %v", got)
	}
}

// TestRoom: what is owed is put aside when there is enough left to leave Hard then.
func TestRoom(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	w := Watch{Reserve: 100 * mib}
	w.Look(now, with(free(10), func(s *Sample) { s.Refused = true }))
	owing := func(n int64) Sample { return with(free(n), func(s *Sample) { s.Owed = 64 * mib }) }
	later := now.Add(Doubt)
	for _, c := range []struct {
		what string
		now  time.Time
		s    Sample
		want bool
	}{
		{"at once", now, owing(900), false},
		{"when the refused write counts no more", later, owing(900), true},
		{"with less than is needed", later, owing(64 + 49), false},
		{"with what is needed", later, owing(64 + 50), true},
		{"when a write was refused again", later, with(owing(900), func(s *Sample) { s.Refused = true }), false},
		{"when nothing can be written", later, with(owing(900), func(s *Sample) { s.ReadOnly = true }), false},
	} {
		if got := w.Room(c.now, c.s); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
	if got := w.Needed(owing(0)); got != (64+125)*mib {
		t.Errorf("needed: %d MiB", got/mib)
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", -5: "0 bytes", 1023: "1023 bytes", 1024: "1 KiB", 1536: "1.5 KiB", 64 * mib: "64 MiB", 3 << 40: "3 TiB", 5000 << 40: "5000 TiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

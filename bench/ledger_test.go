package bench

import (
	"reflect"
	"sync"
	"testing"
)

func TestLedgerTally(t *testing.T) {
	cases := []struct {
		name      string
		receive   []uint64
		published int
		want      Tally
	}{
		{"nothing", nil, 0, Tally{}},
		{"all", []uint64{100, 102, 101}, 3, Tally{Published: 3, Delivered: 3, LastNS: 3}},
		{"lost", []uint64{100, 103}, 4, Tally{Published: 4, Delivered: 2, Lost: 2, LastNS: 2, Missing: []uint64{101, 102}}},
		{"duplicates", []uint64{100, 100, 101, 100}, 2, Tally{Published: 2, Delivered: 2, Duplicates: 2, LastNS: 3}},
		{"lost hidden by a duplicate", []uint64{100, 100}, 2, Tally{Published: 2, Delivered: 1, Lost: 1, Duplicates: 1, LastNS: 1, Missing: []uint64{101}}},
		{"from another phase", []uint64{99, 5, 105, 100}, 1, Tally{Published: 1, Delivered: 1, Strays: 3, LastNS: 4}},
		{"not published", []uint64{100, 103, 103}, 1, Tally{Published: 1, Delivered: 1, Strays: 2, LastNS: 2}},
		{"more than expected", []uint64{100, 101, 102, 103, 104}, 7, Tally{Published: 7, Delivered: 5, Lost: 2, LastNS: 5}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := NewLedger(100, 5)
			for i, seq := range c.receive {
				l.Receive(seq, int64(i+1))
			}
			got := l.Tally(c.published)
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestLedgerFirstReceipt(t *testing.T) {
	l := NewLedger(1, 2)
	got := []bool{l.Receive(1, 10), l.Receive(1, 20), l.Receive(2, 5), l.Receive(3, 30), l.Receive(0, 30)}
	if want := []bool{true, false, true, false, false}; !reflect.DeepEqual(got, want) {
		t.Errorf("first receipts %v, want %v", got, want)
	}
	if last := l.Tally(2).LastNS; last != 10 {
		t.Errorf("last first receipt at %d, want 10: neither a repeat nor a stray moves it", last)
	}
}

func TestLedgerConcurrent(t *testing.T) {
	const n, workers = 10_000, 8
	l := NewLedger(0, n)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range n {
				l.Receive(uint64(i), int64(w*n+i))
			}
		})
	}
	wg.Wait()
	got := l.Tally(n)
	if got.Delivered != n || got.Duplicates != (workers-1)*n || l.Distinct() != n || got.Lost != 0 {
		t.Errorf("tally %+v, distinct %d", got, l.Distinct())
	}
}

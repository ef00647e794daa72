package wal

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

func TestAfterClose(t *testing.T) {
	l, err := Open(testOptions(vfs.NewMem()))
	must(t, err)
	d := appendOne(t, l, post(idOf(1), "x", idOf(2))).Owed[0]
	must(t, l.Close())
	must(t, l.Close())
	s := attempted(d, event.Success)
	for name, err := range map[string]error{
		"Append":          l.Append(t.Context(), []event.Submission{post(idOf(1), "x", idOf(2))}),
		"Append of a key": l.Append(t.Context(), []event.Submission{keyed("k", "x")}),
		"Settle":          l.Settle(&s),
		"SetMark":         l.SetMark(event.Mark{Watermark: 1}),
		"Flush":           l.Flush(),
		"CASCatalog":      l.CASCatalog([]event.CatalogRecord{rec('p', 1, 1, "x")}),
	} {
		if !errors.Is(err, event.ErrClosed) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

// TestCloseCommitsWhatWaits: a settlement that nothing else would have committed.
func TestCloseCommitsWhatWaits(t *testing.T) {
	o := testOptions(vfs.NewMem())
	o.SettleDelay = time.Hour
	l, err := Open(o)
	must(t, err)
	d := appendOne(t, l, post(idOf(1), "x", idOf(2))).Owed[0]
	s := attempted(d, event.Success)
	must(t, l.Settle(&s))
	must(t, l.Close())
	l = openLog(t, o)
	if got, err := l.Delivery(idOf(1), d.ID); err != nil || got.Status != event.Success {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestCloseDuringWrites: writers of all kinds race with Close; each gets an answer,
// and what was answered well is there when the store is opened again.
func TestCloseDuringWrites(t *testing.T) {
	for round := range 30 {
		o := testOptions(vfs.NewMem())
		o.GroupBytes = []int{1, 4 << 20}[round%2] // with and without waiting for room
		o.SettleDelay = time.Microsecond
		l, err := Open(o)
		must(t, err)
		var mu sync.Mutex
		var acked []event.Delivery
		revs := uint64(0)
		var writing, wg sync.WaitGroup
		ended := func(what string, err error) bool {
			if err != nil && !errors.Is(err, event.ErrClosed) {
				t.Errorf("%s: got error %v", what, err)
			}
			return err != nil
		}
		for w := range 8 {
			writing.Add(1)
			wg.Go(func() {
				for i := 0; ; i++ {
					s := post(idOf(1), "x", idOf(2))
					if w%2 == 0 {
						s.Event.IdempotencyKey = time.Duration(w*1_000_000 + i).String()
					}
					subs := []event.Submission{s}
					err := l.Append(t.Context(), subs)
					if i == 0 {
						writing.Done()
					}
					if ended("Append", err) {
						return
					}
					mu.Lock()
					acked = append(acked, subs[0].Event.Owed[0])
					mu.Unlock()
					st := attempted(subs[0].Event.Owed[0], event.Success)
					if ended("Settle", l.Settle(&st)) || ended("Flush", l.Flush()) {
						return
					}
				}
			})
		}
		wg.Go(func() {
			for rev := uint64(1); !ended("CASCatalog", l.CASCatalog([]event.CatalogRecord{rec('p', 1, rev, "x")})); rev++ {
				revs = rev
			}
		})
		writing.Wait()
		wg.Go(func() { must(t, l.Close()) })
		wg.Wait()

		l, err = Open(o)
		must(t, err)
		for _, d := range acked {
			if _, err := l.Delivery(idOf(1), d.ID); err != nil {
				t.Errorf("acknowledged and lost: %v", err)
			}
		}
		if rev, err := l.revision(appendCatalogKey(nil, 'p', idOf(1))); err != nil || rev != revs {
			t.Errorf("revision %d, want %d, %v", rev, revs, err)
		}
		must(t, l.Close())
	}
}

// TestCloseAtOnceAndTwiceAtOnce.
func TestCloseAtOnceAndTwiceAtOnce(t *testing.T) {
	for range 20 {
		l, err := Open(testOptions(vfs.NewMem()))
		must(t, err)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

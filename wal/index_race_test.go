package wal

import (
	"sync"
	"testing"

	"posthaste/event"
)

// TestListingsMissNothingWhileStretchesAreWritten: what was answered is found from then on, by
// the memory, by the rows, and between the two.
func TestListingsMissNothingWhileStretchesAreWritten(t *testing.T) {
	l := newLogInMemory(t)
	const rounds, readers = 150, 3
	var known struct {
		sync.Mutex
		ids []event.ID
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	for n := range readers {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				known.Lock()
				want := known.ids[:len(known.ids):len(known.ids)]
				known.Unlock()
				got, _, err := l.Events(idOf(1), event.Range{Limit: 10 * rounds, Descending: n == 1}, event.EventFilter{EventType: "rare"})
				if err != nil {
					t.Error(err)
					return
				}
				found := make(map[event.ID]bool, len(got))
				for _, ev := range got {
					found[ev.ID] = true
				}
				for _, id := range want {
					if !found[id] {
						t.Errorf("event %s is missing of %d, %d were found", id, len(want), len(got))
						return
					}
				}
			}
		})
	}
	for i := range rounds {
		ids := numbered(t, l, idOf(1), 20, 10)
		known.Lock()
		known.ids = append(known.ids, ids...)
		known.Unlock()
		if i%3 == 0 {
			l.endStretches()
			poke(l.index)
		}
	}
	close(done)
	wg.Wait()
	indexAll(t, l)
}

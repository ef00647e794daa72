package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

func TestRetryDoesWhatFailedBefore(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		failed := w.add(450, event.Failure)
		discarded := w.add(300, event.Discarded)
		others := append(w.add(50, event.Success), w.add(50, event.Retry)...)
		n := w.node(nil)
		defer n.stop()
		job := n.submit(event.JobRetry, 0)
		if job.ID == (event.ID{}) || job.State != event.JobRunning || job.Total != -1 || n.job(job.ID).State != event.JobRunning {
			t.Fatalf("%+v", job)
		}
		time.Sleep(time.Millisecond)
		later := w.add(100, event.Failure)
		job = n.finish(job.ID, event.JobDone)
		if job.Done != 750 || job.Total != 750 || job.Skipped != 0 || job.Failed != 0 || job.Error != "" {
			t.Errorf("%+v", job)
		}
		w.times(w.retried, append(failed, discarded...), 1, 1)
		w.times(w.retried, append(others, later...), 0, 0)
		if got, err := n.Get(w.project, job.ID); err != nil || got.State != event.JobDone {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// TestRetryOfASearch: what the search does not find is left alone and is not counted, also
// by the process that goes on after a kill.
func TestRetryOfASearch(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ids := w.add(1000, event.Failure)
		n := w.node(nil)
		job, err := n.Submit(event.Job{ProjectID: w.project, Kind: event.JobRetry, Rate: 100, Filter: event.JobFilter{Search: "data.n>=100 data.n<700"}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2500 * time.Millisecond)
		n.kill()
		n = w.node(nil)
		defer n.stop()
		job = n.finish(job.ID, event.JobDone)
		if job.Total != 600 || job.Done+job.Skipped != 600 || job.Failed != 0 {
			t.Errorf("%+v", job)
		}
		w.times(w.retried, ids[100:700], 1, 1)
		w.times(w.retried, append(ids[:100:100], ids[700:]...), 0, 0)
	})
}

// TestASearchIsStopped: a page that is looked through can be cancelled, and one whose
// events cannot be read fails its job.
func TestASearchIsStopped(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.add(150, event.Failure)
		reads, boom := 0, error(nil)
		n := w.node(func(n *node) {
			n.readFault = func() error {
				reads++
				n.lock.Unlock()
				defer n.lock.Lock()
				time.Sleep(time.Second)
				return boom
			}
		})
		defer n.stop()
		search := event.Job{ProjectID: w.project, Kind: event.JobRetry, Filter: event.JobFilter{Search: "data.n<0"}}
		job, err := n.Submit(search)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(9500 * time.Millisecond)
		if err := n.Cancel(w.project, job.ID); err != nil {
			t.Fatal(err)
		}
		n.finish(job.ID, event.JobCancelled)
		if reads != 10 {
			t.Errorf("%d events were read, want 10", reads)
		}
		boom = errBoom
		if job, err = n.Submit(search); err != nil {
			t.Fatal(err)
		}
		if job = n.finish(job.ID, event.JobFailed); !strings.Contains(job.Error, "boom") {
			t.Errorf("%+v", job)
		}
	})
}

func TestRetryOfARangeAndOtherStates(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ids := w.add(30, event.Success)
		n := w.node(func(n *node) {
			n.doFault = func(_ context.Context, id event.ID) error {
				n.lock.Lock()
				defer n.lock.Unlock()
				n.delivery(id).Status = event.Failure
				return nil
			}
		})
		defer n.stop()
		job, err := n.Submit(event.Job{ProjectID: w.project, Kind: event.JobRetry, Filter: event.JobFilter{
			From: ids[10], To: ids[19], Deliveries: event.DeliveryFilter{Statuses: []event.Status{event.Success}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if job = n.finish(job.ID, event.JobDone); job.Done != 10 || job.Cursor != ids[19] {
			t.Errorf("%+v", job)
		}
		w.times(w.retried, ids[10:20], 1, 1)
		w.times(w.retried, append(ids[:10:10], ids[20:]...), 0, 0)
	})
}

func TestAnOldDeliveryThatFailsLaterIsSkipped(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ids := w.add(400, event.Failure)
		n := w.node(nil)
		defer n.stop()
		job := n.submit(event.JobRetry, 1000)
		time.Sleep(50 * time.Millisecond)
		w.lock.Lock()
		w.delivery(ids[399]).UpdatedAt = time.Now()
		w.lock.Unlock()
		if job = n.finish(job.ID, event.JobDone); job.Done != 399 || job.Skipped != 1 || job.Total != 400 {
			t.Errorf("%+v", job)
		}
		w.times(w.retried, ids[399:], 0, 0)
	})
}

func TestReplayDoesEventsButNotTheirDuplicatesNorTests(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ids := w.add(100, event.Success)
		w.events[7].Origin, w.events[8].Origin, w.events[9].Origin, w.events[10].Origin = event.Duplicate, event.Replayed, event.Test, event.Meta
		n := w.node(nil)
		defer n.stop()
		job := n.finish(n.submit(event.JobReplay, 0).ID, event.JobDone)
		if job.Done != 97 || job.Skipped != 0 || job.Total != -1 {
			t.Errorf("%+v", job)
		}
		w.times(w.replayed, ids[7:10], 0, 0)
		w.times(w.replayed, append(ids[:7:7], ids[10:]...), 1, 1)
		if w.most < 2 {
			t.Error("events are replayed one after the other")
		}
	})
}

func TestResultsAreCounted(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ids := w.add(100, event.Failure)
		at := map[event.ID]error{
			ids[3]: fmt.Errorf("is on its way: %w", event.ErrConflict), ids[4]: event.ErrNotFound,
			ids[50]: errBoom, ids[60]: errors.New("bang"), ids[99]: fmt.Errorf("no: %w", event.ErrConflict),
		}
		n := w.node(func(n *node) { n.doFault = func(_ context.Context, id event.ID) error { return at[id] } })
		defer n.stop()
		for _, kind := range []event.JobKind{event.JobRetry, event.JobReplay} {
			job := n.finish(n.submit(kind, 0).ID, event.JobDone)
			if job.Done != 95 || job.Skipped != 3 || job.Failed != 2 || job.Error != "bang" {
				t.Errorf("%+v", job)
			}
		}
	})
}

// The process is killed at any moment, several times, and once stopped in good order.
func TestKilledAndResumed(t *testing.T) {
	for seed := range uint64(25) {
		for _, kind := range []event.JobKind{event.JobRetry, event.JobReplay} {
			t.Run(fmt.Sprintf("%s/%d", kind, seed), func(t *testing.T) {
				inBubble(t, func(t *testing.T, w *world) { killAndResume(w, kind, rand.New(rand.NewPCG(seed, 1))) })
			})
		}
	}
}

func killAndResume(w *world, kind event.JobKind, r *rand.Rand) {
	ids := w.add(1000+r.IntN(1000), event.Failure)
	n := w.node(nil)
	rate := []int{0, 0, 500, 3000}[r.IntN(4)]
	id := n.submit(kind, rate).ID
	kills := r.IntN(5)
	for range kills {
		time.Sleep(time.Duration(r.Int64N(int64(100 * time.Millisecond))))
		n.kill()
		w.add(1, event.Failure) // which is not the job's
		n = w.node(nil)
	}
	time.Sleep(time.Duration(r.Int64N(int64(100 * time.Millisecond))))
	n.stop()
	before := len(w.handed)
	stopped := w.job(id)
	n = w.node(nil)
	defer n.stop()
	job := n.finish(id, event.JobDone)
	if kills == 0 && job.Done != len(ids) {
		w.Errorf("%+v, want %d done", job, len(ids))
	}
	if kind == event.JobRetry {
		w.times(w.retried, ids, 1, 1)
		w.times(w.retried, w.allAfter(ids), 0, 0)
		return
	}
	w.times(w.replayed, ids, 1, 1+kills)
	w.times(w.replayed, w.allAfter(ids), 0, 0)
	if again := len(w.handed) - len(ids); again > kills*pageEvents {
		w.Errorf("%d events were replayed again after %d kills", again, kills)
	}
	if rest := len(w.handed) - before; stopped.State == event.JobRunning && stopped.Done+rest != job.Done {
		w.Errorf("%d done at the stop, %d after it, %d in all", stopped.Done, rest, job.Done)
	}
}

// allAfter are the ids of deliveries that came after these.
func (w *world) allAfter(ids []event.ID) (rest []event.ID) {
	for i := range w.deliveries {
		if id := w.deliveries[i].ID; id.Compare(ids[len(ids)-1]) > 0 {
			rest = append(rest, id)
		}
	}
	return rest
}

func TestTheRateIsKept(t *testing.T) {
	for _, rate := range []int{1, 7, 50, 333, 4000} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.add(10*rate+1, event.Failure)
				n := w.node(func(n *node) { n.cost = 0 })
				defer n.stop()
				begin := time.Now()
				n.finish(n.submit(event.JobRetry, rate).ID, event.JobDone)
				chunk := (&pace{rate: rate}).most(pageDeliveries)
				for i, at := range w.handed {
					// The i-th is due at i/rate; the rest of its chunk goes with it.
					due := time.Duration(i) * time.Second / time.Duration(rate)
					early := time.Duration(chunk-1) * time.Second / time.Duration(rate)
					if got := at.Sub(begin); got > due || got < due-early-time.Microsecond {
						t.Fatalf("number %d went after %s, want %s, at most %s earlier", i, got, due, early)
					}
				}
			})
		})
	}
}

func TestHiccupsAreMadeUpForAndStallsAreNot(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ids := w.add(1000, event.Failure)
		hold := map[event.ID]time.Duration{ids[100]: 900 * time.Millisecond, ids[600]: 5 * time.Second}
		n := w.node(func(n *node) {
			n.cost = 0
			n.doFault = func(_ context.Context, id event.ID) error { time.Sleep(hold[id]); return nil }
		})
		defer n.stop()
		begin := time.Now()
		n.finish(n.submit(event.JobRetry, 100).ID, event.JobDone)
		got := w.handed[len(w.handed)-1].Sub(begin)
		// The last five are due after 9.95 s. Of the 5 s one is made up for, and the 50 ms
		// that were due anyway.
		if want := 13900 * time.Millisecond; got != want {
			t.Errorf("the last went after %s, want %s", got, want)
		}
	})
}

func TestProgressIsWrittenDown(t *testing.T) {
	for name, c := range map[string]struct {
		kind  event.JobKind
		rate  int
		items int // at most so many between two
		age   time.Duration
	}{
		"as fast as it goes": {event.JobRetry, 0, saveItems, time.Second},
		"at a rate":          {event.JobRetry, 1500, saveItems, time.Second},
		"slowly":             {event.JobRetry, 2, 2, time.Second},
		"a replay":           {event.JobReplay, 0, pageEvents, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.add(max(20, min(5000, 4*c.rate)), event.Failure)
				n := w.node(nil)
				defer n.stop()
				n.finish(n.submit(c.kind, c.rate).ID, event.JobDone)
				for i := 1; i < len(w.puts); i++ {
					a, b := w.puts[i-1], w.puts[i]
					if b.job.Done-a.job.Done > c.items || b.at.Sub(a.at) > c.age || b.job.Cursor.Compare(a.job.Cursor) < 0 || !b.job.UpdatedAt.Equal(b.at) {
						t.Errorf("%s after the last: %+v, after %+v", b.at.Sub(a.at), b.job, a.job)
					}
				}
			})
		})
	}
}

func TestGetShowsProgress(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.add(1000, event.Failure)
		n := w.node(nil)
		defer n.stop()
		id := n.submit(event.JobRetry, 100).ID
		time.Sleep(5500 * time.Millisecond)
		job, err := n.Get(w.project, id)
		if err != nil || job.State != event.JobRunning || job.Total != 1000 || job.Done < 545 || job.Done > 555 {
			t.Errorf("%+v, %v", job, err)
		}
		for _, key := range [][2]event.ID{{event.NewID(), id}, {w.project, event.NewID()}} {
			if _, err := n.Get(key[0], key[1]); !errors.Is(err, event.ErrNotFound) {
				t.Errorf("of another: %v", err)
			}
		}
	})
}

// What failed before the job counts by the clock that dates it, which may be ahead of the
// machine's.
func TestRetryGoesByTheStoresClock(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		failed := w.add(20, event.Failure)
		for _, id := range failed {
			w.delivery(id).UpdatedAt = time.Now().Add(time.Hour)
		}
		n := w.node(func(n *node) { n.o.Now = func() time.Time { return time.Now().Add(time.Hour + time.Minute) } })
		defer n.stop()
		job := n.finish(n.submit(event.JobRetry, 0).ID, event.JobDone)
		if job.Done != 20 || job.Skipped != 0 {
			t.Errorf("%+v", job)
		}
		if ended := n.job(job.ID).EndedAt; ended.Before(job.CreatedAt) {
			t.Errorf("it began at %s and ended at %s", job.CreatedAt, ended)
		}
	})
}

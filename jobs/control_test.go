package jobs

import (
	"context"
	"errors"
	"testing"
	"time"

	"posthaste/event"
)

func TestOneJobOfAKindInAProject(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.add(100, event.Failure)
		n := w.node(nil)
		defer n.stop()
		retry, replay := n.submit(event.JobRetry, 10), n.submit(event.JobReplay, 10)
		for kind, words := range map[event.JobKind]string{
			event.JobRetry:  "an active batch retry already exists",
			event.JobReplay: "an active batch replay already exists",
		} {
			_, err := n.Submit(event.Job{ProjectID: w.project, Kind: kind})
			if !errors.Is(err, event.ErrConflict) || err.Error() != words {
				t.Errorf("a second %s: %v", kind, err)
			}
		}
		other, err := n.Submit(event.Job{ProjectID: event.NewID(), Kind: event.JobRetry})
		if err != nil {
			t.Fatal(err)
		}
		if job, err := n.Wait(t.Context(), other.ProjectID, other.ID); err != nil || job.State != event.JobDone || job.Total != 0 {
			t.Errorf("another project's: %+v, %v", job, err)
		}
		n.finish(retry.ID, event.JobDone)
		n.finish(n.submit(event.JobRetry, 0).ID, event.JobDone)
		n.finish(replay.ID, event.JobDone)
	})
}

// Jobs of many projects take turns: at most MaxRunning at once, and a small one does
// not wait for the large ones before it to end.
func TestJobsTakeTurns(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.add(20000, event.Failure)
		projects := make([]event.ID, 10)
		for i := range projects {
			projects[i] = event.NewID()
		}
		for i := range w.deliveries {
			w.deliveries[i].ProjectID = projects[i%9]
			if i >= 19900 {
				w.deliveries[i].ProjectID = projects[9]
			}
		}
		n := w.node(nil)
		defer n.stop()
		ended := make(map[event.ID]time.Time)
		jobs := make([]event.Job, len(projects))
		for i, p := range projects {
			var err error
			if jobs[i], err = n.Submit(event.Job{ProjectID: p, Kind: event.JobRetry}); err != nil {
				t.Fatal(err)
			}
		}
		for _, i := range []int{9, 0, 1, 2, 3, 4, 5, 6, 7, 8} {
			job, err := n.Wait(t.Context(), projects[i], jobs[i].ID)
			if err != nil || job.State != event.JobDone || job.Done != job.Total {
				t.Fatalf("%+v, %v", job, err)
			}
			ended[projects[i]] = *job.EndedAt
		}
		if w.most != 4 {
			t.Errorf("%d at once, want 4", w.most)
		}
		for i, p := range projects[:9] {
			if !ended[projects[9]].Before(ended[p].Add(-200 * time.Millisecond)) {
				t.Errorf("the small one ended at %s, large one %d at %s", ended[projects[9]], i, ended[p])
			}
		}
	})
}

func TestCancel(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ids := w.add(1000, event.Failure)
		n := w.node(nil)
		id := n.submit(event.JobRetry, 100).ID
		time.Sleep(2500 * time.Millisecond)
		for range 2 {
			if err := n.Cancel(w.project, id); err != nil {
				t.Fatal(err)
			}
			job := w.job(id)
			if job.State != event.JobCancelled || job.EndedAt == nil || job.Done < 245 || job.Done > 255 || job.Cursor != ids[job.Done-1] {
				t.Fatalf("%+v", job)
			}
		}
		handed := len(w.handed)
		id = n.submit(event.JobReplay, 0).ID // there is room for another
		n.finish(id, event.JobDone)
		if err := n.Cancel(w.project, id); !errors.Is(err, event.ErrConflict) {
			t.Errorf("of a job that is done: %v", err)
		}
		for _, key := range [][2]event.ID{{event.NewID(), id}, {w.project, event.NewID()}} {
			if err := n.Cancel(key[0], key[1]); !errors.Is(err, event.ErrNotFound) {
				t.Errorf("of another: %v", err)
			}
		}
		n.stop()
		n = w.node(nil)
		defer n.stop()
		time.Sleep(time.Minute)
		if len(w.handed) != handed+1000 {
			t.Error("a job that was cancelled went on")
		}
	})
}

func TestCancelWhileItWaitsForItsTurn(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.add(2000, event.Failure)
		n := w.node(nil)
		defer n.stop()
		if err := n.turns.Acquire(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		id := n.submit(event.JobRetry, 0).ID
		time.Sleep(time.Second)
		if err := n.Cancel(w.project, id); err != nil || len(w.handed) > 0 {
			t.Errorf("%v, %d done", err, len(w.handed))
		}
		n.turns.Release(4)
	})
}

func TestCancelGivesUpThePageInHand(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ids := w.add(100, event.Failure)
		n := w.node(func(n *node) { n.doFault = hangAt(ids[50]) })
		defer n.stop()
		id := n.submit(event.JobRetry, 0).ID
		time.Sleep(time.Second)
		if err := n.Cancel(w.project, id); err != nil {
			t.Fatal(err)
		}
		if job := w.job(id); job.State != event.JobCancelled || job.Done != 50 || job.Failed != 0 || job.Cursor.Compare(ids[49]) < 0 || job.Cursor.Compare(ids[50]) >= 0 {
			t.Errorf("%+v", job)
		}
	})
}

// hangAt makes the work hang, until it is given up.
func hangAt(at event.ID) func(context.Context, event.ID) error {
	return func(ctx context.Context, id event.ID) error {
		if id == at {
			<-ctx.Done()
			return context.Cause(ctx)
		}
		return ctx.Err()
	}
}

func TestCancelBeforeStart(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.add(1000, event.Failure)
		n := w.node(nil)
		id := n.submit(event.JobRetry, 10).ID
		time.Sleep(time.Second)
		n.stop()
		if _, err := n.Wait(t.Context(), w.project, id); !errors.Is(err, event.ErrClosed) {
			t.Errorf("waiting for an interrupted job: %v", err)
		}
		if err := n.Cancel(w.project, id); err != nil {
			t.Fatal(err)
		}
		if job := w.job(id); job.State != event.JobCancelled || job.EndedAt == nil {
			t.Errorf("%+v", job)
		}
	})
}

func TestStop(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ids := w.add(1000, event.Failure)
		n := w.node(nil)
		id := n.submit(event.JobRetry, 100).ID
		waited := make(chan error, 1)
		go func() {
			_, err := n.Wait(t.Context(), w.project, id)
			waited <- err
		}()
		time.Sleep(2500 * time.Millisecond)
		n.stop()
		n.stop()
		if err := <-waited; !errors.Is(err, event.ErrClosed) {
			t.Errorf("Wait: %v", err)
		}
		if len(n.ended) != 1 || !errors.Is(n.ended[0], event.ErrClosed) {
			t.Errorf("Ended was told %v", n.ended)
		}
		job := w.job(id)
		if job.State != event.JobRunning || job.EndedAt != nil || job.Done != len(w.handed) || job.Cursor != ids[job.Done-1] {
			t.Errorf("%+v, %d handed over", job, len(w.handed))
		}
		if _, err := n.Submit(event.Job{ProjectID: w.project, Kind: event.JobRetry}); !errors.Is(err, event.ErrClosed) {
			t.Errorf("Submit after Stop: %v", err)
		}
		if err := n.Start(t.Context()); !errors.Is(err, event.ErrClosed) {
			t.Errorf("Start after Stop: %v", err)
		}
	})
}

func TestStopGivesUpThePageInHandWhenItsTimeIsOver(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ids := w.add(100, event.Failure)
		n := w.node(func(n *node) { n.doFault = hangAt(ids[50]) })
		for _, kind := range []event.JobKind{event.JobRetry, event.JobReplay} {
			n.submit(kind, 0)
		}
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		if err := n.Stop(ctx); err != nil || time.Since(begin).Round(time.Second) != 10*time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
		for _, job := range w.stored {
			if job.State != event.JobRunning || job.Done != 50 || job.Cursor.Compare(ids[50]) >= 0 {
				t.Errorf("%+v", job)
			}
		}
	})
}

func TestStopBeforeStartAndStartTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		n := &node{world: w}
		n.Runner = New(Options{Store: n, Lister: n, Doer: n})
		if _, err := n.Submit(event.Job{ProjectID: w.project, Kind: event.JobRetry}); !errors.Is(err, event.ErrClosed) {
			t.Errorf("Submit before Start: %v", err)
		}
		n.stop()
		n = w.node(nil)
		defer n.stop()
		w.add(10, event.Failure)
		id := n.submit(event.JobRetry, 1).ID
		if err := n.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		n.finish(id, event.JobDone)
		if len(w.handed) != 10 {
			t.Errorf("%d done", len(w.handed))
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.add(10, event.Failure)
		n := w.node(nil)
		defer n.stop()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if job, err := n.Wait(ctx, w.project, n.submit(event.JobRetry, 1).ID); !errors.Is(err, context.DeadlineExceeded) || job.State != event.JobRunning {
			t.Errorf("%+v, %v", job, err)
		}
	})
}

func TestSubmitRefuses(t *testing.T) {
	n := New(Options{})
	a, b := event.NewID(), event.NewID()
	for field, job := range map[string]event.Job{
		"project_id":    {Kind: event.JobRetry},
		"kind":          {ProjectID: a, Kind: "batch"},
		"rate":          {ProjectID: a, Kind: event.JobRetry, Rate: -1},
		"filter.to":     {ProjectID: a, Kind: event.JobReplay, Filter: event.JobFilter{From: b, To: a}},
		"query":         {ProjectID: a, Kind: event.JobRetry, Filter: event.JobFilter{Search: "code:abc"}},
		"filter.search": {ProjectID: a, Kind: event.JobReplay, Filter: event.JobFilter{Search: "x"}},
	} {
		_, err := n.Submit(job)
		var invalid *event.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := n.Submit(event.Job{ProjectID: a, Kind: event.JobRetry, Rate: MaxRate + 1}); err == nil {
		t.Error("no rate is too high")
	}
}

// Whoever sees the end of a job may submit the next: it is not shown before that.
func TestAnEndIsShownWhenTheNextMayBegin(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.add(10, event.Failure)
		var early []event.JobState
		n := w.node(func(n *node) {
			n.o.Ended = func(job event.Job, err error) { // it is still in the books
				n.noteEnd(job, err)
				if shown, err := n.Get(w.project, job.ID); err != nil || shown.State != event.JobRunning || shown.EndedAt != nil {
					early = append(early, shown.State)
				}
			}
		})
		defer n.stop()
		n.finish(n.submit(event.JobRetry, 0).ID, event.JobDone)
		n.finish(n.submit(event.JobRetry, 0).ID, event.JobDone)
		if len(early) > 0 {
			t.Errorf("while the next could not begin they were shown as %v", early)
		}
	})
}

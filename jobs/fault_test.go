package jobs

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

// failing fails the calls from the first-th to the last-th.
func failing(first, last int) func() error {
	n := 0
	return func() error {
		if n++; n >= first && n <= last {
			return errBoom
		}
		return nil
	}
}

const always = 1 << 30

func TestFaultsOfTheStoreAreSatOut(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ids := w.add(1000, event.Failure)
		n := w.node(func(n *node) {
			n.putFault = failing(2, 5)
			n.listFault = failing(4, 7)
		})
		defer n.stop()
		if job := n.finish(n.submit(event.JobRetry, 300).ID, event.JobDone); job.Done != 1000 || job.Error != "" {
			t.Errorf("%+v", job)
		}
		w.times(w.retried, ids, 1, 1)
	})
}

func TestAJobThatCannotGoOnFails(t *testing.T) {
	for name, fault := range map[string]func(*node){
		"listing": func(n *node) { n.listFault = failing(8, always) },
		"writing": func(n *node) { n.putFault = failing(3, 3+tries-1) },
		"panic":   func(n *node) { n.doFault = func(context.Context, event.ID) error { panic(errBoom) } },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.add(5000, event.Failure)
				n := w.node(fault)
				defer n.stop()
				job := n.finish(n.submit(event.JobRetry, 2000).ID, event.JobFailed)
				if !strings.Contains(job.Error, "boom") || job.Done == 5000 {
					t.Errorf("%+v", job)
				}
				if err := n.Cancel(w.project, job.ID); !errors.Is(err, event.ErrConflict) {
					t.Errorf("Cancel: %v", err)
				}
				w.lock.Lock()
				n.listFault, n.putFault, n.doFault = nil, nil, nil
				w.lock.Unlock()
				n.finish(n.submit(event.JobRetry, 0).ID, event.JobDone) // there is room for another
			})
		})
	}
}

func TestAJobOfAnUnknownKindFails(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.add(10, event.Failure)
		id := event.NewID()
		w.stored[id] = event.Job{ID: id, ProjectID: w.project, Kind: "batch_delete", State: event.JobRunning, CreatedAt: time.Now()}
		n := w.node(nil)
		defer n.stop()
		if job := n.finish(id, event.JobFailed); !strings.Contains(job.Error, "kind") || len(w.handed) > 0 {
			t.Errorf("%+v, %d done", job, len(w.handed))
		}
	})
}

func TestAnEventWhoseReplayPanicsFailsAlone(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ids := w.add(100, event.Failure)
		n := w.node(func(n *node) {
			n.doFault = func(_ context.Context, id event.ID) error {
				if id == ids[33] {
					panic(errBoom)
				}
				return nil
			}
		})
		defer n.stop()
		if job := n.finish(n.submit(event.JobReplay, 0).ID, event.JobDone); job.Done != 99 || job.Failed != 1 || !strings.Contains(job.Error, "boom") {
			t.Errorf("%+v", job)
		}
	})
}

func TestAnEndThatCannotBeWrittenDown(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.add(10, event.Failure)
		n := w.node(func(n *node) { n.putFault = failing(3, 3+tries-1) })
		defer n.stop()
		id := n.submit(event.JobRetry, 0).ID
		if _, err := n.Wait(t.Context(), w.project, id); !errors.Is(err, errBoom) {
			t.Errorf("Wait: %v", err)
		}
		if w.job(id).State != event.JobRunning || len(n.ended) != 1 || !errors.Is(n.ended[0], errBoom) {
			t.Errorf("%+v, told %v", w.job(id), n.ended)
		}
		if err := n.Cancel(w.project, id); err != nil || w.job(id).State != event.JobCancelled {
			t.Errorf("Cancel: %v, %+v", err, w.job(id))
		}
	})
}

func TestAJobThatCannotBeWrittenDownIsNone(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		n := w.node(func(n *node) { n.putFault = failing(1, 1) })
		defer n.stop()
		if _, err := n.Submit(event.Job{ProjectID: w.project, Kind: event.JobRetry}); !errors.Is(err, errBoom) {
			t.Errorf("%v", err)
		}
		n.finish(n.submit(event.JobRetry, 0).ID, event.JobDone)
		if len(n.ended) != 1 {
			t.Errorf("told %v", n.ended)
		}
	})
}

func TestStartFailsWithItsStore(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		n := &node{world: w, listFault: failing(1, 1)}
		n.Runner = New(Options{Store: n, Lister: n, Doer: n})
		if err := n.Start(t.Context()); !errors.Is(err, errBoom) {
			t.Errorf("%v", err)
		}
		if err := n.Start(t.Context()); err != nil {
			t.Errorf("the second time: %v", err)
		}
		n.stop()
	})
}

func TestWhatIsTooMuchIsAskedForAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ids := w.add(1000, event.Failure)
		asked := 0
		n := w.node(func(n *node) {
			n.doFault = func(context.Context, event.ID) error {
				w.lock.Lock()
				defer w.lock.Unlock()
				if asked++; asked%3 != 0 {
					return &event.OverloadError{What: "full", After: time.Minute} // cut to mostRest
				}
				return nil
			}
		})
		defer n.stop()
		for _, kind := range []event.JobKind{event.JobRetry, event.JobReplay} {
			if job := n.finish(n.submit(kind, 0).ID, event.JobDone); job.Done != 1000 || job.Failed != 0 {
				t.Errorf("%+v", job)
			}
		}
		w.times(w.retried, ids, 1, 1)
		w.times(w.replayed, ids, 1, 1)
	})
}

func TestStopWhileTheEngineHasTooMuch(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ids := w.add(100, event.Failure)
		n := w.node(func(n *node) {
			n.doFault = func(_ context.Context, id event.ID) error {
				if id == ids[30] {
					return event.ErrOverloaded
				}
				return nil
			}
		})
		id := n.submit(event.JobRetry, 0).ID
		time.Sleep(time.Minute)
		n.stop()
		if job := w.job(id); job.State != event.JobRunning || job.Done != 30 {
			t.Errorf("%+v", job)
		}
		n = w.node(nil)
		defer n.stop()
		n.finish(id, event.JobDone)
		w.times(w.retried, ids, 1, 1)
	})
}

func TestTheEngineStopsFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ids := w.add(100, event.Failure)
		for _, i := range []int{20, 60} {
			w.delivery(ids[i]).UpdatedAt = time.Now().Add(time.Hour)
		}
		n := w.node(func(n *node) {
			n.doFault = func(_ context.Context, id event.ID) error {
				if id.Compare(ids[30]) >= 0 {
					return event.ErrClosed
				}
				return nil
			}
		})
		defer n.stop()
		id := n.submit(event.JobRetry, 0).ID
		if job, err := n.Wait(t.Context(), w.project, id); !errors.Is(err, event.ErrClosed) || job.State != event.JobRunning || job.Done != 29 || job.Skipped != 1 || job.Failed != 0 {
			t.Errorf("%+v, %v", job, err)
		}
	})
}

// shortDoer does not answer for all that it was asked.
type shortDoer struct{ Doer }

func (shortDoer) Retry(context.Context, event.ID, []event.ID) []error { return make([]error, 3) }

func TestAnAnswerThatIsTooShort(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.add(10, event.Failure)
		n := w.node(func(n *node) { n.o.Doer = shortDoer{n} })
		defer n.stop()
		if job := n.finish(n.submit(event.JobRetry, 0).ID, event.JobDone); job.Done != 3 || job.Failed != 7 {
			t.Errorf("%+v", job)
		}
	})
}

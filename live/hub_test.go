package live

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"posthaste/event"
)

// world is a hub and a project with two endpoints.
type world struct {
	*Hub
	project, one, two event.ID
	flushed           int
}

// inWorld runs a test in a bubble of its own.
func inWorld(t *testing.T, o Options, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{project: event.NewID(), one: event.NewID(), two: event.NewID()}
		if o.Flush == nil {
			o.Flush = func() error { w.flushed++; return nil }
		}
		w.Hub = New(o)
		defer w.Close()
		test(t, w)
	})
}

func (w *world) delivery(to event.ID, status event.Status) event.Outcome {
	return event.Outcome{
		Delivery: event.Delivery{ID: event.NewID(), EventID: event.NewID(), ProjectID: w.project, EndpointID: to, Status: status},
		Type:     "order.paid",
	}
}

// tell tells of so many deliveries to the first endpoint.
func (w *world) tell(n int) {
	for range n {
		w.Durable(nil, []event.Outcome{w.delivery(w.one, event.Success)})
	}
}

func (w *world) listen(t *testing.T, r Request) *Subscription {
	t.Helper()
	r.Filter.Project = w.project
	s, err := w.Subscribe(r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// taken is what a batch has, in words.
func taken(s *Subscription) string {
	synctest.Wait()
	b := s.Take()
	var places []string
	for _, m := range b.Messages {
		places = append(places, fmt.Sprint(m.At))
	}
	return fmt.Sprintf("%s left=%d dropped=%d id=%s", strings.Join(places, " "), b.Left, b.Dropped, b.ID[strings.Index(b.ID, "-")+1:])
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func TestNobodyListens(t *testing.T) {
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		outcomes := []event.Outcome{w.delivery(w.one, event.Success)}
		if n := testing.AllocsPerRun(100, func() { w.Durable(nil, outcomes) }); n != 0 {
			t.Errorf("%v allocations with nobody there", n)
		}
		if w.Wanted() || w.ring.next != 1 {
			t.Errorf("wanted %v, next %d", w.Wanted(), w.ring.next)
		}
	})
}

// TestFirstWaitsForTheLog: what is on its way to the disk when somebody begins to listen
// was not copied, so the first one waits for it; others need not.
func TestFirstWaitsForTheLog(t *testing.T) {
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		a := w.listen(t, Request{})
		b := w.listen(t, Request{})
		if w.flushed != 1 {
			t.Errorf("flushed %d times", w.flushed)
		}
		a.Close()
		b.Close()
	})
	failure := errors.New("no")
	inWorld(t, Options{Flush: func() error { return failure }}, func(t *testing.T, w *world) {
		if _, err := w.Subscribe(Request{}); !errors.Is(err, failure) || w.Stats().Open != 0 {
			t.Errorf("%v, %d open", err, w.Stats().Open)
		}
	})
}

func TestTellsInOrder(t *testing.T) {
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		s := w.listen(t, Request{})
		defer s.Close()
		w.tell(3)
		<-s.Ready()
		expect(t, "all", taken(s), "1 2 3 left=0 dropped=0 id=3")
		expect(t, "no more", taken(s), " left=0 dropped=0 id=3")
		w.Durable(nil, []event.Outcome{{Delivery: event.Delivery{ProjectID: event.NewID()}}})
		expect(t, "another project's", taken(s), " left=0 dropped=0 id=4")
	})
}

func TestResume(t *testing.T) {
	inWorld(t, Options{Entries: 8, Linger: time.Minute}, func(t *testing.T, w *world) {
		first := w.listen(t, Request{})
		w.tell(5)
		synctest.Wait()
		seen := first.IDOf(first.Take().Messages[1])
		first.Close()
		w.tell(2)

		again := w.listen(t, Request{After: seen})
		expect(t, "resumed", string(again.Reset())+taken(again), "3 4 5 6 7 left=0 dropped=0 id=7")
		expect(t, "begins at", again.Start(), seen)
		w.tell(1)
		expect(t, "goes on", taken(again), "8 left=0 dropped=0 id=8")
		newest := again.IDOf(&Message{At: 8})
		again.Close()
		only := w.listen(t, Request{After: seen, Latest: 2})
		expect(t, "the newest two", taken(only), "7 8 left=4 dropped=0 id=8")
		only.Close()

		w.tell(3) // the ring has 4 to 11 now
		for _, c := range []struct {
			what, after string
			want        Reset
		}{
			{"newest", newest, NoReset},
			{"the last that is not kept", w.id(3), NoReset},
			{"the one before", w.id(2), Expired},
			{"to come", w.id(12), Unknown},
			{"no id", "hello", Unknown},
			{"no number", w.epoch + "-x", Unknown},
			{"another run", New(Options{}).id(9), Restarted},
		} {
			s := w.listen(t, Request{After: c.after})
			if s.Reset() != c.want {
				t.Errorf("%s: reset %q, want %q", c.what, s.Reset(), c.want)
			}
			if c.want != NoReset {
				expect(t, c.what, taken(s), " left=0 dropped=0 id=11")
			}
			s.Close()
		}

		time.Sleep(3 * time.Minute) // nobody listens: it forgets
		synctest.Wait()
		if w.Wanted() {
			t.Error("it listens to the log for nobody")
		}
		late := w.listen(t, Request{After: w.id(11)})
		expect(t, "after all was forgotten", string(late.Reset()), string(Expired))
		late.Close()
	})
}

// TestSlowReaderLoses: a reader that takes nothing costs nobody anything, is told how much
// it lost, and goes on from the present.
func TestSlowReaderLoses(t *testing.T) {
	inWorld(t, Options{Queue: 4, Entries: 64}, func(t *testing.T, w *world) {
		slow, quick := w.listen(t, Request{}), w.listen(t, Request{})
		for range 6 {
			w.tell(1)
			synctest.Wait()
			quick.Take()
		}
		<-slow.Pressing()
		expect(t, "slow", taken(slow), "5 6 left=0 dropped=4 id=6")
		expect(t, "quick", taken(quick), " left=0 dropped=0 id=6")
		expect(t, "counted", fmt.Sprint(w.Stats()), "{2 4 0 0}")
		slow.Close()
		quick.Close()
	})
	inWorld(t, Options{Bytes: 3 * messageBytes}, func(t *testing.T, w *world) {
		s := w.listen(t, Request{})
		for range 4 {
			w.tell(1)
			synctest.Wait()
		}
		expect(t, "by weight", taken(s), "3 4 left=0 dropped=2 id=4")
		late := w.listen(t, Request{After: w.id(2)})
		expect(t, "what is kept", string(late.Reset())+taken(late), "3 4 left=0 dropped=0 id=4")
		late.Close()
		if late = w.listen(t, Request{After: w.id(1)}); late.Reset() != Expired {
			t.Error("more is kept than may be")
		}
		late.Close()
		s.Close()
	})
}

// TestRingFasterThanPump: what left the ring before it was looked at is counted as lost.
func TestRingFasterThanPump(t *testing.T) {
	inWorld(t, Options{Entries: 4}, func(t *testing.T, w *world) {
		s := w.listen(t, Request{})
		var outcomes []event.Outcome
		for range 10 {
			outcomes = append(outcomes, w.delivery(w.one, event.Success))
		}
		w.Durable(nil, outcomes)
		expect(t, "of ten", taken(s), "7 8 9 10 left=0 dropped=6 id=10")
		expect(t, "counted", fmt.Sprint(w.Stats()), "{1 6 0 0}")
		s.Close()
	})
}

func TestLatest(t *testing.T) {
	inWorld(t, Options{Queue: 4}, func(t *testing.T, w *world) {
		s := w.listen(t, Request{Latest: 2})
		w.tell(7)
		expect(t, "the newest", taken(s), "6 7 left=5 dropped=0 id=7")
		s.Close()
	})
}

func TestLimits(t *testing.T) {
	inWorld(t, Options{MaxStreams: 3, MaxPerHolder: 2}, func(t *testing.T, w *world) {
		a := w.listen(t, Request{Holder: "a"})
		w.listen(t, Request{Holder: "a"})
		if _, err := w.Subscribe(Request{Holder: "a"}); !errors.Is(err, ErrTooManyOfHolder) {
			t.Error(err)
		}
		if _, err := w.Subscribe(Request{Holder: "b", Most: -1}); !errors.Is(err, ErrTooManyOfHolder) {
			t.Error(err)
		}
		w.listen(t, Request{Holder: "b"})
		if _, err := w.Subscribe(Request{Holder: "c"}); !errors.Is(err, ErrTooMany) {
			t.Error(err)
		}
		a.Close()
		a.Close()
		if w.Stats().Open != 2 || w.holders["a"] != 1 {
			t.Errorf("%d open, %v", w.Stats().Open, w.holders)
		}
		w.listen(t, Request{Holder: "c"})
		expect(t, "counted", fmt.Sprint(w.Stats()), "{3 0 1 2}")
	})
}

func TestCloseEndsAll(t *testing.T) {
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		s := w.listen(t, Request{})
		w.tell(1)
		w.Close()
		<-s.Done()
		w.tell(1)
		if _, err := w.Subscribe(Request{}); !errors.Is(err, event.ErrClosed) || w.Wanted() {
			t.Error(err, w.Wanted())
		}
		s.Close()
		w.Close()
	})
}

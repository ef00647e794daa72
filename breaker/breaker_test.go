package breaker

import (
	"testing"
	"time"
	"unsafe"

	"posthaste/event"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// script drives a breaker and a clock.
type script struct {
	*testing.T
	c   Config
	b   Breaker
	now time.Time
}

func newScript(t *testing.T, change func(*event.CircuitBreakerConfig)) *script {
	return &script{T: t, c: compiled(t, change), now: start}
}

func (s *script) pass(d time.Duration) { s.now = s.now.Add(d) }

// record records n outcomes, of which the last one has to do want.
func (s *script) record(n int, o Outcome, want Event) {
	s.Helper()
	for i := range n {
		got := s.b.Record(s.c, s.now, o)
		if i < n-1 && got != Nothing || i == n-1 && got != want {
			s.Fatalf("outcome %d, number %d of %d, did %d", o, i+1, n, got)
		}
	}
}

func (s *script) allows() {
	s.Helper()
	if ok, wait := s.b.Allow(s.c, s.now); !ok || wait != 0 {
		s.Fatalf("not allowed, wait %s; %+v", wait, s.b)
	}
}

func (s *script) refuses(want time.Duration) {
	s.Helper()
	if ok, wait := s.b.Allow(s.c, s.now); ok || wait != want {
		s.Fatalf("allowed: %v, wait %s, want %s; %+v", ok, wait, want, s.b)
	}
}

func (s *script) is(want State, trips int) {
	s.Helper()
	if got := s.b.State(s.now); got != want || s.b.Trips() != trips {
		s.Fatalf("%s after %d trips, want %s after %d", got, s.b.Trips(), want, trips)
	}
}

func TestOpensAtTheThreshold(t *testing.T) {
	s := newScript(t, nil) // 70% of at least 10
	s.record(3, Succeeded, Nothing)
	s.record(6, Failed, Nothing) // 6 of 9
	s.is(Closed, 0)
	s.record(1, Failed, Opened) // 7 of 10
	s.is(Open, 1)
	if want := start.Add(30 * time.Second); !s.b.Until().Equal(want) {
		t.Errorf("open until %s, want %s", s.b.Until(), want)
	}
	s.pass(10 * time.Second)
	s.refuses(20 * time.Second)
}

func TestTooFewOutcomesDoNotOpen(t *testing.T) {
	s := newScript(t, nil)
	s.record(9, Failed, Nothing)
	s.pass(5 * time.Minute)
	s.record(9, Failed, Nothing)
	s.is(Closed, 0)
}

func TestASuccessDoesNotOpen(t *testing.T) {
	s := newScript(t, nil)
	s.record(9, Failed, Nothing)
	s.record(1, Succeeded, Nothing) // 9 of 10
	s.record(1, Failed, Opened)
}

func TestTheWindowSlides(t *testing.T) {
	s := newScript(t, nil)
	s.record(20, Succeeded, Nothing)
	s.pass(270 * time.Second)
	s.record(9, Failed, Nothing) // 9 of 29
	s.pass(30 * time.Second)     // the successes are gone
	s.record(1, Failed, Opened)
}

func TestAnEvaluationWaitsForTheSampleTime(t *testing.T) {
	s := newScript(t, nil)
	s.record(9, Succeeded, Nothing)
	s.record(1, Failed, Nothing) // evaluated: 1 of 10
	s.record(99, Failed, Nothing)
	s.pass(30*time.Second - 1)
	s.record(1, Failed, Nothing)
	s.pass(1)
	s.record(1, Failed, Opened)
}

func TestFiveUnreachableInARowOpen(t *testing.T) {
	s := newScript(t, nil)
	s.record(99, Succeeded, Nothing)
	s.record(1, Failed, Nothing) // evaluated, and not again for a while
	s.record(4, Unreachable, Nothing)
	s.record(1, Failed, Nothing) // an answer
	s.record(4, Unreachable, Nothing)
	s.record(1, Succeeded, Nothing)
	s.record(5, Unreachable, Opened)
}

func TestUnreachableOnceAWhileIsNotInARow(t *testing.T) {
	s := newScript(t, nil)
	for range 20 {
		s.record(1, Unreachable, Nothing)
		s.pass(5 * time.Minute)
	}
	s.is(Closed, 0)
}

func TestOneProbeAtATime(t *testing.T) {
	s := newScript(t, nil)
	s.record(5, Unreachable, Opened)
	s.pass(30*time.Second - 1)
	s.refuses(1)
	s.pass(1)
	s.is(HalfOpen, 1)
	s.allows()
	s.refuses(0)
	s.is(HalfOpen, 1)
	s.record(1, Succeeded, Recovered)
	s.is(Closed, 0)
	if !s.b.Until().IsZero() || !s.b.Blank(s.c, s.now) {
		t.Errorf("after recovery: %+v", s.b)
	}
	s.allows()
	s.allows()
}

func TestAProbeThatFailsOpensAgain(t *testing.T) {
	s := newScript(t, nil)
	s.record(5, Unreachable, Opened)
	for trips := 1; trips < 20; trips++ {
		s.pass(30 * time.Second)
		s.allows()
		s.is(HalfOpen, trips)
		s.record(1, []Outcome{Failed, Unreachable}[trips%2], Opened)
		s.is(Open, trips+1)
		s.refuses(30 * time.Second)
	}
}

func TestTheSuccessThreshold(t *testing.T) {
	s := newScript(t, func(c *event.CircuitBreakerConfig) { c.SuccessThreshold = 15 }) // 3 of 20
	s.record(5, Unreachable, Opened)
	s.pass(30 * time.Second)
	for range 2 {
		s.allows()
		s.record(1, Succeeded, Nothing)
	}
	s.allows()
	s.record(1, Failed, Opened) // and all over again
	s.pass(30 * time.Second)
	for range 2 {
		s.allows()
		s.record(1, Succeeded, Nothing)
		s.is(HalfOpen, 2)
	}
	s.allows()
	s.record(1, Succeeded, Recovered)
}

func TestAForgottenProbeMakesRoomForTheNext(t *testing.T) {
	s := newScript(t, nil)
	s.b.Forget()
	s.record(5, Unreachable, Opened)
	s.pass(30 * time.Second)
	s.allows()
	s.b.Forget()
	s.is(HalfOpen, 1)
	s.allows()
	s.record(1, Succeeded, Recovered)
}

func TestALostProbeIsGivenUp(t *testing.T) {
	for timeout, lost := range map[int]time.Duration{1: time.Minute, 30: time.Minute, 300: 5 * time.Minute} {
		s := newScript(t, func(c *event.CircuitBreakerConfig) { c.ErrorTimeout = timeout })
		s.record(5, Unreachable, Opened)
		s.pass(time.Duration(timeout) * time.Second)
		s.allows()
		s.pass(lost - 1)
		s.refuses(0)
		s.pass(1)
		s.allows()
		s.refuses(0)
	}
}

func TestStragglersDoNotCount(t *testing.T) {
	s := newScript(t, nil)
	s.record(5, Unreachable, Opened)
	for _, o := range []Outcome{Succeeded, Failed, Unreachable} {
		s.record(100, o, Nothing)
	}
	s.is(Open, 1)
	s.refuses(30 * time.Second)
	s.pass(time.Minute)
	for _, o := range []Outcome{Succeeded, Failed, Unreachable} {
		s.record(100, o, Nothing) // half-open, and no probe is on its way
	}
	s.is(HalfOpen, 1)
	s.allows()
}

func TestRestore(t *testing.T) {
	s := newScript(t, nil)
	s.b = Restore(0, start.Add(time.Hour)) // it was closed; another thing was waited for
	s.is(Closed, 0)
	s.allows()

	s.b = Restore(3, start.Add(20*time.Second))
	s.is(Open, 3)
	s.refuses(20 * time.Second)
	s.pass(20 * time.Second)
	s.allows()
	s.record(1, Failed, Opened)
	s.is(Open, 4)

	for _, until := range []time.Time{{}, start} {
		s.b = Restore(3, until)
		s.is(HalfOpen, 3)
		s.allows()
		s.record(1, Succeeded, Recovered)
	}
}

func TestItIsNeverOpenForLongerThanTheTimeout(t *testing.T) {
	s := newScript(t, nil)
	s.b = Restore(1, start.Add(time.Hour)) // with another timeout
	s.refuses(30 * time.Second)
	s.pass(30 * time.Second)
	s.allows()
	s.pass(-24 * time.Hour) // the clock is set back
	s.allows()
	s.record(1, Failed, Opened)
	s.pass(-24 * time.Hour)
	s.refuses(30 * time.Second)
}

func TestRest(t *testing.T) {
	s := newScript(t, nil)
	rests := func(want time.Duration) {
		t.Helper()
		if got := s.b.Rest(s.c, s.now); got != want {
			t.Errorf("rests %s, want %s", got, want)
		}
	}
	rests(0)
	s.record(5, Unreachable, Opened)
	rests(30 * time.Second)
	s.pass(10 * time.Second)
	rests(20 * time.Second)
	s.pass(-24 * time.Hour) // the clock is set back
	rests(30 * time.Second)
	s.pass(29 * time.Second)
	rests(time.Second)
	s.pass(time.Minute)
	rests(0)
	s.b = Restore(1, s.now.Add(time.Hour))
	if got := s.b.Rest(Config{}, s.now); got != time.Hour {
		t.Errorf("without a timeout it rests %s", got)
	}
}

func TestTheClockSetBackWhileClosed(t *testing.T) {
	s := newScript(t, nil)
	s.record(9, Failed, Nothing)
	s.pass(-time.Minute) // stands still
	s.record(1, Failed, Opened)
	s.b = Breaker{}
	s.record(9, Failed, Nothing)
	s.pass(-time.Hour) // begins anew
	s.record(9, Failed, Nothing)
	s.record(1, Failed, Opened)
}

func TestOff(t *testing.T) {
	s := newScript(t, nil)
	on := s.c
	s.record(5, Unreachable, Opened)
	s.c = Config{}
	s.allows()
	s.record(1, Failed, Recovered)
	s.record(1000, Unreachable, Nothing)
	if s.b != (Breaker{}) {
		t.Errorf("%+v is remembered by a breaker that is off", s.b)
	}
	s.c = on
	s.record(1, Failed, Nothing)
	if s.b.Blank(s.c, s.now) || !s.b.Blank(Config{}, s.now) || !s.b.Blank(s.c, s.now.Add(5*time.Minute)) {
		t.Errorf("blank: %+v", s.b)
	}
}

func TestStateTexts(t *testing.T) {
	for s, want := range map[State]string{Closed: "closed", Open: "open", HalfOpen: "half-open"} {
		if s.String() != want {
			t.Error(s)
		}
	}
}

func TestSize(t *testing.T) {
	if b, w := unsafe.Sizeof(Breaker{}), unsafe.Sizeof(window{}); b > 40 || w > 112 {
		t.Errorf("a breaker takes %d bytes, its window %d", b, w)
	}
}

func TestRecordAllocatesOnce(t *testing.T) {
	s := newScript(t, nil)
	s.record(1, Succeeded, Nothing)
	if n := testing.AllocsPerRun(100, func() {
		s.pass(20 * time.Second)
		s.b.Allow(s.c, s.now)
		s.b.Record(s.c, s.now, Succeeded)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

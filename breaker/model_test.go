package breaker

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"posthaste/event"
)

// model is the documented behaviour, written down as plainly as possible: it keeps
// every outcome.
type model struct {
	e        event.CircuitBreakerConfig
	outcomes []modelOutcome // since it closed
	checked  time.Time
	trips    int
	until    time.Time
	probe    time.Time
	inARow   int
}

type modelOutcome struct {
	at time.Time
	o  Outcome
}

func secs(n int) time.Duration { return time.Duration(n) * time.Second }

func (m *model) state(now time.Time) State {
	switch {
	case m.trips == 0:
		return Closed
	case now.Before(m.until):
		return Open
	}
	return HalfOpen
}

func (m *model) allow(now time.Time) (bool, time.Duration) {
	switch m.state(now) {
	case Open:
		return false, m.until.Sub(now)
	case HalfOpen:
		if !m.probe.IsZero() && now.Sub(m.probe) < max(time.Minute, secs(m.e.ErrorTimeout)) {
			return false, 0
		}
		m.probe = now
	}
	return true, 0
}

func (m *model) record(now time.Time, o Outcome) Event {
	if m.trips > 0 {
		return m.recordProbe(now, o)
	}
	m.outcomes = append(m.outcomes, modelOutcome{now, o})
	if m.unreachable(now) || o != Succeeded && m.evaluate(now) {
		m.open(now)
		return Opened
	}
	return Nothing
}

func (m *model) recordProbe(now time.Time, o Outcome) Event {
	if m.probe.IsZero() {
		return Nothing
	}
	m.probe = time.Time{}
	if o != Succeeded {
		m.open(now)
		return Opened
	}
	if m.inARow++; m.inARow*100 < m.e.SuccessThreshold*20 {
		return Nothing
	}
	*m = model{e: m.e}
	return Recovered
}

func (m *model) open(now time.Time) {
	*m = model{e: m.e, trips: m.trips + 1, until: now.Add(secs(m.e.ErrorTimeout))}
}

// tenth is the number of the tenth of a window in which t lies.
func (m *model) tenth(t time.Time) int64 {
	return t.UnixNano() / int64(secs(m.e.ObservabilityWindow*60/10))
}

func (m *model) unreachable(now time.Time) bool {
	n, next := 0, now
	for i := len(m.outcomes) - 1; i >= 0; i-- {
		o := m.outcomes[i]
		if o.o != Unreachable || m.tenth(next)-m.tenth(o.at) >= 10 {
			break
		}
		n, next = n+1, o.at
	}
	return n >= 5
}

func (m *model) evaluate(now time.Time) bool {
	all, failed := 0, 0
	for i := len(m.outcomes) - 1; i >= 0; i-- {
		o := m.outcomes[i]
		if m.tenth(now)-m.tenth(o.at) >= 10 {
			break
		}
		all++
		if o.o != Succeeded {
			failed++
		}
	}
	if all < m.e.MinimumRequestCount || !m.checked.IsZero() && now.Sub(m.checked) < secs(m.e.SampleRate) && !m.gap(now) {
		return false
	}
	m.checked = now
	return failed*100 >= all*m.e.FailureThreshold
}

// gap reports whether nothing came for a whole window since the last evaluation, so
// that counting began anew.
func (m *model) gap(now time.Time) bool {
	next := now
	for i := len(m.outcomes) - 1; i >= 0 && !m.outcomes[i].at.Before(m.checked); i-- {
		if m.tenth(next)-m.tenth(m.outcomes[i].at) >= 10 {
			return true
		}
		next = m.outcomes[i].at
	}
	return false
}

func TestBreakerIsItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := event.CircuitBreakerConfig{
			Enabled:                     true,
			SampleRate:                  rapid.IntRange(1, 120).Draw(t, "sample"),
			ErrorTimeout:                rapid.IntRange(1, 120).Draw(t, "timeout"),
			FailureThreshold:            rapid.IntRange(1, 100).Draw(t, "failures"),
			SuccessThreshold:            rapid.IntRange(1, 100).Draw(t, "successes"),
			MinimumRequestCount:         rapid.IntRange(1, 30).Draw(t, "requests"),
			ObservabilityWindow:         rapid.IntRange(1, 5).Draw(t, "window"),
			ConsecutiveFailureThreshold: 10,
		}
		c, err := Compile(e)
		if err != nil {
			t.Fatal(err)
		}
		m, b, now := model{e: e}, Breaker{}, start
		outcome := rapid.SampledFrom([]Outcome{Succeeded, Succeeded, Succeeded, Failed, Failed, Unreachable})
		check := func(t *rapid.T) {
			if b.State(now) != m.state(now) || b.Trips() != m.trips {
				t.Fatalf("%s after %d trips, want %s after %d", b.State(now), b.Trips(), m.state(now), m.trips)
			}
			if b.State(now) == Open && !b.Until().Equal(m.until) {
				t.Fatalf("open until %s, want %s", b.Until(), m.until)
			}
		}
		record := func(t *rapid.T, o Outcome) {
			if got, want := b.Record(c, now, o), m.record(now, o); got != want {
				t.Fatalf("%d did %d, want %d", o, got, want)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"": check,
			"pass": func(t *rapid.T) {
				ms := rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Range(0, 100_000), rapid.Int64Range(0, 600_000)).Draw(t, "ms")
				now = now.Add(time.Duration(ms) * time.Millisecond)
			},
			"attempt": func(t *rapid.T) {
				ok, wait := b.Allow(c, now)
				if wantOK, wantWait := m.allow(now); ok != wantOK || wait != wantWait {
					t.Fatalf("allowed %v, wait %s, want %v, %s", ok, wait, wantOK, wantWait)
				}
				if ok && rapid.IntRange(0, 9).Draw(t, "lost") > 0 {
					record(t, outcome.Draw(t, "outcome"))
				}
			},
			"burst": func(t *rapid.T) {
				o := outcome.Draw(t, "outcome")
				for range rapid.IntRange(1, 20).Draw(t, "n") {
					record(t, o)
				}
			},
			"forget": func(*rapid.T) { b.Forget(); m.probe = time.Time{} },
			"restart": func(t *rapid.T) {
				if b.Trips() > 0 { // otherwise nothing is kept
					b = Restore(b.Trips(), b.Until())
					m.probe, m.inARow = time.Time{}, 0
				}
			},
		})
	})
}

package engine

import (
	"testing"
	"time"

	"posthaste/event"
)

func rate(count, seconds int) func(*event.Endpoint) {
	return func(e *event.Endpoint) { e.RateLimit, e.RateLimitDuration = count, seconds }
}

func TestTheRateIsTheOneConfigured(t *testing.T) {
	for _, c := range []struct{ count, seconds int }{{1, 1}, {19, 1}, {50, 1}, {500, 1}, {100, 60}, {1000, 60}} {
		inTime(t, Options{}, func(t *testing.T, w *world) {
			ep := w.endpoint(rate(c.count, c.seconds))
			window := time.Duration(c.seconds) * time.Second
			n := 10*c.count + ep.Limit().Burst()
			w.post(ep, n)
			w.settled(30 * window)
			sent := w.sender.to(ep.ID)
			ten := float64(sent[n-1].at.Sub(sent[0].at)) / float64(10*window)
			if ten < 0.99 || ten > 1.01+1/float64(10*c.count) {
				t.Errorf("%d in %ds: ten windows' worth took %.4f of ten windows", c.count, c.seconds, ten)
			}
			burst := ep.Limit().Burst()
			for i := range n {
				for _, k := range []int{burst, c.count, 3 * c.count} {
					if i+k >= n {
						continue
					}
					least := time.Duration(k+1-burst) * ep.Limit().Interval()
					if took := sent[i+k].at.Sub(sent[i].at); took < least-time.Microsecond {
						t.Fatalf("%d in %ds: %d attempts in %s, want at least %s", c.count, c.seconds, k+1, took, least)
					}
				}
			}
		})
	}
}

func TestARateLimitedEndpointUsesNoWorker(t *testing.T) {
	inTime(t, Options{Shards: 1}, func(t *testing.T, w *world) {
		limited, free := w.endpoint(rate(1, 60)), w.endpoint()
		w.post(limited, 10)
		time.Sleep(time.Second)
		if st := w.engine.Stats(); st.Workers != 0 || st.InFlight != 0 || st.Queued != 9 {
			t.Errorf("while it waits for a token: %+v", st)
		}
		if n := len(w.sender.to(limited.ID)); n != 1 {
			t.Errorf("%d attempts, want 1", n)
		}
		start := time.Now()
		w.post(free, 1000)
		time.Sleep(time.Second)
		w.doneWithin(w.list(free), 1000, start, time.Millisecond)
		w.settled(time.Hour)
	})
}

// A token that was to come in a day comes soon when the limit is lifted.
func TestALimitThatIsLiftedIsNotWaitedFor(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint(rate(1, 86400))
		w.post(ep, 10)
		time.Sleep(time.Minute)
		_, err := w.catalog.UpdateEndpoint(ep.ProjectID, ep.ID, func(e *event.Endpoint) error {
			e.RateLimit = 0
			return nil
		})
		w.must(err)
		w.settled(time.Minute)
	})
}

// An endpoint that has nothing to do for a while does not get a burst for it.
func TestARateIsRememberedWhileNothingWaits(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint(rate(1, 10))
		w.post(ep, 1)
		time.Sleep(5 * time.Second)
		w.post(ep, 1)
		w.settled(time.Minute)
		sent := w.sender.to(ep.ID)
		if gap := sent[1].at.Sub(sent[0].at); gap < 10*time.Second {
			t.Errorf("%s between two attempts, want 10 s", gap)
		}
	})
}

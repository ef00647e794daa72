package test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const day = 24 * time.Hour

// toldTime is a project on a server whose clock the test sets.
func toldTime(t *testing.T, config object, off time.Duration, args ...string) (*project, *wallClock) {
	t.Helper()
	if soak(t) == 0 {
		t.Skip("a build of the standard library: set SOAK")
	}
	s := newServer(t, args...)
	c := s.setClock(off)
	s.start()
	path, key := s.project(config)
	return &project{s, path, key}, c
}

// TestClockJumps sets the wall clock of the running server by hours and days, both ways, under load:
// retries come as if nothing had happened, or at once when they are due by the new time; no
// rate is exceeded; open breakers and endpoints that asked for a pause go on; ids rise.
func TestClockJumps(t *testing.T) {
	const limit = 20
	for _, by := range []time.Duration{time.Hour, -time.Hour, -day, 8 * time.Hour, -30 * 365 * day} {
		t.Run(by.String(), func(t *testing.T) {
			recv := newReceiver(t)
			recv.expect = intact
			failing := newInbox(t)
			failing.reply(status(http.StatusInternalServerError))
			in := newInbox(t)
			p, clock := toldTime(t, with(linear(5, 100), object{"circuit_breaker": object{"enabled": false}}), 0)
			l := &load{s: p.server, project: p.path, key: p.key, pause: 20 * time.Millisecond}
			l.everyone(recv.URL, "/a", "/b")
			l.begin(3)

			limited := p.add(in.URL+"/limited", object{"rate_limit": limit, "rate_limit_duration": 1})
			asks := newInbox(t)
			asks.reply(func(w http.ResponseWriter, a arrival) {
				if a.n == 1 {
					w.Header().Set("Retry-After", "4")
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			})
			breaking := p.another(with(linear(1, 1000), object{"circuit_breaker": object{
				"enabled": true, "error_timeout": 3, "minimum_request_count": 2, "failure_threshold": 1, "consecutive_failure_threshold": 1000, "sample_rate": 1,
			}}))
			ill := newInbox(t)
			ill.reply(status(http.StatusInternalServerError))
			broken := breaking.add(ill.URL, nil)

			var ids []string
			send := func(p *project, ep, data string) string {
				id := p.send(ep, data)
				ids = append(ids, id)
				return id
			}
			retried := send(p, p.add(failing.URL, nil), `"retried"`)
			asked := send(p, p.add(asks.URL, nil), `"asked"`)
			probed := send(breaking, broken, `"probed"`)
			p.await(retried, "Retry")
			p.await(asked, "Retry")
			eventually(t, "the breaker is open", func() bool { return breaking.endpointOf(broken).CBState == "open" })
			p.postMany(limited, 10*limit)

			clock.step(p.server, by)
			resumed := time.Now()
			for n := range 20 {
				send(p, limited, fmt.Sprint(n))
			}
			failing.reply(status(http.StatusOK))
			ill.reply(status(http.StatusOK))
			p.await(retried, "Success")
			p.await(asked, "Success")
			breaking.await(probed, "Success")
			within(t, time.Minute, "all that is limited arrives", func() bool { return len(in.arrivals()) == 10*limit+20 })
			var times []time.Time
			for _, a := range in.arrivals() {
				times = append(times, a.at)
			}
			noStorm(t, times, resumed, limit)

			// A retry far ahead: by a clock that is set ahead it comes at once.
			far := newInbox(t)
			far.reply(script(500, 200))
			distant := send(p, p.add(far.URL, object{"strategy": object{"type": "linear", "duration": 3000, "retry_count": 3, "jitter": 0}}), `"far"`)
			p.await(distant, "Retry")
			clock.step(p.server, max(by, -by)+time.Hour)
			p.await(distant, "Success")

			l.end()
			waitDelivered(t, recv, l)
			if bad := recv.wrong(); len(bad) > 0 {
				t.Errorf("%d deliveries were not what was posted, the first: %s", len(bad), bad[0])
			}
			if !slices.IsSorted(ids) {
				t.Errorf("ids do not rise: %v", ids)
			}
			if !strings.Contains(p.log.String(), "the machine's clock was set") {
				t.Errorf("the log does not tell of it:\n%s", p.log)
			}
			events, _ := l.so()
			t.Logf("set by %s and ahead again: %d events, nothing lost, no storm, no stall", by, events)
			p.stop()
		})
	}
}

// TestSecretsExpireByTheWallClock: an old secret signs until its time is over, whatever a retry is
// due by.
func TestSecretsExpireByTheWallClock(t *testing.T) {
	p, clock := toldTime(t, nil, 0)
	in := newInbox(t)
	ep := p.add(in.URL, nil)
	p.do("PUT", "/endpoints/"+ep+"/expire_secret", object{"secret": "the new one", "expiration": 1}, nil)
	signatures := func(n int, want int) {
		t.Helper()
		p.send(ep, `{}`)
		all := in.await(t, n)
		if got := all[n-1].signatures("v1"); got != want {
			t.Errorf("delivery %d has %d signatures, want %d", n, got, want)
		}
	}
	signatures(1, 2)
	clock.step(p.server, -day)
	signatures(2, 2)
	clock.step(p.server, day+2*time.Hour)
	signatures(3, 1)
	p.stop()
}

// TestStartWithAWrongClock starts the server on a store whose newest event is in the machine's future:
// by less than a day it serves, and owed retries come in time; at 1970 it serves nothing until the
// clock is set, unless it is told to ignore it.
func TestStartWithAWrongClock(t *testing.T) {
	in := newInbox(t)
	in.reply(status(http.StatusInternalServerError))
	p, clock := toldTime(t, linear(3, 100), 0)
	ep := p.add(in.URL, nil)
	first := p.send(ep, `1`)
	p.await(first, "Retry")
	p.server.kill()

	clock.set(-20 * time.Hour)
	p.start()
	in.reply(status(http.StatusOK))
	p.await(first, "Success")
	second := p.send(ep, `2`)
	p.await(second, "Success")
	if second <= first {
		t.Errorf("event %s came after %s", second, first)
	}
	p.stop()

	to1970 := -time.Since(time.Unix(0, 0))
	clock.set(to1970)
	p.launch()
	eventually(t, "the start says that it waits", func() bool {
		return p.ready() == http.StatusServiceUnavailable && strings.Contains(p.log.String(), "--ignore-clock")
	})
	if _, err := http.Get("http://" + p.api + "/healthz"); err == nil {
		t.Error("the API answers while the clock is at 1970")
	}
	clock.set(0)
	eventually(t, "the server is ready", func() bool { return p.ready() == http.StatusOK })
	third := p.send(ep, `3`)
	p.await(third, "Success")
	p.stop()

	clock.set(to1970)
	p.args = append(p.args, "--ignore-clock")
	p.start()
	fourth := p.send(ep, `4`)
	p.await(fourth, "Success")
	if fourth <= third {
		t.Errorf("event %s came after %s", fourth, third)
	}
	p.stop()
}

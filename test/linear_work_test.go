package test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/anishathalye/porcupine"
)

// course is a delivery as clients see it. Every third attempt succeeds, the others fail.
type course struct {
	attempts int
	pending  bool // one that was asked for by hand is to come
}

func (s course) status() string {
	switch {
	case s.pending:
		return "Retry"
	case s.attempts%3 == 0:
		return "Success"
	}
	return "Failure"
}

// settled is the delivery once what was asked for has happened.
func (s course) settled() course {
	if s.pending {
		return course{attempts: s.attempts + 1}
	}
	return s
}

func (s course) shows(a told) bool { return a.is == s.status() && a.n == s.attempts }

// courseModel says what a delivery is after its first attempt. An attempt that was asked
// for is made at some moment, and another is asked for after it: none is lost and none
// is made twice. Only what failed can be retried, and only what succeeded be forced.
var courseModel = modelOf(course{attempts: 1}, func(s course, q asked, a told) (course, bool) {
	if q.what == "read" {
		if s.shows(a) {
			return s, true
		}
		s = s.settled()
		return s, s.shows(a)
	}
	s = s.settled()
	want := "Failure"
	if q.what == "force" {
		want = "Success"
	}
	if (a.is == "done") != (s.status() == want) {
		return s, false
	}
	s.pending = a.is == "done"
	return s, true
})

// resend asks for another attempt of a delivery, or reads it.
func (c *client) resend(p *project, id string) {
	switch c.rng.IntN(4) {
	case 0:
		c.ask(asked{"resend", id, ""}, func() told {
			return c.tell(p, "PUT", "/eventdeliveries/"+id+"/resend", nil, func(code int, a answer, _ http.Header) told {
				if code == http.StatusBadRequest && a.Message == "event already sent" {
					return told{code: code, is: "refused"}
				}
				return told{code: code, is: map[bool]string{true: "done", false: a.Message}[code == http.StatusOK]}
			})
		})
	case 1:
		c.ask(asked{"force", id, ""}, func() told {
			return c.tell(p, "POST", "/eventdeliveries/forceresend", object{"ids": []string{id}}, func(code int, a answer, _ http.Header) told {
				said := map[string]string{"1 successful, 0 failed": "done", "0 successful, 1 failed": "refused"}[a.Message]
				return told{code: code, is: said}
			})
		})
	default:
		c.ask(asked{"read", id, ""}, func() told {
			return c.tell(p, "GET", "/eventdeliveries/"+id, nil, func(code int, a answer, _ http.Header) told {
				var d deliveryView
				if err := json.Unmarshal(a.Data, &d); err != nil {
					c.h.t.Error(err)
				}
				return told{code, d.Status, d.Metadata.NumTrials}
			})
		})
	}
}

// everyThird is a receiver that lets every third attempt of a delivery succeed.
func everyThird() func(http.ResponseWriter, arrival) {
	var mu sync.Mutex
	count := make(map[string]int)
	return func(w http.ResponseWriter, a arrival) {
		mu.Lock()
		defer mu.Unlock()
		id := a.header.Get("X-Convoy-Eventdelivery-Id")
		if count[id]++; count[id]%3 != 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}
}

// TestResendsAreLinearizable: retries by hand and forced resends of the same deliveries,
// asked for by many at once, are made one after the other, each once, and are allowed
// or refused by what the delivery is at that moment; every reading shows one moment.
func TestResendsAreLinearizable(t *testing.T) {
	t.Parallel()
	const perDelivery, deliveries = 150, 6
	in := newInbox(t)
	in.reply(everyThird())
	p := newProject(t, traced(linear(1, 1)))
	ep := p.add(in.URL, nil)
	again(t, func() {
		var ids []string
		for range deliveries {
			ids = append(ids, p.await(p.send(ep, `1`), "Failure").UID)
		}
		h := newHistory(t)
		h.startUpTo(perDelivery*deliveries, 8, func(c *client) { c.resend(p, ids[c.rng.IntN(len(ids))]) })
		h.clients.Wait()
		last := &client{h: h, number: 8, http: http.DefaultClient}
		for _, id := range ids { // and at the end no more is to come
			eventually(t, "the last attempt has ended", func() bool {
				var d deliveryView
				p.do("GET", "/eventdeliveries/"+id, nil, &d)
				return d.Status != "Retry"
			})
			last.read(p, id)
		}
		h.end()
		h.check(courseModel, saying("read", "Discarded"))
		p.attemptsAreWhatCame(in, ids)
	})
}

// read reads a delivery.
func (c *client) read(p *project, id string) {
	var d deliveryView
	c.ask(asked{"read", id, ""}, func() told {
		p.do("GET", "/eventdeliveries/"+id, nil, &d)
		return told{http.StatusOK, d.Status, d.Metadata.NumTrials}
	})
}

// attemptsAreWhatCame checks that each delivery shows as many attempts as requests came.
func (p *project) attemptsAreWhatCame(in *inbox, ids []string) {
	p.t.Helper()
	came := make(map[string]int)
	for _, a := range in.arrivals() {
		came[a.header.Get("X-Convoy-Eventdelivery-Id")]++
	}
	for _, id := range ids {
		if n := len(p.attemptsOf(id)); n != came[id] {
			p.t.Errorf("delivery %s shows %d attempts, and %d requests came", id, n, came[id])
		}
	}
}

// replayModel counts an event's deliveries: each replay makes one more.
var replayModel = modelOf(1, func(n int, q asked, a told) (int, bool) {
	if q.what == "replay" {
		return n + 1, a.code/100 == 2
	}
	return n, a.n == n
})

// TestReplaysAreLinearizable: each replay of an event makes one delivery, which is listed
// from the moment of the answer on.
func TestReplaysAreLinearizable(t *testing.T) {
	t.Parallel()
	const perEvent, events = 120, 3
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	ep := p.add(in.URL, nil)
	again(t, func() {
		var ids []string
		for range events {
			ids = append(ids, p.send(ep, `1`))
		}
		h := newHistory(t)
		h.startUpTo(perEvent*events, 6, func(c *client) {
			id := ids[c.rng.IntN(len(ids))]
			if c.rng.IntN(3) == 0 {
				c.ask(asked{"replay", id, ""}, func() told { return c.tell(p, "PUT", "/events/"+id+"/replay", nil, onlyCode) })
				return
			}
			c.ask(asked{"count", id, ""}, func() told {
				return c.tell(p, "GET", "/eventdeliveries?perPage=1000&eventId="+id, nil, func(code int, a answer, _ http.Header) told {
					var all page[struct{}]
					if err := json.Unmarshal(a.Data, &all); err != nil {
						c.h.t.Error(err)
					}
					return told{code: code, is: "listed", n: len(all.Content)}
				})
			})
		})
		h.clients.Wait()
		h.end()
		h.check(replayModel, func(ops []porcupine.Operation) (int, told) {
			for i, op := range ops {
				if a := op.Output.(told); a.is != "" && i > len(ops)/2 {
					return i, told{a.code, a.is, a.n + perEvent*events}
				}
			}
			return -1, told{}
		})
	})
}

// batches are the jobs of a project as clients see them.
type batches struct {
	running string // the job that runs, or has ended since without anybody having seen it
	ended   string // the others, and how they ended
}

func (s batches) end(job, how string) batches {
	return batches{ended: s.ended + job + "=" + how + ";"}
}

func (s batches) was(job, how string) bool { return strings.Contains(s.ended, job+"="+how+";") }

// batchModel says that of the jobs of a kind one runs at a time, until it is done or
// cancelled, and stays so.
var batchModel = modelOf(batches{}, func(s batches, q asked, a told) (batches, bool) {
	job := q.with
	switch {
	case q.what == "submit" && a.is == "refused":
		return s, s.running != ""
	case q.what == "submit":
		if s.running != "" {
			s = s.end(s.running, "done")
		}
		s.running = a.is
		return s, true
	case a.is == "running":
		return s, s.running == job
	case s.running == job: // this is its end
		return s.end(job, a.is), a.is == "done" || a.is == "cancelled"
	}
	return s, s.was(job, a.is)
})

// TestJobsAreLinearizable: jobs that many start, cancel and read at once run one at a
// time, end once, and whoever saw the end of one may start the next.
func TestJobsAreLinearizable(t *testing.T) {
	t.Parallel()
	const questions = 240 // all about one thing, which takes porcupine long
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	p.fail(in, p.add(in.URL, nil), 100)
	again(t, func() {
		h := newHistory(t)
		var mu sync.Mutex
		var known []string
		submit := func(c *client) {
			c.submit(p, func(id string) {
				mu.Lock()
				defer mu.Unlock()
				known = append(known, id)
			})
		}
		submit(h.client(4))
		h.startUpTo(questions, 4, func(c *client) {
			mu.Lock()
			job := known[max(0, len(known)-1-c.rng.IntN(2))] // the latest, or the one before
			mu.Unlock()
			switch n := c.rng.IntN(10); {
			case n < 3:
				submit(c)
			case n < 4:
				c.askJob(p, "cancel", job, "PUT", "/jobs/"+job+"/cancel")
			default:
				c.askJob(p, "read", job, "GET", "/jobs/"+job)
			}
		})
		h.clients.Wait()
		h.end()
		h.check(batchModel, saying("read", "failed"))
		for _, job := range known { // for the next round
			if code, _, _, err := p.request("PUT", "/jobs/"+job+"/cancel", nil); err != nil || code/100 == 5 {
				t.Error(code, err)
			}
		}
	})
}

// submit starts a batch retry, with or without a rate that makes it last.
func (c *client) submit(p *project, started func(id string)) {
	rate := []string{"", "?rate=400"}[c.rng.IntN(2)]
	c.ask(asked{"submit", "jobs", ""}, func() told {
		return c.tell(p, "POST", "/eventdeliveries/batchretry"+rate, nil, func(code int, a answer, header http.Header) told {
			if code != http.StatusOK {
				if a.Message != "an active batch retry already exists" {
					c.h.t.Errorf("%d %s", code, a.Message)
				}
				return told{code: code, is: "refused"}
			}
			id := header.Get("Location")
			id = id[strings.LastIndex(id, "/")+1:]
			started(id)
			return told{code: code, is: id}
		})
	})
}

// askJob reads or cancels a job.
func (c *client) askJob(p *project, what, job, method, path string) {
	c.ask(asked{what, "jobs", job}, func() told {
		return c.tell(p, method, path, nil, func(code int, a answer, _ http.Header) told {
			if code == http.StatusBadRequest && strings.Contains(a.Message, "ended") {
				return told{code: code, is: "done"}
			}
			var j jobView
			if err := json.Unmarshal(a.Data, &j); err != nil {
				c.h.t.Errorf("%d %s: %v", code, a.Message, err)
			}
			return told{code: code, is: j.State}
		})
	})
}

func TestTheModelsOfWorkFindMistakes(t *testing.T) {
	t.Parallel()
	about := func(what string) asked { return asked{what, "d", ""} }
	shows := func(status string, attempts int) told { return told{200, status, attempts} }
	done, refused := told{code: 200, is: "done"}, told{code: 400, is: "refused"}
	failed, waits, sent := shows("Failure", 1), shows("Retry", 1), shows("Success", 3)
	count := func(n int) told { return told{200, "listed", n} }
	job := func(what, id string) asked { return asked{what, "jobs", id} }
	says := func(text string) told { return told{code: 200, is: text} }
	for name, c := range map[string]struct {
		model porcupine.Model
		want  porcupine.CheckResult
		lines []line
	}{
		"two retries":                    {courseModel, porcupine.Ok, []line{{0, 5, about("resend"), done}, {1, 6, about("resend"), done}, {7, 8, about("read"), sent}}},
		"a retry":                        {courseModel, porcupine.Ok, []line{{0, 1, about("resend"), done}, {2, 3, about("read"), waits}, {4, 5, about("read"), shows("Failure", 2)}}},
		"a retry that is lost":           {courseModel, porcupine.Illegal, []line{{0, 1, about("resend"), done}, {2, 3, about("read"), failed}}},
		"a retry that is made twice":     {courseModel, porcupine.Illegal, []line{{0, 1, about("resend"), done}, {2, 3, about("read"), sent}}},
		"of two retries one":             {courseModel, porcupine.Illegal, []line{{0, 5, about("resend"), done}, {1, 6, about("resend"), done}, {7, 8, about("read"), shows("Failure", 2)}}},
		"a failure is forced":            {courseModel, porcupine.Illegal, []line{{0, 1, about("force"), done}}},
		"a failure is refused":           {courseModel, porcupine.Illegal, []line{{0, 1, about("resend"), refused}}},
		"a state from before":            {courseModel, porcupine.Illegal, []line{{0, 1, about("read"), failed}, {2, 3, about("resend"), done}, {4, 5, about("read"), shows("Failure", 2)}, {6, 7, about("read"), waits}}},
		"a replay":                       {replayModel, porcupine.Ok, []line{{0, 9, about("replay"), done}, {1, 2, about("count"), count(1)}, {3, 4, about("count"), count(2)}}},
		"a replay that is not listed":    {replayModel, porcupine.Illegal, []line{{0, 1, about("replay"), done}, {2, 3, about("count"), count(1)}}},
		"a job":                          {batchModel, porcupine.Ok, []line{{0, 1, job("submit", ""), says("a")}, {2, 3, job("submit", ""), refused}, {4, 5, job("read", "a"), says("done")}, {6, 7, job("submit", ""), says("b")}}},
		"a job is cancelled":             {batchModel, porcupine.Ok, []line{{0, 1, job("submit", ""), says("a")}, {2, 3, job("cancel", "a"), says("cancelled")}, {4, 5, job("read", "a"), says("cancelled")}}},
		"two jobs at once":               {batchModel, porcupine.Illegal, []line{{0, 1, job("submit", ""), says("a")}, {2, 3, job("submit", ""), says("b")}, {4, 5, job("read", "a"), says("running")}}},
		"a job that ended is in the way": {batchModel, porcupine.Illegal, []line{{0, 1, job("submit", ""), says("a")}, {2, 3, job("read", "a"), says("done")}, {4, 5, job("submit", ""), refused}}},
		"a job runs on":                  {batchModel, porcupine.Illegal, []line{{0, 1, job("submit", ""), says("a")}, {2, 3, job("cancel", "a"), says("cancelled")}, {4, 5, job("read", "a"), says("running")}}},
		"a job ends twice":               {batchModel, porcupine.Illegal, []line{{0, 1, job("submit", ""), says("a")}, {2, 3, job("cancel", "a"), says("cancelled")}, {4, 5, job("read", "a"), says("done")}}},
	} {
		t.Run(name, func(t *testing.T) { wantVerdict(t, c.model, c.want, c.lines...) })
	}
}

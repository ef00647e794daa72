package engine

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

var (
	oneSeed   = flag.Uint64("seed", 0, "run TestSevenDays with this seed only")
	manySeeds = flag.Int("seeds", 100, "run TestSevenDays with so many seeds, ten with -short")
)

const receiversPerWeek = 200

// TestSevenDays lets the engine deliver to 200 scripted receivers for seven virtual
// days, and compares what became of every delivery and every endpoint with a model.
//
// Every endpoint is followed: the model goes through the week beside the engine's
// attempts, and each of them has to be the one that the rules want then. That leaves
// to the engine only in which order it takes deliveries that wait at the same time.
//
// Most are besides predicted: what becomes of their deliveries is worked out before
// the engine runs, from the script alone. Not so where an order matters that the
// rules leave open, such as which of ten deliveries is the one whose attempt makes a
// receiver ask to be left alone; and where the engine's lateness of a millisecond
// may matter.
func TestSevenDays(t *testing.T) {
	sum := newSummary()
	began := time.Now()
	t.Run("seeds", func(t *testing.T) {
		seeds := *manySeeds
		if testing.Short() {
			seeds = min(seeds, 10)
		}
		for seed := range uint64(seeds) {
			if *oneSeed == 0 {
				sevenDays(t, seed+1, sum)
			}
		}
		if *oneSeed != 0 {
			sevenDays(t, *oneSeed, sum)
		}
	})
	t.Logf("%s\n%s of real time", sum, time.Since(began).Round(100*time.Millisecond))
	if *oneSeed == 0 && !t.Failed() {
		sum.verdict(t)
	}
}

func sevenDays(t *testing.T, seed uint64, sum *summary) {
	t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
		t.Parallel()
		p := newWeek(seed, receiversPerWeek)
		synctest.Test(t, func(t *testing.T) {
			forecasts := p.predictAll(time.Now())
			d := p.run(t)
			d.check(t, forecasts, sum)
		})
	})
}

// predictAll predicts what becomes of each receiver; nil where that cannot be told.
func (p *week) predictAll(zero time.Time) []*model {
	all := make([]*model, len(p.receivers))
	for k, v := range p.receivers {
		all[k] = p.predict(v, zero)
	}
	return all
}

// maxOrders is how many orders of deliveries are tried.
const maxOrders = 100

// predict predicts what becomes of a receiver, if it is the same for every order in
// which the engine may take deliveries that wait at the same time.
func (p *week) predict(v *receiver, zero time.Time) (forecast *model) {
	var path, width []int // the choices of this order, and among how many each is
	for range maxOrders {
		depth := 0
		m := newModel(p, v, zero, predictMargin, predictMargin)
		m.predict(func(ns []int) int {
			if depth == len(path) {
				path, width = append(path, 0), append(width, len(ns))
			}
			depth++
			return ns[path[depth-1]]
		})
		if m.doubt != "" || forecast != nil && forecast.outcome() != m.outcome() {
			return nil
		}
		forecast = m
		for len(path) > 0 && path[len(path)-1] == width[len(path)-1]-1 {
			path, width = path[:len(path)-1], width[:len(path)-1]
		}
		if len(path) == 0 {
			return forecast
		}
		path[len(path)-1]++
	}
	return nil
}

// outcome is all that is predicted whatever the order of deliveries: times are not.
func (m *model) outcome() string {
	var b strings.Builder
	for n := range m.ds {
		d := &m.ds[n]
		fmt.Fprintln(&b, d.status, d.why, d.attempts, d.limit)
	}
	fmt.Fprint(&b, m.status)
	for _, h := range m.history {
		fmt.Fprint(&b, " ", h.to, h.why)
	}
	return b.String()
}

// drive runs a week against the engine.
type drive struct {
	p    *week
	w    *world
	zero time.Time
	eps  []*catalog.Endpoint
	ids  [][]event.ID // of deliveries, by receiver

	outage int  // how many there were: the engine is stopped, or gives all partitions up
	away   bool // it is the latter this time

	hands sync.WaitGroup // retries by hand that are on their way

	mu    sync.Mutex
	tries [][]try   // by receiver
	asked [][]asked // by receiver
}

// run runs the week.
func (p *week) run(t *testing.T) *drive {
	n := len(p.receivers)
	d := &drive{p: p, w: newWorld(t, p.options), zero: time.Now(), ids: make([][]event.ID, n), tries: make([][]try, n), asked: make([][]asked, n)}

	d.setUp()
	d.w.start(nil, d.prepare)
	var days []happening
	for _, v := range p.receivers {
		for _, i := range v.timeline {
			if i.kind < stop {
				days = append(days, happening{v, i})
			}
		}
	}
	for _, o := range p.outages {
		days = append(days, happening{nil, item{at: o.from, kind: stop}}, happening{nil, item{at: o.to, kind: start}})
	}
	slices.SortStableFunc(days, func(a, b happening) int { return cmp.Compare(a.at, b.at) })
	for _, h := range days {
		time.Sleep(h.at - time.Since(d.zero))
		d.do(h)
	}
	time.Sleep(weekEnd - time.Since(d.zero))
	d.hands.Wait()
	d.w.stop()
	return d
}

// happening is an item of a receiver's timeline.
type happening struct {
	v *receiver // nil: it happens to all
	item
}

// setUp makes projects and endpoints.
func (d *drive) setUp() {
	w := d.w
	var projects []*catalog.Project
	for _, c := range d.p.projects {
		p, _, _, err := w.catalog.CreateProject(event.Project{Name: "week", Config: c})
		w.must(err)
		projects = append(projects, p)
	}
	for _, v := range d.p.receivers {
		ep, err := w.catalog.CreateEndpoint(event.Endpoint{
			ProjectID: projects[v.project].ID, Name: v.kind, URL: "https://example.com/", Strategy: v.strategy,
			RateLimit: v.rate[0], RateLimitDuration: v.rate[1],
		})
		w.must(err)
		d.eps = append(d.eps, ep)
		if v.once {
			_, err = w.catalog.CreateSubscription(event.Subscription{
				Name: "s", ProjectID: ep.ProjectID, EndpointID: ep.ID, DeliveryMode: event.AtMostOnce,
				FilterConfig: event.FilterConfig{EventTypes: []string{"*"}},
			})
			w.must(err)
		}
	}
}

// prepare gives a new sender its scripts.
func (d *drive) prepare() {
	d.w.sender.quiet = true
	for k, v := range d.p.receivers {
		d.w.sender.set(d.eps[k].ID, func(c *call) { d.answer(v, c) })
	}
}

func (d *drive) answer(v *receiver, c *call) {
	var body struct{ N int }
	_ = json.Unmarshal(c.ev.Data, &body)
	t := try{n: body.N, number: c.a.Number, manual: c.a.Manual, start: time.Since(d.zero)}
	t.got = v.script(t.start, t.n, t.number)
	d.mu.Lock()
	k := len(d.tries[v.n])
	d.tries[v.n] = append(d.tries[v.n], t)
	d.mu.Unlock()
	if t.got.takes > 0 {
		slow(t.got.takes, func(*call) {})(c)
	}
	c.a.StatusCode, c.a.Class, c.a.RetryAfter = t.got.status, t.got.class, t.got.after
	d.mu.Lock()
	d.tries[v.n][k].end = time.Since(d.zero)
	d.mu.Unlock()
}

func (d *drive) do(h happening) {
	switch h.kind {
	case post:
		subs := []event.Submission{d.w.single(d.eps[h.v.n], fmt.Sprintf(`{"n":%d}`, h.n))}
		d.w.submit(subs)
		d.ids[h.v.n] = append(d.ids[h.v.n], subs[0].Event.Owed[0].ID)
	case pause, unpause, activate, deactivate:
		ep := d.eps[h.v.n]
		_, err := d.w.catalog.ChangeStatus(ep.ProjectID, ep.ID, "operator", func(now event.EndpointStatus) (event.EndpointStatus, error) {
			return target(h.kind, now), nil
		})
		d.w.must(err)
	case again, forced:
		d.ask(h, []int{h.n}, h.kind == forced)
	case allAgain:
		d.ask(h, d.lost(h.v), false)
	case stop:
		d.outage++
		if d.away = (int(d.p.seed)+d.outage)%2 == 0; d.away {
			d.hands.Wait() // as Stop does
			d.w.release(allPartitions()...)
			return
		}
		d.w.stop()
	case start:
		if d.away {
			d.w.take(allPartitions()...)
			return
		}
		d.w.again(d.w.store.journal, d.prepare)
	}
}

func allPartitions() []uint16 {
	all := make([]uint16, testPartitions)
	for p := range all {
		all[p] = uint16(p)
	}
	return all
}

// ask asks for retries by hand. The answer may have to wait for an attempt.
func (d *drive) ask(h happening, ns []int, force bool) {
	ids := make([]event.ID, len(ns))
	for i, n := range ns {
		ids[i] = d.ids[h.v.n][n]
	}
	d.hands.Go(func() {
		a := asked{item: h.item, ns: ns}
		for _, err := range d.w.engine.Retry(d.w.t.Context(), d.eps[h.v.n].ProjectID, ids, force) {
			if err == nil {
				a.taken++
			}
		}
		a.at = time.Since(d.zero)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.asked[h.v.n] = append(d.asked[h.v.n], a)
	})
}

// lost lists what an operator retries when the endpoint is well again.
func (d *drive) lost(v *receiver) (ns []int) {
	d.mu.Lock()
	flying := -1
	if ts := d.tries[v.n]; len(ts) > 0 && ts[len(ts)-1].end == 0 {
		flying = ts[len(ts)-1].n
	}
	d.mu.Unlock()
	active := d.w.catalog.Snapshot().Endpoint(d.eps[v.n].ID).Status == event.EndpointActive
	for n, id := range d.ids[v.n] {
		if s := d.w.store.delivery(id).Status; active && n != flying && (s == event.Failure || s == event.Discarded) {
			ns = append(ns, n)
		}
	}
	return ns
}

// check compares each receiver's week with the model's.
func (d *drive) check(t *testing.T, forecasts []*model, sum *summary) {
	sum.mu.Lock()
	defer sum.mu.Unlock()
	sum.seeds++
	sum.outages += len(d.p.outages)
	for k, v := range d.p.receivers {
		r := d.result(k)
		m := newModel(d.p, v, d.zero, followMargin, 0)
		wrong := m.follow(d.tries[k], d.asked[k])
		if wrong == "" && m.doubt == "" {
			wrong = m.differs(r, followMargin)
		}
		if f := forecasts[k]; wrong == "" && f != nil {
			if wrong = f.differs(r, f.slackOfTimes()); wrong != "" {
				wrong = "otherwise than predicted: " + wrong
			}
		}
		if wrong != "" {
			t.Errorf("seed %d, %s\n%s\nattempts: %s\nhistory: %v", d.p.seed, wrong, d.p.describe(v), d.story(k), r.history)
		}
		sum.add(m, forecasts[k], d.tries[k], r)
	}
}

// slackOfTimes: of what is predicted whatever the order, times are not predicted.
func (m *model) slackOfTimes() time.Duration {
	if m.choices > 0 {
		return weekEnd
	}
	return m.margin
}

func (d *drive) result(k int) *result {
	ep := d.w.catalog.Snapshot().Endpoint(d.eps[k].ID)
	r := &result{status: ep.Status, history: ep.StatusHistory}
	for _, id := range d.ids[k] {
		r.ds = append(r.ds, d.w.store.delivery(id))
	}
	return r
}

// story tells of the attempts of a receiver.
func (d *drive) story(k int) string {
	var b strings.Builder
	last := try{n: -1}
	for i, t := range d.tries[k] {
		if t.n != last.n || t.number != last.number { // else the last was a local failure
			fmt.Fprintf(&b, " %s #%d.%d %s;", t.start, t.n, t.number, t.got)
		}
		if last = t; b.Len() > 10_000 {
			fmt.Fprintf(&b, " and %d more", len(d.tries[k])-i-1)
			break
		}
	}
	return b.String()
}

// summary adds up what happened in all weeks.
type summary struct {
	mu sync.Mutex

	seeds, outages, endpoints, predictedEndpoints int
	deliveries, predicted, unclear                int
	attempts, byHand, opened                      int
	latest                                        time.Duration // of an attempt that could have been made
	ends, turns, doubts                           map[string]int
}

func newSummary() *summary {
	return &summary{ends: make(map[string]int), turns: make(map[string]int), doubts: make(map[string]int)}
}

func (s *summary) add(m, forecast *model, tries []try, r *result) {
	s.endpoints++
	s.deliveries += len(r.ds)
	s.attempts += len(tries)
	s.opened += m.opened
	s.latest = max(s.latest, m.latest)
	for _, t := range tries {
		if t.manual {
			s.byHand++
		}
	}
	for i := range r.ds {
		s.ends[strings.TrimSpace(r.ds[i].Status.String()+" "+classOf(r.ds[i].Reason))]++
	}
	for _, h := range m.history {
		s.turns[string(h.to)+", "+h.why]++
	}
	if m.doubt != "" {
		s.unclear += len(r.ds)
		_, why, _ := strings.Cut(m.doubt, ": ")
		s.doubts[why]++
	} else if forecast != nil {
		s.predicted += len(r.ds)
		s.predictedEndpoints++
	}
}

func (s *summary) String() string {
	return fmt.Sprintf(`%d seeds of %d receivers for %s each, with %d restarts and handovers
%d deliveries: %s
%d attempts, %d of them by hand; the latest came %s after it could
%d deliveries (%d%%) of %d endpoints (%d%%) were predicted before the engine ran, %d were followed only, %d are unclear: %s
endpoints became: %s; their breakers opened %d times`,
		s.seeds, receiversPerWeek, weekEnd, s.outages,
		s.deliveries, listed(s.ends),
		s.attempts, s.byHand, s.latest,
		s.predicted, percent(s.predicted, s.deliveries), s.predictedEndpoints, percent(s.predictedEndpoints, s.endpoints),
		s.deliveries-s.predicted-s.unclear, s.unclear, listed(s.doubts),
		listed(s.turns), s.opened)
}

func percent(n, of int) int { return n * 100 / max(of, 1) }

func listed(counts map[string]int) string {
	names := slices.Sorted(maps.Keys(counts))
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", counts[name], name)
	}
	return strings.Join(names, "; ")
}

// verdict complains if the weeks did not show what they are there to show.
func (s *summary) verdict(t *testing.T) {
	if s.predicted*2 < s.deliveries || s.unclear*100 > s.deliveries {
		t.Errorf("too little was predicted, or too much is unclear")
	}
	for _, end := range []string{
		"Success", "Failure", "Failure 410", "Failure final", "Failure once", "Failure old", "Discarded paused", "Discarded inactive", "Retry",
	} {
		if s.ends[end] == 0 {
			t.Errorf("no delivery ended as %q", end)
		}
	}
	for _, turn := range []string{
		"inactive, 410", "inactive, exhausted", "inactive, consecutive", "inactive, window", "inactive, breaker", "inactive, probe failed",
		"inactive, operator", "pending, by hand", "active, probe succeeded", "active, operator", "paused, operator",
	} {
		if s.turns[turn] == 0 {
			t.Errorf("no endpoint became %s", turn)
		}
	}
}

package engine

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"posthaste/event"
)

const (
	day     = 24 * time.Hour
	weekEnd = 7 * day
	// beat is the rhythm of the week. Events are posted on beats, and waits and
	// most answers take whole beats, so most attempts begin on one, a little late. What
	// the operator does, and a receiver's change of mind, falls between beats, each of
	// an endpoint's actions at a distance of its own. So it is rare that the
	// engine's lateness, a millisecond or two for each retry, decides what comes first.
	beat = 5 * time.Second

	edgePhase   = 1200 * time.Millisecond // where receivers change their minds
	actionPhase = 1500 * time.Millisecond // where an endpoint's first action is
	actionStep  = 230 * time.Millisecond  // no two of them a whole second apart
	outagePhase = 4250 * time.Millisecond

	maxActions = 11
)

// answer is what a receiver does with one attempt.
type answer struct {
	status int
	class  event.ErrorClass
	after  time.Duration // its Retry-After
	takes  time.Duration
}

func (a answer) ok() bool { return a.class == event.ClassNone }

func (a answer) String() string {
	s := a.class.String()
	if a.status != 0 {
		s = fmt.Sprint(a.status)
	}
	if a.after > 0 {
		s += fmt.Sprintf(", Retry-After %s", a.after)
	}
	if a.takes > 0 {
		s += fmt.Sprintf(", after %s", a.takes)
	}
	return s
}

func says(status int) answer {
	if status >= 200 && status <= 299 {
		return answer{status: status}
	}
	return answer{status: status, class: event.ClassStatus}
}

// script is a receiver: what it answers to the attempt of that number, counted
// from 1, of its n-th event, so long after the week began.
type script func(at time.Duration, n, number int) answer

func always(a answer) script {
	return func(time.Duration, int, int) answer { return a }
}

func during(spans []span, inside, outside script) script {
	return func(at time.Duration, n, number int) answer {
		if slices.ContainsFunc(spans, func(s span) bool { return at >= s.from && at < s.to }) {
			return inside(at, n, number)
		}
		return outside(at, n, number)
	}
}

type span struct{ from, to time.Duration }

// receiver is an endpoint of the week: what it answers, how it is set up, and what
// happens to it.
type receiver struct {
	n        int
	kind     string
	like     string // its script in words
	script   script
	project  int
	strategy *event.Strategy // nil: the project's
	once     bool
	rate     [2]int // so many in so many seconds; 0: no limit
	timeline []item
	posts    int
}

// item is something that happens to an endpoint.
type item struct {
	at   time.Duration
	kind itemKind
	n    int // which event: of a post or a retry by hand
}

type itemKind uint8

const (
	post       itemKind = iota
	pause               // if it is active
	unpause             // if it is paused
	activate            // if it is inactive or pending
	deactivate          // if it is active
	again               // a retry by hand
	forced              // a forced resend
	allAgain            // if it is active: a retry of all that failed or was discarded
	stop                // the engine stops, for all endpoints
	start               // and starts
	end                 // of the week
)

var itemText = [...]string{"post", "pause", "unpause", "activate", "deactivate", "retry", "force", "retry all", "stop", "start", "end"}

func (i item) String() string {
	s := fmt.Sprintf("%s %s", i.at, itemText[i.kind])
	if i.kind == post || i.kind == again || i.kind == forced {
		s += fmt.Sprintf(" #%d", i.n)
	}
	return s
}

// week is all that is drawn from a seed.
type week struct {
	seed      uint64
	options   Options
	projects  []event.ProjectConfig
	receivers []*receiver
	outages   []span
}

func newWeek(seed uint64, receivers int) *week {
	r := rand.New(rand.NewPCG(seed, 0))
	p := &week{seed: seed}
	p.options = Options{
		EndpointCap: 1, // the model's attempts follow one another
		Shards:      1 + r.IntN(3), Window: 1 << r.IntN(10), Eager: 1 + r.IntN(32), QueueBytes: 1 << (8 + r.IntN(16)),
		MaxInFlight: 1000, MarkEvery: time.Duration(60+r.IntN(7200)) * time.Second,
	}
	for i := range r.IntN(3) {
		from := drawAt(r, beat, 6*day) + outagePhase + time.Duration(i)*actionStep
		p.outages = append(p.outages, span{from, from + time.Duration(8+r.IntN(720))*beat})
	}
	if len(p.outages) == 2 && p.outages[0].from > p.outages[1].from-2*time.Hour && p.outages[1].from > p.outages[0].from-2*time.Hour {
		p.outages = p.outages[:1]
	}
	p.projects = drawProjects(r)
	for n := range receivers {
		p.receivers = append(p.receivers, p.draw(n))
	}
	return p
}

// drawProjects draws a project of each kind.
func drawProjects(r *rand.Rand) []event.ProjectConfig {
	all := make([]event.ProjectConfig, 6)
	for i := range all {
		c := event.DefaultProjectConfig()
		c.Strategy = *drawStrategy(r)
		all[i] = c
	}
	for _, i := range []int{1, 2, 3, 5} {
		all[i].DisableEndpoint = true
	}
	all[1].DeadEndpoint = event.DeadEndpointConfig{Strategy: event.DeadExhausted}
	all[2].DeadEndpoint = event.DeadEndpointConfig{Strategy: event.DeadConsecutive, Count: 2 + r.IntN(25)}
	all[3].DeadEndpoint = event.DeadEndpointConfig{Strategy: event.DeadWindow, Count: 2 + r.IntN(9), Window: 1 + 5*(12+r.IntN(20_000))}
	for _, i := range []int{4, 5} {
		b := event.CircuitBreakerConfig{
			Enabled: true, SampleRate: 1 + 5*r.IntN(12), ErrorTimeout: 5 * (1 + r.IntN(200)), FailureThreshold: 20 + r.IntN(81),
			SuccessThreshold: 5 * (1 + r.IntN(4)), MinimumRequestCount: 2 + r.IntN(6), ObservabilityWindow: 1 + r.IntN(300),
			ConsecutiveFailureThreshold: 2 + r.IntN(20),
		}
		all[i].CircuitBreaker = b
	}
	return all
}

// drawAt is a beat between two times.
func drawAt(r *rand.Rand, from, to time.Duration) time.Duration {
	return from/beat*beat + time.Duration(r.Int64N(int64((to-from)/beat)))*beat
}

// drawLong is a number of beats; short ones are as likely as long ones.
func drawLong(r *rand.Rand, least, most time.Duration) time.Duration {
	f := math.Exp(math.Log(float64(least)) + r.Float64()*math.Log(float64(most)/float64(least)))
	return max(1, time.Duration(f)/beat) * beat
}

// drawSpans draws times in which a receiver is another.
func drawSpans(r *rand.Rand, n int, least, most time.Duration) []span {
	spans := make([]span, n)
	for i := range spans {
		from := drawAt(r, 0, weekEnd) + edgePhase
		spans[i] = span{from, from + drawLong(r, least, most)}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return spans
}

func drawStrategy(r *rand.Rand) *event.Strategy {
	none := 0
	s := &event.Strategy{Jitter: &none, RetryCount: 1 + r.IntN(12)}
	switch r.IntN(5) {
	case 0:
		s.Type, s.Duration = event.StrategyLinear, 5<<r.IntN(10)
	case 1:
		s.Type, s.Duration, s.MaxDuration = event.StrategyExponential, 5<<r.IntN(5), []int{0, 60, 600, 3600}[r.IntN(4)]
	case 2:
		s.Type = event.StrategySchedule
		for range 1 + r.IntN(6) {
			s.Schedule = append(s.Schedule, int(drawLong(r, 5*time.Second, 12*time.Hour)/time.Second))
		}
	case 3:
		s.Type, s.ScheduleName = event.StrategySchedule, event.ScheduleConvoy
	case 4:
		s.Type, s.ScheduleName = event.StrategySchedule, event.ScheduleStandard
	}
	if s.Type == event.StrategySchedule && r.IntN(3) > 0 {
		s.RetryCount = 0 // one more than it has steps
	}
	if r.IntN(4) == 0 {
		s.MaxAge = 1 + int(drawLong(r, time.Minute, 3*day)/time.Second)
	}
	for _, status := range []int{302, 404, 500, 503} {
		if r.IntN(10) == 0 {
			s.NoRetryStatuses = append(s.NoRetryStatuses, status)
		}
	}
	return s
}

// draw draws a receiver and what happens to it.
func (p *week) draw(n int) *receiver {
	r := rand.New(rand.NewPCG(p.seed, uint64(n+1)))
	v := &receiver{n: n, kind: kinds[n%len(kinds)].name, project: r.IntN(len(p.projects))}
	v.script, v.like = kinds[n%len(kinds)].draw(r)
	if r.IntN(2) == 0 {
		v.strategy = drawStrategy(r)
	}
	v.once = r.IntN(6) == 0
	switch r.IntN(6) {
	case 0:
		v.rate = [2]int{100 + r.IntN(1000), 60}
	case 1:
		v.rate = [2]int{1 + r.IntN(6), 60}
	}
	v.drawPosts(r)
	v.drawActions(r)
	v.timeline = slices.DeleteFunc(v.timeline, p.tooNear)
	slices.SortFunc(v.timeline, func(a, b item) int { return cmp.Compare(a.at, b.at) })
	for i := range v.timeline {
		if v.timeline[i].kind == post {
			v.timeline[i].n = v.posts
			v.posts++
		}
	}
	v.drawHands(r, p)
	for _, o := range p.outages {
		v.timeline = append(v.timeline, item{at: o.from, kind: stop}, item{at: o.to, kind: start})
	}
	v.timeline = append(v.timeline, item{at: weekEnd, kind: end})
	slices.SortFunc(v.timeline, func(a, b item) int { return cmp.Compare(a.at, b.at) })
	return v
}

// tooNear: nothing else happens while the engine is down.
func (p *week) tooNear(i item) bool {
	return slices.ContainsFunc(p.outages, func(o span) bool { return i.at > o.from-beat && i.at < o.to+beat })
}

func (v *receiver) drawPosts(r *rand.Rand) {
	times := make(map[time.Duration]bool)
	for range 8 + r.IntN(20) {
		at := drawAt(r, beat, weekEnd-time.Hour)
		times[at] = true
		if r.IntN(5) > 0 {
			continue
		}
		for range 1 + r.IntN(8) {
			at += time.Duration(1+r.IntN(20)) * beat
			times[at] = true
		}
	}
	for at := range times {
		v.timeline = append(v.timeline, item{at: at, kind: post})
	}
}

// drawActions draws what the operator does to the endpoint.
func (v *receiver) drawActions(r *rand.Rand) {
	actions := 0
	act := func(at time.Duration, kind itemKind) time.Duration {
		at = at/beat*beat + actionPhase + time.Duration(actions)*actionStep
		actions++
		v.timeline = append(v.timeline, item{at: at, kind: kind})
		return at
	}
	if r.IntN(3) == 0 {
		at := act(drawAt(r, beat, 6*day), pause)
		act(at+drawLong(r, time.Minute, day), unpause)
	}
	if r.IntN(10) == 0 {
		act(drawAt(r, beat, 6*day), deactivate)
	}
	for range 1 + r.IntN(3) {
		at := act(drawAt(r, day, weekEnd-day), activate)
		if r.IntN(2) == 0 {
			act(at+drawLong(r, 10*time.Minute, 6*time.Hour), allAgain)
		}
	}
}

// drawHands draws retries by hand: of events that were posted not long before, as
// a rule.
func (v *receiver) drawHands(r *rand.Rand, p *week) {
	hands := r.IntN(3)
	for i := range hands {
		n := r.IntN(v.posts)
		k := slices.IndexFunc(v.timeline, func(i item) bool { return i.kind == post && i.n == n })
		h := item{at: v.timeline[k].at + drawLong(r, beat, 3*day), kind: again, n: n}
		h.at = h.at/beat*beat + actionPhase + time.Duration(maxActions-hands+i)*actionStep
		if r.IntN(5) == 0 {
			h.kind = forced
		}
		if h.at < weekEnd-time.Hour && !p.tooNear(h) {
			v.timeline = append(v.timeline, h)
		}
	}
}

// kinds are the kinds of receivers; there are as many of each.
var kinds = []struct {
	name string
	draw func(r *rand.Rand) (script, string)
}{
	{"up", func(*rand.Rand) (script, string) { return always(says(200)), "always 200" }},
	{"slow", drawSlow},
	{"down", func(r *rand.Rand) (script, string) {
		spans, a := drawSpans(r, 1+r.IntN(6), 10*time.Minute, 3*day), drawFailure(r)
		return during(spans, always(a), always(says(200))), fmt.Sprintf("%s in %v", a, spans)
	}},
	{"flapping", func(r *rand.Rand) (script, string) {
		period, a := drawLong(r, time.Minute, day), drawFailure(r)
		up := time.Duration(1+r.Int64N(int64(period/beat))) * beat
		return func(at time.Duration, _, _ int) answer {
			if (at+period-edgePhase)%period < up {
				return says(200)
			}
			return a
		}, fmt.Sprintf("200 for %s of %s, else %s", up, period, a)
	}},
	{"gone", func(r *rand.Rand) (script, string) {
		spans, bad := drawSpans(r, 1, 3*time.Hour, 6*day), drawSpans(r, r.IntN(3), time.Hour, day)
		return during(spans, always(says(410)), during(bad, always(says(500)), always(says(200)))), fmt.Sprintf("410 in %v, 500 in %v", spans, bad)
	}},
	{"asking", drawAsking},
	{"mute", func(r *rand.Rand) (script, string) {
		spans := drawSpans(r, 1+r.IntN(6), 10*time.Minute, 2*day)
		a := answer{class: event.ClassTimeout, takes: time.Duration(1+r.IntN(6)) * beat}
		return during(spans, always(a), always(says(202))), fmt.Sprintf("%s in %v", a, spans)
	}},
	{"refusing", func(r *rand.Rand) (script, string) {
		spans, a := drawSpans(r, 1+r.IntN(6), 10*time.Minute, 2*day), answer{class: event.ClassConnect}
		return during(spans, always(a), always(says(204))), fmt.Sprintf("%s in %v", a, spans)
	}},
	{"swizzled", drawSwizzled},
	{"broken", func(*rand.Rand) (script, string) { return always(says(500)), "always 500" }},
	{"stubborn", func(r *rand.Rand) (script, string) {
		least, a := 1+r.IntN(8), drawFailure(r)
		return func(_ time.Duration, _, number int) answer {
			if number <= least {
				return a
			}
			return says(200)
		}, fmt.Sprintf("%s to the first %d attempts", a, least)
	}},
	{"starved", func(r *rand.Rand) (script, string) { // of sockets, on our side
		spans, bad := drawSpans(r, 6, time.Minute, 20*time.Minute), drawSpans(r, 2, time.Hour, day)
		return during(spans, always(answer{class: event.ClassLocal}), during(bad, always(says(500)), always(says(200)))),
			fmt.Sprintf("local failures in %v, 500 in %v", spans, bad)
	}},
}

func drawFailure(r *rand.Rand) answer {
	return says([]int{500, 502, 503, 504, 404, 302, 429}[r.IntN(7)])
}

func drawSlow(r *rand.Rand) (script, string) {
	beats, bad, seed := r.IntN(3) > 0, r.IntN(5), r.Uint64()
	return func(_ time.Duration, n, number int) answer {
		h := mix(seed, n, number)
		a := says(200)
		if h>>32%10 < uint64(bad) {
			a = says(500)
		}
		a.takes = 200*time.Millisecond + time.Duration(h%29_801)*time.Millisecond
		if beats {
			a.takes = (a.takes/beat + 1) * beat
		}
		return a
	}, fmt.Sprintf("%d in 10 are 500, in whole beats: %t", bad, beats)
}

// drawAsking draws a receiver that asks to be left alone at times.
func drawAsking(r *rand.Rand) (script, string) {
	spans, status := drawSpans(r, 1+r.IntN(5), time.Minute, day), []int{429, 503}[r.IntN(2)]
	seed, most := r.Uint64(), drawLong(r, time.Minute, 12*time.Hour)
	if r.IntN(4) == 0 {
		most = 60 * time.Hour // longer than it is heeded
	}
	return during(spans, func(_ time.Duration, n, number int) answer {
		a := says(status)
		if h := mix(seed, n, number); h%4 > 0 {
			a.after = time.Duration(1+h>>8%uint64(most/beat)) * beat
		}
		return a
	}, always(says(200))), fmt.Sprintf("%d, Retry-After up to %s, in %v", status, most, spans)
}

// drawSwizzled draws a receiver that does anything, by the event and the attempt.
func drawSwizzled(r *rand.Rand) (script, string) {
	seed, good := r.Uint64(), 2+r.IntN(12)
	mood := []answer{
		says(500), says(502), says(404), says(302), says(429), says(503), {class: event.ClassConnect}, {class: event.ClassDNS},
		{class: event.ClassReset, takes: beat}, {class: event.ClassTimeout, takes: 2 * beat}, {class: event.ClassTLS}, {class: event.ClassMalformed},
		{class: event.ClassStatus, status: 429, after: 10 * time.Minute}, {class: event.ClassStatus, status: 503, after: beat},
		{class: event.ClassAuth}, {class: event.ClassBlocked},
	}
	return func(_ time.Duration, n, number int) answer {
		h := mix(seed, n, number)
		if h>>32%500 == 0 {
			return says(410)
		}
		if i := h % uint64(len(mood)+good); i < uint64(len(mood)) {
			return mood[i]
		}
		a := says(201)
		a.takes = time.Duration(h>>16%3) * beat
		return a
	}, fmt.Sprintf("%d of %d are 201", good, len(mood)+good)
}

// mix is a number drawn for an attempt of an event.
func mix(seed uint64, n, number int) uint64 {
	x := seed ^ uint64(n)<<20 ^ uint64(number)
	for range 2 {
		x += 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return x
}

// describe writes down all about a receiver that repeating a failure takes.
func (p *week) describe(v *receiver) string {
	var b strings.Builder
	c := &p.projects[v.project]
	fmt.Fprintf(&b, "receiver %d, %s: %s\n", v.n, v.kind, v.like)
	fmt.Fprintf(&b, "strategy %+v, at most once %t, rate %v\n", *p.strategyOf(v), v.once, v.rate)
	fmt.Fprintf(&b, "project %d: disables %t, dead %+v, breaker %+v\n", v.project, c.DisableEndpoint, c.DeadEndpoint, c.CircuitBreaker)
	fmt.Fprintf(&b, "timeline:")
	for _, i := range v.timeline {
		fmt.Fprintf(&b, " %s;", i)
	}
	return b.String()
}

func (p *week) strategyOf(v *receiver) *event.Strategy {
	if v.strategy != nil {
		return v.strategy
	}
	return &p.projects[v.project].Strategy
}

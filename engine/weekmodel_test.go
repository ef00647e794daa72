package engine

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"posthaste/event"
)

// model is what the documents say about one endpoint whose attempts follow one
// another: the rules of retries, of endpoint states and of dead endpoints, written
// down a second time, without a queue, a log or a clock. Times count from the
// beginning of the week.
//
// It is used in two ways, see predict and follow.
type model struct {
	v        *receiver
	project  *event.ProjectConfig
	strategy *event.Strategy
	zero     time.Time     // the beginning of the week
	margin   time.Duration // what is nearer than this may have come in either order
	late     time.Duration // how much later than at its times the engine may be

	now     time.Duration
	ds      []entry
	status  event.EndpointStatus
	history []turn
	flying  int  // the delivery of which an attempt is on its way; -1: none
	probing bool // that began while the endpoint was pending
	down    bool // the engine does not run

	failures     int           // in a row
	since, until time.Duration // the first of them; the end of what it asked for
	nap          time.Duration // the end of a pause after a failure on our side
	ramp         time.Duration // when its slow start began; never: there is none
	ramped       int           // attempts since
	tat          time.Duration // of its rate limit, in the terms of GCRA
	breaker      modelBreaker

	opened  int           // how often the breaker did
	latest  time.Duration // how long something that could be sent waited at most, while followed
	choices int           // how often there were several deliveries to choose from
	doubt   string        // why it cannot be told what has to happen
}

// entry is a delivery.
type entry struct {
	status   event.Status
	why      string // a class of reasons, see classOf
	attempts int
	limit    int
	created  time.Duration
	due      time.Duration // nothing is sent before
	manual   bool
	starts   []time.Duration // of its attempts
}

// turn is a change of the endpoint's state.
type turn struct {
	at  time.Duration
	to  event.EndpointStatus
	why string
}

const never = time.Duration(math.MaxInt64)

// rampTime is how long a slow start takes until it is faster than these tests look.
const rampTime = 130 * time.Second

func newModel(p *week, v *receiver, zero time.Time, margin, late time.Duration) *model {
	return &model{
		v: v, project: &p.projects[v.project], strategy: p.strategyOf(v), zero: zero, margin: margin, late: late,
		status: event.EndpointActive, flying: -1, ramp: never,
	}
}

func (m *model) doubts(format string, args ...any) {
	if m.doubt == "" {
		m.doubt = fmt.Sprintf("at %s: ", m.now) + fmt.Sprintf(format, args...)
	}
}

// near reports whether two times are too near to one another to tell which came first.
func (m *model) near(a, b time.Duration) bool { return (a - b).Abs() < m.margin }

// The rules of a delivery.

func (m *model) limit() int {
	s := m.strategy
	if s.Type == event.StrategySchedule && s.RetryCount == 0 {
		return len(m.schedule()) + 1
	}
	return s.RetryCount
}

func (m *model) schedule() []int {
	switch m.strategy.ScheduleName {
	case event.ScheduleConvoy:
		return []int{10, 30, 60, 180, 300, 600, 900}
	case event.ScheduleStandard:
		return []int{5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600}
	}
	return m.strategy.Schedule
}

// wait is the time from the end of the n-th attempt to the next.
func (m *model) wait(n int) time.Duration {
	s := m.strategy
	seconds := s.Duration
	switch s.Type {
	case event.StrategyExponential:
		most := s.MaxDuration
		if most == 0 {
			most = 7200
		}
		for i := 1; i < n && seconds < most; i++ {
			seconds *= 2
		}
		seconds = min(seconds, most)
	case event.StrategySchedule:
		list := m.schedule()
		seconds = list[min(n, len(list))-1]
	}
	return time.Duration(seconds) * time.Second
}

// land ends the attempt that is on its way.
func (m *model) land(at time.Duration, a answer) {
	d := &m.ds[m.flying]
	m.now, m.flying = at, -1
	if a.class == event.ClassLocal { // that was no attempt
		if m.v.once {
			d.status, d.due = event.Retry, at+time.Second
		} else {
			m.nap = at + time.Second
		}
		return
	}
	d.attempts++
	if d.limit == 0 {
		d.limit = m.limit()
	}
	if a.ok() {
		d.status, d.why, d.manual = event.Success, "", false
		m.praise(at)
		return
	}
	d.why, d.manual = m.lastWord(d, a, at), false
	d.status, d.due = event.Retry, at+max(m.wait(d.attempts), min(a.after, day))
	if d.why != "" || d.attempts >= d.limit {
		d.status = event.Failure
	}
	m.blame(d, a, at)
}

func (m *model) lastWord(d *entry, a answer, at time.Duration) string {
	age, most := at-d.created, 30*day
	if m.strategy.MaxAge > 0 {
		most = time.Duration(m.strategy.MaxAge) * time.Second
	}
	switch {
	case a.status == 410:
		return "410"
	case slices.Contains(m.strategy.NoRetryStatuses, a.status):
		return "final"
	case m.v.once && wentOut(a):
		return "once"
	case d.attempts >= d.limit:
		return ""
	}
	if m.near(age, most) {
		m.doubts("a delivery is about as old as it may be")
	}
	if age >= most {
		return "old"
	}
	return ""
}

// wentOut: the request was sent, so the event may have arrived.
func wentOut(a answer) bool {
	return a.status != 0 || a.class == event.ClassTimeout || a.class == event.ClassReset || a.class == event.ClassMalformed
}

// The rules of the endpoint.

func (m *model) praise(at time.Duration) {
	m.failures = 0
	if m.project.CircuitBreaker.Enabled && m.breaker.succeeded(m, at) {
		m.ramp, m.ramped, m.until = at, 0, 0
	}
	if m.probing && m.status == event.EndpointPending {
		m.turn(at, event.EndpointActive, "probe succeeded")
	}
}

func (m *model) blame(d *entry, a answer, at time.Duration) {
	if m.failures == 0 {
		m.since = at
	}
	m.failures++
	if a.after > 0 {
		m.until = max(m.until, at+min(a.after, day))
	}
	if m.project.CircuitBreaker.Enabled {
		m.breaker.failed(m, at, a.status == 0)
	}
	why := m.dead(d, a, at)
	if why == "" || m.status != event.EndpointActive && m.status != event.EndpointPending {
		return
	}
	if m.down {
		m.doubts("the endpoint dies while the engine stops: whether that is written is not known")
	}
	m.turn(at, event.EndpointInactive, why)
}

// dead says why the endpoint is to be disabled; "" if it is not.
func (m *model) dead(d *entry, a answer, at time.Duration) string {
	b, rule := &m.project.CircuitBreaker, &m.project.DeadEndpoint
	switch {
	case a.status == 410:
		return "410"
	case m.probing:
		return "probe failed"
	case b.Enabled && m.breaker.trips >= b.ConsecutiveFailureThreshold:
		return "breaker"
	case !m.project.DisableEndpoint:
		return ""
	}
	switch rule.Strategy {
	case event.DeadConsecutive:
		if m.failures >= rule.Count {
			return "consecutive"
		}
	case event.DeadWindow:
		window := time.Duration(rule.Window) * time.Second
		if m.failures < rule.Count {
			return ""
		}
		if m.near(at-m.since, window) {
			m.doubts("it has failed for about as long as it may")
		}
		if at-m.since >= window {
			return "window"
		}
	default:
		if d.status == event.Failure && d.attempts >= d.limit {
			return "exhausted"
		}
	}
	return ""
}

// turn changes the endpoint's state.
func (m *model) turn(at time.Duration, to event.EndpointStatus, why string) {
	m.history = append(m.history, turn{at, to, why})
	back := to == event.EndpointActive && m.status != event.EndpointPaused
	m.status, m.nap = to, 0
	if back || to == event.EndpointInactive {
		m.failures, m.since, m.until, m.breaker, m.ramp = 0, 0, 0, modelBreaker{}, never
	}
	if back {
		m.ramp, m.ramped = at, 0
	}
}

// barred says why a delivery is discarded, as the endpoint is now; "" if it is not.
func (m *model) barred(d *entry) string {
	if m.status == event.EndpointInactive || m.status == event.EndpointPending && !d.manual {
		return "inactive"
	}
	return ""
}

// ready is when the next attempt of a delivery may begin, as things are now.
func (m *model) ready(n int) time.Duration {
	d := &m.ds[n]
	if !d.status.Owed() || m.flying >= 0 || m.down || m.status == event.EndpointPaused || m.barred(d) != "" {
		return never
	}
	t := max(d.due, m.now, m.until, m.nap, m.breaker.until)
	if m.v.rate[0] > 0 {
		_, tolerance := m.limits()
		t = max(t, m.tat-tolerance)
	}
	return t
}

// limits: the tokens of a rate limit come one by one, and a tenth of a second's
// worth of them, or two, may be saved.
func (m *model) limits() (interval, tolerance time.Duration) {
	interval = (time.Duration(m.v.rate[1])*time.Second-1)/time.Duration(m.v.rate[0]) + 1
	saved := min(max(2, int(100*time.Millisecond/interval)), m.v.rate[0])
	return interval, time.Duration(saved-1) * interval
}

// begin begins an attempt.
func (m *model) begin(n int, at time.Duration) {
	m.now, m.flying, m.probing = at, n, m.status == event.EndpointPending
	m.ds[n].starts = append(m.ds[n].starts, at)
	m.ramped++
	if m.v.rate[0] > 0 {
		interval, _ := m.limits()
		m.tat = max(m.tat, at) + interval
	}
}

// nextBarred is when the next delivery is discarded, and which.
func (m *model) nextBarred() (at time.Duration, n int) {
	at = never
	for i := range m.ds {
		d := &m.ds[i]
		if t := max(d.due, m.now); d.status.Owed() && !m.down && i != m.flying && t < at && m.barred(d) != "" {
			at, n = t, i
		}
	}
	return at, n
}

func (m *model) discard(n int, at time.Duration) {
	d := &m.ds[n]
	m.now = at
	d.status, d.why, d.manual = event.Discarded, m.barred(d), false
}

// apply makes an item of the timeline happen. It reports whether a retry by hand was
// taken.
func (m *model) apply(i item, at time.Duration) bool {
	m.now = at
	switch i.kind {
	case post:
		d := entry{created: at, due: at}
		if m.status != event.EndpointActive {
			d.status, d.why = event.Discarded, "inactive"
			if m.status == event.EndpointPaused {
				d.why = "paused"
			}
		}
		m.ds = append(m.ds, d)
	case pause, unpause, activate, deactivate:
		if to := target(i.kind, m.status); to != m.status {
			m.turn(at, to, "operator")
		}
	case again, forced:
		return m.again(i.n, i.kind == forced, at)
	case allAgain:
		for _, n := range m.lost() {
			m.again(n, false, at)
		}
	case stop:
		m.down = true
	case start: // health and breaker are remembered, but for the breaker's window
		m.down, m.nap, m.tat, m.ramp = false, 0, 0, never
		m.breaker = modelBreaker{trips: m.breaker.trips, until: m.breaker.until}
	}
	return true
}

// target is the state that an operator's action leads to.
func target(k itemKind, from event.EndpointStatus) event.EndpointStatus {
	switch {
	case k == pause && from == event.EndpointActive:
		return event.EndpointPaused
	case k == unpause && from == event.EndpointPaused:
		return event.EndpointActive
	case k == activate && (from == event.EndpointInactive || from == event.EndpointPending):
		return event.EndpointActive
	case k == deactivate && from == event.EndpointActive:
		return event.EndpointInactive
	}
	return from
}

// lost lists what an operator retries when an endpoint is well again.
func (m *model) lost() (ns []int) {
	for n := range m.ds {
		if s := m.ds[n].status; m.status == event.EndpointActive && n != m.flying && (s == event.Failure || s == event.Discarded) {
			ns = append(ns, n)
		}
	}
	return ns
}

func (m *model) again(n int, force bool, at time.Duration) bool {
	d := &m.ds[n]
	switch {
	case m.status == event.EndpointPaused:
		return false
	case d.status == event.Scheduled:
		return true // its first attempt is to come
	case force != (d.status == event.Success):
		return false
	}
	if m.status == event.EndpointInactive {
		m.turn(at, event.EndpointPending, "by hand")
	}
	d.status, d.why, d.manual, d.due = event.Retry, "", true, at
	return true
}

// modelBreaker is the circuit breaker of semantics.md 3.7 with Convoy's settings.
type modelBreaker struct {
	seen   []outcome     // while closed
	streak int           // attempts in a row without an answer, while closed
	looked time.Duration // the last evaluation that left it closed; 0: none
	trips  int           // 0: it is closed
	until  time.Duration // nothing is sent before
	good   int           // probes in a row that succeeded
}

type outcome struct {
	part   int64 // which tenth of the window
	failed bool
}

// succeeded reports whether the breaker closed again.
func (b *modelBreaker) succeeded(m *model, at time.Duration) bool {
	if b.trips == 0 {
		b.record(m, at, false)
		b.streak = 0
		return false
	}
	b.good++
	if b.good*5 < m.project.CircuitBreaker.SuccessThreshold { // percent of 20 probes
		return false
	}
	*b = modelBreaker{}
	return true
}

func (b *modelBreaker) failed(m *model, at time.Duration, silent bool) {
	c := &m.project.CircuitBreaker
	if b.trips == 0 {
		b.record(m, at, true)
		b.streak++
		if !silent {
			b.streak = 0
		}
		if b.streak < 5 && !b.tooMany(m, at) {
			return
		}
	}
	m.opened++
	*b = modelBreaker{trips: b.trips + 1, until: at + time.Duration(c.ErrorTimeout)*time.Second}
}

// record adds an outcome and forgets those that are ten parts old.
func (b *modelBreaker) record(m *model, at time.Duration, failed bool) {
	width := int64(m.project.CircuitBreaker.ObservabilityWindow) * int64(time.Minute) / 10
	part := (m.zero.UnixNano() + int64(at)) / width
	if part != (m.zero.UnixNano()+int64(at+m.late))/width {
		m.doubts("a part of the breaker's window ends")
	}
	b.seen = slices.DeleteFunc(b.seen, func(o outcome) bool { return o.part <= part-10 })
	if len(b.seen) == 0 {
		b.streak, b.looked = 0, 0
	}
	b.seen = append(b.seen, outcome{part, failed})
}

func (b *modelBreaker) tooMany(m *model, at time.Duration) bool {
	c := &m.project.CircuitBreaker
	if len(b.seen) < c.MinimumRequestCount {
		return false
	}
	sample := time.Duration(c.SampleRate) * time.Second
	if b.looked != 0 && (at-b.looked-sample).Abs() < m.late {
		m.doubts("the breaker is about to be looked at again")
	}
	if b.looked != 0 && at-b.looked < sample {
		return false
	}
	failed := 0
	for _, o := range b.seen {
		if o.failed {
			failed++
		}
	}
	b.looked = at
	return failed*100 >= len(b.seen)*c.FailureThreshold
}

// classOf is a reason that was recorded in a word.
func classOf(reason string) string {
	for _, c := range []struct{ part, class string }{
		{"410", "410"}, {"status that is not retried", "final"}, {"at most once", "once"}, {"older than", "old"},
		{"is paused", "paused"}, {"is inactive", "inactive"}, {"stopped during", "cut short"},
		{"by hand succeeded", "probe succeeded"}, {"by hand failed", "probe failed"}, {"is retried by hand", "by hand"},
		{"circuit breaker", "breaker"}, {"in a row failed", "consecutive"}, {"nothing but failures", "window"},
		{"its limit", "exhausted"},
	} {
		if strings.Contains(reason, c.part) {
			return c.class
		}
	}
	return reason
}

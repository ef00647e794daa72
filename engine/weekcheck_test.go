package engine

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"posthaste/event"
)

const (
	// predictMargin is more than a chain of retries is late by.
	predictMargin = 200 * time.Millisecond
	// followMargin is more than one retry is late by.
	followMargin = 20*time.Millisecond + retryPace
	// rampSlack is how long a slow start holds one delivery up.
	rampSlack = time.Second
)

// try is an attempt that the engine made.
type try struct {
	n, number  int
	manual     bool
	start, end time.Duration
	got        answer
}

// asked is a retry by hand, or a batch of them.
type asked struct {
	item  item
	at    time.Duration // when the engine had answered
	ns    []int         // what was asked for
	taken int           // how many of them were
}

// predict works out, before the engine runs, how the week ends for the endpoint.
// Where several deliveries may be next, first chooses. There is a doubt where
// the engine's lateness may decide.
func (m *model) predict(first func(ns []int) int) {
	var landing time.Duration
	var a answer
	for items := m.v.timeline; len(items) > 0 && m.doubt == ""; {
		i := items[0]
		at, ns := m.nextStart()
		barredAt, barred := m.nextBarred()
		if m.flying >= 0 {
			at = landing
		}
		next := min(at, barredAt)
		postFirst := false
		if i.kind == post && next <= i.at && m.near(next, i.at) {
			m.choices++
			postFirst = first([]int{0, 1}) == 0
		}
		switch {
		case next > i.at || postFirst:
			m.foresee(i)
			items = items[1:]
			if i.kind == end && m.flying >= 0 {
				m.land(landing, a)
			}
		case i.kind != post && m.near(next, i.at):
			m.doubts("%s at about the time of an attempt", i)
		case barredAt == next:
			m.discard(barred, next)
		case m.flying >= 0:
			m.land(landing, a)
		default:
			n := ns[0]
			if len(ns) > 1 {
				m.choices++
				if !m.allSucceed(ns, at) {
					n = first(ns)
				}
			}
			a = m.predictStart(n, m.ready(n))
			landing = m.now + a.takes
		}
	}
}

// nextStart is when the next attempt may begin, and whose it may be.
func (m *model) nextStart() (at time.Duration, ns []int) {
	at = never
	for n := range m.ds {
		at = min(at, m.ready(n))
	}
	for n := range m.ds {
		if t := m.ready(n); t != never && t <= at+m.margin {
			ns = append(ns, n)
		}
	}
	return at, ns
}

// allSucceed: the order does not matter of deliveries that succeed at the same
// moment.
func (m *model) allSucceed(ns []int, at time.Duration) bool {
	if m.v.rate[0] > 0 || m.ramping(at) || m.status != event.EndpointActive || m.breaker.trips > 0 {
		return false
	}
	return !slices.ContainsFunc(ns, func(n int) bool {
		a, late := m.v.script(at, n, m.ds[n].attempts+1), m.v.script(at+m.late, n, m.ds[n].attempts+1)
		return !a.ok() || a != late || a.takes > 0
	})
}

func (m *model) foresee(i item) {
	switch d := i.n; {
	case i.kind != again && i.kind != forced:
	case m.flying == d:
		m.doubts("a retry of what is on its way")
	case m.ds[d].manual && m.ds[d].status.Owed():
		m.doubts("a retry of what waits for one")
	}
	m.apply(i, i.at)
}

func (m *model) predictStart(n int, at time.Duration) answer {
	a, late := m.v.script(at, n, m.ds[n].attempts+1), m.v.script(at+m.late, n, m.ds[n].attempts+1)
	if a != late {
		m.doubts("the receiver changes its mind")
	}
	if m.ramping(at) {
		for k := range m.ds {
			if s := m.ds[k].starts; len(s) > 0 && s[len(s)-1] >= m.ramp && at-s[len(s)-1] < rampSlack {
				m.doubts("a slow start")
			}
		}
	}
	m.begin(n, at)
	return a
}

func (m *model) ramping(at time.Duration) bool { return m.ramp != never && at < m.ramp+rampTime }

// follow goes through the week beside what the engine did. Each attempt must be one
// that the rules allow at its time; nothing that they allow may have waited; and the
// state after it is the rules'. The engine's choices are the order of deliveries that
// wait at the same time, and how late within the slack it is. It returns what is wrong.
func (m *model) follow(tries []try, hands []asked) (wrong string) {
	items := m.merge(hands)
	for k := range tries {
		t := &tries[k]
		if items, wrong = m.pass(items, hands, t.start, true); wrong != "" || m.doubt != "" {
			return wrong
		}
		if wrong = m.followStart(t); wrong != "" {
			return wrong
		}
		if items, wrong = m.pass(items, hands, t.end, false); wrong != "" || m.doubt != "" {
			return wrong
		}
		m.land(t.end, t.got)
	}
	_, wrong = m.pass(items, hands, weekEnd, true)
	return wrong
}

// merge puts retries by hand where the engine had answered them.
func (m *model) merge(hands []asked) []item {
	items := slices.Clone(m.v.timeline)
	for k := range items {
		for _, h := range hands {
			if h.item == items[k] {
				items[k].at = h.at
			}
		}
	}
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(a.at, b.at) })
	return items
}

// pass lets happen what comes before a time: items, and deliveries that are
// discarded. It stops at an attempt's start or end; what makes attempts possible
// comes before it.
func (m *model) pass(items []item, hands []asked, until time.Duration, starts bool) ([]item, string) {
	for len(items) > 0 && m.doubt == "" {
		i := items[0]
		if i.at > until || i.at == until && (!starts || i.kind == pause || i.kind == deactivate || i.kind == stop) {
			break
		}
		m.sweep(i.at, i.kind != post && i.kind != end)
		if at, ns := m.nextStart(); at < never && at+m.slack(at) < i.at {
			return items, fmt.Sprintf("delivery %d could have been sent at %s, and was not by %s", ns[0], at, i.at)
		}
		if wrong := m.followItem(i, hands); wrong != "" {
			return items, wrong
		}
		items = items[1:]
	}
	m.sweep(until, !starts && m.probing)
	return items, ""
}

// sweep discards what is to be discarded by a time. There is a doubt where what
// happens then may have come before it.
func (m *model) sweep(until time.Duration, doubtful bool) {
	for {
		at, n := m.nextBarred()
		if at > until {
			return
		}
		if doubtful && at > m.now && m.near(at, until) {
			m.doubts("a delivery is discarded at about the time when that may change")
		}
		m.discard(n, at)
	}
}

func (m *model) followItem(i item, hands []asked) string {
	k := slices.IndexFunc(hands, func(h asked) bool {
		h.item.at = h.at
		return h.item == i
	})
	if k < 0 {
		m.apply(i, i.at)
		return ""
	}
	h := &hands[k]
	if i.kind == allAgain {
		if want := m.lost(); !slices.Equal(h.ns, want) {
			return fmt.Sprintf("at %s deliveries %v had failed or been discarded, want %v", i.at, h.ns, want)
		}
	} else if d := &m.ds[i.n]; d.manual && d.status.Owed() {
		m.doubts("a retry of what waits for one")
	}
	if h.at-h.item.at >= manualPatience { // it waited for an attempt on its way in vain
		return ""
	}
	if !m.apply(i, i.at) {
		if h.taken > 0 {
			return fmt.Sprintf("%s was taken", i)
		}
	} else if h.taken < len(h.ns) {
		return fmt.Sprintf("%s was refused", i)
	}
	return ""
}

func (m *model) slack(at time.Duration) time.Duration {
	if m.ramping(at) {
		return followMargin + rampSlack
	}
	return followMargin
}

func (m *model) followStart(t *try) string {
	if t.n >= len(m.ds) {
		return fmt.Sprintf("attempt of delivery %d at %s, before it was posted", t.n, t.start)
	}
	d := &m.ds[t.n]
	at, first := m.ready(t.n), never
	for n := range m.ds {
		first = min(first, m.ready(n))
	}
	what := fmt.Sprintf("attempt %d of delivery %d at %s (%s)", t.number, t.n, t.start, t.got)
	switch {
	case m.flying >= 0:
		return what + " while another was on its way"
	case at == never:
		return fmt.Sprintf("%s was not allowed: the delivery is %s, the endpoint %s, the engine down %t", what, d.status, m.status, m.down)
	case t.start < at-time.Millisecond:
		return fmt.Sprintf("%s came too early: not before %s", what, at)
	case t.start > first+m.slack(first):
		return fmt.Sprintf("%s came late: something could be sent at %s", what, first)
	case t.number != d.attempts+1:
		return fmt.Sprintf("%s: it is number %d", what, d.attempts+1)
	case t.manual != d.manual:
		return fmt.Sprintf("%s: by hand %t, want %t", what, t.manual, d.manual)
	case t.got != m.v.script(t.start, t.n, t.number):
		return fmt.Sprintf("%s: want %s", what, m.v.script(t.start, t.n, t.number))
	}
	if !m.ramping(first) {
		m.latest = max(m.latest, t.start-first)
	}
	m.begin(t.n, t.start)
	return m.tooSoonAfter(t)
}

// tooSoonAfter: a slow start begins with one attempt a second, and two beside them.
func (m *model) tooSoonAfter(t *try) string {
	if most := 2 + int((t.start-m.ramp)/time.Second); t.start < m.ramp+10*time.Second && m.ramped > most {
		return fmt.Sprintf("%d attempts until %s, %s after the endpoint came back", m.ramped, t.start, t.start-m.ramp)
	}
	return ""
}

// result is how the week ended for an endpoint, as the engine's log and the
// catalog say.
type result struct {
	ds      []event.Delivery
	status  event.EndpointStatus
	history []event.StatusChange
}

// differs compares the model's end of the week with the engine's, times within
// slack. It returns the first difference.
func (m *model) differs(r *result, slack time.Duration) string {
	if len(r.ds) != len(m.ds) {
		return fmt.Sprintf("%d deliveries, want %d", len(r.ds), len(m.ds))
	}
	for n := range r.ds {
		got, want := &r.ds[n], &m.ds[n]
		have := fmt.Sprintf("%s after %d of %d attempts: %q", got.Status, got.Attempts, got.Limit, classOf(got.Reason))
		if must := fmt.Sprintf("%s after %d of %d attempts: %q", want.status, want.attempts, want.limit, want.why); have != must {
			return fmt.Sprintf("delivery %d, posted at %s, is %s; want %s", n, want.created, have, must)
		}
		if due := got.Due.Sub(m.zero); got.Status == event.Retry && !want.manual && (due-want.due).Abs() > slack {
			return fmt.Sprintf("delivery %d is due at %s, want %s", n, due, want.due)
		}
	}
	if r.status != m.status {
		return fmt.Sprintf("the endpoint is %s, want %s", r.status, m.status)
	}
	return m.historyDiffers(r.history, slack)
}

func (m *model) historyDiffers(got []event.StatusChange, slack time.Duration) string {
	want := m.history[max(0, len(m.history)-event.MaxStatusHistory):]
	if len(got) != len(want) {
		return fmt.Sprintf("%d changes of state, want %d: %v; %v", len(got), len(want), got, want)
	}
	for i := range got {
		g, w := turn{got[i].At.Sub(m.zero), got[i].To, classOf(got[i].Reason)}, want[i]
		if g.to != w.to || g.why != w.why || (g.at-w.at).Abs() > slack {
			return fmt.Sprintf("change %d of the state is %v, want %v", i, g, w)
		}
	}
	return ""
}

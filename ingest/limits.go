package ingest

import (
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
	"posthaste/ratelimit"
)

// Limits say how many events are taken in. They count events, not requests: a
// batch of n takes n tokens, all or none. One that is larger than a limit's
// burst is let through when the whole burst is there, and those after it wait
// until it is paid for. Events that repeat others count as well; those that are
// refused for their form do not. A limit's burst is what clients are told as
// X-RateLimit-Limit, so the natural one is the count: PerDuration(n, d, n).
//
// The zero value is no limit and costs nothing.
type Limits struct {
	Instance ratelimit.Limit // of all projects together
	Project  ratelimit.Limit // of each project that has none of its own

	// OfProject is the limit that a project has instead of Project; own is false if
	// it has none of its own, and an own limit that is Unlimited frees it of
	// Project's. It is called for every request, from any goroutine; nil: no project
	// has one.
	OfProject func(project event.ID) (l ratelimit.Limit, own bool)

	// MaxProjects is how many projects' states are remembered at a time, about 100
	// bytes each; beyond it some projects get their bursts back early. 0: 65536.
	MaxProjects int
}

const defaultMaxProjects = 1 << 16

// limiter keeps the states of the limits. A nil one limits nothing.
type limiter struct {
	o        Limits
	start    time.Time
	instance ratelimit.Bucket
	projects *ratelimit.Table
}

func newLimiter(o Limits) *limiter {
	if o.Instance.Unlimited() && o.Project.Unlimited() && o.OfProject == nil {
		return nil
	}
	defaultTo(&o.MaxProjects, defaultMaxProjects)
	return &limiter{o: o, start: time.Now(), projects: ratelimit.NewTable(o.MaxProjects)}
}

// standing is how a request's project stands with the limit that is tighter for
// it. A burst of 0: there is none.
type standing struct {
	burst int
	state ratelimit.State
}

// take asks for one token for each of n events. It refuses the request if they
// are not there. 0 events are never refused.
func (l *limiter) take(project event.ID, n int) (standing, *refusal) {
	if l == nil {
		return standing{}, nil
	}
	now := l.start.Add(time.Since(l.start)) // a clock that is never set back
	own := l.limitOf(project)
	of := standing{own.Burst(), l.projects.Take(project, own, n, now)}
	if of.state.Wait > 0 {
		return of, overRate(of.state.Wait)
	}
	all := standing{l.o.Instance.Burst(), l.instance.Take(l.o.Instance, n, now)}
	if all.state.Wait > 0 {
		l.projects.Give(project, own, n)
		return all, overRate(all.state.Wait)
	}
	if of.burst == 0 || all.burst > 0 && all.state.Remaining < of.state.Remaining {
		return all, nil
	}
	return of, nil
}

// give takes the tokens of n events back that were not accepted for no fault of
// theirs.
func (l *limiter) give(project event.ID, n int) {
	if l != nil && n > 0 {
		l.projects.Give(project, l.limitOf(project), n)
		l.instance.Give(l.o.Instance, n)
	}
}

// Admit takes a token for one event of a project that comes in another way, within
// the limits of the routes; if there is none it says when there will be. It may be
// called from any goroutine.
func (in *Ingest) Admit(project event.ID) (wait time.Duration) {
	of, over := in.limits.take(project, 1)
	if over == nil {
		return 0
	}
	return of.state.Wait
}

func (l *limiter) limitOf(project event.ID) ratelimit.Limit {
	if l.o.OfProject != nil {
		if limit, own := l.o.OfProject(project); own {
			return limit
		}
	}
	return l.o.Project
}

var (
	headerRateLimit     = []byte("X-Ratelimit-Limit")
	headerRateRemaining = []byte("X-Ratelimit-Remaining")
	headerRateReset     = []byte("X-Ratelimit-Reset")
)

// set tells the client how it stands: how many events may come at once, how many
// may come now, and the Unix time, in seconds, when it is the former again.
func (s *standing) set(h *fasthttp.ResponseHeader) {
	if s.burst == 0 {
		return
	}
	var buf [20]byte
	h.SetCanonical(headerRateLimit, appendUint(buf[:0], uint64(s.burst)))
	h.SetCanonical(headerRateRemaining, appendUint(buf[:0], uint64(s.state.Remaining)))
	full := time.Now().Add(s.state.Full + time.Second - 1)
	h.SetCanonical(headerRateReset, appendUint(buf[:0], uint64(full.Unix())))
}

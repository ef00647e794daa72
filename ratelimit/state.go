package ratelimit

import "time"

// State is how a limit stands after tokens were asked for.
type State struct {
	// Wait is 0 if the tokens are taken. Otherwise none is, and they will be there
	// after Wait if nobody else takes them first.
	Wait time.Duration
	// Remaining is how many tokens are there now, from 0 to the limit's burst.
	Remaining int
	// Full is how long it takes until the whole burst is there, if nothing is taken.
	Full time.Duration
}

// level is what is remembered of a limit by which many tokens are taken at a
// time. The zero value is a full bucket. Its owner serialises the calls.
type level struct {
	tat   int64
	limit Limit // the one that tat was made by
}

// take asks for n tokens of l at now, all or none. It never lets a bucket wait
// that could not hold n: it gives them when it is full, and the TAT moves on by
// all of them, so what goes beyond the burst is a debt.
func (v *level) take(l Limit, n int, now time.Time) State {
	if l.interval == 0 {
		return State{}
	}
	at := now.UnixNano()
	v.change(l, at)
	due := max(v.tat, at)
	if wait := l.wait(n, due-at); wait > 0 {
		return l.state(wait, due-at)
	}
	if n > 0 {
		due += saturatingMul(int64(n), l.interval)
		v.tat = due
	}
	return l.state(0, due-at)
}

// change puts another limit into force. Of what was taken under the last one no
// more is held against it than that the burst is used up.
func (v *level) change(l Limit, at int64) {
	if v.limit != l {
		v.tat, v.limit = min(v.tat, at+l.tolerance+l.interval), l
	}
}

// give takes n tokens back that were taken under l a moment ago; if l has been
// changed since, they are forgotten.
func (v *level) give(l Limit, n int) {
	if v.limit == l && l.interval > 0 {
		v.tat -= saturatingMul(int64(n), l.interval)
	}
}

// wait is how long n tokens are away when the TAT is ahead of now by so much.
func (l Limit) wait(n int, ahead int64) int64 {
	if n <= 0 {
		return 0
	}
	early := max(0, l.tolerance-saturatingMul(int64(n-1), l.interval))
	return max(0, ahead-early)
}

func (l Limit) state(wait, ahead int64) State {
	free := max(0, l.tolerance+l.interval-ahead)
	return State{Wait: time.Duration(wait), Remaining: int(free / l.interval), Full: time.Duration(ahead)}
}

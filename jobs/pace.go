package jobs

import "time"

// catchUp is how far a job that was held up may be behind its rate and make up for
// it. It covers the hiccups of a disk. What it is behind beyond that is forfeited.
const catchUp = time.Second

// pace says when the next item may go at a rate, to the nanosecond and without a
// drift: due times are multiples from one instant, which moves on by whole seconds.
type pace struct {
	rate  int       // items a second; 0: no limit
	since time.Time // zero before the first
	spent int       // items since then, fewer than rate
}

// wait is how long the next item has to wait at now.
func (p *pace) wait(now time.Time) time.Duration {
	if p.rate == 0 {
		return 0
	}
	if p.since.IsZero() {
		p.since = now
	}
	wait := p.due().Sub(now)
	if wait < -catchUp {
		p.since, p.spent = now.Add(-catchUp), 0
	}
	return max(wait, 0)
}

func (p *pace) due() time.Time {
	return p.since.Add(time.Duration(int64(p.spent) * int64(time.Second) / int64(p.rate)))
}

// spend notes that n items went.
func (p *pace) spend(n int) {
	if p.rate == 0 {
		return
	}
	p.spent += n
	p.since = p.since.Add(time.Duration(p.spent/p.rate) * time.Second)
	p.spent %= p.rate
}

// most is how many items may go at once, out of limit: a twentieth of a second's.
func (p *pace) most(limit int) int {
	if p.rate == 0 {
		return limit
	}
	return min(limit, max(1, p.rate/20))
}

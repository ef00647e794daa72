package breaker

// buckets is how many parts the window has. The oldest is dropped as a whole, so
// what is looked at is between nine and ten tenths of the window.
const buckets = 10

// window counts the outcomes of the last while.
type window struct {
	newest  int64 // number of the newest bucket: its start divided by a bucket's width
	counts  [buckets]count
	sum     count // of all buckets
	checked int64 // when the last evaluation was that left the breaker closed; 0: none
}

// count is outcomes, and how many of them were failures.
type count struct {
	all, failed uint32
}

// advance drops what is too old at now and reports whether anything is left. A clock
// that was set back by less than the window counts as standing still; otherwise
// everything is dropped.
func (w *window) advance(now, width int64) bool {
	n := now / width
	if n-w.newest >= buckets || w.newest-n >= buckets {
		*w = window{newest: n}
		return false
	}
	for w.newest < n {
		w.newest++
		old := w.at()
		w.sum.all -= old.all
		w.sum.failed -= old.failed
		*old = count{}
	}
	return w.sum.all > 0
}

// at is the newest bucket.
func (w *window) at() *count { return &w.counts[uint64(w.newest)%buckets] }

// add counts one outcome, after advance.
func (w *window) add(failed bool) {
	newest := w.at()
	newest.all++
	w.sum.all++
	if failed {
		newest.failed++
		w.sum.failed++
	}
}

// tooMany evaluates the window at now: it reports whether the breaker has to open.
// An evaluation that comes less than the sample time after the last one is left out.
func (w *window) tooMany(c *Config, now int64) bool {
	if w.sum.all < c.requests || w.checked != 0 && now >= w.checked && now-w.checked < c.sample {
		return false
	}
	if uint64(w.sum.failed)*100 >= uint64(w.sum.all)*uint64(c.failures) {
		return true
	}
	w.checked = now
	return false
}

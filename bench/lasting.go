package bench

import "time"

// lasting is the same run with a later hard limit on the life of its processes,
// for a scenario that takes long.
func (r *runner) lasting(limit time.Duration) *runner {
	long := *r
	long.Limit = max(r.Limit, limit)
	return &long
}

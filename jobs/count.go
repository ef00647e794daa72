package jobs

import (
	"time"

	"posthaste/event"
)

const (
	countTime = time.Second
	maxCount  = 1_000_000
)

// count counts what there is to do, before anything is done, as far as that is
// cheap: a batch retry, for which the log has an index, up to a second and a million
// deliveries. Otherwise, and for a job that was interrupted after it began, the
// total stays unknown. To count events would be to read all their data twice.
func (u *run) count() error {
	if u.kind == event.JobReplay || u.job.Total >= 0 || u.job.Cursor != (event.ID{}) {
		return nil
	}
	begin, total := time.Now(), 0
	for s := newScan(&u.job); !s.ended; {
		if time.Since(begin) > countTime || total > maxCount {
			return nil
		}
		err := u.inTurn(func() error {
			rows, end, err := u.list(s, u.limit())
			for _, r := range rows {
				if r.do {
					total++
				}
			}
			if err == nil {
				s.done(end)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	u.change(func(job *event.Job) { job.Total = total })
	return u.save(u.ctx) // or a job that is interrupted soon would not know any more
}

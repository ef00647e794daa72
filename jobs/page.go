package jobs

import (
	"context"
	"errors"

	"posthaste/event"
)

const (
	pageDeliveries = 200
	// pageEvents is smaller, because a listed event comes with its data, and because
	// the events of a page are replayed at once.
	pageEvents = 20
)

// row is what a page has of a delivery or an event.
type row struct {
	id   event.ID
	do   bool // it is work
	late bool // it would be, had nothing happened to it since the job was submitted
}

// limit is how many rows a page may have.
func (u *run) limit() int {
	if u.kind == event.JobReplay {
		return pageEvents
	}
	return pageDeliveries
}

// page lists one page and does it. It comes in turn with other jobs.
func (u *run) page() error {
	rows, end, err := u.list(u.scan, u.pace.most(u.limit()))
	if err != nil {
		return err
	}
	ids := make([]event.ID, 0, len(rows))
	for _, r := range rows {
		if r.do {
			ids = append(ids, r.id)
		}
	}
	results, err := u.do(ids)
	if err != nil {
		end = event.Before(ids[len(results)])
	}
	u.pace.spend(len(results))
	u.scan.done(end)
	u.note(rows, results)
	return err
}

// note writes down in the job what became of the rows up to the cursor.
func (u *run) note(rows []row, results []error) {
	u.change(func(job *event.Job) {
		job.Cursor = u.scan.cursor
		for _, err := range results {
			noteResult(job, err)
		}
		for _, r := range rows {
			if r.late && r.id.Compare(job.Cursor) <= 0 {
				job.Skipped++
			}
		}
	})
}

func noteResult(job *event.Job, err error) {
	switch {
	case err == nil:
		job.Done++
	case errors.Is(err, event.ErrConflict), errors.Is(err, event.ErrNotFound):
		job.Skipped++
	default:
		job.Failed++
		job.Error = cut(err.Error())
	}
}

// list lists the next stretch of a scan. end is up to where it reaches.
func (u *run) list(s *scan, limit int) (rows []row, end event.ID, err error) {
	r := s.stretch(limit)
	var listed event.Scan
	err = try(u.ctx, "list what to do", func() error {
		if u.kind == event.JobReplay {
			rows, listed, err = u.listEvents(r)
		} else {
			rows, listed, err = u.listDeliveries(r)
		}
		return err
	})
	if err != nil {
		return nil, end, err
	}
	return rows, reached(r, rows, listed), nil
}

// listDeliveries lists deliveries in the wanted states. What a search does not find is
// not work. Neither is one that changed after the job was submitted: it may have been
// retried by the job itself, before a crash.
func (u *run) listDeliveries(r event.Range) ([]row, event.Scan, error) {
	f := u.job.Filter.Deliveries
	if len(f.Statuses) == 0 {
		f.Statuses = []event.Status{event.Failure, event.Discarded}
	}
	deliveries, listed, err := u.r.o.Lister.Deliveries(u.project, r, f)
	if err != nil {
		return nil, listed, err
	}
	rows := make([]row, len(deliveries))
	for i := range deliveries {
		d := &deliveries[i]
		fits, err := u.fits(d)
		if err != nil {
			return nil, listed, err
		}
		late := d.UpdatedAt.After(u.job.CreatedAt)
		rows[i] = row{id: d.ID, do: fits && !late, late: fits && late}
	}
	return rows, listed, nil
}

// fits reports whether the job's search finds a delivery, which may mean that its data and
// answers are read. It is where a page ends early when the job is to stop.
func (u *run) fits(d *event.Delivery) (bool, error) {
	if u.query == nil {
		return true, nil
	}
	if u.ctx.Err() != nil {
		return false, context.Cause(u.ctx)
	}
	fits, _, err := u.query.Fits(u.r.o.Lister, d)
	return fits, err
}

// listEvents lists events. Not all are work, see event.Origin.
func (u *run) listEvents(r event.Range) ([]row, event.Scan, error) {
	events, listed, err := u.r.o.Lister.Events(u.project, r, u.job.Filter.Events)
	if err != nil {
		return nil, listed, err
	}
	rows := make([]row, len(events))
	for i, ev := range events {
		rows[i] = row{id: ev.ID, do: ev.Origin.Replayable()}
	}
	return rows, listed, nil
}

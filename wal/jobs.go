package wal

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// PutJob writes a job, over what was known of it before. It is durable when PutJob
// returns, and does not wait for a group.
func (l *Log) PutJob(job event.Job) error {
	body, err := json.Marshal(job)
	if err != nil {
		return fmt.Errorf("job %s: %w", job.ID, err)
	}
	key := appendJobKey(nil, job.ProjectID, job.ID)
	value := append(make([]byte, recordHeaderLen), body...)
	seal(value, key)
	if err := l.enter(); err != nil {
		return err
	}
	defer l.gate.RUnlock()
	b := l.db.NewBatch()
	defer b.Close()
	_ = b.Set(key, value, nil)
	return l.commitNow(b)
}

// commitNow makes a batch of its own durable, beside the groups. The caller holds
// the gate, and closes the batch. A failure of the store is final; the error is
// that of the batch.
func (l *Log) commitNow(b *pebble.Batch) error {
	defer l.failOnPanic()
	if err := b.Commit(pebble.Sync); err != nil {
		l.fail(err)
	}
	return nil
}

// Job reads a job back; event.ErrNotFound if the project has none of that id.
func (l *Log) Job(project, id event.ID) (event.Job, error) {
	key := appendJobKey(nil, project, id)
	value, closer, err := l.get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		err = event.ErrNotFound
	}
	if err != nil {
		return event.Job{}, fmt.Errorf("job %s: %w", id, err)
	}
	defer closer.Close()
	return decodeJob(key, value)
}

// Jobs lists a project's jobs in a range, newest first if it is descending.
func (l *Log) Jobs(project event.ID, r event.Range) ([]event.Job, error) {
	if r.To == (event.ID{}) {
		r.To = maxID
	}
	it, err := l.db.NewIter(&pebble.IterOptions{
		LowerBound: appendJobKey(nil, project, r.From),
		UpperBound: append(appendJobKey(nil, project, r.To), 0),
	})
	if err != nil {
		return nil, err
	}
	first, next := it.First, it.Next
	if r.Descending {
		first, next = it.Last, it.Prev
	}
	jobs := []event.Job{}
	for valid := first(); valid && len(jobs) < r.Limit && err == nil; valid = next() {
		var job event.Job
		if job, err = decodeJob(it.Key(), it.Value()); err == nil {
			jobs = append(jobs, job)
		}
	}
	return jobs, errors.Join(err, it.Close())
}

// RunningJobs lists the jobs of all projects that have not ended. It reads every job
// there is.
func (l *Log) RunningJobs() ([]event.Job, error) {
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindJob}, UpperBound: []byte{kindJob + 1}})
	if err != nil {
		return nil, err
	}
	jobs := []event.Job{}
	for valid := it.First(); valid && err == nil; valid = it.Next() {
		var job event.Job
		if job, err = decodeJob(it.Key(), it.Value()); err == nil && job.State == event.JobRunning {
			jobs = append(jobs, job)
		}
	}
	return jobs, errors.Join(err, it.Close())
}

// maxForgotten bounds the jobs that one call of ForgetJobs removes.
const maxForgotten = 10_000

// ForgetJobs removes jobs that ended longer ago than the policy keeps the history of their
// project, and says how many: maxForgotten at most, what is left the next call removes. It
// reads those that began so long ago, and looks once for each project that has any.
func (l *Log) ForgetJobs(p Policy) (int, error) {
	if err := l.enter(); err != nil {
		return 0, err
	}
	defer l.gate.RUnlock()
	b := l.db.NewBatch()
	defer b.Close()
	if err := l.addEndedJobs(b, &p); err != nil || b.Empty() {
		return 0, err
	}
	return int(b.Count()), l.commitNow(b)
}

// addEndedJobs goes from project to project by seeking.
func (l *Log) addEndedJobs(b *pebble.Batch, p *Policy) (err error) {
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindJob}, UpperBound: []byte{kindJob + 1}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Error(), it.Close()) }()
	for valid := it.First(); valid && b.Count() < maxForgotten; {
		if err := checkKey(it.Key(), jobKeyLen); err != nil {
			return err
		}
		var project, id event.ID
		copy(project[:], it.Key()[1:])
		copy(id[:], it.Key()[1+16:])
		history := p.keep(project).History
		end := p.Now.Add(-history)
		if history == 0 || event.TimeOf(id).After(end) { // as all after it
			valid = it.SeekGE(append(appendJobKey(nil, project, maxID), 0))
			continue
		}
		job, err := decodeJob(it.Key(), it.Value())
		if err != nil {
			return err
		}
		if job.EndedAt != nil && !job.EndedAt.After(end) {
			_ = b.Delete(it.Key(), nil)
		}
		valid = it.Next()
	}
	return nil
}

func decodeJob(key, value []byte) (job event.Job, err error) {
	if err := checkKey(key, jobKeyLen); err != nil {
		return job, err
	}
	r, err := open(key, value)
	if err != nil {
		return job, err
	}
	err = json.Unmarshal(r.b, &job)
	if string(job.Filter.Events.Body) == "null" {
		job.Filter.Events.Body = nil // as it was
	}
	if err != nil {
		return job, &CorruptError{bytesClone(key), "not a job: " + err.Error()}
	}
	return job, nil
}

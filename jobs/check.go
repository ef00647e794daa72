package jobs

import (
	"posthaste/event"
	"posthaste/search"
)

// MaxRate is the highest rate of a job, in deliveries or events a second.
const MaxRate = 1_000_000

// check checks what a caller of Submit decides.
func check(job *event.Job) error {
	switch {
	case job.ProjectID == event.ID{}:
		return event.Invalid("project_id", "is missing")
	case job.Kind != event.JobRetry && job.Kind != event.JobReplay:
		return event.Invalid("kind", "must be %q or %q", event.JobRetry, event.JobReplay)
	case job.Rate < 0 || job.Rate > MaxRate:
		return event.Invalid("rate", "is %d; it must be 0 to %d a second; 0 is as fast as it goes", job.Rate, MaxRate)
	case job.Filter.To != event.ID{} && job.Filter.To.Compare(job.Filter.From) < 0:
		return event.Invalid("filter.to", "is before filter.from; exchange them")
	case job.Filter.Search == "":
		return nil
	case job.Kind != event.JobRetry:
		return event.Invalid("filter.search", "is for deliveries; select events with filter.events.query")
	}
	_, err := search.Parse(job.Filter.Search)
	return err
}

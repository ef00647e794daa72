package event

import "time"

// Job is a piece of work over many deliveries or events that goes on in the
// background, survives a restart and can be cancelled.
type Job struct {
	ID        ID        `json:"uid"`
	ProjectID ID        `json:"project_id"`
	Kind      JobKind   `json:"kind"`
	Filter    JobFilter `json:"filter"`
	// Rate is how many deliveries or events a second are handed to the engine; 0: as
	// fast as it takes them.
	Rate int `json:"rate"`

	State  JobState `json:"state"`
	Cursor ID       `json:"cursor"` // all up to here, in the order of ids, are done
	Total  int      `json:"total"`  // how many there were to do when it began; -1 while that is not known
	Done   int      `json:"done"`
	// Skipped were not in a state to be retried, or not any more.
	Skipped int    `json:"skipped"`
	Failed  int    `json:"failed"`
	Error   string `json:"error"` // the last one; "" for none

	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	EndedAt   *time.Time `json:"ended_at"`
}

// JobKind is what a job does.
type JobKind string

// The kinds of job.
const (
	JobRetry  JobKind = "batch_retry"  // another attempt for each delivery
	JobReplay JobKind = "batch_replay" // each event is routed again, to new deliveries
)

// JobState says how far a job is.
type JobState string

// The states of a job.
const (
	JobRunning   JobState = "running"
	JobDone      JobState = "done"
	JobCancelled JobState = "cancelled"
	JobFailed    JobState = "failed" // it could not go on; what was done stays done
)

// JobFilter selects what a job works on: deliveries, or events. From and To are
// bounds of the id, and so of the time, both inclusive; zero is open. Search selects, out
// of the deliveries, those that it finds (see package search); "" selects all.
type JobFilter struct {
	From       ID             `json:"from"`
	To         ID             `json:"to"`
	Deliveries DeliveryFilter `json:"deliveries"`
	Search     string         `json:"search,omitempty"`
	Events     EventFilter    `json:"events"`
}

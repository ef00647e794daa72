package api

import (
	"encoding/json"
	"time"

	"posthaste/event"
)

// jobView is a job as it is answered.
type jobView struct {
	ID        event.ID       `json:"uid"`
	ProjectID event.ID       `json:"project_id"`
	Kind      event.JobKind  `json:"kind"`
	State     event.JobState `json:"state"`
	Rate      int            `json:"rate"`  // a second; 0: as many as there can be
	Total     *int           `json:"total"` // null while it is not known
	Done      int            `json:"done"`
	Skipped   int            `json:"skipped"`
	Failed    int            `json:"failed"`
	Error     string         `json:"error"`
	Filter    any            `json:"filter"`
	CreatedAt time.Time      `json:"created_at"`
	UpdatedAt time.Time      `json:"updated_at"`
	EndedAt   *time.Time     `json:"ended_at"`
}

// jobDates are the bounds of what a job works on; null is open.
type jobDates struct {
	StartDate *time.Time `json:"startDate"`
	EndDate   *time.Time `json:"endDate"`
}

// retryFilterView and replayFilterView are filters by the names that a query has.
type retryFilterView struct {
	jobDates
	Endpoints      []event.ID `json:"endpointId"`
	EventID        *event.ID  `json:"eventId"`
	SubscriptionID *event.ID  `json:"subscriptionId"`
	SourceID       *event.ID  `json:"sourceId"`
	IdempotencyKey string     `json:"idempotencyKey"`
	EventType      string     `json:"eventType"`
	Statuses       []string   `json:"status"`
	Query          string     `json:"query"`
}

type replayFilterView struct {
	jobDates
	Endpoints      []event.ID      `json:"endpointId"`
	IdempotencyKey string          `json:"idempotencyKey"`
	OwnerID        string          `json:"ownerId"`
	EventType      string          `json:"eventType"`
	Sources        []event.ID      `json:"sourceId"`
	Query          string          `json:"query"`
	Body           json.RawMessage `json:"body"`
}

func newJobView(j event.Job) jobView {
	v := jobView{
		ID: j.ID, ProjectID: j.ProjectID, Kind: j.Kind, State: j.State, Rate: j.Rate,
		Done: j.Done, Skipped: j.Skipped, Failed: j.Failed, Error: j.Error,
		CreatedAt: j.CreatedAt.UTC(), UpdatedAt: j.UpdatedAt.UTC(), EndedAt: j.EndedAt,
	}
	if j.Total >= 0 {
		v.Total = &j.Total
	}
	dates := jobDates{dateOf(j.Filter.From), dateOf(j.Filter.To)}
	if j.Kind == event.JobReplay {
		f := j.Filter.Events
		v.Filter = replayFilterView{dates, orNone(f.Endpoints), f.IdempotencyKey, f.OwnerID, f.EventType, orNone(f.Sources), f.Query, f.Body}
		return v
	}
	f := j.Filter.Deliveries
	statuses := make([]string, len(f.Statuses))
	for i, s := range f.Statuses {
		statuses[i] = s.String()
	}
	v.Filter = retryFilterView{dates, orNone(f.Endpoints), unlessZero(f.EventID), unlessZero(f.SubscriptionID), unlessZero(f.SourceID), f.IdempotencyKey, f.EventType, statuses, j.Filter.Search}
	return v
}

// dateOf is the time of an id that bounds a range; nil for an open end.
func dateOf(id event.ID) *time.Time {
	if id.IsZero() {
		return nil
	}
	t := event.TimeOf(id)
	return &t
}

func unlessZero(id event.ID) *event.ID {
	if id.IsZero() {
		return nil
	}
	return &id
}

// orNone makes no ids an empty array, not null.
func orNone(ids []event.ID) []event.ID {
	if ids == nil {
		return []event.ID{}
	}
	return ids
}

package api

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"posthaste/event"
)

// maxJobRate bounds the rate that a job may be given, in deliveries or events a second.
const maxJobRate = 1_000_000

// submit starts a job over what a query selects.
func (a *API) submit(c *call, kind event.JobKind, q pageQuery, f event.JobFilter) (event.Job, error) {
	if q.none != "" {
		return event.Job{}, event.Invalid(q.none, "selects nothing")
	}
	if q.within.empty() {
		return event.Job{}, event.Invalid("endDate", "lies before startDate; nothing is between them")
	}
	rate, err := parseRate(c.r.URL.Query())
	if err != nil {
		return event.Job{}, err
	}
	f.From, f.To = q.within.from, q.within.to
	if f.To == lastID {
		f.To = event.ID{}
	}
	job, err := a.o.Jobs.Submit(event.Job{ProjectID: c.project.ID, Kind: kind, Filter: own(f), Rate: rate})
	if err == nil {
		c.did("job.start", "job", job.ID, string(kind))
		c.done.Changes, err = selection(job)
	}
	return job, inWords(err)
}

// selection is what a job works on, without the parts that may be of an event's data.
func selection(job event.Job) ([]event.AuditChange, error) {
	if job.Filter.Search != "" {
		job.Filter.Search = "(not shown)"
	}
	if f := &job.Filter.Events; f.Query != "" || len(f.Body) > 0 {
		job.Filter.Events.Query, job.Filter.Events.Body = "(not shown)", nil
	}
	filter, err := marshal(newJobView(job).Filter)
	return []event.AuditChange{{Field: "filter", After: string(filter)}}, err
}

// own is a filter that shares no memory with the request, whose texts are only lent.
func own(f event.JobFilter) event.JobFilter {
	f.Deliveries.EventType = strings.Clone(f.Deliveries.EventType)
	f.Deliveries.IdempotencyKey = strings.Clone(f.Deliveries.IdempotencyKey)
	f.Search = strings.Clone(f.Search)
	f.Events.EventType = strings.Clone(f.Events.EventType)
	f.Events.Query = strings.Clone(f.Events.Query)
	f.Events.IdempotencyKey = strings.Clone(f.Events.IdempotencyKey)
	f.Events.OwnerID = strings.Clone(f.Events.OwnerID)
	return f
}

// parseRate reads how many deliveries or events a second a job works on; 0 is as
// many as it can.
func parseRate(params url.Values) (int, error) {
	text := params.Get("rate")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxJobRate {
		return 0, event.Invalid("rate", "want how many a second, a whole number up to %d; 0, or none, is as many as there can be", maxJobRate)
	}
	return n, nil
}

// accepted answers with no data but the place where a job shows how far it is.
func accepted(message string, job event.Job) (reply, error) {
	rep, err := respond(http.StatusOK, message, nil)
	rep.location = "/api/v1/projects/" + job.ProjectID.String() + "/jobs/" + job.ID.String()
	return rep, err
}

func (a *API) listJobs(c *call) (reply, error) {
	q, err := parseDatedQuery(c.r.URL.Query())
	if err != nil {
		return reply{}, err
	}
	p, err := readPage(q, listing[event.Job]{
		fetch: func(r event.Range) ([]event.Job, error) { return a.o.Jobs.List(c.project.ID, r) },
		id:    func(j event.Job) event.ID { return j.ID },
	}, a.o.MaxPageBytes)
	if err != nil {
		return reply{}, err
	}
	data, err := p.encode(func(dst []byte, j event.Job) ([]byte, error) {
		view, err := marshal(newJobView(j))
		return slices.Concat(dst, view), err
	})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Jobs fetched successfully", data)
}

func (a *API) getJob(c *call) (reply, error) {
	id, err := pathID(c.r, "jobID")
	if err != nil {
		return reply{}, err
	}
	job, err := a.o.Jobs.Get(c.project.ID, id)
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Job fetched successfully", newJobView(job))
}

func (a *API) cancelJob(c *call) (reply, error) {
	id, err := pathID(c.r, "jobID")
	if err != nil {
		return reply{}, err
	}
	job, err := a.o.Jobs.Cancel(c.project.ID, id)
	if err != nil {
		return reply{}, inWords(err)
	}
	c.did("job.cancel", "job", id, string(job.Kind))
	return respond(http.StatusOK, "Job cancelled successfully", newJobView(job))
}

// inWords makes a StateError, which the client reads, of what Jobs say of a conflict.
func inWords(err error) error {
	var state *event.StateError
	if !errors.Is(err, event.ErrConflict) || errors.As(err, &state) {
		return err
	}
	words := strings.TrimSuffix(err.Error(), event.ErrConflict.Error())
	if words = strings.TrimRight(words, ": "); words == "" {
		return err
	}
	return &event.StateError{Reason: words}
}

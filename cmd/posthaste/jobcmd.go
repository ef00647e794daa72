package main

import (
	"fmt"
	"net/http"
	"strconv"

	"posthaste/client"
)

// jobCmd is about batch retries and replays.
type jobCmd struct {
	remote
	List   jobListCmd   `cmd:"" help:"List batch retries and replays, the newest first." example:"posthaste job list"`
	Get    jobGetCmd    `cmd:"" help:"Show how far a job is." example:"posthaste job get 01KAM4Z8V1V6W3J7C2Q9RZB5XN"`
	Cancel jobCancelCmd `cmd:"" help:"Cancel a job; what it did stays done." example:"posthaste job cancel 01KAM4Z8V1V6W3J7C2Q9RZB5XN"`
}

type jobListCmd struct{ listFlags }

// Run prints the list.
func (c *jobListCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	return listing[client.Job]{
		resource: in.Jobs(),
		titles:   []string{"ID", "KIND", "STATE", "DONE", "OF", "SKIPPED", "FAILED", "CREATED"},
		cells: func(j client.Job) []string {
			return []string{j.ID, j.Kind, j.State, strconv.Itoa(j.Done), totalOf(j), strconv.Itoa(j.Skipped), strconv.Itoa(j.Failed), s.at(j.CreatedAt)}
		},
		none: "No jobs here. Replays and retries of many are jobs: posthaste replay --since 1h",
	}.show(s, c.listFlags)
}

// totalOf is how many there are to do, if that is known.
func totalOf(j client.Job) string {
	if j.Total == nil {
		return "?"
	}
	return strconv.Itoa(*j.Total)
}

type jobGetCmd struct {
	ID string `arg:"" help:"The job."`
}

// Run prints the job.
func (c *jobGetCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	row, err := in.Jobs().Get(s.ctx, c.ID)
	if err != nil {
		return err
	}
	return showOne(s, row, s.jobFields)
}

func (s *session) jobFields(j client.Job) []field {
	return []field{
		{"ID", j.ID}, {"Kind", j.Kind}, {"State", j.State}, {"Progress", jobCounts(j)}, {"Error", j.Error},
		{"Created", s.at(j.CreatedAt)}, {"Ended", s.atIf(j.EndedAt)},
	}
}

// jobCounts is how far a job is, in words.
func jobCounts(j client.Job) string {
	of := ""
	if j.Total != nil {
		of = " of " + strconv.Itoa(*j.Total)
	}
	return fmt.Sprintf("%d%s done, %d skipped, %d failed", j.Done, of, j.Skipped, j.Failed)
}

type jobCancelCmd struct {
	ID string `arg:"" help:"The job."`
}

// Run cancels the job.
func (c *jobCancelCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	row, err := in.Jobs().Change(s.ctx, http.MethodPut, c.ID, "cancel", nil)
	if err != nil {
		return err
	}
	return s.done(row.Raw, "Job %s is %s: %s.", row.Value.ID, clean(row.Value.State), jobCounts(row.Value))
}

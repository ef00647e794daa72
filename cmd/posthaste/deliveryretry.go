package main

import (
	"errors"
	"fmt"
	"net/http"

	"posthaste/client"
)

type deliveryRetryCmd struct {
	ID    []string `arg:"" optional:"" help:"Deliveries to try again at once."`
	Force bool     `help:"With ids: send them although they succeeded."`
	deliveryFilter
	batchFlags
}

// Run retries the deliveries that are named, or starts a job over those that the filter
// selects.
func (c *deliveryRetryCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	query, err := c.query(s, in)
	switch {
	case err != nil:
		return err
	case len(c.ID) == 0 && len(query) == 0:
		return usageError{errors.New("name deliveries, or select them, as with --status Failure --since 24h")}
	case len(c.ID) > 0 && len(query) > 0:
		return usageError{errors.New("give either ids or filters")}
	case c.Force && len(c.ID) == 0:
		return usageError{errors.New("--force needs ids")}
	case c.Force:
		return c.force(s, in)
	case len(c.ID) > 0:
		return c.each(s, in)
	}
	b := batch{
		session: s, in: in, kind: client.JobRetry, verb: "retry", noun: "deliveries", query: query,
		count: in.CountRetry, start: in.BatchRetry,
	}
	return b.run(c.batchFlags)
}

// each retries one delivery after the other.
func (c *deliveryRetryCmd) each(s *session, in client.Scope) error {
	var failed []error
	for _, id := range c.ID {
		row, err := in.Deliveries().Change(s.ctx, http.MethodPut, id, "resend", nil)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", clean(id), err))
			continue
		}
		if err := s.done(row.Raw, "Delivery %s is tried again.", row.Value.ID); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// force sends deliveries again that succeeded.
func (c *deliveryRetryCmd) force(s *session, in client.Scope) error {
	a, err := in.ForceResend(s.ctx, c.ID)
	if err != nil {
		return err
	}
	var outcome struct {
		Failed []struct {
			ID      string `json:"uid"`
			Message string `json:"message"`
		} `json:"failed"`
	}
	if err := s.done(a.Data, "%s", sentence(a.Message)); err != nil || a.Into(&outcome) != nil {
		return err
	}
	var failed []error
	for _, f := range outcome.Failed {
		failed = append(failed, fmt.Errorf("%s: %s", clean(f.ID), clean(f.Message)))
	}
	return errors.Join(failed...)
}

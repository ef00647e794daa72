package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"posthaste/event"
)

// resendDelivery asks for another attempt of one delivery.
func (a *API) resendDelivery(c *call) (reply, error) {
	d, err := a.delivery(c)
	if err != nil {
		return reply{}, err
	}
	if err := a.retryOne(c, c.project.ID, d.ID, false); err != nil {
		return reply{}, err
	}
	c.did("delivery.retry", "delivery", d.ID, "")
	if d, err = a.o.Reader.Delivery(c.project.ID, d.ID); err != nil {
		return reply{}, err
	}
	return a.showDelivery(c, d, "App event processed for retry successfully")
}

// forceResend sends deliveries once more that succeeded.
func (a *API) forceResend(c *call) (reply, error) {
	body, err := a.readBody(c.r)
	if err != nil {
		return reply{}, err
	}
	ids, err := parseIDs(body)
	if err != nil {
		return reply{}, err
	}
	return a.retryEach(c, ids, true)
}

// parseIDs reads {"ids": [...]}. Ids that are there twice count once.
func parseIDs(body []byte) ([]event.ID, error) {
	var sent struct {
		IDs []string `json:"ids"`
	}
	if err := decode(body, &sent); err != nil {
		return nil, err
	}
	if n := len(sent.IDs); n == 0 || n > event.MaxBatchItems {
		return nil, event.Invalid("ids", "want the ids of 1 to %d deliveries, got %d; send more in several requests", event.MaxBatchItems, n)
	}
	ids, seen := make([]event.ID, 0, len(sent.IDs)), make(map[event.ID]bool, len(sent.IDs))
	for i, text := range sent.IDs {
		id, err := event.ParseID(text)
		if err != nil {
			return nil, event.Invalid(fmt.Sprintf("ids[%d]", i), "%s", err)
		}
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// retryOutcome is what became of deliveries that were named one by one.
type retryOutcome struct {
	Failed []retryFailure `json:"failed"`
}

type retryFailure struct {
	ID      event.ID `json:"uid"`
	Message string   `json:"message"`
}

// retryEach answers how many of the deliveries will be attempted again, and why the
// others will not.
func (a *API) retryEach(c *call, ids []event.ID, force bool) (reply, error) {
	outcome := retryOutcome{Failed: []retryFailure{}}
	var fault error
	for i, err := range a.retry(c, c.project.ID, ids, force) {
		if err == nil {
			continue
		}
		code, message := codeOf(err)
		if code >= http.StatusInternalServerError {
			fault = err
		}
		outcome.Failed = append(outcome.Failed, retryFailure{ids[i], message})
	}
	done, failed := len(ids)-len(outcome.Failed), len(outcome.Failed)
	c.retried(ids, done)
	if done == 0 && fault != nil {
		return reply{}, fault
	}
	if fault != nil {
		a.o.Fault(c.r.Header.Get(requestIDHeader), fmt.Errorf("%d of %d deliveries were not retried: %w", failed, len(ids), fault))
	}
	return respond(http.StatusOK, countsMessage(done, failed), outcome)
}

// maxNamedIDs is how many deliveries of one request the audit log names.
const maxNamedIDs = 20

// retried says that of these deliveries so many are attempted again.
func (c *call) retried(ids []event.ID, done int) {
	if done == 0 {
		return
	}
	c.did("delivery.retry", "delivery", event.ID{}, "")
	c.done.Count = done
	var named []string
	for _, id := range ids[:min(len(ids), maxNamedIDs)] {
		named = append(named, id.String())
	}
	if more := len(ids) - len(named); more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	c.done.Changes = []event.AuditChange{{Field: "asked_for", After: strings.Join(named, " ")}}
}

func countsMessage(done, failed int) string {
	return fmt.Sprintf("%d successful, %d failed", done, failed)
}

// retryWait is how long a request waits for attempts that are already on their way
// of the deliveries that it names.
const retryWait = 30 * time.Second

// retry asks for another attempt of each delivery.
func (a *API) retry(c *call, project event.ID, deliveries []event.ID, force bool) []error {
	ctx, cancel := context.WithTimeout(c.r.Context(), retryWait)
	defer cancel()
	errs := a.o.Work.Retry(ctx, project, deliveries, force)
	for i, err := range errs {
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			errs[i] = event.ErrOverloaded
		case errors.Is(err, context.Canceled): // the server began to stop
			errs[i] = event.ErrClosed
		}
	}
	return errs
}

// retryOne asks for another attempt of one delivery.
func (a *API) retryOne(c *call, project, delivery event.ID, force bool) error {
	return a.retry(c, project, []event.ID{delivery}, force)[0]
}

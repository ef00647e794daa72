package api

import (
	"context"
	"net/http"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

const (
	failureRateWindow    = 7 * 24 * time.Hour // that is looked at if no dates are given
	maxFailureRateAsked  = 100                // endpoints in one request
	maxFailureRateRows   = 20_000             // deliveries that are looked at for one endpoint
	maxFailureRateTotal  = 200_000            // deliveries that are looked at for one request
	failureRateFetchRows = 1000
)

// failureRateView says how the deliveries of an endpoint ended that were created in a
// time.
type failureRateView struct {
	ID event.ID `json:"uid"`
	// PeriodFailureRate is the share, 0 to 1, of those that failed and of those that will
	// be tried again, of these and those that succeeded. 0 if there is none.
	PeriodFailureRate float64 `json:"period_failure_rate"`
	SuccessCount      int     `json:"success_count"`
	FailureCount      int     `json:"failure_count"`
	RetryCount        int     `json:"retry_count"`
	// Complete is false if there are more deliveries than are looked at: then the newest
	// were counted.
	Complete bool `json:"complete"`
}

// failureRates counts the deliveries of the endpoints that the query names, or of the
// project's newest.
func (a *API) failureRates(c *call) (reply, error) {
	params := c.r.URL.Query()
	asked, err := idParams(params, "endpointId")
	if err != nil {
		return reply{}, err
	}
	if n := len(asked); n > maxFailureRateAsked {
		return reply{}, event.Invalid("endpointId", "comes %d times; at most %d are allowed: send more in several requests", n, maxFailureRateAsked)
	}
	q := pageQuery{within: everything}
	if err := q.readDates(params); err != nil {
		return reply{}, err
	}
	if q.within.from.IsZero() {
		q.within.from = firstIDOf(a.now().Add(-failureRateWindow))
	}
	endpoints := c.endpointsAsked(asked)
	views := make([]failureRateView, len(endpoints))
	most := min(maxFailureRateRows, maxFailureRateTotal/max(len(endpoints), 1))
	for i, e := range endpoints {
		if views[i], err = a.failureRate(c.r.Context(), e, q.within, most); err != nil {
			return reply{}, err
		}
	}
	return respond(http.StatusOK, "Endpoint period failure rates fetched successfully", views)
}

// endpointsAsked are the endpoints with these ids that the caller may see; the newest
// if there are no ids.
func (c *call) endpointsAsked(ids []event.ID) []*catalog.Endpoint {
	if len(ids) == 0 {
		newest := event.Range{Descending: true, Limit: maxFailureRateAsked}
		return c.snap.Endpoints(c.project.ID, newest, c.sees)
	}
	var out []*catalog.Endpoint
	for _, id := range ids {
		if e := c.snap.Endpoint(id); e != nil && e.ProjectID == c.project.ID && c.sees(e) {
			out = append(out, e)
		}
	}
	return out
}

// failureRate counts the newest deliveries of an endpoint, at most most of them.
func (a *API) failureRate(ctx context.Context, e *catalog.Endpoint, in span, most int) (failureRateView, error) {
	v := failureRateView{ID: e.ID}
	for looked := 0; looked < most && !v.Complete; {
		if ctx.Err() != nil {
			return v, event.ErrOverloaded // nobody waits for the answer
		}
		rows, left, err := a.newestDeliveries(e, in, min(most-looked, failureRateFetchRows))
		if err != nil {
			return v, err
		}
		for _, d := range rows {
			v.count(d.Status)
		}
		looked += max(len(rows), 1)
		in, v.Complete = left, left.empty()
	}
	if !v.Complete {
		rows, left, err := a.newestDeliveries(e, in, 1)
		if err != nil {
			return v, err
		}
		v.Complete = len(rows) == 0 && left.empty()
	}
	if all := v.SuccessCount + v.FailureCount + v.RetryCount; all > 0 {
		v.PeriodFailureRate = float64(v.FailureCount+v.RetryCount) / float64(all)
	}
	return v, nil
}

// newestDeliveries are the newest deliveries of an endpoint within a span, and what is
// left of the span behind them.
func (a *API) newestDeliveries(e *catalog.Endpoint, in span, limit int) ([]event.Delivery, span, error) {
	if in.empty() {
		return nil, in, nil
	}
	r := in.rangeOf(true, limit)
	r.Budget = maxFailureRateRows
	rows, scan, err := a.o.Reader.Deliveries(e.ProjectID, r, event.DeliveryFilter{Endpoints: []event.ID{e.ID}})
	switch {
	case err != nil:
		return nil, in, err
	case !scan.Next.IsZero():
		return rows, in.endingAt(scan.Next), nil
	case len(rows) < limit:
		return rows, span{lastID, event.ID{}}, nil
	}
	return rows, in.before(rows[len(rows)-1].ID), nil
}

func (v *failureRateView) count(s event.Status) {
	switch s {
	case event.Success:
		v.SuccessCount++
	case event.Failure:
		v.FailureCount++
	case event.Retry:
		v.RetryCount++
	}
}

package api

import (
	"encoding/json"
	"net/http"

	"posthaste/event"
)

// batchRetry starts a job that retries the deliveries which the query selects, as
// GET would list them. Older Go clients name them in the body instead; those are
// retried at once.
func (a *API) batchRetry(c *call) (reply, error) {
	q, filter, err := parseRetryQuery(c)
	if err != nil {
		return reply{}, err
	}
	ids, err := a.idsInBody(c)
	if err != nil {
		return reply{}, err
	}
	if ids != nil {
		return a.retryEach(c, ids, false)
	}
	job, err := a.submit(c, event.JobRetry, q, filter)
	if err != nil {
		return reply{}, err
	}
	rep, err := accepted("Batch retry processing", job)
	if c.r.Method == http.MethodPut {
		rep.data = []byte("{}") // older Go clients, which send PUT, cannot read null
	}
	return rep, err
}

// parseRetryQuery is parseDeliveryQuery for deliveries to be retried: those that
// ended without success, unless the query names other states.
func parseRetryQuery(c *call) (pageQuery, event.JobFilter, error) {
	params := c.r.URL.Query()
	if err := refuseUnknownParams(params); err != nil {
		return pageQuery{}, event.JobFilter{}, err
	}
	if params.Get("body") != "" {
		return pageQuery{}, event.JobFilter{}, event.Invalid("body", "selects events; select deliveries by what is in their data with query, as in data.order.id=7")
	}
	q, filter, err := parseDeliveryQuery(c)
	if len(filter.Statuses) == 0 {
		filter.Statuses = []event.Status{event.Failure, event.Discarded}
	}
	return q, event.JobFilter{Deliveries: filter, Search: searchParam(c)}, err
}

// idsInBody reads the ids of a body that names any; nil if it does not, or is
// something else than an object, as clients send it that have nothing to say.
func (a *API) idsInBody(c *call) ([]event.ID, error) {
	if c.r.ContentLength == 0 {
		return nil, nil
	}
	body, err := a.readBody(c.r)
	if err != nil {
		return nil, err
	}
	var sent struct {
		IDs json.RawMessage `json:"ids"`
	}
	if json.Unmarshal(body, &sent) != nil || isEmpty(sent.IDs) {
		return nil, nil
	}
	return parseIDs(body)
}

// countBatchRetry says how many deliveries batchRetry would take up.
func (a *API) countBatchRetry(c *call) (reply, error) {
	q, filter, err := parseRetryQuery(c)
	if err != nil {
		return reply{}, err
	}
	deliveries, _, err := a.deliveriesThat(c, filter.Deliveries, filter.Search, countPages)
	if err != nil {
		return reply{}, err
	}
	n, err := deliveries.count(c.r.Context(), q.within, func(event.Delivery) bool { return true })
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Event deliveries counted successfully", n)
}

// statusTotals counts the deliveries that a query selects by their states.
func (a *API) statusTotals(c *call) (reply, error) {
	q, filter, err := parseDeliveryQuery(c)
	if err != nil {
		return reply{}, err
	}
	deliveries, _, err := a.deliveriesThat(c, filter, searchParam(c), countPages)
	if err != nil {
		return reply{}, err
	}
	totals := make(map[string]int)
	for _, name := range statusNames() {
		totals[name] = 0
	}
	n, err := deliveries.count(c.r.Context(), q.within, func(d event.Delivery) bool {
		totals[d.Status.String()]++
		return true
	})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Event deliveries counted successfully", totalsView{n, totals})
}

// totalsView is how many deliveries there are, in all and in each state.
type totalsView struct {
	countView
	Totals map[string]int `json:"totals"`
}

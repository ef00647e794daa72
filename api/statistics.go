package api

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"posthaste/event"
	"posthaste/stats"
)

const (
	defaultCountedSpan = 24 * time.Hour
	defaultSteps       = 96   // of which a step's length is made if none is asked for
	maxCountedSeries   = 1000 // endpoints or types in one answer
)

// seriesView is a series of counts.
type seriesView struct {
	EndpointID string      `json:"endpoint_id,omitempty"`
	EventType  *string     `json:"event_type,omitempty"` // "" for those beyond the types that are told apart
	Step       int         `json:"step"`                 // seconds
	Total      countsView  `json:"total"`
	Points     []pointView `json:"points"`
}

// pointView is one step.
type pointView struct {
	At time.Time `json:"at"` // when it begins
	countsView
}

// countsView is what happened. Deliveries are those that were created in the time, by the
// state they are in now; attempts are those that ended in it.
type countsView struct {
	Deliveries int64 `json:"deliveries"`
	// ByStatus has the states that some are in.
	ByStatus map[string]int64 `json:"by_status"`
	// FirstTry is how many of the deliveries their first attempt delivered.
	FirstTry int64 `json:"first_try"`
	Attempts int64 `json:"attempts"`
	// Results counts attempts by the status code of the answer, or by why there was
	// none: timeout, dns, connect, tls, reset, malformed, blocked, auth, transform.
	Results map[string]int64 `json:"results"`
	// Latency is of the attempts that were answered; null if none was.
	Latency *latencyView `json:"latency"`
}

// latencyView is in milliseconds, each to an eighth.
type latencyView struct {
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	P99 float64 `json:"p99_ms"`
	Avg float64 `json:"avg_ms"`
}

func newCountsView(c stats.Cell) countsView {
	v := countsView{Deliveries: c.Deliveries(), FirstTry: c.Get(stats.FieldFirst), ByStatus: map[string]int64{}, Results: map[string]int64{}}
	for s := event.Scheduled; s <= event.Discarded; s++ {
		if n := c.InState(s); n > 0 {
			v.ByStatus[s.String()] = n
		}
	}
	var answered int64
	for _, n := range c {
		class, code, ok := n.Field.Result()
		if !ok || n.N == 0 {
			continue
		}
		v.Attempts += n.N
		if code > 0 {
			answered += n.N
			v.Results[strconv.Itoa(code)] = n.N
		} else {
			v.Results[class.String()] = n.N
		}
	}
	if answered > 0 {
		v.Latency = &latencyView{
			P50: quantile(c, 0.5), P95: quantile(c, 0.95), P99: quantile(c, 0.99),
			Avg: float64(c.Get(stats.FieldTime)) / float64(answered),
		}
	}
	return v
}

func quantile(c stats.Cell, q float64) float64 {
	return float64(c.Quantile(q).Microseconds()) / 1000
}

// countSeries answers with the counts of the project, of one of its endpoints or of one
// event type.
func (a *API) countSeries(c *call) (reply, error) {
	params := c.r.URL.Query()
	span, err := a.countedSpan(params)
	if err != nil {
		return reply{}, err
	}
	series, err := c.countedSeries(params)
	if err != nil {
		return reply{}, err
	}
	counted, err := a.o.Counts.Counts([]stats.Series{series}, span)
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Statistics fetched successfully", newSeriesView(&counted[0], span, true))
}

// countEndpoints answers with the counts of each endpoint that has some, or of those that
// are asked for.
func (a *API) countEndpoints(c *call) (reply, error) {
	params := c.r.URL.Query()
	span, err := a.countedSpan(params)
	if err != nil {
		return reply{}, err
	}
	ids, err := idParams(params, "endpointId")
	if err != nil {
		return reply{}, err
	}
	if len(ids) > maxCountedSeries {
		return reply{}, event.Invalid("endpointId", "at most %d endpoints can be asked for at once", maxCountedSeries)
	}
	all, err := a.countedEndpoints(c, ids, span)
	if err != nil {
		return reply{}, err
	}
	return c.countAll(all, span)
}

// countedEndpoints are the counts of these endpoints, or of all if there are no ids. Those
// that the caller does not see are left out.
func (a *API) countedEndpoints(c *call, ids []event.ID, span stats.Span) ([]stats.SeriesCells, error) {
	sees := func(id event.ID) bool {
		e := c.snap.Endpoint(id)
		return e != nil && e.ProjectID == c.project.ID && c.sees(e)
	}
	if len(ids) == 0 {
		all, err := a.o.Counts.CountsOf(c.project.ID, stats.OfEndpoint, span)
		return slices.DeleteFunc(all, func(s stats.SeriesCells) bool { return !sees(s.Series.Endpoint) }), err
	}
	var seen []stats.Series
	for _, id := range ids {
		if sees(id) {
			seen = append(seen, stats.Series{Project: c.project.ID, Dim: stats.OfEndpoint, Endpoint: id})
		}
	}
	return a.o.Counts.Counts(seen, span)
}

// countTypes answers with the counts of each event type that has some.
func (a *API) countTypes(c *call) (reply, error) {
	span, err := a.countedSpan(c.r.URL.Query())
	if err != nil {
		return reply{}, err
	}
	all, err := a.o.Counts.CountsOf(c.project.ID, stats.OfType, span)
	if err != nil {
		return reply{}, err
	}
	return c.countAll(all, span)
}

// countAll lists series of a dimension, the busiest first, or those in most trouble.
func (c *call) countAll(all []stats.SeriesCells, span stats.Span) (reply, error) {
	params := c.r.URL.Query()
	weigh, err := seriesOrder(params.Get("order"))
	if err != nil {
		return reply{}, err
	}
	limit := maxCountedSeries
	if text := params.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxCountedSeries {
			return reply{}, event.Invalid("limit", "must be a number from 1 to %d", maxCountedSeries)
		}
	}
	type weighed struct {
		of     *stats.SeriesCells
		weight int64
		key    string
	}
	order := make([]weighed, len(all))
	for i := range all {
		order[i] = weighed{&all[i], weigh(all[i].Sum()), all[i].Series.Type + string(all[i].Series.Endpoint[:])}
	}
	slices.SortFunc(order, func(x, y weighed) int { return cmp.Or(cmp.Compare(y.weight, x.weight), cmp.Compare(x.key, y.key)) })
	views := make([]seriesView, min(len(order), limit))
	for i := range views {
		views[i] = newSeriesView(order[i].of, span, params.Get("points") != "false")
	}
	return respond(http.StatusOK, "Statistics fetched successfully", views)
}

// seriesOrder is what a list of series is ordered by.
func seriesOrder(name string) (func(stats.Cell) int64, error) {
	switch name {
	case "", "deliveries":
		return stats.Cell.Deliveries, nil
	case "trouble":
		return func(c stats.Cell) int64 {
			return 3*c.InState(event.Failure) + 2*c.InState(event.Retry) + c.InState(event.Discarded)
		}, nil
	}
	return nil, event.Invalid("order", "must be deliveries or trouble")
}

func newSeriesView(s *stats.SeriesCells, span stats.Span, points bool) seriesView {
	v := seriesView{Step: int(span.Step / time.Second), Total: newCountsView(s.Sum()), Points: []pointView{}}
	switch s.Series.Dim {
	case stats.OfEndpoint:
		v.EndpointID = s.Series.Endpoint.String()
	case stats.OfType:
		v.EventType = &s.Series.Type
	}
	if !points {
		return v
	}
	for i, c := range s.Cells {
		at := time.UnixMilli(int64(span.Begin())).Add(time.Duration(i) * span.Step).UTC()
		v.Points = append(v.Points, pointView{at, newCountsView(c)})
	}
	return v
}

// countedSeries is what the parameters ask for.
func (c *call) countedSeries(params url.Values) (stats.Series, error) {
	s := stats.Series{Project: c.project.ID}
	endpoint, err := idParam(params, "endpointId")
	if err != nil {
		return s, err
	}
	name := firstOf(params, "eventType", "event_type")
	switch {
	case !endpoint.IsZero() && name != "":
		return s, event.Invalid("eventType", "cannot be asked for together with endpointId: they are counted apart")
	case !endpoint.IsZero():
		if e := c.snap.Endpoint(endpoint); e == nil || e.ProjectID != c.project.ID || !c.sees(e) {
			return s, event.ErrNotFound
		}
		s.Dim, s.Endpoint = stats.OfEndpoint, endpoint
	case name != "":
		s.Dim, s.Type = stats.OfType, name
	}
	return s, nil
}

// countedSpan reads startDate, endDate and step, in seconds.
func (a *API) countedSpan(params url.Values) (stats.Span, error) {
	end, err := parseDate(params, "endDate")
	if err != nil {
		return stats.Span{}, err
	}
	if end.IsZero() {
		end = a.now()
	}
	start, err := parseDate(params, "startDate")
	if err != nil {
		return stats.Span{}, err
	}
	if start.IsZero() {
		start = end.Add(-defaultCountedSpan)
	}
	if !start.Before(end) {
		return stats.Span{}, event.Invalid("startDate", "must be before endDate")
	}
	span := stats.Span{From: uint64(max(start.UnixMilli(), 0)), To: uint64(max(end.UnixMilli(), 0)), Step: stepFor(end.Sub(start))}
	if text := params.Get("step"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 60 || seconds > int(stats.Levels[len(stats.Levels)-1].Keep/time.Second) {
			return span, event.Invalid("step", "must be a number of seconds, 60 or more and a whole number of minutes")
		}
		span.Step = time.Duration(seconds) * time.Second
	}
	return span, span.Check()
}

// steps are the lengths that a step has if none is asked for.
var steps = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
}

// stepFor is the shortest of them that makes about defaultSteps of a time.
func stepFor(d time.Duration) time.Duration {
	for _, s := range steps {
		if d <= s*defaultSteps {
			return s
		}
	}
	return steps[len(steps)-1]
}

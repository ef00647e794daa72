package console

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	overviewNewest   = 50 // endpoints that are looked at in any case
	overviewSuspects = 50 // those that are looked at because of their counts, where there are more
	overviewWorst    = 10 // endpoints in the table
	overviewTroubles = 6  // in "needs attention"
)

// overviewView is how a project does.
type overviewView struct {
	W        window
	Windows  []window
	Total    counts
	Charts   []*chart
	Table    table // of the charts
	Trouble  []trouble
	Troubled int // endpoints that need attention, also those that are not shown
	Worst    []endpointRow
	Reasons  []reason
	Query    string // of the list of deliveries
	None     bool   // there is no endpoint yet
}

// trouble is an endpoint that somebody should look at.
type trouble struct {
	Row      endpointRow
	Severity string // bad, warn or off
	Say      string
}

func (c *Console) overview(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "overview", "Overview")
	win := windowOf(r, c.o.Now(), "24h")
	d, err := v.overview(r.Context(), &win, p.Loc)
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	p.D = d
	if partial(r) {
		c.render(w, r, "overview-live", p)
		return
	}
	c.render(w, r, "overview.html", p)
}

func (v *visit) overview(ctx context.Context, win *window, loc *time.Location) (*overviewView, error) {
	all, err := v.statistics(ctx, win, nil)
	if err != nil {
		return nil, err
	}
	rows, next, err := v.endpointRows(ctx, win, loc, url.Values{"perPage": {strconv.Itoa(overviewNewest)}}, false)
	if err == nil && next != "" {
		rows, err = v.addSuspects(ctx, win, loc, rows)
	}
	if err != nil {
		return nil, err
	}
	d := &overviewView{W: *win, Windows: windows, Total: all.Total, Reasons: all.Total.Reasons(), None: len(rows) == 0}
	d.Query = v.base + "/deliveries?" + win.Params()
	d.Charts = all.charts(win, loc, v.base+"/deliveries")
	d.Table = tableOf(d.Charts)
	slices.SortStableFunc(rows, worseFirst)
	d.Worst = rows[:min(len(rows), overviewWorst)]
	if err := v.addStrips(ctx, win, loc, d.Worst); err != nil {
		return nil, err
	}
	for i := range rows {
		if t, some := troubleOf(rows[i]); some {
			d.Trouble = append(d.Trouble, t)
		}
	}
	d.Troubled = len(d.Trouble)
	slices.SortStableFunc(d.Trouble, func(a, b trouble) int { return cmp.Compare(a.rank(), b.rank()) })
	d.Trouble = d.Trouble[:min(len(d.Trouble), overviewTroubles)]
	return d, nil
}

// rank orders troubles, the worst first.
func (t trouble) rank() int { return slices.Index([]string{"bad", "warn", "off"}, t.Severity) }

// worseFirst orders endpoints by what is lost, what waits and what was discarded.
func worseFirst(a, b endpointRow) int {
	weight := func(r *endpointRow) int64 {
		return 3*r.Total.ByStatus["Failure"] + 2*r.Total.ByStatus["Retry"] + r.Total.ByStatus["Discarded"]
	}
	return cmp.Or(cmp.Compare(weight(&b), weight(&a)), cmp.Compare(b.Total.Deliveries, a.Total.Deliveries), strings.Compare(a.Name, b.Name))
}

// troubleOf says what is wrong with an endpoint, if anything is.
func troubleOf(e endpointRow) (trouble, bool) {
	t := trouble{Row: e}
	rate := e.Total.Rate()
	why := ""
	if reasons := e.Total.Reasons(); len(reasons) > 0 {
		why = reasons[0].Text
	}
	switch {
	case e.Status == "inactive":
		t.Severity, t.Say = "off", "Inactive: new deliveries are discarded"
		if n := e.Total.ByStatus["Discarded"]; n > 0 {
			t.Say += fmt.Sprintf(", %s so far", number(n))
		}
	case e.Status == "pending":
		t.Severity, t.Say = "off", "Pending: one delivery is being tried to see whether it answers again"
	case e.CBState == "open":
		t.Severity, t.Say = "bad", "Its circuit breaker is open: "+cmp.Or(why, "attempts fail")
	case rate >= 0 && rate < 50 && why != "":
		t.Severity, t.Say = "bad", why+" on most attempts"
		if rate == 0 {
			t.Say = why + "; nothing was accepted"
		}
	case rate >= 0 && rate < 95 && why != "":
		t.Severity, t.Say = "warn", why+fmt.Sprintf(" on %s attempts", number(e.Total.Reasons()[0].N))
	case e.Status == "paused":
		t.Severity, t.Say = "off", "Paused: what waits is held, new deliveries are discarded"
	default:
		return t, false
	}
	return t, true
}

// endpointRow is an endpoint and how it does.
type endpointRow struct {
	endpoint
	Total counts
	Strip []cell
	P95   float64 // ms; 0: no answer
}

// endpointRows are the newest endpoints of the project with their counts, and strips if they
// are wanted; query selects some. next is where the list goes on, "" at its end.
func (v *visit) endpointRows(ctx context.Context, win *window, loc *time.Location, query url.Values, strips bool) (rows []endpointRow, next string, err error) {
	endpoints, paging, err := v.endpoints(ctx, query)
	if err != nil || len(endpoints) == 0 {
		return nil, "", err
	}
	counted, err := v.perEndpoint(ctx, win, idsOf(endpoints), strips)
	if err != nil {
		return nil, "", err
	}
	rows = make([]endpointRow, len(endpoints))
	for i, e := range endpoints {
		rows[i] = newEndpointRow(e, counted[e.ID], loc)
	}
	if paging.HasNextPage {
		next = paging.NextPageCursor
	}
	return rows, next, nil
}

// addStrips fills in the strips of some rows.
func (v *visit) addStrips(ctx context.Context, win *window, loc *time.Location, rows []endpointRow) error {
	if len(rows) == 0 {
		return nil
	}
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	counted, err := v.perEndpoint(ctx, win, ids, true)
	for i := range rows {
		s := counted[rows[i].ID]
		rows[i].Strip = s.strip(loc)
	}
	return err
}

func idsOf(endpoints []endpoint) []string {
	ids := make([]string, len(endpoints))
	for i := range endpoints {
		ids[i] = endpoints[i].ID
	}
	return ids
}

func newEndpointRow(e endpoint, s statistics, loc *time.Location) endpointRow {
	row := endpointRow{endpoint: e, Total: s.Total, Strip: s.strip(loc)}
	if s.Total.Latency != nil {
		row.P95 = s.Total.Latency.P95
	}
	return row
}

// addSuspects adds the endpoints that stand out, by their state or by their counts, to rows
// that are not of all endpoints.
func (v *visit) addSuspects(ctx context.Context, win *window, loc *time.Location, rows []endpointRow) ([]endpointRow, error) {
	known := make(map[string]bool, len(rows))
	for i := range rows {
		known[rows[i].ID] = true
	}
	stopped, _, err := v.endpointRows(ctx, win, loc, url.Values{"status": {"inactive,pending,paused"}}, false)
	if err != nil {
		return nil, err
	}
	for i := range stopped {
		if !known[stopped[i].ID] {
			known[stopped[i].ID] = true
			rows = append(rows, stopped[i])
		}
	}
	counted, err := v.perEndpoint(ctx, win, nil, false)
	if err != nil {
		return nil, err
	}
	for id, s := range counted {
		if known[id] {
			continue
		}
		e, err := v.endpoint(ctx, id)
		if codeOf(err) == http.StatusNotFound {
			continue // it went meanwhile
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, newEndpointRow(e, s, loc))
	}
	return rows, nil
}

// Waiting, Failed and Low are for the templates.
func (e endpointRow) Waiting() int64 { return e.Total.Waiting() }

// Failed is how many deliveries failed for good.
func (e endpointRow) Failed() int64 { return e.Total.ByStatus["Failure"] }

// Low reports whether too little is accepted.
func (e endpointRow) Low() bool { r := e.Total.Rate(); return r >= 0 && r < 90 }

// Why is the most frequent reason of failed attempts; "" if there is none.
func (e endpointRow) Why() string {
	if r := e.Total.Reasons(); len(r) > 0 {
		return r[0].Text
	}
	return ""
}

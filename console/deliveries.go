package console

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"posthaste/client"
)

const (
	rowsPerPage = 50
	maxRows     = 200
)

// pageSizes are how many rows a page may have.
var pageSizes = []int{rowsPerPage, 100, maxRows}

var statuses = []string{"Success", "Retry", "Failure", "Processing", "Scheduled", "Discarded"}

// filter is what a list of deliveries is narrowed to. The address has all of it.
type filter struct {
	Statuses       []string
	Endpoint, Type string
	Event          string // its id
	Q              string // a text: see api
	Rows           int    // of a page
	W              window
}

func filterOf(r *http.Request, now time.Time) filter {
	q := r.URL.Query()
	f := filter{Endpoint: q.Get("endpoint"), Type: q.Get("type"), Event: q.Get("event"), Rows: rowsPerPage, Q: strings.TrimSpace(q.Get("q")), W: windowOf(r, now, "24h")}
	if n, err := strconv.Atoi(q.Get("rows")); err == nil && slices.Contains(pageSizes, n) {
		f.Rows = n
	}
	for _, s := range q["status"] {
		if slices.Contains(statuses, s) && !slices.Contains(f.Statuses, s) {
			f.Statuses = append(f.Statuses, s)
		}
	}
	return f
}

// api is the filter as parameters of the API. A text is looked for as an id first, see
// jump, and then in idempotency keys, in the data and in why deliveries ended.
func (f *filter) api() url.Values {
	q := f.W.query()
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("endpointId", f.Endpoint)
	set("eventType", f.Type)
	set("eventId", f.Event)
	set("status", strings.Join(f.Statuses, ","))
	set("query", f.Q)
	return q
}

// page is the filter as parameters of a page, without one of them.
func (f *filter) page(without string) url.Values {
	q, _ := url.ParseQuery(f.W.Params())
	set := func(name, value string) {
		if value != "" && name != without {
			q.Set(name, value)
		}
	}
	set("endpoint", f.Endpoint)
	set("type", f.Type)
	set("event", f.Event)
	set("q", f.Q)
	if f.Rows != rowsPerPage && f.Rows > 0 {
		set("rows", strconv.Itoa(f.Rows))
	}
	if without != "status" {
		q["status"] = slices.Clone(f.Statuses)
	}
	if without == "range" {
		q.Del("from")
		q.Del("to")
		q.Del("range")
	}
	return q
}

// has reports whether a state is chosen.
func (f *filter) has(status string) bool { return slices.Contains(f.Statuses, status) }

// Only is the address of the list with one filter more.
func (f filter) Only(base, name, value string) string {
	q := f.page(name)
	q.Set(name, value)
	return base + "/deliveries?" + q.Encode()
}

// But is the address of the list without what has a value: without a state by choosing
// the others, without the rest by an operator of the search.
func (f filter) But(base, name, value string) string {
	if name == "status" {
		left := f.Statuses
		if len(left) == 0 || len(left) == 1 && left[0] == value {
			left = statuses
		}
		q := f.page(name)
		q[name] = slices.DeleteFunc(slices.Clone(left), func(s string) bool { return s == value })
		return base + "/deliveries?" + q.Encode()
	}
	q := f.page("")
	if q.Get(name) == value {
		q.Del(name)
	}
	term := "-" + name + ":" + value
	if strings.Contains(value, " ") {
		term = "-" + name + `:"` + value + `"`
	}
	q.Set("q", strings.TrimSpace(f.Q+" "+term))
	return base + "/deliveries?" + q.Encode()
}

// withoutTerm is the search's text without one of its terms.
func withoutTerm(text, term string) string {
	before, after, _ := strings.Cut(text, term)
	return strings.TrimSpace(strings.TrimSpace(before) + " " + strings.TrimSpace(after))
}

// Sized is the address of the list with so many rows a page.
func (f filter) Sized(base string, n int) string {
	f.Rows = n
	return base + "/deliveries?" + f.page("").Encode()
}

// chip is a filter that can be taken away.
type chip struct{ Label, Value, Without string }

func (f *filter) chips(base string, endpoints []endpoint, search *client.Search, loc *time.Location) []chip {
	var out []chip
	add := func(name, label, value string) {
		if value != "" {
			out = append(out, chip{label, value, base + "?" + f.page(name).Encode()})
		}
	}
	add("status", "status", strings.Join(f.Statuses, " or "))
	name := f.Endpoint
	for _, e := range endpoints {
		if e.ID == f.Endpoint {
			name = e.Name
		}
	}
	add("endpoint", "endpoint", name)
	add("type", "type", f.Type)
	add("event", "event", cutID(f.Event))
	switch {
	case search != nil && len(search.Terms) > 1:
		for _, t := range search.Terms {
			q := f.page("")
			q.Set("q", withoutTerm(f.Q, t.Term))
			out = append(out, chip{"search", named(t.Means, endpoints), base + "?" + q.Encode()})
		}
	case search != nil && len(search.Terms) == 1:
		add("q", "search", named(search.Terms[0].Means, endpoints))
	default:
		add("q", "search", f.Q)
	}
	if f.W.Key == custom { // in the reader's zone; the address is in UTC
		add("range", "between", f.W.From.In(loc).Format("2 Jan 15:04")+" and "+f.W.To.In(loc).Format("2 Jan 15:04 MST"))
	}
	return out
}

// named puts the names of endpoints in the place of their ids.
func named(text string, endpoints []endpoint) string {
	for _, e := range endpoints {
		if e.ID != "" && e.Name != "" {
			text = strings.ReplaceAll(text, e.ID, e.Name)
		}
	}
	return text
}

// Live reports whether rows are added as they come: on the newest page of a time that goes
// on, and not of a search, because a stream does not hold the data.
func (d deliveriesView) Live() bool { return d.First && d.F.W.Key != custom && d.F.Q == "" }

// facet is a state with how many there are, under the other filters.
type facet struct {
	Name, Href string
	Add        string // the address that adds this state to those chosen, or takes it away
	N          int64
	On         bool
}

// deliveriesView is the list.
type deliveriesView struct {
	F         filter
	Windows   []window
	Rows      []delivery
	Facets    []facet
	All       int64
	AllHref   string
	Chips     []chip
	Hist      *chart
	Next      string // the older page; "" if there is none
	First     bool   // no page is newer
	Newest    string
	Cut       *time.Time // the page ended early: so far back was looked
	Looked    int        // at so many
	Search    *client.Search
	Sizes     []int
	Oldest    *time.Time // of the rows
	Endpoints []endpoint
	Types     []string
	Query     template.URL // the filter, for links
	Export    string
	Resend    int64 // how many that match can be sent again, if they are counted
	Counted   bool  // the counts are for exactly this filter
}

func (c *Console) deliveries(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "deliveries", "Deliveries")
	f := filterOf(r, c.o.Now())
	if to := v.jump(r.Context(), f.Q); to != "" {
		if partial(r) {
			w.Header().Set("HX-Redirect", to)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	d, err := v.deliveries(r.Context(), f, r.URL.Query().Get("cursor"), p.Loc)
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	p.D = d
	if partial(r) {
		c.render(w, r, "deliveries-results", p)
		return
	}
	c.render(w, r, "deliveries.html", p)
}

const idLength = 26

// jump is the page of the one thing that a text is the id of; "" if it is none.
func (v *visit) jump(ctx context.Context, text string) string {
	if len(text) != idLength || strings.ContainsAny(text, " /?#%.") {
		return ""
	}
	events := "/events/"
	if v.portal {
		events = "/deliveries?event="
	}
	kinds := []struct{ api, page string }{{"/eventdeliveries/", "/deliveries/"}, {"/events/", events}}
	if !v.portal {
		kinds = append(kinds, []struct{ api, page string }{{"/subscriptions/", "/subscriptions/"}, {"/sources/", "/sources/"}, {"/jobs/", "/jobs/"}}...)
	}
	for _, kind := range kinds {
		if _, err := get[struct{}](ctx, v, kind.api+text); err == nil {
			return v.base + kind.page + text
		}
	}
	if _, err := v.endpoint(ctx, text); err == nil {
		return v.base + "/endpoints/" + text
	}
	return ""
}

func (v *visit) deliveries(ctx context.Context, f filter, cursor string, loc *time.Location) (*deliveriesView, error) {
	d := &deliveriesView{F: f, Windows: windows, First: cursor == "", Query: template.URL(f.page("").Encode())}
	q := f.api()
	q.Set("perPage", strconv.Itoa(f.Rows))
	if cursor != "" {
		q.Set("next_page_cursor", cursor)
		q.Set("direction", "next")
	}
	var err error
	var paging client.Pagination
	if d.Rows, paging, err = list[delivery](ctx, v, "/eventdeliveries", q); err != nil {
		return nil, err
	}
	base := v.base + "/deliveries"
	d.Cut, d.Looked, d.Search, d.Sizes = paging.LookedUntil, paging.Looked, paging.Search, pageSizes
	if n := len(d.Rows); n > 0 {
		d.Oldest = &d.Rows[n-1].CreatedAt
	}
	d.Export = base + "/export?" + string(d.Query)
	d.Newest = base + "?" + string(d.Query)
	if paging.HasNextPage {
		next := f.page("")
		next.Set("cursor", paging.NextPageCursor)
		d.Next = base + "?" + next.Encode()
	}
	if d.Endpoints, err = v.endpointsWith(ctx, f.Endpoint); err != nil {
		return nil, err
	}
	if err := d.count(ctx, v, base, loc); err != nil {
		return nil, err
	}
	d.Chips = f.chips(base, d.Endpoints, d.Search, loc)
	return d, nil
}

// count fills in what statistics say: facets and histogram. They know endpoints and event
// types, but not both together, and no keys.
func (d *deliveriesView) count(ctx context.Context, v *visit, base string, loc *time.Location) error {
	f := &d.F
	of := url.Values{}
	d.Counted = f.Q == "" && f.Event == ""
	switch {
	case f.Endpoint != "":
		of.Set("endpointId", f.Endpoint)
		d.Counted = d.Counted && f.Type == ""
	case f.Type != "":
		of.Set("eventType", f.Type)
	}
	s, err := v.statistics(ctx, &f.W, of)
	if codeOf(err) == http.StatusNotFound {
		err = nil // of nothing there is nothing
	}
	if err != nil {
		return err
	}
	for _, name := range statuses {
		q, add := f.page("status"), f.page("status")
		if !f.has(name) || len(f.Statuses) > 1 {
			q.Set("status", name)
		}
		add["status"] = toggled(f.Statuses, name)
		n := s.Total.ByStatus[name]
		d.Facets = append(d.Facets, facet{name, base + "?" + q.Encode(), base + "?" + add.Encode(), n, f.has(name)})
		d.All += n
		if (name == "Failure" || name == "Discarded") && (len(f.Statuses) == 0 || f.has(name)) {
			d.Resend += n
		}
	}
	d.AllHref = base + "?" + f.page("status").Encode()
	d.Hist = s.histogram(&f.W, loc, base)
	if types, err := v.types(ctx, &f.W); err == nil {
		d.Types = types
	}
	return nil
}

// toggled is a choice with one more or, if it was among them, without it.
func toggled(chosen []string, name string) []string {
	if i := slices.Index(chosen, name); i >= 0 {
		return slices.Delete(slices.Clone(chosen), i, i+1)
	}
	return append(slices.Clone(chosen), name)
}

// types are the event types of a window, the most frequent first.
func (v *visit) types(ctx context.Context, w *window) ([]string, error) {
	if v.portal {
		return v.typeNames(ctx)
	}
	q := w.query()
	q.Set("points", "false")
	a, err := v.backend.Do(ctx, client.Request{Method: http.MethodGet, Path: v.api + "/statistics/event-types", Query: q})
	if err != nil {
		return nil, err
	}
	var all []statistics
	if err := a.Into(&all); err != nil {
		return nil, err
	}
	var names []string
	for _, s := range all[:min(len(all), maxRows)] {
		if s.EventType != "" {
			names = append(names, s.EventType)
		}
	}
	return names, nil
}

// typeNames are those of the catalogue: how often there are events of a type tells of
// other owners.
func (v *visit) typeNames(ctx context.Context) ([]string, error) {
	rows, _, err := list[eventType](ctx, v, "/event-types", nil)
	var names []string
	for _, t := range rows {
		if t.Name != "*" {
			names = append(names, t.Name)
		}
	}
	return names, err
}

// histogram is the window's deliveries by what became of them.
func (s *statistics) histogram(w *window, loc *time.Location, href string) *chart {
	c := &chart{Title: "Deliveries", Kind: bars, H: 44, Step: w.Step, XTicks: w.xTicks(loc), Href: href,
		Series: []series{{"delivered", "ok", nil}, {"waiting", "warn", nil}, {"failed", "bad", nil}, {"discarded", "off", nil}}}
	for i := range s.Points {
		p := &s.Points[i]
		c.Times = append(c.Times, p.At)
		for k, n := range []int64{p.ByStatus["Success"], p.Waiting(), p.ByStatus["Failure"], p.ByStatus["Discarded"]} {
			c.Series[k].V = append(c.Series[k].V, float64(n))
		}
	}
	c.scale(number2)
	c.Ticks = nil
	return c
}

package console

import (
	"cmp"
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"posthaste/client"
)

// job is a batch retry or replay as the API tells of it.
type job struct {
	ID        string     `json:"uid"`
	Kind      string     `json:"kind"`
	State     string     `json:"state"`
	Rate      int        `json:"rate"`
	Total     *int       `json:"total"`
	Done      int        `json:"done"`
	Skipped   int        `json:"skipped"`
	Failed    int        `json:"failed"`
	Error     string     `json:"error"`
	Filter    jobFilter  `json:"filter"`
	CreatedAt time.Time  `json:"created_at"`
	EndedAt   *time.Time `json:"ended_at"`
}

// jobFilter is what a job was asked for, by the names of the API.
type jobFilter struct {
	From           *time.Time      `json:"startDate"`
	To             *time.Time      `json:"endDate"`
	Endpoints      []string        `json:"endpointId"`
	EventID        string          `json:"eventId"`
	SubscriptionID string          `json:"subscriptionId"`
	Key            string          `json:"idempotencyKey"`
	Owner          string          `json:"ownerId"`
	Type           string          `json:"eventType"`
	Source         json.RawMessage `json:"sourceId"` // one, or several
	Query          string          `json:"query"`
	Body           json.RawMessage `json:"body"`
	Statuses       []string        `json:"status"`
}

// Lines are the filter in words, a name and a value each.
func (f jobFilter) Lines() []header {
	var out []header
	add := func(name, value string) {
		if value != "" && value != "null" && value != "[]" {
			out = append(out, header{name, value})
		}
	}
	add("Status", strings.Join(f.Statuses, " or "))
	add("Event type", f.Type)
	add("Endpoint", strings.Join(f.Endpoints, ", "))
	add("Owner", f.Owner)
	add("Event", f.EventID)
	add("Subscription", f.SubscriptionID)
	add("Source", strings.Trim(string(f.Source), `["]`))
	add("Idempotency key", f.Key)
	add("Search", f.Query)
	add("In the data", string(f.Body))
	return out
}

// Verb is what the job does.
func (j job) Verb() string {
	if j.Kind == "batch_replay" {
		return "Replay"
	}
	return "Resend"
}

// Unit is what it does that to.
func (j job) Unit() string {
	if j.Kind == "batch_replay" {
		return "events"
	}
	return "deliveries"
}

// Over reports whether nothing more happens.
func (j job) Over() bool { return j.EndedAt != nil }

// Width is how far it is, as far as that is known.
func (j job) Width() string {
	if j.Over() {
		return "100%"
	}
	if j.Total == nil || *j.Total == 0 {
		return "0%"
	}
	return percent(min(100, float64(j.Done+j.Skipped+j.Failed)/float64(*j.Total)*100))
}

// resendView is the preview of a batch retry.
type resendView struct {
	F       filter
	Chips   []chip
	N       int64
	Exactly bool // N is; else there are more
	Rows    []resendRow
	Held    int64
	Query   template.URL
	Problem string
}

// resendRow is what of it goes to an endpoint.
type resendRow struct {
	Name, Status string
	N            int64
	W            string
	Held         bool
}

// resendFilter is the filter of a batch retry: the states that can be sent again.
func resendFilter(f filter) url.Values {
	q := f.api()
	chosen := slices.DeleteFunc(slices.Clone(f.Statuses), func(s string) bool { return s != "Failure" && s != "Discarded" })
	if len(chosen) == 0 {
		chosen = []string{"Failure", "Discarded"}
	}
	q.Set("status", chosen[0])
	if len(chosen) == 2 {
		q.Set("status", chosen[0]+","+chosen[1])
	}
	return q
}

// resendPreview counts before anything is sent.
func (c *Console) resendPreview(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "deliveries", "Resend")
	d, err := v.resendView(r.Context(), filterOf(r, c.o.Now()), p.Loc)
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	p.D = d
	c.dialog(w, r, "resend-dialog", p)
}

func (v *visit) resendView(ctx context.Context, f filter, loc *time.Location) (*resendView, error) {
	d := &resendView{F: f, Query: template.URL(f.page("").Encode())}
	var count struct {
		Num      int64 `json:"num"`
		Complete bool  `json:"complete"`
	}
	a, err := v.change(ctx, http.MethodGet, "/eventdeliveries/countbatchretryevents", resendFilter(f), nil)
	if err == nil {
		err = a.Into(&count)
	}
	if err != nil {
		return nil, err
	}
	d.N, d.Exactly = count.Num, count.Complete
	endpoints, err := v.endpointsWith(ctx, f.Endpoint)
	if err != nil {
		return nil, err
	}
	d.Chips = f.chips(v.base+"/deliveries", endpoints, nil, loc)
	if len(endpoints) == 0 || f.Type != "" || f.Q != "" || f.Event != "" {
		return d, nil // who gets how many of these is not known
	}
	counted, err := v.perEndpoint(ctx, &f.W, idsOf(endpoints), false)
	if err != nil {
		return nil, err
	}
	d.addRows(endpoints, counted)
	return d, nil
}

func (d *resendView) addRows(endpoints []endpoint, counted map[string]statistics) {
	var most int64 = 1
	for _, e := range endpoints {
		if d.F.Endpoint != "" && e.ID != d.F.Endpoint {
			continue
		}
		row := resendRow{Name: e.Name, Status: e.Status, Held: e.Status == "paused" || e.Status == "inactive"}
		for _, s := range []string{"Failure", "Discarded"} {
			if len(d.F.Statuses) == 0 || d.F.has(s) {
				row.N += counted[e.ID].Total.ByStatus[s]
			}
		}
		if row.N == 0 {
			continue
		}
		if row.Held {
			d.Held += row.N
		}
		most = max(most, row.N)
		d.Rows = append(d.Rows, row)
	}
	slices.SortFunc(d.Rows, func(a, b resendRow) int { return cmp.Compare(b.N, a.N) })
	d.Rows = d.Rows[:min(len(d.Rows), 12)]
	for i := range d.Rows {
		d.Rows[i].W = percent(float64(d.Rows[i].N) / float64(most) * 100)
	}
}

// resendStart begins the batch retry and shows its progress.
func (c *Console) resendStart(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "deliveries", "Resend")
	q := resendFilter(filterOf(r, c.o.Now()))
	if rate, err := strconv.Atoi(r.FormValue("rate")); err == nil && rate > 0 {
		q.Set("rate", strconv.Itoa(rate))
	}
	a, err := v.change(r.Context(), http.MethodPost, "/eventdeliveries/batchretry", q, nil)
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	c.begun(w, r, v, p, a)
}

// begun shows the progress of a job that an answer tells of, in the dialog that began it or
// on a page of its own.
func (c *Console) begun(w http.ResponseWriter, r *http.Request, v *visit, p page, a *client.Answer) {
	id := path.Base(a.Location)
	if len(id) != idLength {
		p.D = "The deliveries are being sent again."
		c.dialog(w, r, "said", p)
		return
	}
	if !partial(r) {
		back(w, r, v.base+"/jobs/"+id+"?done=begun")
		return
	}
	j, err := get[job](r.Context(), v, "/jobs/"+id)
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	p.D = j
	c.render(w, r, "job", p)
}

// dialog writes what a script shows in a dialog. Without one it is a page of its own.
func (c *Console) dialog(w http.ResponseWriter, r *http.Request, name string, p page) {
	if !partial(r) {
		name += ".page"
	}
	c.render(w, r, name, p)
}

func (c *Console) jobsPage(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "jobs", "Jobs")
	rows, _, err := list[job](r.Context(), v, "/jobs", url.Values{"perPage": {"50"}})
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	p.D = rows
	if partial(r) {
		c.render(w, r, "jobs-live", p)
		return
	}
	c.render(w, r, "jobs.html", p)
}

// jobView is one job's page.
type jobView struct {
	J     job
	Began []auditRow // the record of its beginning; none if it is not there any more
	Live  bool       // only the part that changes is asked for
}

func (c *Console) jobPart(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "jobs", "Job")
	j, err := get[job](r.Context(), v, "/jobs/"+url.PathEscape(r.PathValue("id")))
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	d := jobView{J: j}
	switch {
	case r.URL.Query().Has("page") && partial(r):
		p.D = d
		c.render(w, r, "job-live", p)
	case partial(r):
		p.D = j
		c.render(w, r, "job", p)
	default:
		d.Began = v.auditOf(r.Context(), j.ID, url.Values{"action": {"job."}})
		p.Title, p.D = j.Verb()+" …"+cutID(j.ID), d
		c.render(w, r, "job.html", p)
	}
}

func (c *Console) jobCancel(w http.ResponseWriter, r *http.Request, v *visit) {
	_, err := v.change(r.Context(), http.MethodPut, "/jobs/"+url.PathEscape(r.PathValue("id"))+"/cancel", nil, nil)
	if err != nil {
		c.failed(w, r, c.page(r, v, "jobs", "Jobs"), err)
		return
	}
	if partial(r) {
		c.jobPart(w, r, v)
		return
	}
	if v.portal {
		back(w, r, v.base+"/deliveries")
		return
	}
	back(w, r, v.base+"/jobs/"+url.PathEscape(r.PathValue("id"))+"?done=cancelled")
}

package console

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"posthaste/client"
)

// eventRow is an event as the API tells of it.
type eventRow struct {
	client.Event
	Raw     string              `json:"raw"`
	Headers map[string][]string `json:"headers"`
}

// Body is the event's data as it was posted.
func (e eventRow) Body() string {
	if e.Raw != "" {
		return e.Raw
	}
	if string(e.Data) == "null" {
		return ""
	}
	return string(e.Data)
}

// Start is the beginning of the data, on one line.
func (e eventRow) Start() string {
	text := strings.Join(strings.Fields(e.Body()), " ")
	if len(text) > 120 {
		text = strings.ToValidUTF8(text[:120], "") + "…"
	}
	return text
}

// eventFilter is what a list of events is narrowed to. The address has all of it.
type eventFilter struct {
	Q, Type, Source string
	W               window
}

func eventFilterOf(r *http.Request, now time.Time) eventFilter {
	q := r.URL.Query()
	return eventFilter{Q: strings.TrimSpace(q.Get("q")), Type: q.Get("type"), Source: q.Get("source"), W: windowOf(r, now, "24h")}
}

// api is the filter as parameters of the API.
func (f *eventFilter) api() url.Values {
	return f.into(f.W.query(), "query", "eventType", "sourceId")
}

// page is the filter as parameters of a page.
func (f *eventFilter) page() url.Values {
	q, _ := url.ParseQuery(f.W.Params())
	return f.into(q, "q", "type", "source")
}

func (f *eventFilter) into(q url.Values, text, kind, source string) url.Values {
	for name, value := range map[string]string{text: f.Q, kind: f.Type, source: f.Source} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// eventsView is the list of events.
type eventsView struct {
	F            eventFilter
	Windows      []window
	Types        []string
	Rows         []eventRow
	Next, Newest string
	First        bool
	Query        template.URL // the filter, for links
	Looked       *time.Time   // the search ended early: so far back was looked
	LookedAt     int          // at so many
	Oldest       *time.Time   // of the rows
}

// Live reports whether rows are added as they come: on the newest page of a time that goes
// on, and not of a search, because a stream does not hold the data.
func (d eventsView) Live() bool { return d.First && d.F.W.Key != custom && d.F.Q == "" }

func (c *Console) events(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "events", "Events")
	f := eventFilterOf(r, c.o.Now())
	if to := v.jump(r.Context(), f.Q); to != "" {
		back(w, r, to)
		return
	}
	d, err := v.events(r.Context(), f, r.URL.Query().Get("cursor"))
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	p.D = d
	if partial(r) {
		c.render(w, r, "events-results", p)
		return
	}
	d.Types, _ = v.types(r.Context(), &f.W)
	c.render(w, r, "events.html", p)
}

func (v *visit) events(ctx context.Context, f eventFilter, cursor string) (*eventsView, error) {
	self := f.page()
	d := &eventsView{F: f, Windows: windows, First: cursor == "", Query: template.URL(self.Encode())}
	ask := f.api()
	ask.Set("perPage", strconv.Itoa(rowsPerPage))
	if cursor != "" {
		ask.Set("next_page_cursor", cursor)
	}
	rows, paging, err := list[eventRow](ctx, v, "/events", ask)
	if err != nil {
		return nil, err
	}
	d.Rows, d.Looked, d.LookedAt = rows, paging.LookedUntil, paging.Looked
	if n := len(rows); n > 0 {
		d.Oldest = &rows[n-1].CreatedAt
	}
	d.Newest = v.base + "/events?" + string(d.Query)
	if paging.HasNextPage {
		self.Set("cursor", paging.NextPageCursor)
		d.Next = v.base + "/events?" + self.Encode()
	}
	return d, nil
}

// eventView is one event's page.
type eventView struct {
	E          eventRow
	Deliveries []delivery
	Headers    []header
	Why        *matches // of one that is owed to nobody, or if it is asked for
}

// matches is what the subscriptions make of an event.
type matches struct {
	Asked    string `json:"asked"`
	Complete bool   `json:"complete"`
	Matches  []struct {
		Name       string `json:"name"`
		EndpointID string `json:"endpoint_id"`
		Endpoint   string `json:"endpoint_name"`
		Matches    bool   `json:"matches"`
		Text       string `json:"text"`
	} `json:"matches"`
}

func (c *Console) eventPage(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "events", "Event")
	d, err := v.eventView(r.Context(), r.PathValue("id"), r.URL.Query().Get("why") != "")
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	p.Title, p.D = d.E.EventType, d
	c.render(w, r, "event.html", p)
}

func (v *visit) eventView(ctx context.Context, id string, why bool) (*eventView, error) {
	e, err := get[eventRow](ctx, v, "/events/"+url.PathEscape(id))
	if err != nil {
		return nil, err
	}
	d := &eventView{E: e}
	for name, values := range e.Headers {
		d.Headers = append(d.Headers, header{name, strings.Join(values, ", ")})
	}
	d.Deliveries, _, err = list[delivery](ctx, v, "/eventdeliveries", url.Values{"eventId": {e.ID}, "perPage": {strconv.Itoa(maxRows)}})
	if err == nil && (why || len(d.Deliveries) == 0 && !e.IsDuplicate) {
		var m matches
		m, err = get[matches](ctx, v, "/events/"+url.PathEscape(id)+"/matches")
		d.Why = &m
	}
	return d, err
}

// replay routes an event again, as the project is set up now.
func (c *Console) replay(w http.ResponseWriter, r *http.Request, v *visit) {
	id := url.PathEscape(r.PathValue("id"))
	if _, err := v.change(r.Context(), http.MethodPut, "/events/"+id+"/replay", nil, nil); err != nil {
		c.failed(w, r, c.page(r, v, "events", "Replay"), err)
		return
	}
	http.Redirect(w, r, v.base+"/events/"+id, http.StatusSeeOther)
}

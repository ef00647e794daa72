package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// subscription is one as the API tells of it.
type subscription struct {
	ID       string `json:"uid"`
	Name     string `json:"name"`
	Function string `json:"function"`
	Endpoint *struct {
		ID   string `json:"uid"`
		Name string `json:"name"`
	} `json:"endpoint_metadata"`
	Source *struct {
		ID   string `json:"uid"`
		Name string `json:"name"`
	} `json:"source_metadata"`
	Filter struct {
		EventTypes []string `json:"event_types"`
		Filter     struct {
			Body    json.RawMessage `json:"body"`
			Headers json.RawMessage `json:"headers"`
			Query   json.RawMessage `json:"query"`
			Path    json.RawMessage `json:"path"`
		} `json:"filter"`
	} `json:"filter_config"`
	DeliveryMode string    `json:"delivery_mode"`
	CreatedAt    time.Time `json:"created_at"`
}

// Filters are the parts of the filter that have conditions, each with its name.
func (s subscription) Filters() []string {
	var out []string
	f := s.Filter.Filter
	for _, p := range []struct {
		name string
		raw  json.RawMessage
	}{{"", f.Body}, {"headers ", f.Headers}, {"query ", f.Query}, {"path ", f.Path}} {
		if text := string(p.raw); text != "" && text != "{}" && text != "null" {
			out = append(out, p.name+text)
		}
	}
	return out
}

// Mode is the delivery mode in words.
func (s subscription) Mode() string { return strings.ReplaceAll(s.DeliveryMode, "_", " ") }

// subscriptionsView is the list.
type subscriptionsView struct {
	Rows     []subscription
	Endpoint string // only those of this one
	Name     string // of it
	Next     string
}

func (c *Console) subscriptions(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "subscriptions", "Subscriptions")
	d := subscriptionsView{Endpoint: r.URL.Query().Get("endpoint")}
	q := url.Values{"perPage": {"100"}}
	self := url.Values{}
	if d.Endpoint != "" {
		q.Set("endpointId", d.Endpoint)
		self.Set("endpoint", d.Endpoint)
	}
	if cursor := r.URL.Query().Get("cursor"); cursor != "" {
		q.Set("next_page_cursor", cursor)
	}
	rows, paging, err := list[subscription](r.Context(), v, "/subscriptions", q)
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	d.Rows = rows
	if d.Endpoint != "" && len(rows) > 0 && rows[0].Endpoint != nil {
		d.Name = rows[0].Endpoint.Name
	}
	if paging.HasNextPage {
		self.Set("cursor", paging.NextPageCursor)
		d.Next = v.base + "/subscriptions?" + self.Encode()
	}
	p.D = d
	c.render(w, r, "subscriptions.html", p)
}

func (c *Console) deleteSubscription(w http.ResponseWriter, r *http.Request, v *visit) {
	if _, err := v.change(r.Context(), http.MethodDelete, "/subscriptions/"+url.PathEscape(r.PathValue("id")), nil, nil); err != nil {
		c.failed(w, r, c.page(r, v, "subscriptions", "Subscriptions"), err)
		return
	}
	back(w, r, v.base+"/subscriptions?done=deleted")
}

package console

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// replayView is the preview of a batch replay.
type replayView struct {
	W       window
	Chips   []chip
	N       int64
	Exactly bool // N is; else there are more
	Query   template.URL
	Rate    string
	Problem string
}

// replayFilter is the filter of the page of events, as the API takes it.
func replayFilter(r *http.Request, win *window) (ask, self url.Values, chips []chip) {
	q := r.URL.Query()
	ask = win.query()
	self, _ = url.ParseQuery(win.Params())
	for _, f := range []struct{ name, api, label string }{
		{"type", "eventType", "type"}, {"source", "sourceId", "source"}, {"q", "query", "text in the data"},
	} {
		if value := strings.TrimSpace(q.Get(f.name)); value != "" {
			ask.Set(f.api, value)
			self.Set(f.name, value)
			chips = append(chips, chip{Label: f.label, Value: value})
		}
	}
	return ask, self, chips
}

// replayPreview counts before anything is replayed.
func (c *Console) replayPreview(w http.ResponseWriter, r *http.Request, v *visit) {
	c.renderReplay(w, r, v, replayView{})
}

func (c *Console) renderReplay(w http.ResponseWriter, r *http.Request, v *visit, d replayView) {
	p := c.page(r, v, "events", "Replay")
	d.W = windowOf(r, c.o.Now(), "24h")
	ask, self, chips := replayFilter(r, &d.W)
	// What is counted is what is replayed: the time does not move on meanwhile.
	self.Del("range")
	self.Set("from", d.W.From.UTC().Format(time.RFC3339))
	self.Set("to", d.W.To.UTC().Format(time.RFC3339))
	d.Chips, d.Query = chips, template.URL(self.Encode())
	var err error
	if d.N, d.Exactly, err = v.countReplay(r.Context(), ask); err != nil {
		c.failed(w, r, p, err)
		return
	}
	if d.Problem != "" {
		p.Code = http.StatusUnprocessableEntity
	}
	p.D = d
	c.dialog(w, r, "replay-dialog", p)
}

func (v *visit) countReplay(ctx context.Context, ask url.Values) (n int64, exactly bool, err error) {
	var count struct {
		Num      int64 `json:"num"`
		Complete bool  `json:"complete"`
	}
	a, err := v.change(ctx, http.MethodGet, "/events/countbatchreplayevents", ask, nil)
	if err == nil {
		err = a.Into(&count)
	}
	return count.Num, count.Complete, err
}

// replayStart begins the replay and shows its progress.
func (c *Console) replayStart(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "events", "Replay")
	win := windowOf(r, c.o.Now(), "24h")
	ask, _, _ := replayFilter(r, &win)
	rate := strings.TrimSpace(r.FormValue("rate"))
	if rate != "" {
		if n, err := strconv.Atoi(rate); err != nil || n < 0 {
			c.renderReplay(w, r, v, replayView{Rate: rate, Problem: "How many a second must be a whole number; leave it empty for as many as there can be."})
			return
		}
		ask.Set("rate", rate)
	}
	a, err := v.change(r.Context(), http.MethodPost, "/events/batchreplay", ask, nil)
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	c.begun(w, r, v, p, a)
}

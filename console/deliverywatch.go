package console

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The times of a page that looks again by itself.
const (
	watchQuick = 2 * time.Second  // when something is about to happen, or has just happened
	watchCalm  = 10 * time.Second // else
	watchSoon  = 15 * time.Second // before what is due
	watchLate  = time.Minute      // after it
)

// watch is how the page of a delivery that is not at its end follows it: every so often it
// asks for what is new since the state that it shows. One that is at its end is not asked
// for again: Every is "".
type watch struct {
	Every string
	Query template.URL
	State string
	Shown int // the attempt that the page shows; 0: there is none
	// Behind: the page follows the last attempt, and shows an earlier one because it is
	// being read.
	Behind bool
}

// deliveryNews is what a page puts in place of what it showed.
type deliveryNews struct {
	deliveryView
	Whole bool   // another attempt is shown, or the first
	Said  string // for those who listen to the page
}

// watchOf begins to follow a delivery.
func watchOf(e *delivery, now time.Time) watch {
	w := watch{State: fmt.Sprintf("%s.%d.%d", e.Status, e.Metadata.NumTrials, e.UpdatedAt.UnixMilli())}
	due := e.UpdatedAt
	switch e.Status {
	case "Scheduled", "Processing":
	case "Retry":
		if next := e.Next(); next != nil {
			due = *next
		}
	default:
		return w
	}
	pace := watchCalm
	if now.After(due.Add(-watchSoon)) && now.Before(due.Add(watchLate)) {
		pace = watchQuick
	}
	w.Every = fmt.Sprintf("%ds", int(pace.Seconds()))
	return w
}

// follow completes the watch of a page that was asked for with q.
func (d *deliveryView) follow(q url.Values, now time.Time) {
	d.Watch = watchOf(&d.E, now)
	if d.A != nil {
		d.Watch.Shown = d.A.Number
		d.Watch.Behind = q.Get("attempt") == "" && d.A != &d.Attempts[len(d.Attempts)-1]
	}
	if d.Watch.Every == "" {
		return
	}
	next := url.Values{"seen": {d.Watch.State}, "every": {d.Watch.Every}, "shown": {strconv.Itoa(d.Watch.Shown)}}
	if d.Watch.Behind {
		next.Set("behind", "1")
	}
	for _, name := range []string{"attempt", "with", "view", "noise", "computed"} {
		if value := q.Get(name); value != "" {
			next.Set(name, value)
		}
	}
	d.Watch.Query = template.URL(next.Encode())
}

// deliveryNews answers a page that follows a delivery: with nothing while nothing is new.
func (c *Console) deliveryNews(w http.ResponseWriter, r *http.Request, v *visit) {
	p, q, now := c.page(r, v, "deliveries", "Delivery"), r.URL.Query(), c.o.Now()
	id := r.PathValue("id")
	keep := q.Get("keep") != "" && q.Get("shown") != "0"
	e, err := get[delivery](r.Context(), v, "/eventdeliveries/"+url.PathEscape(id))
	if err == nil {
		is := watchOf(&e, now)
		if is.State == q.Get("seen") && is.Every == q.Get("every") && (q.Get("behind") == "" || keep) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
	var d *deliveryView
	if err == nil {
		d, err = v.deliveryView(r.Context(), id, keeping(q, keep), now)
	}
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	d.follow(q, now)
	news := deliveryNews{deliveryView: *d, Whole: strconv.Itoa(d.Watch.Shown) != q.Get("shown")}
	if d.Watch.State != q.Get("seen") {
		news.Said = fmt.Sprintf("%s, attempts: %d", d.E.Status, d.E.Metadata.NumTrials)
	}
	p.D = news
	c.render(w, r, "delivery-news", p)
}

// keeping are the parameters of a page that goes on showing the attempt that it shows.
func keeping(q url.Values, keep bool) url.Values {
	if !keep || q.Get("attempt") != "" {
		return q
	}
	kept := url.Values{}
	for name, values := range q {
		kept[name] = values
	}
	kept.Set("attempt", q.Get("shown"))
	return kept
}

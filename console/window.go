package console

import (
	"net/http"
	"net/url"
	"time"
)

// window is the time that a page is about: the last so and so long, or a span that was
// chosen on a chart.
type window struct {
	Key      string // of windows; "custom" for a span
	Label    string
	From, To time.Time
	Step     time.Duration // of the charts
}

// windows are those that a page offers.
var windows = []window{
	{Key: "1h", Label: "1 hour", Step: time.Minute},
	{Key: "6h", Label: "6 hours", Step: 5 * time.Minute},
	{Key: "24h", Label: "24 hours", Step: 15 * time.Minute},
	{Key: "7d", Label: "7 days", Step: 2 * time.Hour},
	{Key: "30d", Label: "30 days", Step: 12 * time.Hour},
	{Key: "1y", Label: "a year", Step: 7 * 24 * time.Hour},
}

var windowLengths = map[string]time.Duration{
	"1h": time.Hour, "6h": 6 * time.Hour, "24h": 24 * time.Hour,
	"7d": 7 * 24 * time.Hour, "30d": 30 * 24 * time.Hour, "1y": 366 * 24 * time.Hour,
}

const custom = "custom"

// windowOf reads range, from and to. standard is the one if there is none.
func windowOf(r *http.Request, now time.Time, standard string) window {
	q := r.URL.Query()
	from, errFrom := time.Parse(time.RFC3339, q.Get("from"))
	to, errTo := time.Parse(time.RFC3339, q.Get("to"))
	if errFrom == nil {
		if errTo != nil || !to.After(from) {
			to = endOfSecond(now)
		}
		if to.After(from) {
			return window{Key: custom, Label: "the chosen span", From: from.UTC(), To: to.UTC(), Step: stepFor(to.Sub(from))}
		}
	}
	key := q.Get("range")
	if windowLengths[key] == 0 {
		key = standard
	}
	for _, w := range windows {
		if w.Key == key {
			w.To = endOfSecond(now)
			w.From = w.To.Add(-windowLengths[key]).Truncate(w.Step).Add(w.Step) // whole steps
			return w
		}
	}
	return latest(now, time.Hour, time.Minute)
}

// latest is a window up to now.
func latest(now time.Time, length, step time.Duration) window {
	return window{Key: custom, From: now.Add(-length), To: endOfSecond(now), Step: step}
}

// endOfSecond is where a window ends that is to have what has just happened: the API takes
// whole seconds, and statistics leave out the minute that begins at the end.
func endOfSecond(now time.Time) time.Time {
	return now.UTC().Truncate(time.Second).Add(time.Second)
}

// stepFor makes some sixty to a hundred steps of a span.
func stepFor(d time.Duration) time.Duration {
	for _, s := range []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour} {
		if d <= 96*s {
			return s
		}
	}
	return 7 * 24 * time.Hour
}

const apiDate = "2006-01-02T15:04:05"

// query is the window as parameters of the API.
func (w *window) query() url.Values {
	return url.Values{"startDate": {w.From.UTC().Format(apiDate)}, "endDate": {w.To.UTC().Format(apiDate)}}
}

// Params are the window as parameters of a page.
func (w window) Params() string {
	if w.Key != custom {
		return "range=" + w.Key
	}
	return "from=" + url.QueryEscape(w.From.Format(time.RFC3339)) + "&to=" + url.QueryEscape(w.To.Format(time.RFC3339))
}

// xTicks are round times within the window, in the reader's zone.
func (w *window) xTicks(loc *time.Location) []tick {
	span := w.To.Sub(w.From)
	step, layout := 10*time.Minute, "15:04"
	switch {
	case span > 60*24*time.Hour:
		step, layout = 31*24*time.Hour, "Jan 2006"
	case span > 10*24*time.Hour:
		step, layout = 5*24*time.Hour, "2 Jan"
	case span > 2*24*time.Hour:
		step, layout = 24*time.Hour, "2 Jan"
	case span > 12*time.Hour:
		step = 3 * time.Hour
	case span > 3*time.Hour:
		step = time.Hour
	case span > 90*time.Minute:
		step = 30 * time.Minute
	}
	var out []tick
	_, offset := w.From.In(loc).Zone()
	shift := time.Duration(offset) * time.Second
	for t := w.From.Add(shift).Truncate(step).Add(step - shift); t.Before(w.To); t = t.Add(step) {
		if p := float64(t.Sub(w.From)) / float64(span) * 100; p > 3 && p < 97 {
			out = append(out, tick{p, t.In(loc).Format(layout)})
		}
	}
	return out
}

// latest is the newest value of a rate by steps that begin at these times: of the step that
// runs, by what of it is over; or of the one before, while that is less than a quarter or a
// minute.
func (w *window) latest(rate []float64, begins []time.Time) float64 {
	n := len(rate)
	if n == 0 {
		return 0
	}
	over := min(w.To.Sub(begins[n-1]), w.Step)
	if over < max(w.Step/4, time.Minute) && n > 1 {
		return rate[n-2]
	}
	return rate[n-1] * float64(w.Step) / float64(max(over, min(time.Minute, w.Step)))
}

package console

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"posthaste/client"
)

// counts is what the API counts of a time.
type counts struct {
	Deliveries int64            `json:"deliveries"`
	ByStatus   map[string]int64 `json:"by_status"`
	FirstTry   int64            `json:"first_try"`
	Attempts   int64            `json:"attempts"`
	Results    map[string]int64 `json:"results"`
	Latency    *struct {
		P50 float64 `json:"p50_ms"`
		P95 float64 `json:"p95_ms"`
		P99 float64 `json:"p99_ms"`
	} `json:"latency"`
}

// point is the counts of a step.
type point struct {
	At time.Time `json:"at"`
	counts
}

// statistics is a series of counts, as the API tells it.
type statistics struct {
	EndpointID string  `json:"endpoint_id"`
	EventType  string  `json:"event_type"`
	Step       int     `json:"step"`
	Total      counts  `json:"total"`
	Points     []point `json:"points"`
}

// Waiting is how many are still owed.
func (c counts) Waiting() int64 {
	return c.ByStatus["Retry"] + c.ByStatus["Scheduled"] + c.ByStatus["Processing"]
}

// Sent is how many were not discarded.
func (c counts) Sent() int64 { return c.Deliveries - c.ByStatus["Discarded"] }

// Rate is the share of those that were sent which arrived, in percent; -1 if none was sent.
func (c counts) Rate() float64 {
	if c.Sent() <= 0 {
		return -1
	}
	return float64(c.ByStatus["Success"]) / float64(c.Sent()) * 100
}

// RateText is Rate as it is shown. It never rounds up to all.
func (c counts) RateText() string {
	switch r := c.Rate(); {
	case r < 0:
		return "–"
	case r == 100:
		return "100 %"
	default:
		return strconv.FormatFloat(math.Floor(r*10)/10, 'f', 1, 64) + " %"
	}
}

// reason is why attempts failed, and how many did.
type reason struct {
	Text string
	Code string // as the search of deliveries takes it; "" if it does not
	N    int64
	W    string // as a share of the most frequent
}

// Reasons are the results other than success, the most frequent first.
func (c counts) Reasons() []reason {
	var out []reason
	for result, n := range c.Results {
		if n > 0 && !strings.HasPrefix(result, "2") {
			out = append(out, reason{Text: resultText(result), Code: searchedCode(result), N: n})
		}
	}
	slices.SortFunc(out, func(a, b reason) int {
		if a.N != b.N {
			return int(b.N - a.N)
		}
		return strings.Compare(a.Text, b.Text)
	})
	out = out[:min(len(out), 6)]
	for i := range out {
		out[i].W = percent(float64(out[i].N) / float64(out[0].N) * 100)
	}
	return out
}

// searchedCode is a result as the value of the operator code of a search.
func searchedCode(result string) string {
	if n, err := strconv.Atoi(result); err == nil && n >= 100 && n <= 599 || classTexts[result] != "" {
		return result
	}
	return ""
}

var classTexts = map[string]string{
	"timeout": "no answer in time", "dns": "no such host", "connect": "no connection", "tls": "TLS failed or not trusted",
	"reset": "connection lost", "malformed": "the answer was no HTTP", "blocked": "address not allowed",
	"local": "this server's fault", "cancelled": "cut short by a stop", "auth": "no credentials to be had", "transform": "the function failed",
}

// resultText is a result in words.
func resultText(result string) string {
	if code, err := strconv.Atoi(result); err == nil {
		return strings.TrimSpace(result + " " + http.StatusText(code))
	}
	if text := classTexts[result]; text != "" {
		return text
	}
	return result
}

// statistics asks for the counts of a window: of the project, or what more selects.
func (v *visit) statistics(ctx context.Context, w *window, more url.Values) (statistics, error) {
	q := w.query()
	q.Set("step", strconv.Itoa(int(w.Step.Seconds())))
	for name, values := range more {
		q[name] = values
	}
	var s statistics
	a, err := v.backend.Do(ctx, client.Request{Method: http.MethodGet, Path: v.api + "/statistics", Query: q})
	if err == nil {
		err = a.Into(&s)
	}
	return s, err
}

// perEndpoint asks for the counts of a window by endpoint: of these endpoints, or of those
// in most trouble if there are no ids; in few steps for strips, or only in all.
func (v *visit) perEndpoint(ctx context.Context, w *window, ids []string, strips bool) (map[string]statistics, error) {
	q := w.query()
	step := stripStep(w)
	q.Set("step", strconv.Itoa(int(step.Seconds())))
	q.Set("points", strconv.FormatBool(strips))
	q["endpointId"] = ids
	if len(ids) == 0 {
		q.Set("order", "trouble")
		q.Set("limit", strconv.Itoa(overviewSuspects))
	}
	a, err := v.backend.Do(ctx, client.Request{Method: http.MethodGet, Path: v.api + "/statistics/endpoints", Query: q})
	if err != nil {
		return nil, err
	}
	var all []statistics
	if err := a.Into(&all); err != nil {
		return nil, err
	}
	out := make(map[string]statistics, len(all))
	for _, s := range all {
		out[s.EndpointID] = s
	}
	return out, nil
}

// stripStep is the length of a cell of an endpoint's strip: an hour where that makes
// enough cells, since hours are read faster than minutes.
func stripStep(w *window) time.Duration {
	switch span := w.To.Sub(w.From); {
	case span > 40*24*time.Hour:
		return 7 * 24 * time.Hour
	case span > 4*24*time.Hour:
		return 24 * time.Hour
	case span > 8*time.Hour:
		return time.Hour
	case span > 2*time.Hour:
		return 10 * time.Minute
	}
	return 2 * time.Minute
}

// cell is one of a strip: how a part of the window was.
type cell struct{ Class, Title string }

// strip is an endpoint's window at a glance.
func (s *statistics) strip(loc *time.Location) []cell {
	out := make([]cell, len(s.Points))
	for i := range s.Points {
		p := &s.Points[i]
		at := p.At.In(loc).Format("2 Jan 15:04")
		bad := p.Sent() - p.ByStatus["Success"]
		switch share := float64(bad) / float64(max(1, p.Sent())); {
		case p.Deliveries == 0:
			out[i] = cell{"z", at + ": no deliveries"}
		case p.Sent() == 0:
			out[i] = cell{"cd", at + ": " + number(p.Deliveries) + " discarded"}
		default:
			class := "c3"
			switch {
			case bad == 0:
				class = "c0"
			case share < .1:
				class = "c1"
			case share < .5:
				class = "c2"
			}
			out[i] = cell{class, at + ": " + number(p.ByStatus["Success"]) + " of " + number(p.Sent()) + " delivered"}
		}
	}
	return out
}

// charts are the four that an overview has, on one axis of time.
func (s *statistics) charts(w *window, loc *time.Location, href string) []*chart {
	n := len(s.Points)
	var times []time.Time
	ok, waiting, failed := make([]float64, n), make([]float64, n), make([]float64, n)
	first, p50, p95, p99 := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	tries := make([]float64, n)
	lowest := 100.0
	for i := range s.Points {
		p := &s.Points[i]
		times = append(times, p.At)
		minutes := w.Step.Minutes()
		ok[i], failed[i] = float64(p.ByStatus["Success"])/minutes, float64(p.ByStatus["Failure"])/minutes
		waiting[i], tries[i] = float64(p.Waiting())/minutes, float64(p.Attempts)/minutes
		first[i], p50[i], p95[i], p99[i] = math.NaN(), math.NaN(), math.NaN(), math.NaN()
		if p.Sent() > 0 {
			first[i] = float64(p.FirstTry) / float64(p.Sent()) * 100
			lowest = min(lowest, first[i])
		}
		if l := p.Latency; l != nil {
			p50[i], p95[i], p99[i] = l.P50, l.P95, l.P99
		}
	}
	perMinute := "per minute"
	now := func(v []float64) float64 { return w.latest(v, times) }
	deliveries := &chart{Title: "Deliveries", Now: number(now(ok) + now(waiting) + now(failed)), Sub: perMinute, Unit: "/min", H: 146, Kind: bars,
		Series: []series{{"delivered", "ok", ok}, {"waiting", "warn", waiting}, {"failed", "bad", failed}}}
	deliveries.Legend = deliveries.Series
	accepted := &chart{Title: "Accepted at first try", Now: "–", Sub: "of deliveries", Unit: "%", H: 76, Kind: line, Min: max(0, math.Floor((lowest-4)/10)*10), Max: 100,
		Series: []series{{"accepted", "ink", first}}}
	if !math.IsNaN(lastKnown(first)) {
		accepted.Now = strconv.FormatFloat(math.Floor(lastKnown(first)*10)/10, 'f', 1, 64) + " %"
	}
	response := &chart{Title: "Response time", Now: "–", Sub: "95th percentile", Unit: "ms", H: 76, Kind: line,
		Series: []series{{"p99", "faint", p99}, {"p95", "mid", p95}, {"p50", "ink", p50}}}
	response.Legend = []series{response.Series[2], response.Series[1], response.Series[0]}
	if !math.IsNaN(lastKnown(p95)) {
		response.Now = millis(lastKnown(p95))
	}
	attempts := &chart{Title: "Attempts", Now: number(now(tries)), Sub: perMinute, H: 76, Kind: area, Series: []series{{"attempts", "warnline", tries}}}
	all := []*chart{deliveries, accepted, response, attempts}
	for _, c := range all {
		c.Times, c.Step, c.XTicks, c.Href = times, w.Step, w.xTicks(loc), href
	}
	deliveries.Per, attempts.Per, accepted.Per, response.Per = perMinute, perMinute, "%", "ms"
	deliveries.scale(number2)
	accepted.scale(func(v float64) string { return number(v) + " %" })
	response.scale(millisTick)
	attempts.scale(number2)
	return all
}

// millisTick is a time at an axis, where there is little room.
func millisTick(v float64) string {
	if v >= 1000 {
		return number(v/1000) + " s"
	}
	return millis(v)
}

func number2(v float64) string { return number(v) }

// lastKnown is the latest number of a series; NaN if there is none.
func lastKnown(v []float64) float64 {
	for i := len(v) - 1; i >= 0; i-- {
		if !math.IsNaN(v[i]) {
			return v[i]
		}
	}
	return math.NaN()
}

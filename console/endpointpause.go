package console

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// offerTime is for how long after a pause its page offers to resend what was discarded.
const offerTime = 7 * 24 * time.Hour

// missed is what an endpoint was not sent while it took nothing.
type missed struct {
	N        int64
	Exactly  bool // N is; else there are more
	From, To time.Time
	Query    template.URL // of the list, and of what resends them
}

// addOwed fills in what waits for the endpoint, and what it missed.
func (d *endpointView) addOwed(ctx context.Context, v *visit, now time.Time) (err error) {
	if d.Waiting, err = v.waiting(ctx, d.E.ID, now); err != nil || !v.manages() {
		return err
	}
	d.Missed, err = v.missed(ctx, &d.E, now)
	return err
}

// waiting is how many deliveries are owed to an endpoint.
func (v *visit) waiting(ctx context.Context, id string, now time.Time) (int64, error) {
	win := latest(now, windowLengths["1y"], 7*24*time.Hour)
	s, err := v.statistics(ctx, &win, url.Values{"endpointId": {id}})
	return s.Total.Waiting(), err
}

// missed is what was discarded between an endpoint's last stop and its being active again;
// nil if nothing was, or if that is long ago.
func (v *visit) missed(ctx context.Context, e *endpoint, now time.Time) (*missed, error) {
	from, to, some := e.lastStop()
	if !some || now.Sub(to) > offerTime {
		return nil, nil
	}
	f := filter{Statuses: []string{"Discarded"}, Endpoint: e.ID, W: window{Key: custom, From: from.UTC().Truncate(time.Second), To: endOfSecond(to)}}
	var count struct {
		Num      int64 `json:"num"`
		Complete bool  `json:"complete"`
	}
	a, err := v.change(ctx, http.MethodGet, "/eventdeliveries/countbatchretryevents", resendFilter(f), nil)
	if err == nil {
		err = a.Into(&count)
	}
	if err != nil || count.Num == 0 {
		return nil, err
	}
	return &missed{N: count.Num, Exactly: count.Complete, From: from, To: to, Query: template.URL(f.page("").Encode())}, nil
}

// lastStop is when an endpoint that is active was last stopped, and when it went on.
func (e *endpoint) lastStop() (from, to time.Time, some bool) {
	if e.Status != "active" {
		return from, to, false
	}
	for _, change := range slices.Backward(e.StatusHistory) {
		switch change.To {
		case "active":
			if some {
				return from, to, !from.IsZero()
			}
			to, some = change.At, true
		case "paused", "inactive":
			from = change.At
		}
	}
	return from, to, some && !from.IsZero()
}

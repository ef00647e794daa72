package engine

import (
	"net/http"
	"time"

	"posthaste/event"
	"posthaste/retry"
)

// MaxRetryAfter is the longest that an endpoint may ask to be left alone.
const MaxRetryAfter = 24 * time.Hour

// decide is what becomes of a delivery after an attempt that is charged to it. It is
// pure: random is drawn by the caller, and the due time that it leads to is
// recorded, so that a replay of the log needs no chance.
func decide(d event.Delivery, p *retry.Policy, a *event.Attempt, now time.Time, random uint32) event.Delivery {
	d.Attempts++
	d.Limit = limitOf(d, p)
	d.UpdatedAt, d.Due, d.Manual = now, time.Time{}, false
	if a.Succeeded() {
		d.Status, d.Reason = event.Success, ""
		return d
	}
	if d.Reason = lastWord(&d, p, a, now); d.Reason != "" || d.Attempts >= d.Limit {
		d.Status = event.Failure
		return d
	}
	d.Status = event.Retry
	d.Due = wholeMilli(now.Add(max(p.Wait(d.Attempts, random), min(a.RetryAfter, MaxRetryAfter))))
	return d
}

// wholeMilli is t, or the next whole millisecond: due times are stored so, and none is
// to come early.
func wholeMilli(t time.Time) time.Time { return t.Add(time.Millisecond - 1).Truncate(time.Millisecond) }

// lastWord says why no attempt follows a failed one that was not the last of its
// budget; "" if one does.
func lastWord(d *event.Delivery, p *retry.Policy, a *event.Attempt, now time.Time) string {
	switch {
	case a.StatusCode == http.StatusGone:
		return "the endpoint answered 410 Gone"
	case p.Final(a.StatusCode):
		return "the endpoint answered with a status that is not retried"
	case d.AtMostOnce && mayHaveArrived(a):
		return "it may have arrived, and is to be delivered at most once"
	case d.Attempts < d.Limit && age(d.ID, now) >= p.MaxAge():
		return "it is older than its retry strategy lets it be"
	}
	return ""
}

// mayHaveArrived reports whether the endpoint may have taken the event although
// the attempt failed: all but what ended before a request was sent.
func mayHaveArrived(a *event.Attempt) bool {
	switch a.Class {
	case event.ClassDNS, event.ClassConnect, event.ClassTLS, event.ClassBlocked, event.ClassAuth, event.ClassTransform:
		return false
	}
	return true
}

// limitOf is how many attempts the delivery may have: what was recorded with its
// first, else what the policy says.
func limitOf(d event.Delivery, p *retry.Policy) int {
	if d.Limit > 0 {
		return d.Limit
	}
	return p.Limit()
}

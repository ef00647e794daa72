package bench

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"posthaste/bench/report"
)

// DemoReport is what the receivers of a demonstration saw. An attempt is a
// request that reached them.
type DemoReport struct {
	Accepted  int // events answered 2xx
	Delivered int // events answered 200 by their receiver, at least once
	FirstTry  int // of these, at the first attempt
	Retried   int // events that took more than one attempt
	Lost      int // accepted and not delivered

	Attempts   int
	TurnedAway int // attempts answered 500
	Repeats    int // attempts answered 200 for an event that had been delivered
	Verified   int // attempts with a good signature
	Unverified int
	Identical  int // attempts with the bytes that were posted
	Different  int
	Strays     int // requests that are no attempt at a posted event

	PostSeconds     float64 // from the first request to the last acceptance
	FirstTrySeconds float64 // from the first request to the last first-try delivery
	Seconds         float64 // in all

	FirstTryLatency  report.Latency // from request to receipt
	RecoveredLatency report.Latency // the same, of events that were turned away before

	Problem string // the first thing that did not hold, in detail
}

func (r *demoReceiver) report(posted demoPosted, start time.Time) *DemoReport {
	report := &DemoReport{
		Accepted:         posted.accepted,
		Delivered:        int(r.delivered.Load()),
		FirstTry:         int(r.firstTry.Load()),
		Retried:          int(r.retried.Load()),
		Attempts:         int(r.attempts.Load()),
		TurnedAway:       int(r.turnedAway.Load()),
		Repeats:          int(r.repeats.Load()),
		Verified:         int(r.verified.Load()),
		Unverified:       int(r.unverified.Load()),
		Identical:        int(r.identical.Load()),
		Different:        int(r.different.Load()),
		Strays:           int(r.strays.Load()),
		PostSeconds:      posted.took.Seconds(),
		Seconds:          time.Since(start).Seconds(),
		FirstTryLatency:  r.firstTryLatency.summary(),
		RecoveredLatency: r.recoveredLatency.summary(),
	}
	report.Lost = max(report.Accepted-report.Delivered, 0)
	if last := r.lastFirstTryNS.Load(); last > 0 {
		report.FirstTrySeconds = time.Duration(last - start.UnixNano()).Seconds()
	}
	if p := r.problem.Load(); p != nil {
		report.Problem = *p
	}
	return report
}

// Check returns an error that names everything that did not hold.
func (r *DemoReport) Check(count int) error {
	var errs []error
	add := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	add(r.Accepted < count, "%d of %d events were accepted", r.Accepted, count)
	add(r.Lost > 0, "%d accepted events were not delivered", r.Lost)
	add(r.Unverified > 0, "%d attempts had a wrong signature", r.Unverified)
	add(r.Different > 0, "%d attempts had other bytes than were posted", r.Different)
	add(r.Strays > 0, "%d requests were no attempt at a posted event", r.Strays)
	add(r.Problem != "", "the first: %s", r.Problem)
	return errors.Join(errs...)
}

// WriteText writes the report for people.
func (r *DemoReport) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(t, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	row("events accepted", "%d in %.2f s, %s", r.Accepted, r.PostSeconds, perSecond(r.Accepted, r.PostSeconds))
	row("events delivered", "%d within %.1f s", r.Delivered, r.Seconds)
	row("  at the first attempt", "%d in %.2f s, %s", r.FirstTry, r.FirstTrySeconds, perSecond(r.FirstTry, r.FirstTrySeconds))
	row("  after retries", "%d", r.Delivered-r.FirstTry)
	row("events retried", "%d", r.Retried)
	row("attempts", "%d, of which %d were answered 500", r.Attempts, r.TurnedAway)
	row("signatures verified", "%d of %d", r.Verified, r.Attempts)
	row("bytes identical", "%d of %d", r.Identical, r.Attempts)
	row("delivered again", "%d", r.Repeats)
	row("events lost", "%d", r.Lost)
	row("post to receipt", "%s", r.FirstTryLatency)
	row("  after retries", "%s", r.RecoveredLatency)
	return t.Flush()
}

func perSecond(n int, seconds float64) string {
	if seconds <= 0 {
		return "no rate"
	}
	return fmt.Sprintf("%.0f/s", float64(n)/seconds)
}

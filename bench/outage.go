package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posthaste/bench/report"
)

// healthyBaseline is the same load on the same server, while all endpoints are well.
const healthyBaseline = "healthy"

// What is asked of outage.
const (
	residentLimitMiB = 512
	ingestKept       = 0.9
)

// slowestStretch is the shortest time over which a dip of the intake is reported.
const slowestStretch = 10 * time.Second

// outage fills a server with deliveries to an endpoint that is down. If restart is
// asked for too, it is measured here, before the endpoint heals.
func (r *runner) outage(ctx context.Context) (_ *report.Scenario, err error) {
	b, err := r.newBacklog(ctx)
	if err != nil {
		return nil, err
	}
	defer b.end(&err)
	if err := b.warmUp(ctx); err != nil {
		return nil, err
	}
	healthy, err := b.healthy(ctx, measuredFirst, healthyBaseline)
	if err != nil {
		return nil, err
	}
	f, err := b.goDown(ctx)
	if err != nil {
		return nil, err
	}
	if r.asks("restart") {
		r.restarts = new(restarts)
		if r.restarts.row, err = b.measureRestarts(ctx); err != nil {
			return nil, fmt.Errorf("restart: %w", err)
		}
	}
	d, err := b.drain(ctx)
	if err != nil {
		return nil, err
	}
	end := time.Now()
	row := b.outageRow(healthy, f, d)
	if !r.Quick && d.Lost == 0 {
		after, err := b.healthy(ctx, afterFirst, healthyBaseline+" again")
		if err != nil {
			return nil, err
		}
		row.Note("intake afterwards, all well", after.rate(), "events/s")
	}
	b.monitor.end()
	b.noteMemory(row, f, end)
	if r.restarts != nil {
		r.restarts.account(d, b.published)
	}
	return row, b.check(d)
}

// filled is what happened while the backlog grew.
type filled struct {
	*intake
	start, end time.Time
	late       time.Duration // from the last accepted event until the others had got everything
	diskMiB    float64       // 0: the server does not say
}

// goDown takes the endpoint down, fills the backlog and waits until the endpoints
// that are well have got theirs.
func (b *backlog) goDown(ctx context.Context) (*filled, error) {
	if err := b.fall(ctx); err != nil {
		return nil, fmt.Errorf("take the endpoint down: %w", err)
	}
	f := &filled{start: time.Now()}
	var err error
	if f.intake, err = b.fill(ctx); err != nil {
		return nil, err
	}
	f.end = time.Now()
	if err := b.leg.rig.drain(ctx, b.published-b.owed, b.leg.r.TailLimit, func(int) {}); err != nil {
		return nil, err
	}
	if f.receipts, err = b.receipts(b.published); err != nil {
		return nil, err
	}
	f.late = max(time.Duration(f.receipts.LastNS-f.burst.LastDoneNS), 0)
	if want := b.published - b.owed; f.receipts.Delivered < want {
		return nil, fmt.Errorf("the endpoints that are well got %d of their %d events within %s while another was down",
			f.receipts.Delivered, want, b.leg.r.TailLimit)
	}
	f.diskMiB, _ = b.monitor.diskMiB()
	return f, nil
}

// outageRow is the row without what the monitor knows.
func (b *backlog) outageRow(healthy *intake, f *filled, d *drained) *report.Scenario {
	row := &report.Scenario{Name: "outage", Title: b.outageTitle(), Unit: "events/s", Baseline: healthyBaseline}
	row.Add(report.Run{
		Value: f.rate(), BaselineValue: healthy.rate(), Ratio: f.rate() / healthy.rate(), Seconds: f.seconds(),
		Published: b.published, Lost: d.Lost, Duplicates: d.Duplicates, Verified: d.Verified,
		Refused: f.burst.Refused, Failed: f.burst.Failed,
		Request: f.burst.Latency, Delivery: f.receipts.Latency,
		Usage: f.usage, BaselineUsage: healthy.usage,
	})
	row.AtLeast("ingest kept", row.Ratio, "", ingestKept)
	row.Note("owed", float64(d.owed), "deliveries")
	row.Note("delivered to the others, all well", healthy.othersRate(), deliveriesPerSecond)
	row.Note("delivered to the others, outage", f.othersRate(), deliveriesPerSecond)
	if healthy.others > 0 {
		row.Note("kept by the others", f.othersRate()/healthy.othersRate(), "")
	}
	row.Note("the others behind at the end of the fill", f.late.Seconds(), "s")
	if d.Lost < d.owed {
		row.Note("healed to first delivery", d.first.Seconds(), "s")
		row.Note("drain", d.took.Seconds(), "s")
		row.Note("drain rate", d.rate(), deliveriesPerSecond)
	}
	return row
}

func (b *backlog) outageTitle() string {
	r := b.leg.r
	down := map[string]string{
		outageFail:    "answers 500 at once",
		outageRefused: "refuses connections",
		outageHang:    "does not answer",
	}[r.Outage]
	return fmt.Sprintf("%d deliveries owed to an endpoint that %s, with a fifth of the events for %d others that are well; "+
		"%d events a request, %d connections, %d bytes; intake against that while all are well; retries every %d s, up to %d attempts, "+
		"endpoint not disabled, no breaker: the server's defaults but for the number of attempts and their distance",
		r.Owed, down, r.wellEndpoints(), b.plan.batch, r.BatchConnections, r.PayloadBytes, b.plan.retrySeconds, retryAttempts)
}

// noteMemory adds what the monitor has seen. It has ended.
func (b *backlog) noteMemory(row *report.Scenario, f *filled, end time.Time) {
	m := b.monitor
	row.Series = m.series()
	if most := m.peak(); most > 0 {
		row.AtMost("resident", most, "MiB", residentLimitMiB)
		row.Note("resident while all are well", m.peakBetween(m.began, f.start), "MiB")
		row.Note("resident while it fills", m.peakBetween(f.start, f.end), "MiB")
		row.Note("resident while it drains", m.peakBetween(b.healed, end), "MiB")
	}
	if rate, ok := m.attempted(f.start, f.end); ok {
		row.Note("attempts while it fills", rate, "attempts/s")
	}
	if rate, ok := m.slowest(f.start, f.end, slowestStretch); ok {
		row.Note("intake of the slowest 10 s", rate, "events/s")
	}
	if f.diskMiB > 0 {
		row.Note("store when filled", f.diskMiB, "MiB")
	}
}

// check returns an error if something that was owed did not arrive.
func (b *backlog) check(d *drained) error {
	p := Phase{Receipts: d.Receipts}
	err := p.Check()
	if err != nil && d.Lost > 0 {
		return errors.Join(err, fmt.Errorf("within %s, or without any delivery for %s", b.plan.drainLimit, b.plan.stallLimit))
	}
	return err
}

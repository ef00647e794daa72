package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"posthaste/bench/report"
)

// growthRatioTarget is the least of its rate on an empty store that single keeps.
const growthRatioTarget = 0.95

// growthProcessLimit is longer than the scenario takes.
const growthProcessLimit = 4 * time.Hour

// growthStudy is the scenario in progress.
type growthStudy struct {
	r    *runner // keeps its data where dir is
	leg  *leg    // the grown server, the receiver of its single endpoints, what is to be undone
	dir  string  // of the grown store
	load Load    // of the grown server: the closed loop of one event a request

	fanout   *roleProcess // the receiver of the owners' endpoints
	stock    *growthStock
	plan     growthPlan
	profiler func() error

	filled growthFilled
	pages  *growthPages
	shown  []consolePage
	quiet  time.Duration // that was waited for the grown server to have nothing to do
}

// growth fills a store with deliveries, times the pages of all listings, and
// measures single on it and on an empty store in turn.
func (r *runner) growth(ctx context.Context) (row *report.Scenario, err error) {
	s := &growthStudy{r: r.lasting(growthProcessLimit), plan: planGrowth(r.Stored)}
	if err := s.checkSpace(r.DataRoot); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp(r.DataRoot, "growth-*"); err != nil {
		return nil, err
	}
	grown := *s.r
	grown.DataRoot = s.dir
	s.r = &grown
	if s.leg, err = s.r.newLeg(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	s.leg.undo = append([]func() error{func() error { return os.RemoveAll(s.dir) }}, s.leg.undo...)
	defer s.leg.end(&err)
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	defer s.stock.client.Close()
	if err := s.fill(ctx); err != nil {
		return nil, fmt.Errorf("fill: %w", err)
	}
	if err := s.lookAtLists(ctx); err != nil {
		return nil, fmt.Errorf("listings: %w", err)
	}
	return s.compare(ctx)
}

// prepare starts the server that grows and makes its endpoints.
func (s *growthStudy) prepare(ctx context.Context) (err error) {
	if s.fanout, err = s.r.startRole(ctx, RoleReceiver, roleConfig{Host: s.r.ReceiverHost, Secret: s.r.secret, Fanout: growthPerOwner}); err != nil {
		return err
	}
	s.leg.undo = append(s.leg.undo, s.fanout.stop)
	failing := roleCommand{Op: opBehave, From: growthFailsFrom, To: growthFailsTo, Behaviour: BehaveFail}
	if _, err := s.fanout.call(failing); err != nil {
		return err
	}
	if s.load, s.profiler, err = s.leg.useServer(ctx, ModeSingle, s.r.profileOf("growth", s.r.Repeat)); err != nil {
		return err
	}
	s.stock, err = makeStock(ctx, &s.load, s.r.secret, s.leg.rig.receiver.addr, s.fanout.addr)
	return err
}

// lookAtLists times the pages while nothing else goes on.
func (s *growthStudy) lookAtLists(ctx context.Context) (err error) {
	if err := s.awaitQuiet(ctx); err != nil {
		return err
	}
	last, err := s.lastEvent(ctx)
	if err != nil {
		return err
	}
	if s.pages, err = s.r.lookAtLists(ctx, s.stock, s.stock.lists(&s.plan, last, time.Now())); err != nil {
		return err
	}
	s.shown, err = s.r.lookAtConsole(ctx, s.leg.console, s.stock)
	return err
}

// lastEvent is the id of an event to the endpoints of an owner.
func (s *growthStudy) lastEvent(ctx context.Context) (string, error) {
	path := "/projects/" + s.stock.project + "/events?ownerId=" + growthOwnerPrefix + "1"
	var page struct{ Content []struct{ UID string } }
	if err := s.stock.client.do(ctx, http.MethodGet, path, nil, &page); err != nil {
		return "", err
	}
	if len(page.Content) == 0 {
		return "", fmt.Errorf("GET %s: no events", path)
	}
	return page.Content[0].UID, nil
}

// compare measures single on an empty store and on the grown one in turn. A row
// may come with an error: it was measured, and events were lost.
func (s *growthStudy) compare(ctx context.Context) (*report.Scenario, error) {
	row := &report.Scenario{
		Name: "growth", Unit: deliveriesPerSecond, Baseline: "empty_store",
		Title: fmt.Sprintf("single on a store of %d deliveries of %d events of %d bytes, and on an empty one", s.plan.stored(), s.plan.events, growthPayload),
	}
	var errs []error
	for i := 1; i <= s.r.Repeat && ctx.Err() == nil; i++ {
		run, err := s.pair(ctx, i)
		if err != nil {
			errs = append(errs, fmt.Errorf("repeat %d: %w", i, err))
		}
		if run != nil {
			row.Add(*run)
		}
	}
	errs = append(errs, ctx.Err())
	if len(row.Runs) == 0 {
		return nil, errors.Join(errs...)
	}
	row.AtLeast("ratio", row.Ratio, "", growthRatioTarget)
	s.describe(row)
	return row, errors.Join(errs...)
}

// pair measures single on an empty store and then on the grown one.
func (s *growthStudy) pair(ctx context.Context, repeat int) (*report.Run, error) {
	label := func(what string) string { return fmt.Sprintf("growth %d/%d %s", repeat, s.r.Repeat, what) }
	empty, err := s.r.underTest(ctx, ModeSingle, label("empty store"), "")
	if err == nil {
		err = empty.Check()
	}
	if err != nil {
		return nil, fmt.Errorf("empty store: %w", err)
	}
	if err := s.awaitQuiet(ctx); err != nil {
		return nil, err
	}
	var profiler func() error
	if repeat == s.r.Repeat {
		profiler = s.profiler
	}
	grown, err := s.leg.measure(ctx, s.load, label("grown store"), profiler)
	if grown == nil {
		return nil, err
	}
	run := newRun(empty, grown)
	return &run, errors.Join(err, grown.Check())
}

// describe adds what was found while the store was filled and listed.
func (s *growthStudy) describe(row *report.Scenario) {
	worst := &s.pages.worst
	row.AtMost("p99 of any list page", worst.latency.P99, "ms", growthListTarget)
	row.AtMost("p99 of the console's overview", s.shown[0].latency.P99, "ms", growthOverviewTarget)
	row.Published += s.filled.receipts.Published
	row.Lost += s.filled.receipts.Lost
	row.Duplicates += s.filled.receipts.Duplicates
	row.Verified += s.filled.receipts.Verified
	row.Note("deliveries stored", float64(s.plan.stored()), "")
	row.Note("events stored", float64(s.plan.events), "")
	row.Note("filled at", float64(s.plan.delivered())/s.filled.took.Seconds(), deliveriesPerSecond)
	row.Note("store after the filling", float64(s.filled.bytes)/(1<<20), "MiB")
	row.Note("waited until the grown server had nothing to do", s.quiet.Seconds(), "s")
	row.Note("list pages looked at", float64(s.pages.pages), "")
	row.Note("requests for each", float64(worst.latency.Count), "")
	row.Note("p50 of all list pages", s.pages.all.summary().P50, "ms")
	row.Note("worst p99, "+worst.String(), worst.latency.P99, "ms")
	for i := range s.pages.filters {
		row.Note("p99 "+s.pages.filters[i].String(), s.pages.filters[i].latency.P99, "ms")
	}
	for i := range s.shown {
		row.Note("p50 of the console's "+s.shown[i].name, s.shown[i].latency.P50, "ms")
		row.Note("p99 of the console's "+s.shown[i].name, s.shown[i].latency.P99, "ms")
	}
}

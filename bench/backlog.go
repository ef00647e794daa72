package bench

import (
	"context"
	"fmt"
	"os"
	"time"

	"posthaste/bench/report"
)

// Sequence numbers of the backlog are apart from those of the baselines.
const (
	backlogFirst = 2 * measuredFirst
	afterFirst   = 3 * measuredFirst
)

// downEndpoint is the number of the endpoint that goes down.
const downEndpoint = 0

// backlog is a server that owes deliveries to an endpoint that is down, the
// processes around it, and what is known of it.
type backlog struct {
	leg     *leg
	plan    backlogPlan
	site    *site
	monitor *monitor
	closed  string // URL at which nobody listens

	published int // events, backlogFirst and on
	owed      int // of them to the endpoint that is down
	healed    time.Time
}

// site is a server and what was created in it.
type site struct {
	server       *Server
	project, key string
	endpoints    []string // ids; number n is the receiver's /e/n
}

// newBacklog starts the processes and creates the endpoints. End it in every case
// but an error.
func (r *runner) newBacklog(ctx context.Context) (_ *backlog, err error) {
	plan := r.planBacklog()
	if err := plan.fits(r.DataRoot, r.PayloadBytes); err != nil {
		return nil, err
	}
	long := *r
	long.Limit = plan.limit(r)
	l, err := long.newLeg(ctx)
	if err != nil {
		return nil, err
	}
	b := &backlog{leg: l, plan: plan}
	if err := b.start(ctx); err != nil {
		l.end(&err)
		return nil, err
	}
	return b, nil
}

func (b *backlog) start(ctx context.Context) error {
	free, err := freePorts(1)
	if err != nil {
		return err
	}
	b.closed = "http://" + free[0] + "/"
	strategy := object{"type": "linear", "duration": b.plan.retrySeconds, "retry_count": retryAttempts}
	if b.site, err = b.newSite(ctx, b.leg.r.wellEndpoints()+1, strategy); err != nil {
		return err
	}
	b.leg.rig.server = b.site.server.child.pid()
	b.monitor = startMonitor(ctx, b.site.server)
	b.leg.undo = append(b.leg.undo, func() error { b.monitor.end(); return nil })
	load := b.leg.r.load(ModeBatch, b.site.server.URL)
	load.Project, load.Key, load.BatchSize = b.site.project, b.site.key, b.plan.batch
	load.Endpoints = mixedEndpoints(b.site.endpoints[downEndpoint], b.site.endpoints[downEndpoint+1:])
	gen, err := b.leg.r.startRole(ctx, RoleGenerator, roleConfig{Load: &load})
	if err != nil {
		return err
	}
	b.leg.undo = append(b.leg.undo, gen.stop)
	b.leg.rig.generator = gen
	return nil
}

// wellEndpoints is how many endpoints there are beside the one that goes down.
func (r *runner) wellEndpoints() int { return max(r.Endpoints-1, 1) }

// newSite starts a server over an empty directory, which is gone at the end of the
// leg, and creates a project with endpoints.
func (b *backlog) newSite(ctx context.Context, endpoints int, strategy object) (*site, error) {
	l := b.leg
	dir, err := os.MkdirTemp(l.r.DataRoot, "data-*")
	if err != nil {
		return nil, err
	}
	l.undo = append(l.undo, func() error { return os.RemoveAll(dir) })
	s := new(site)
	if s.server, err = l.r.StartServer(ctx, dir); err != nil {
		return nil, err
	}
	l.undo = append(l.undo, func() error { return s.end(b.healed.IsZero() || ctx.Err() != nil) })
	root := NewClient(s.server.URL, s.server.RootKey)
	defer root.Close()
	if s.project, s.key, err = root.createProject(ctx, "bench", strategy); err != nil {
		return nil, err
	}
	client := NewClient(s.server.URL, s.key)
	defer client.Close()
	for n := range endpoints {
		id, err := client.CreateEndpoint(ctx, s.project, endpointName(n), b.url(n), l.r.secret)
		if err != nil {
			return nil, err
		}
		s.endpoints = append(s.endpoints, id)
	}
	return s, nil
}

// end ends the server. One that is in the middle of something is killed: its
// directory goes anyway, and attempts that hang would hold it up.
func (s *site) end(kill bool) error {
	if kill {
		return s.server.Kill()
	}
	return s.server.Stop()
}

func endpointName(n int) string { return fmt.Sprintf("bench %d", n) }

func (b *backlog) url(n int) string { return fmt.Sprintf("http://%s/e/%d", b.leg.rig.receiver.addr, n) }

// end ends everything and removes the data.
func (b *backlog) end(err *error) { b.leg.end(err) }

// intake is a burst of events, and what became of those for the endpoints that are
// well in all of it.
type intake struct {
	burst    *BurstResult
	others   int          // delivered to them when the last event was accepted
	usage    report.Usage // per event
	receipts *Receipts    // when all that can be delivered was
}

// rate is accepted events a second.
func (i *intake) rate() float64 { return float64(i.burst.Published) / i.seconds() }

// othersRate is deliveries a second to the endpoints that are well in all of it.
func (i *intake) othersRate() float64 { return float64(i.others) / i.seconds() }

func (i *intake) seconds() float64 {
	return time.Duration(i.burst.LastDoneNS - i.burst.FirstSendNS).Seconds()
}

func (b *backlog) warmUp(ctx context.Context) error {
	warmup, err := b.leg.rig.phase(ctx, b.leg.r.warmupBurst(), b.leg.r.TailLimit, func(int) {})
	if err == nil {
		err = warmup.Check()
	}
	if err != nil {
		return fmt.Errorf("warm-up: %w", err)
	}
	return nil
}

// healthy measures the load while all endpoints are well.
func (b *backlog) healthy(ctx context.Context, first uint64, label string) (*intake, error) {
	r := b.leg.r
	d := r.Duration
	if !r.Quick {
		d *= 3 // the fill takes minutes
	}
	burst := Burst{First: first, Max: roundUp(int(d.Seconds()*2*warmupEventsPerSecond), b.plan.batch), For: d}
	task := r.progress.Start("outage "+label, int(d.Seconds()*warmupEventsPerSecond))
	got, err := b.measureHealthy(ctx, burst, task)
	if err != nil {
		task.Finish("")
		return nil, fmt.Errorf("%s: %w", label, err)
	}
	task.Finish(fmt.Sprintf("%d events accepted, %.0f/s", got.burst.Published, got.rate()))
	return got, nil
}

func (b *backlog) measureHealthy(ctx context.Context, burst Burst, task *Task) (*intake, error) {
	if _, err := b.leg.rig.receiver.call(roleCommand{Op: opBegin, First: burst.First, Capacity: burst.Max}); err != nil {
		return nil, err
	}
	got, err := b.take(ctx, burst, task.Set)
	if err != nil {
		return nil, err
	}
	if err := b.leg.rig.drain(ctx, got.burst.Published, b.plan.stallLimit, task.Set); err != nil {
		return nil, err
	}
	if got.receipts, err = b.receipts(got.burst.Published); err != nil {
		return nil, err
	}
	p := Phase{Receipts: *got.receipts}
	return got, p.Check()
}

// take posts a burst and notes how far deliveries are at its end.
func (b *backlog) take(ctx context.Context, burst Burst, watch func(delivered int)) (*intake, error) {
	meter := b.leg.rig.meter()
	meter.begin()
	answered := make(chan burstAnswer, 1)
	go func() { // ends with the generator's answer, or its process
		reply, err := b.leg.rig.generator.call(roleCommand{Op: opRun, Burst: &burst})
		answered <- burstAnswer{reply, err}
	}()
	answer, err := b.leg.rig.watchBurst(ctx, answered, watch)
	if err != nil {
		return nil, err
	}
	others, err := b.leg.rig.receiver.call(roleCommand{Op: opArrived, First: burst.First + mixOf - 1, Every: mixOf})
	if err != nil {
		return nil, err
	}
	got := answer.reply.Burst
	return &intake{burst: got, others: others.Count, usage: meter.end(got.Published)}, nil
}

// fall takes the endpoint down and expects all events from now on.
func (b *backlog) fall(ctx context.Context) error {
	if _, err := b.leg.rig.receiver.call(roleCommand{Op: opBegin, First: backlogFirst, Capacity: b.plan.capacity}); err != nil {
		return err
	}
	switch b.leg.r.Outage {
	case outageRefused:
		return b.move(ctx, b.closed)
	case outageHang:
		return b.behave(BehaveHang)
	}
	return b.behave(BehaveFail)
}

// heal brings the endpoint back.
func (b *backlog) heal(ctx context.Context) (err error) {
	if b.leg.r.Outage == outageRefused {
		err = b.move(ctx, b.url(downEndpoint))
	} else {
		err = b.behave(BehaveWell)
	}
	b.healed = time.Now()
	return err
}

func (b *backlog) behave(how Behaviour) error {
	_, err := b.leg.rig.receiver.call(roleCommand{Op: opBehave, From: downEndpoint, To: downEndpoint + 1, Behaviour: how})
	return err
}

func (b *backlog) move(ctx context.Context, url string) error {
	client := NewClient(b.site.server.URL, b.site.key)
	defer client.Close()
	return client.moveEndpoint(ctx, b.site.project, b.site.endpoints[downEndpoint], endpointName(downEndpoint), url, b.leg.r.secret)
}

// publish posts events, of which the share that is for the endpoint that is down
// will be owed. All of them must be accepted within the limit.
func (b *backlog) publish(ctx context.Context, events int, limit time.Duration, watch func()) (*intake, error) {
	got, err := b.take(ctx, Burst{First: b.next(), Max: events, For: limit}, func(int) { watch() })
	if err != nil {
		return nil, err
	}
	b.published += got.burst.Published
	b.owed += got.burst.Published / mixOf * (mixOf - 1)
	if got.burst.Published < events {
		return nil, fmt.Errorf("only %d of %d events were accepted within %s", got.burst.Published, events, limit)
	}
	return got, nil
}

// next is the sequence number of the next event.
func (b *backlog) next() uint64 { return backlogFirst + uint64(b.published) }

// fill has the server owe what the plan says.
func (b *backlog) fill(ctx context.Context) (*intake, error) {
	task := b.leg.r.progress.Start("outage fill", b.leg.r.Owed)
	got, err := b.publish(ctx, b.plan.events, b.plan.fillLimit, func() { task.Set(min(b.monitor.owed(), b.leg.r.Owed)) })
	if err != nil {
		task.Finish("")
		return nil, fmt.Errorf("fill: %w", err)
	}
	task.Set(b.owed)
	task.Finish(fmt.Sprintf("%d owed, %.0f events/s", b.owed, got.rate()))
	return got, nil
}

// delivered is how many different deliveries have arrived.
func (b *backlog) delivered() (int, error) {
	reply, err := b.leg.rig.receiver.call(roleCommand{Op: opCount})
	return reply.Count, err
}

// receipts takes stock of the first events since the receiver began to count.
func (b *backlog) receipts(published int) (*Receipts, error) {
	reply, err := b.leg.rig.receiver.call(roleCommand{Op: opReceipts, Published: published})
	if err != nil {
		return nil, err
	}
	return reply.Receipts, nil
}

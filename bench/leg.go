package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// leg is one measurement: a receiver, a generator, what stands between them, and
// what to undo at its end.
type leg struct {
	r    *runner
	rig  rig
	undo []func() error // run in reverse order

	illness illness // of the measured phases

	name string // of what it makes in a server, different from every other leg's
	made []MadeEndpoint

	console  string // URL of the server's, if it is ours
	isTarget bool   // what is measured is not ours
}

// shape is how the load of a scenario differs from a closed loop of events that
// go to one endpoint each. A scenario sets it in a copy of the runner.
type shape struct {
	rate   float64 // events a second of an open loop; 0: a closed loop
	fanout int     // endpoints that each event goes to; 0: one
	fail   Mix     // how some endpoints misbehave in the measured phases
}

func (s shape) copies() int { return max(s.fanout, 1) }

// Sequence numbers of the phases are far apart, so that what comes late from
// one before is told from what is measured.
const (
	warmupFirst   = 1 << 39 // below it are those of a probe
	measuredFirst = 1 << 40
)

// warmupEventsPerSecond bounds the warm-up in events as well as in time, so that
// a server that accepts faster than it delivers does not start with a backlog
// that takes long to drain.
const warmupEventsPerSecond = 50_000

// leastRate is how many deliveries a second any server of ours makes: a warm-up
// that made fewer was disturbed, and does not make the measured phase short.
const leastRate = 2000

// newLeg starts the receiver.
func (r *runner) newLeg(ctx context.Context) (*leg, error) {
	l := &leg{r: r, rig: rig{fanout: r.shape.fanout}, name: "bench-" + randomHex(4)}
	recv, err := r.startRole(ctx, RoleReceiver, roleConfig{Host: r.ReceiverListen, Secret: r.secret, Fanout: r.shape.fanout})
	if err != nil {
		return nil, err
	}
	l.undo = append(l.undo, recv.stop)
	recv.addr = onLoopback(recv.addr)
	l.rig.receiver = recv
	return l, nil
}

// end undoes everything and adds what went wrong with that to err.
func (l *leg) end(err *error) {
	for i := len(l.undo) - 1; i >= 0; i-- {
		*err = errors.Join(*err, l.undo[i]())
	}
}

// baseline measures null pipe or bare loop, with the load of a single event a
// request.
func (r *runner) baseline(ctx context.Context, name, label string) (_ *Phase, err error) {
	l, err := r.newLeg(ctx)
	if err != nil {
		return nil, err
	}
	defer l.end(&err)
	load := r.load(ModeBare, "http://"+l.rig.receiver.addr)
	load.Project, load.Endpoints = "bench", placeholders(r.Endpoints)
	if name == nullPipeBaseline {
		pipe, err := r.startRole(ctx, RoleNullPipe, roleConfig{Target: l.rig.receiver.addr, MaxConns: r.Connections})
		if err != nil {
			return nil, err
		}
		l.undo = append(l.undo, pipe.stop)
		l.rig.server = pipe.pid()
		load.Mode, load.URL = ModeSingle, "http://"+pipe.addr
	}
	return l.measure(ctx, load, label, nil)
}

// placeholders stand for endpoint ids where nobody reads them, in their length.
func placeholders(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%026d", i)
	}
	return ids
}

// underTest measures the server with one mode of load.
func (r *runner) underTest(ctx context.Context, mode Mode, label, profile string) (_ *Phase, err error) {
	l, load, profiler, err := r.prepare(ctx, mode, profile)
	if err != nil {
		return nil, err
	}
	defer l.end(&err)
	phase, err := l.measure(ctx, load, label, profiler)
	if phase != nil {
		err = errors.Join(err, r.checkSigned(label, phase))
	}
	return phase, err
}

// prepare starts the receiver and, unless there is a target, the server, and
// makes the endpoints.
func (r *runner) prepare(ctx context.Context, mode Mode, profile string) (l *leg, load Load, profiler func() error, err error) {
	if l, err = r.newLeg(ctx); err != nil {
		return nil, load, nil, err
	}
	if r.Target != "" {
		load, err = l.useTarget(ctx, mode)
	} else {
		load, profiler, err = l.useServer(ctx, mode, profile)
	}
	if err == nil {
		l.illness, err = r.shape.fail.over(len(load.Endpoints))
	}
	if err != nil {
		l.end(&err)
		return nil, load, nil, err
	}
	return l, load, profiler, nil
}

// useServer starts a server over an empty directory and makes a project with its
// endpoints.
func (l *leg) useServer(ctx context.Context, mode Mode, profile string) (load Load, profiler func() error, err error) {
	dir, err := os.MkdirTemp(l.r.DataRoot, "data-*")
	if err != nil {
		return load, nil, err
	}
	l.undo = append(l.undo, func() error { return os.RemoveAll(dir) })
	server, err := l.r.StartServer(ctx, dir)
	if err != nil {
		return load, nil, err
	}
	l.undo = append(l.undo, server.Stop)
	l.rig.server, l.console = server.child.pid(), server.Console
	root := NewClient(server.URL, server.RootKey)
	defer root.Close()
	load = l.r.load(mode, server.URL)
	load.Owner = l.owner()
	if load.Project, load.Key, err = root.CreateProject(ctx, "bench"); err != nil {
		return load, nil, err
	}
	client := NewClient(server.URL, load.Key)
	client.endpointSettings = l.r.shape.fail.endpointSettings()
	defer client.Close()
	if load.Endpoints, err = l.createEndpoints(ctx, client, load.Project); err != nil {
		return load, nil, err
	}
	if profile != "" {
		profiler = func() error { return fetchProfile(ctx, server.AdminURL, l.r.Duration, profile) }
	}
	return load, profiler, nil
}

// createEndpoints returns the ids of those made, also with an error. It ends
// between two of them when ctx is done: one whose id is not known could not be
// deleted.
func (l *leg) createEndpoints(ctx context.Context, c *Client, project string) (ids []string, err error) {
	for i := range l.r.Endpoints {
		if ctx.Err() != nil {
			return ids, ctx.Err()
		}
		n := strconv.Itoa(i)
		made, err := c.MakeEndpoint(context.WithoutCancel(ctx), project, NewEndpoint{
			Name: l.name + "-" + n, URL: l.endpointURL(n), Secret: l.r.secret, OwnerID: l.owner(),
		})
		if made.ID != "" {
			l.made = append(l.made, made)
			ids = append(ids, made.ID)
		}
		if err != nil {
			return ids, err
		}
	}
	return ids, nil
}

// owner is the owner of the endpoints; empty if nothing is fanned out to them.
func (l *leg) owner() string {
	if l.r.shape.fanout == 0 {
		return ""
	}
	return l.name
}

// load is the part of a Load that options decide.
func (r *runner) load(mode Mode, url string) Load {
	l := Load{Mode: mode, URL: strings.TrimSuffix(url, "/"), Headers: r.headers(), Connections: r.Connections, BatchSize: r.BatchSize,
		PayloadBytes: r.PayloadBytes, Sizes: r.Sizes, Payloads: r.Payloads}
	if mode == ModeBatch || mode == ModeFanout {
		l.Connections = r.BatchConnections
	}
	return l
}

// measure warms up, derives from that how many events to send at most, and
// measures. profiler, if any, runs beside the measured phase.
func (l *leg) measure(ctx context.Context, load Load, label string, profiler func() error) (*Phase, error) {
	rate, err := l.begin(ctx, load)
	if err != nil {
		return nil, err
	}
	return l.measureBurst(ctx, l.r.measuredBurst(rate), label, profiler)
}

// begin starts the generator and warms up, while all endpoints are well, and
// returns the rate of deliveries that it reached.
func (l *leg) begin(ctx context.Context, load Load) (float64, error) {
	load.Healthy = l.illness.healthy
	gen, err := l.r.startRole(ctx, RoleGenerator, roleConfig{Load: &load})
	if err != nil {
		return 0, err
	}
	l.undo = append(l.undo, gen.stop)
	l.rig.generator = gen
	rate, err := l.warmUp(ctx, &load)
	if err != nil {
		return 0, err
	}
	return rate, l.rig.split(l.illness)
}

// measureBurst is one measured phase. profiler, if any, runs beside it.
func (l *leg) measureBurst(ctx context.Context, burst Burst, label string, profiler func() error) (*Phase, error) {
	task := l.r.progress.Start(label, burst.Max)
	profiled := make(chan error, 1)
	go func() { profiled <- runProfiler(profiler) }()
	phase, err := l.rig.phase(ctx, burst, l.r.TailLimit, task.Set)
	err = errors.Join(err, <-profiled)
	if err != nil {
		task.Finish("")
		return nil, err
	}
	task.Set(phase.Receipts.Delivered)
	task.Finish(fmt.Sprintf("%d delivered in %.2f s, %.0f/s", phase.Receipts.Healthy.Delivered, phase.Seconds(), phase.Rate()))
	return phase, nil
}

func runProfiler(profiler func() error) error {
	if profiler == nil {
		return nil
	}
	return profiler()
}

// warmUp returns the rate of deliveries that it reached.
func (l *leg) warmUp(ctx context.Context, load *Load) (float64, error) {
	burst := l.r.warmupBurst()
	if l.isTarget {
		rate, err := l.probe(ctx, load)
		if err != nil {
			return 0, err
		}
		burst.Max = min(burst.Max, l.r.eventsIn(rate*probeMargin, l.r.Warmup))
	}
	warmup, err := l.rig.phase(ctx, burst, l.r.TailLimit, func(int) {})
	if err != nil {
		return 0, fmt.Errorf("warm-up: %w", err)
	}
	if err := warmup.Check(); err != nil {
		return 0, fmt.Errorf("warm-up: %w", err)
	}
	if l.isTarget {
		return warmup.Rate(), nil
	}
	return max(warmup.Rate(), leastRate), nil
}

func (r *runner) warmupBurst() Burst {
	if r.shape.rate > 0 {
		return r.openBurst(warmupFirst, r.Warmup)
	}
	return Burst{First: warmupFirst, Max: r.eventsIn(warmupEventsPerSecond, r.Warmup), For: r.Warmup}
}

// measuredBurst lasts for Duration, or until it has half as many events again as
// could be delivered in the time at the rate that the warm-up reached: a server
// that accepts faster than it delivers is not left with more than it can deliver
// soon. An open loop has the rate it is given.
func (r *runner) measuredBurst(rate float64) Burst {
	if r.shape.rate > 0 {
		return r.openBurst(measuredFirst, r.Duration)
	}
	return Burst{First: measuredFirst, Max: r.eventsIn(1.5*rate, r.Duration), For: r.Duration}
}

func (r *runner) openBurst(first uint64, d time.Duration) Burst {
	return Burst{First: first, Max: r.eventsIn(r.shape.rate*float64(r.shape.copies()), d), For: d, Rate: r.shape.rate}
}

// eventsIn is how many events make so many deliveries a second for d, at least
// one, and no more than a ledger holds.
func (r *runner) eventsIn(rate float64, d time.Duration) int {
	copies := r.shape.copies()
	return max(int(min(rate*d.Seconds(), maxEvents))/copies, 1)
}

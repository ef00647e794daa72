package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// leg is one measurement: a receiver, a generator, what stands between them, and
// what to undo at its end.
type leg struct {
	r    *runner
	rig  rig
	undo []func() error // run in reverse order
}

// Sequence numbers of the two phases are far apart, so that what comes late from
// the warm-up is told from what is measured.
const measuredFirst = 1 << 40

// warmupEventsPerSecond bounds the warm-up in events as well as in time, so that
// a server that accepts faster than it delivers does not start with a backlog
// that takes long to drain.
const warmupEventsPerSecond = 50_000

// newLeg starts the receiver.
func (r *runner) newLeg(ctx context.Context) (*leg, error) {
	l := &leg{r: r}
	recv, err := r.startRole(ctx, RoleReceiver, roleConfig{Host: r.ReceiverHost, Secret: r.secret})
	if err != nil {
		return nil, err
	}
	l.rig.receiver = recv
	l.undo = append(l.undo, recv.stop)
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
	l, err := r.newLeg(ctx)
	if err != nil {
		return nil, err
	}
	defer l.end(&err)
	var load Load
	var profiler func() error
	if r.Target != "" {
		load, err = l.useTarget(ctx, mode)
	} else {
		load, profiler, err = l.useServer(ctx, mode, profile)
	}
	if err != nil {
		return nil, err
	}
	return l.measure(ctx, load, label, profiler)
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
	l.rig.server = server.child.pid()
	root := NewClient(server.URL, server.RootKey)
	defer root.Close()
	load = l.r.load(mode, server.URL)
	if load.Project, load.Key, err = root.CreateProject(ctx, "bench"); err != nil {
		return load, nil, err
	}
	client := NewClient(server.URL, load.Key)
	defer client.Close()
	if load.Endpoints, err = l.createEndpoints(ctx, client, load.Project); err != nil {
		return load, nil, err
	}
	if profile != "" {
		profiler = func() error { return fetchProfile(ctx, server.AdminURL, l.r.Duration, profile) }
	}
	return load, profiler, nil
}

// useTarget makes endpoints in the project given, which are deleted at the end.
func (l *leg) useTarget(ctx context.Context, mode Mode) (Load, error) {
	load := l.r.load(mode, l.r.Target)
	load.Project, load.Key = l.r.Project, l.r.Key
	client := NewClient(l.r.Target, l.r.Key)
	l.undo = append(l.undo, func() error { client.Close(); return nil })
	if mode == ModeBatch {
		known, err := client.HasBatch(ctx, load.Project)
		if err != nil {
			return load, err
		}
		if !known {
			return load, errNoBatch
		}
	}
	ids, err := l.createEndpoints(ctx, client, load.Project)
	load.Endpoints = ids
	l.undo = append(l.undo, func() error { return deleteEndpoints(ctx, client, load.Project, ids) })
	return load, err
}

// createEndpoints returns the ids of those made, also with an error.
func (l *leg) createEndpoints(ctx context.Context, c *Client, project string) (ids []string, err error) {
	for i := range l.r.Endpoints {
		n := strconv.Itoa(i)
		id, err := c.CreateEndpoint(ctx, project, "bench "+n, "http://"+l.rig.receiver.addr+"/e/"+n, l.r.secret)
		if id != "" {
			ids = append(ids, id)
		}
		if err != nil {
			return ids, err
		}
	}
	return ids, nil
}

func deleteEndpoints(ctx context.Context, c *Client, project string, ids []string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	var errs []error
	for _, id := range ids {
		errs = append(errs, c.DeleteEndpoint(ctx, project, id))
	}
	return errors.Join(errs...)
}

// load is the part of a Load that options decide.
func (r *runner) load(mode Mode, url string) Load {
	l := Load{Mode: mode, URL: url, Connections: r.Connections, BatchSize: r.BatchSize, PayloadBytes: r.PayloadBytes,
		Sizes: r.Sizes, Payloads: r.Payloads}
	if mode == ModeBatch {
		l.Connections = r.BatchConnections
	}
	return l
}

// measure warms up, derives from that how many events to send at most, and
// measures. profiler, if any, runs beside the measured phase.
func (l *leg) measure(ctx context.Context, load Load, label string, profiler func() error) (*Phase, error) {
	gen, err := l.r.startRole(ctx, RoleGenerator, roleConfig{Load: &load})
	if err != nil {
		return nil, err
	}
	l.undo = append(l.undo, gen.stop)
	l.rig.generator = gen
	warmup, err := l.rig.phase(ctx, l.r.warmupBurst(), l.r.TailLimit, func(int) {})
	if err != nil {
		return nil, fmt.Errorf("warm-up: %w", err)
	}
	if err := warmup.Check(); err != nil {
		return nil, fmt.Errorf("warm-up: %w", err)
	}
	burst := l.r.measuredBurst(warmup.Rate())
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
	task.Finish(fmt.Sprintf("%d delivered in %.2f s, %.0f/s", phase.Receipts.Delivered, phase.Seconds(), phase.Rate()))
	return phase, nil
}

func runProfiler(profiler func() error) error {
	if profiler == nil {
		return nil
	}
	return profiler()
}

func (r *runner) warmupBurst() Burst {
	return Burst{Max: max(int(r.Warmup.Seconds()*warmupEventsPerSecond), 1), For: r.Warmup}
}

// measuredBurst lasts for Duration at the rate that the warm-up reached, or for
// Duration if the server accepts more slowly than that. A server that accepts
// faster than it delivers thus gets no more than it can deliver in the time.
func (r *runner) measuredBurst(rate float64) Burst {
	events := int(rate * r.Duration.Seconds())
	return Burst{First: measuredFirst, Max: min(max(events, 1), maxEvents), For: r.Duration}
}

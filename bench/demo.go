package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

// DemoOptions says what to demonstrate. The zero value of a field is its default.
type DemoOptions struct {
	Launcher

	Samples  []Sample      // posted in turn; default Samples
	Count    int           // events in all; default 2000
	FailFor  time.Duration // how long the last endpoint answers 500; default 3 s
	Timeout  time.Duration // for all of it; default 60 s
	Keep     bool          // leave everything running until ctx is done
	DataRoot string        // where the data directory is made; default the system's temporary directory

	Out      io.Writer // the account of what happens
	Progress io.Writer // nil: none
}

// Sizes of the demonstration.
const (
	demoEndpoints   = 4
	demoConnections = 16
	demoPoll        = 50 * time.Millisecond

	defaultDemoCount   = 2000
	defaultDemoFailFor = 3 * time.Second
	defaultDemoTimeout = 60 * time.Second
	maxDemoCount       = 5_000_000
)

// EnsureDefaults fills in what was left out.
func (o *DemoOptions) EnsureDefaults() (err error) {
	setDefault(&o.Count, defaultDemoCount)
	setDefault(&o.FailFor, defaultDemoFailFor)
	setDefault(&o.Timeout, defaultDemoTimeout)
	setDefault(&o.DataRoot, os.TempDir())
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Samples == nil {
		o.Samples, err = Samples()
	}
	return err
}

// Validate names the option that is out of range.
func (o *DemoOptions) Validate() error {
	if o.Count < 1 || o.Count > maxDemoCount {
		return fmt.Errorf("count is %d, must be 1 to %d", o.Count, maxDemoCount)
	}
	if o.Timeout <= o.FailFor {
		return fmt.Errorf("timeout is %s, must be longer than the %s for which an endpoint fails", o.Timeout, o.FailFor)
	}
	return nil
}

// demo is a demonstration in progress.
type demo struct {
	DemoOptions
	receiver *demoReceiver
	server   *Server
	progress *Progress

	project, key string
	endpoints    []string
}

// Demo starts a server and a receiver on this machine, posts events, lets one
// endpoint fail for a while, and checks that every event arrived, signed and
// byte for byte. It writes the report to Out too. The error says what did not
// hold; the report is complete as far as it goes.
func Demo(ctx context.Context, o DemoOptions) (report *DemoReport, err error) {
	if err := o.EnsureDefaults(); err != nil {
		return nil, err
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.DataRoot, "posthaste-demo-*")
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d := &demo{DemoOptions: o}
	if d.receiver, err = startDemoReceiver(o.Samples, o.Count, demoEndpoints); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.receiver.close()) }()
	limited, cancel := context.WithTimeoutCause(ctx, o.Timeout, fmt.Errorf("not done within %s", o.Timeout))
	defer cancel()
	if d.server, err = o.StartServer(limited, dir); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.server.Stop()) }()
	if report, err = d.run(limited); o.Keep && report != nil && ctx.Err() == nil {
		err = errors.Join(err, d.keep(ctx))
	}
	return report, err
}

// run posts, waits and reports.
func (d *demo) run(ctx context.Context) (*DemoReport, error) {
	if err := d.setup(ctx); err != nil {
		return nil, err
	}
	fmt.Fprintf(d.Out, "server     %s, data in %s\n", d.server.URL, d.server.DataDir)
	fmt.Fprintf(d.Out, "receivers  http://%s/e/0 to /e/%d; the last answers 500 for the first %s\n", d.receiver.server.addr, demoEndpoints-1, d.FailFor)
	fmt.Fprintf(d.Out, "events     %d, from %d different ones\n\n", d.Count, len(d.Samples))

	d.progress = NewProgress(d.Progress)
	start := time.Now()
	d.receiver.failUntil(start.Add(d.FailFor))
	posted, err := d.postAndWatch(ctx)
	d.progress.Close()
	report := d.receiver.report(posted, start)
	return report, errors.Join(err, report.Check(d.Count), report.WriteText(d.Out))
}

// setup makes the project and its endpoints, each with a secret of its own.
func (d *demo) setup(ctx context.Context) (err error) {
	root := NewClient(d.server.URL, d.server.RootKey)
	defer root.Close()
	if d.project, d.key, err = root.CreateProject(ctx, "demo"); err != nil {
		return err
	}
	client := NewClient(d.server.URL, d.key)
	defer client.Close()
	for i, secret := range d.receiver.secrets {
		n := strconv.Itoa(i)
		id, err := client.CreateEndpoint(ctx, d.project, "demo "+n, "http://"+d.receiver.server.addr+"/e/"+n, secret)
		if err != nil {
			return err
		}
		d.endpoints = append(d.endpoints, id)
	}
	return nil
}

type demoPosted struct {
	accepted int
	took     time.Duration
}

// postAndWatch posts every event and returns when all have arrived, when ctx is
// done or when the server has ended.
func (d *demo) postAndWatch(ctx context.Context) (posted demoPosted, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopped := make(chan struct{})
	defer func() { cancel(nil); <-stopped }()
	go func() {
		defer close(stopped)
		select {
		case <-d.server.Exited():
			cancel(d.server.child.explain(errors.New("ended before the demonstration did")))
		case <-ctx.Done():
		}
	}()
	task := d.progress.Start("delivered", d.Count)
	defer task.Finish("")
	postErr := make(chan error, 1)
	go func() {
		var err error
		posted, err = d.post(ctx)
		postErr <- err
	}()
	if err := d.watchPosting(postErr, task); err != nil {
		return posted, cmp.Or(context.Cause(ctx), err)
	}
	for d.receiver.deliveredCount() < posted.accepted {
		if sleep(ctx, demoPoll) != nil {
			return posted, context.Cause(ctx)
		}
		task.Set(d.receiver.deliveredCount())
	}
	task.Finish(fmt.Sprintf("all %d", posted.accepted))
	return posted, nil
}

func (d *demo) watchPosting(postErr <-chan error, task *Task) error {
	tick := time.NewTicker(demoPoll)
	defer tick.Stop()
	for {
		select {
		case err := <-postErr:
			return err
		case <-tick.C:
			task.Set(d.receiver.deliveredCount())
		}
	}
}

// keep opens a shop, tells how to look around and waits until ctx is done.
func (d *demo) keep(ctx context.Context) error {
	shop, err := startShop(ctx, d.server, d.Samples)
	if err != nil {
		return fmt.Errorf("something to look at: %w", err)
	}
	running, stop := context.WithCancel(ctx)
	stopped := make(chan struct{})
	defer func() { stop(); <-stopped; shop.close() }()
	go func() { defer close(stopped); shop.run(running) }()
	api := d.server.URL + "/api/v1/projects/" + d.project
	auth := " -H 'Authorization: Bearer " + d.key + "'"
	fmt.Fprintf(d.Out, `
Still running; Ctrl-C stops it and removes the data.

  console       %s/p/%s/?range=1h
                sign in with the instance key; a shop's deliveries come and fail there
  portal        %s%s
                one customer's view of it
  API           %s
  instance key  %s
  project       %s
  project key   %s
  endpoints     %v

  post an event     curl -sS%s -H 'Content-Type: application/json' \
                      -d '{"endpoint_id":"%s","event_type":"ping","data":{"hello":"world"}}' \
                      %s/events
  list deliveries   curl -sS%s '%s/eventdeliveries?perPage=5'
  list events       curl -sS%s '%s/events?perPage=5'
  metrics           curl -sS %s/metrics
`, d.server.Console, shop.project, d.server.Console, shop.portal, d.server.URL, d.server.RootKey, d.project, d.key, d.endpoints,
		auth, d.endpoints[0], api, auth, api, auth, api, d.server.AdminURL)
	select {
	case <-ctx.Done():
		return nil
	case <-d.server.Exited():
		return d.server.child.explain(errors.New("ended by itself"))
	}
}

package bench

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"time"
)

// probeDeliveries is how many deliveries the first events at a target make, which
// tell whether the receiver can be reached and roughly how fast the target is.
const probeDeliveries = 200

// probeMargin is how much faster than its first deliveries a target is allowed to
// be in the warm-up.
const probeMargin = 4

// cleanUpTimeout bounds the deletion of what was made in a target.
const cleanUpTimeout = 2 * time.Minute

// useTarget makes endpoints in the project given, which are deleted at the end,
// also after a failure or an interrupt.
func (l *leg) useTarget(ctx context.Context, mode Mode) (Load, error) {
	l.isTarget = true
	load := l.r.load(mode, l.r.Target)
	load.Project, load.Key, load.Owner = l.r.Project, l.r.Key, l.owner()
	client := NewClient(l.r.Target, l.r.Key)
	client.headers = l.r.headers()
	client.endpointSettings = l.r.shape.fail.endpointSettings()
	l.undo = append(l.undo, func() error { client.Close(); return nil })
	if err := checkRoute(ctx, client, load.Project, mode); err != nil {
		return load, err
	}
	l.undo = append(l.undo, func() error { return l.removeEndpoints(ctx, client, load.Project) })
	var err error
	load.Endpoints, err = l.createEndpoints(ctx, client, load.Project)
	return load, err
}

// checkRoute leaves out what the target cannot do.
func checkRoute(ctx context.Context, c *Client, project string, mode Mode) error {
	has, missing := c.HasBatch, errNoBatch
	switch mode {
	case ModeBatch:
	case ModeFanout:
		has, missing = c.HasFanout, errNoFanout
	default:
		return nil
	}
	known, err := has(ctx, project)
	if err == nil && !known {
		err = missing
	}
	return err
}

// removeEndpoints deletes what createEndpoints has made, whether or not ctx is
// done. It tries each, and names those that are left.
func (l *leg) removeEndpoints(ctx context.Context, c *Client, project string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
	defer cancel()
	var left []string
	var why error
	for _, made := range l.made {
		if err := c.RemoveEndpoint(ctx, project, made); err != nil {
			left = append(left, made.ID)
			why = err // one is enough
		}
	}
	l.made = nil
	if len(left) == 0 {
		return nil
	}
	return fmt.Errorf("endpoints left behind in project %s: %v: %w", project, left, why)
}

// probe posts a few events and returns the rate of their deliveries.
func (l *leg) probe(ctx context.Context, load *Load) (float64, error) {
	events := max(probeDeliveries/l.r.shape.copies(), 1)
	p, err := l.rig.phase(ctx, Burst{Max: events, For: l.r.Warmup}, l.r.TailLimit, func(int) {})
	if err != nil {
		return 0, fmt.Errorf("first events: %w", err)
	}
	if p.Receipts.Published > 0 && p.Receipts.Delivered == 0 && p.Receipts.Unreadable == 0 {
		return 0, fmt.Errorf("of %d events that %s accepted none arrived at %s within %s: can it reach that address (receiver-host)?",
			p.Burst.Published, redacted(load.URL), l.endpointURL("N"), l.r.TailLimit)
	}
	if err := p.Check(); err != nil {
		return 0, fmt.Errorf("first events: %w", err)
	}
	return p.Rate(), nil
}

// checkSigned says what deliveries of a phase carried no signature that could be
// checked: a mistake in our server, and worth a note about another.
func (r *runner) checkSigned(label string, p *Phase) error {
	n := p.Receipts.Unsigned
	if n == 0 {
		return nil
	}
	all := n + p.Receipts.Verified + p.Receipts.Unverified
	if r.Target == "" {
		return fmt.Errorf("%d of %d deliveries looked at carried no signature", n, all)
	}
	r.note("%s: %d of %d deliveries looked at carried no %s of the form t=,v1=; they count, but are not verified", label, n, all, SignatureHeader)
	return nil
}

// endpointURL is where the server finds an endpoint of the receiver.
func (l *leg) endpointURL(n string) string {
	_, port, _ := net.SplitHostPort(l.rig.receiver.addr)
	return "http://" + net.JoinHostPort(l.r.ReceiverHost, port) + "/e/" + n
}

// onLoopback is where this machine reaches a listener on all addresses.
func onLoopback(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && net.ParseIP(host).IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// redacted is a URL without a password.
func redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "the target"
	}
	return u.Redacted()
}

package bench

import (
	"context"
	"fmt"

	"posthaste/bench/report"
)

// fanout counts each delivery of an event, by event and endpoint.
func (r *runner) fanout(ctx context.Context) (*report.Scenario, error) {
	return r.throughput(ctx, throughput{
		name: "fanout", mode: ModeFanout, baseline: bareLoopBaseline, target: 0.65, fanout: r.Fanout,
		title: fmt.Sprintf("one event to %d endpoints, %d connections, %s", r.Fanout, r.BatchConnections, r.payloadText()),
	})
}

// fannedOut is the runner for events that each go to n endpoints. With 0 it is
// the runner itself.
func (r *runner) fannedOut(n int) *runner {
	if n == 0 {
		return r
	}
	fan := *r
	fan.shape.fanout, fan.Endpoints = n, n
	return &fan
}

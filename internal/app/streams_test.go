package app

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"posthaste/live"
)

// TestMetricsOfStreams: who listens, and who may not, is among the metrics.
func TestMetricsOfStreams(t *testing.T) {
	m, h := newMeters("test"), live.New(live.Options{MaxStreams: 2, MaxPerHolder: 1})
	defer h.Close()
	m.watchStreams(h)
	one, err := h.Subscribe(live.Request{Holder: "one"})
	if err != nil {
		t.Fatal(err)
	}
	for _, holder := range []string{"one", "two", "three"} {
		_, _ = h.Subscribe(live.Request{Holder: holder})
	}
	said := func(lines ...string) {
		t.Helper()
		var b strings.Builder
		m.registry.WritePrometheus(&b)
		for _, line := range lines {
			if !strings.Contains(b.String(), "\n"+line+"\n") {
				t.Errorf("no %s in\n%s", line, b.String())
			}
		}
	}
	said("posthaste_streams 2", "posthaste_stream_dropped_messages_total 0", `posthaste_streams_refused_total{limit="key"} 1`,
		`posthaste_streams_refused_total{limit="max-streams"} 1`, "# TYPE posthaste_streams_refused_total counter")
	one.Close()
	said("posthaste_streams 1")
}

// TestAStreamThatNeverEndsDoesNotHoldUpTheStop: fasthttp may drop a connection between the
// request and the stream.
func TestAStreamThatNeverEndsDoesNotHoldUpTheStop(t *testing.T) {
	s := newStreams(http.NotFoundHandler())
	s.open.Add(1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for it: %v", err)
	}
	s.open.Done()
	if err := s.wait(t.Context()); err != nil {
		t.Errorf("without it: %v", err)
	}
}

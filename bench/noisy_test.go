package bench

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"posthaste/bench/report"
)

func figure(t *testing.T, s report.Scenario, name string) float64 {
	t.Helper()
	for _, f := range s.Figures {
		if f.Name == name {
			return f.Value
		}
	}
	t.Fatalf("no figure %q among %+v", name, s.Figures)
	return 0
}

// Sick endpoints get everything once they are well, and do not count before.
func TestThroughputWithFailures(t *testing.T) {
	o := quickOptions(t, faultHasty)
	o.Scenarios = []string{"single", "batch", "fanout"}
	o.Endpoints, o.Fanout = 20, 20
	o.Fail = Mix{{BehaveFail, 10}, {BehaveHang, 10}, {BehaveTrickle, 5}, {BehaveReset, 5}, {BehaveBusy, 5}}
	got, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Scenarios) != 3 {
		t.Fatalf("got %+v", got)
	}
	for _, s := range got.Scenarios {
		run := s.Runs[0]
		if s.Lost != 0 || s.Value <= 0 || !strings.Contains(s.Title, "500=10,hang=10,trickle=5,reset=5,429=5") {
			t.Errorf("%s: %+v", s.Name, s)
		}
		if healthy := int(run.Delivery.Count); healthy == 0 || healthy >= run.Published {
			t.Errorf("%s: %d of %d are counted", s.Name, healthy, run.Published)
		}
	}
	checkEmpty(t, o.DataRoot)
}

func TestNoisy(t *testing.T) {
	o := quickOptions(t, faultHasty)
	o.Scenarios = []string{"noisy"}
	o.NoisyEndpoints, o.Repeat = 20, 2
	got, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	s := got.Scenarios[0]
	if s.Name != "noisy" || s.Baseline != "quiet" || s.Value <= 0 || s.Ratio <= 0 || s.Lost != 0 || len(s.Runs) != 2 || s.Verified == 0 {
		t.Errorf("got %+v", s)
	}
	if len(s.Checks) != 3 || s.Target != 0.9 || s.Checks[1].Value <= 0 || !s.Checks[1].AtMost || s.Checks[1].Target != 2 {
		t.Errorf("checks %+v", s.Checks)
	}
	for _, name := range []string{"quiet p99", "noisy p99", "rate of the p99", "owed to sick endpoints", "failed attempts, hang", "failed attempts, 500", "their drain once well"} {
		if figure(t, s, name) <= 0 {
			t.Errorf("%s is %v", name, figure(t, s, name))
		}
	}
	checkEmpty(t, o.DataRoot)
}

func TestNoisyFindsWhatIsLost(t *testing.T) {
	o := quickOptions(t, faultLose)
	o.Scenarios = []string{"noisy"}
	o.NoisyEndpoints, o.TailLimit = 20, 300*time.Millisecond
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "did not arrive") {
		t.Errorf("got %v", err)
	}
}

// A phase is over when the last healthy endpoint has what it is owed.
func TestPhaseOfTheHealthy(t *testing.T) {
	p := phaseOf(900, time.Second)
	p.Receipts.Delivered, p.Receipts.LastNS = 1000, p.Receipts.LastNS+int64(5*time.Second)
	p.HealedNS = p.Burst.FirstSendNS + int64(2*time.Second)
	if p.Rate() != 900 || p.Seconds() != 1 || p.TotalRate() != 1000 || p.DrainSeconds() != 4 {
		t.Errorf("rate %v in %v s, of all %v, drained in %v s", p.Rate(), p.Seconds(), p.TotalRate(), p.DrainSeconds())
	}
	p.HealedNS = p.Receipts.LastNS + 1
	if p.DrainSeconds() != 0 {
		t.Errorf("nothing was left, drained in %v s", p.DrainSeconds())
	}
}

// Every endpoint gets events, whatever the number of connections.
func TestTemplatesReachEveryEndpoint(t *testing.T) {
	for _, l := range []Load{
		{Mode: ModeSingle, Connections: 3},
		{Mode: ModeSingle, Connections: 128},
		{Mode: ModeBatch, Connections: 2, BatchSize: 7},
		{Mode: ModeBatch, Connections: 2, BatchSize: 500},
	} {
		l.Endpoints, l.PayloadBytes, l.Healthy = placeholders(100), MinPayloadBytes, 90
		var all bytes.Buffer
		healthy := 0
		for worker := range l.Connections {
			for n := range l.templates() {
				tmpl := newTemplate(&l, worker, n)
				all.Write(tmpl.body)
				healthy += tmpl.healthy[l.perRequest()-1]
			}
		}
		want := 0
		for i, id := range l.Endpoints {
			n := bytes.Count(all.Bytes(), []byte(`"`+id+`"`))
			if n == 0 {
				t.Errorf("%+v: nothing for endpoint %d", l.Mode, i)
			}
			if i < 90 {
				want += n
			}
		}
		if healthy != want {
			t.Errorf("%d events count as healthy, want %d", healthy, want)
		}
	}
	big := Load{Mode: ModeSingle, Connections: 100, Endpoints: placeholders(10_000), PayloadBytes: 1 << 20}
	if n := big.templates(); n != maxTemplateBytes/(100<<20) {
		t.Errorf("%d templates of a MiB for each of 100 connections", n)
	}
}

func TestReceiverSplit(t *testing.T) {
	r := startTestReceiver(t)
	client := newHostClient(r.Addr(), false, 1)
	defer client.CloseIdleConnections()
	for _, split := range []struct{ healthy, wantHealthy, wantSick int }{{0, 4, 0}, {2, 2, 2}, {4, 4, 0}} {
		r.Split(split.healthy)
		r.Begin(0, 4)
		for seq, endpoint := range []string{"0", "1", "2", "3", "3"} {
			seq = min(seq, 3)
			body := appendPayload(nil, 200, 1)
			stampPayload(body, uint64(seq), time.Now().UnixNano())
			postTo(t, client, "http://"+r.Addr()+"/e/"+endpoint, body, "")
		}
		got := r.Receipts(4)
		if got.Healthy.Delivered != split.wantHealthy || got.Sick.Delivered != split.wantSick || r.HealthyDistinct() != split.wantHealthy {
			t.Errorf("split at %d: %+v", split.healthy, got)
		}
		if got.Healthy.Latency.Count != int64(split.wantHealthy) || got.Latency.Count != 4 || got.Duplicates != 1 || max(got.Healthy.LastNS, got.Sick.LastNS) != got.LastNS {
			t.Errorf("split at %d: %+v", split.healthy, got)
		}
	}
}

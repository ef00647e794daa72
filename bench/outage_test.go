package bench

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func outageOptions(t *testing.T, fault string, scenarios ...string) Options {
	t.Helper()
	o := quickOptions(t, fault)
	o.Scenarios, o.Owed, o.Repeat, o.TailLimit = scenarios, 200, 2, 3*time.Second
	o.Quick = true
	return o
}

// Both scenarios are measured on one backlog, of which everything arrives.
func TestOutageAndRestart(t *testing.T) {
	for _, kind := range []string{outageFail, outageRefused} {
		t.Run(kind, func(t *testing.T) {
			o := outageOptions(t, faultNone, "outage", "restart")
			o.Outage = kind
			got, err := Run(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Scenarios) != 2 || got.Scenarios[0].Name != "outage" || got.Scenarios[1].Name != "restart" {
				t.Fatalf("scenarios %+v", got.Scenarios)
			}
			outage, restart := got.Scenarios[0], got.Scenarios[1]
			if outage.Published < 250 || outage.Published != restart.Published || outage.Lost != 0 || outage.Verified == 0 || outage.Ratio <= 0 {
				t.Errorf("outage %+v", outage)
			}
			if owed := figure(t, outage, "owed"); owed < 200 || int(owed) >= outage.Published {
				t.Errorf("%v of %d events are owed", owed, outage.Published)
			}
			if len(outage.Checks) != 2 || outage.Checks[1].Value <= 1 || !outage.Checks[1].AtMost {
				t.Errorf("checks %+v", outage.Checks)
			}
			if len(outage.Series) != 3 || outage.Series[0].Limit != residentLimitMiB || len(outage.Series[0].Points) == 0 {
				t.Errorf("series %+v", outage.Series)
			}
			if len(restart.Runs) != 2 || restart.Value <= 0 || restart.BaselineValue <= 0 || len(restart.Checks) != 1 {
				t.Errorf("restart %+v", restart)
			}
			checkEmpty(t, o.DataRoot)
		})
	}
}

func TestRestartAlone(t *testing.T) {
	o := outageOptions(t, faultNone, "restart")
	o.Repeat = 1
	got, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Scenarios) != 1 || got.Scenarios[0].Lost != 0 || got.Scenarios[0].Published < 250 {
		t.Errorf("scenarios %+v", got.Scenarios)
	}
	checkEmpty(t, o.DataRoot)
}

// A server that loses what it owes when it is killed is found out.
func TestRestartFindsWhatWasForgotten(t *testing.T) {
	o := outageOptions(t, faultForget, "restart")
	o.TailLimit, o.Repeat = 3*time.Second, 1
	got, err := Run(context.Background(), o)
	if err == nil || !strings.Contains(err.Error(), "accepted events did not arrive") {
		t.Errorf("got %v", err)
	}
	if len(got.Scenarios) != 1 || got.Scenarios[0].Lost < 200 {
		t.Errorf("scenarios %+v", got.Scenarios)
	}
	checkEmpty(t, o.DataRoot)
}

// So is one that loses some of what is owed.
func TestOutageFindsLoss(t *testing.T) {
	o := outageOptions(t, faultLose, "outage")
	o.TailLimit = 300 * time.Millisecond
	_, err := Run(context.Background(), o)
	if err == nil || !strings.Contains(err.Error(), "events") {
		t.Errorf("got %v", err)
	}
	checkEmpty(t, o.DataRoot)
}

func TestOutageIsCancelled(t *testing.T) {
	o := outageOptions(t, faultNone, "outage", "restart")
	ctx, cancel := context.WithCancel(context.Background())
	o.Progress = &cancelOnWrite{cancel}
	if _, err := Run(ctx, o); err == nil {
		t.Error("no error")
	}
	checkEmpty(t, o.DataRoot)
}

// Without room for the backlog nothing is begun.
func TestBacklogNeedsRoom(t *testing.T) {
	dir := t.TempDir()
	if _, known := freeBytes(dir); !known {
		t.Skip("free space is not known here")
	}
	plan := backlogPlan{capacity: 7, diskBytes: 1 << 62}
	err := plan.fits(dir, 1024)
	if !errors.Is(err, errLeftOut) || !strings.Contains(err.Error(), "7 events of 1024 bytes may need 4294967296.0 GiB in "+dir) {
		t.Errorf("got %v", err)
	}
	plan.diskBytes = 1
	if err := plan.fits(dir, 1024); err != nil {
		t.Error(err)
	}
}

func TestPlanBacklog(t *testing.T) {
	for _, owed := range []int{1, 40_000, defaultOwed, maxOwed} {
		for _, batch := range []int{1, 7, 100} {
			r := &runner{Options: Options{Owed: owed, BatchSize: batch, Repeat: 3, PayloadBytes: 1024, TailLimit: time.Minute}}
			p := r.planBacklog()
			if p.batch < batch || p.batch%mixOf != 0 || p.events%p.batch != 0 || p.tail%p.batch != 0 {
				t.Errorf("%d owed, batches of %d: %+v", owed, batch, p)
			}
			if got := p.events / mixOf * (mixOf - 1); got < owed || got > owed+p.batch {
				t.Errorf("%d owed, batches of %d: %d will be", owed, batch, got)
			}
			if p.retrySeconds < 1 || p.retrySeconds > 100 || p.capacity < p.events+3*p.tail || p.diskBytes < int64(p.events)*1024 || p.limit(r) < p.fillLimit+p.drainLimit {
				t.Errorf("%d owed, batches of %d: %+v", owed, batch, p)
			}
		}
	}
}

// The bench counts on it that every mixOf-th event of a batch, and no other, is for
// an endpoint that is well.
func TestMixedLoad(t *testing.T) {
	well := placeholders(7)
	load := &Load{Mode: ModeBatch, Endpoints: mixedEndpoints("DOWN", well), BatchSize: 35, PayloadBytes: 200}
	seen := make(map[string]bool)
	for worker := range 16 {
		body := newTemplate(load, worker, 0)
		lines := strings.Split(strings.TrimSpace(string(body.body)), "\n")
		if len(lines) != 35 {
			t.Fatalf("%d events", len(lines))
		}
		for i, line := range lines {
			id, _, _ := strings.Cut(strings.TrimPrefix(line, `{"endpoint_id":"`), `"`)
			if (i%mixOf == mixOf-1) != (id != "DOWN") {
				t.Fatalf("event %d of worker %d is for %s", i, worker, id)
			}
			seen[id] = true
		}
	}
	if len(seen) != len(well)+1 {
		t.Errorf("endpoints %v", seen)
	}
}

func TestKill(t *testing.T) {
	l := testLauncher(t, faultNone)
	dir := t.TempDir()
	s, err := l.StartServer(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	pid := s.child.pid()
	for range 2 {
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	if usageOf(pid).rss != 0 {
		t.Error("it is still there")
	}
	if err := l.spawn(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	if err := s.awaitReady(context.Background()); err != nil {
		t.Error(err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if err := s.Kill(); err == nil {
		t.Error("it had ended before, and Kill does not say so")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 || left[0].Name() != fakeTableName || left[1].Name() != "journal" {
		t.Errorf("in the directory: %v, %v", left, err)
	}
}

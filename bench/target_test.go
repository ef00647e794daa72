package bench

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// fakeTarget starts a fake server and the options to measure it as a target. The
// cleanup checks that nothing is left in it, unless it refuses deletions.
func fakeTarget(t *testing.T, fault string) Options {
	t.Helper()
	l := testLauncher(t, fault)
	server, err := l.StartServer(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o := quickOptions(t, faultNeverUp) // it is not to be started
	o.Scenarios = []string{"single"}
	o.Target, o.Project, o.Key = server.URL+"/", "P1", server.RootKey
	t.Cleanup(func() {
		found, err := leftInTarget(o)
		if err != nil || found.Made == 0 || found.Left > 0 && fault != faultNoDelete {
			t.Errorf("in the target: %+v, %v", found, err)
		}
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// inTarget counts what bench has made in a fake target and what is left of it.
type inTarget struct{ Made, Left int }

func leftInTarget(o Options) (found inTarget, err error) {
	client := NewClient(o.Target, o.Key)
	defer client.Close()
	err = client.do(context.Background(), http.MethodGet, "/projects/P1/left", nil, &found)
	return found, err
}

func TestTarget(t *testing.T) {
	cases := []struct {
		fault     string
		scenarios string
		rows      string
		note      string // in one of the notes
	}{
		{faultNoBatch, "single batch fanout latency", "single fanout latency", "no batch route"},
		{faultNoFanout, "fanout batch", "batch", "no fan-out route"},
		{faultTerse, "single fanout", "single fanout", "the server is the one at"},
		{faultUnsigned, "single", "single", "looked at carried no X-Convoy-Signature"},
		{faultSlow, "single fanout", "single fanout", ""},
	}
	for _, c := range cases {
		t.Run(c.fault, func(t *testing.T) {
			o := fakeTarget(t, c.fault)
			o.Scenarios, o.Fanout, o.Rate = strings.Fields(c.scenarios), 5, 200
			got, err := Run(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			var rows []string
			for _, s := range got.Scenarios {
				rows = append(rows, s.Name)
				if s.Lost != 0 || s.Published == 0 || s.Value <= 0 || (s.Verified == 0) != (c.fault == faultUnsigned) {
					t.Errorf("%+v", s)
				}
			}
			if strings.Join(rows, " ") != c.rows || !strings.Contains(strings.Join(got.Notes, "\n"), c.note) {
				t.Errorf("rows %q, notes %q", rows, got.Notes)
			}
		})
	}
}

// Whatever goes wrong, what was made is deleted: fakeTarget checks that.
func TestTargetFails(t *testing.T) {
	for fault, want := range map[string]string{
		faultHalf:     "subscriptions: status 400",
		faultReject:   "status 400",
		faultLose:     "did not arrive",
		faultDeaf:     "receiver-host",
		faultNoDelete: "left behind in project P1: [E0 E1 E2]",
	} {
		t.Run(fault, func(t *testing.T) {
			o := fakeTarget(t, fault)
			o.TailLimit = 300 * time.Millisecond
			if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestTargetIsCleanedUpAfterInterrupt(t *testing.T) {
	o := fakeTarget(t, faultNone)
	o.Duration = 3 * time.Second // of the baseline, and then it is cut short
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := Run(ctx, o)
		ended <- err
	}()
	for {
		select {
		case err := <-ended:
			if err == nil || ctx.Err() == nil {
				t.Errorf("ended with %v", err)
			}
			return
		case <-time.After(5 * time.Millisecond):
		}
		if found, err := leftInTarget(o); err != nil || found.Made > 0 {
			cancel()
		}
	}
}

func TestReceiverIsCalledByName(t *testing.T) {
	o := fakeTarget(t, faultNone)
	o.ReceiverHost, o.ReceiverListen = "127.0.0.1", "0.0.0.0"
	if _, err := Run(context.Background(), o); err != nil {
		t.Error(err)
	}
	named := Options{ReceiverHost: "bench.example", Target: "http://h", Project: "p", Key: "k"}
	named.EnsureDefaults()
	if err := named.Validate(); err != nil || named.ReceiverListen != "0.0.0.0" {
		t.Errorf("listens on %s, %v", named.ReceiverListen, err)
	}
	if got := onLoopback("[::]:80") + " " + onLoopback("10.0.0.1:80"); got != "127.0.0.1:80 10.0.0.1:80" {
		t.Error(got)
	}
}

func TestHeadersReachTheTarget(t *testing.T) {
	o := Options{Headers: []string{"X-Convoy-Version: 2024-01-01", "X-Odd:a:b "}}
	got := o.headers()
	if len(got) != 2 || got[0] != (Header{"X-Convoy-Version", "2024-01-01"}) || got[1] != (Header{"X-Odd", "a:b"}) {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{"", "name", ": value", "a b: c", "a: b\nc"} {
		if _, err := parseHeader(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

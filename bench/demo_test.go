package bench

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

func quickDemo(t *testing.T, fault string) DemoOptions {
	t.Helper()
	return DemoOptions{
		Launcher: testLauncher(t, fault),
		Count:    300, FailFor: 2 * time.Second, Timeout: time.Minute,
		DataRoot: t.TempDir(),
	}
}

func TestDemo(t *testing.T) {
	o := quickDemo(t, faultNone)
	var out bytes.Buffer
	o.Out = &out
	report, err := Demo(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	r := *report
	if r.Accepted != 300 || r.Delivered != 300 || r.Lost+r.Unverified+r.Different+r.Strays+r.Repeats != 0 {
		t.Errorf("report %+v", r)
	}
	if r.TurnedAway == 0 || r.Retried == 0 || r.Delivered-r.FirstTry != r.Retried || r.Attempts != 300+r.TurnedAway {
		t.Errorf("report %+v: the failing endpoint did not count", r)
	}
	if r.Verified != r.Attempts || r.Identical != r.Attempts || r.FirstTryLatency.Count != int64(r.FirstTry) {
		t.Errorf("report %+v", r)
	}
	for _, want := range []string{"events accepted", "300 in ", "events lost", "signatures verified", "p50 "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	checkEmpty(t, o.DataRoot)
}

// The demonstration is there to be believed: each promise it checks is broken here.
func TestDemoFindsFaults(t *testing.T) {
	cases := []struct {
		fault, want string
		timeout     time.Duration
	}{
		{faultForge, "had a wrong signature", time.Minute},
		{faultCompact, "other bytes than were posted", time.Minute},
		{faultLose, "accepted events were not delivered", 10 * time.Second},
		{faultReject, "0 of 300 events were accepted", time.Minute},
		{faultNeverUp, "ended before it was ready", time.Minute},
	}
	for _, c := range cases {
		t.Run(c.fault, func(t *testing.T) {
			o := quickDemo(t, c.fault)
			o.Timeout = c.timeout
			_, err := Demo(context.Background(), o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not say %q", err, c.want)
			}
			checkEmpty(t, o.DataRoot)
		})
	}
}

func TestDemoCountsRepeats(t *testing.T) {
	report, err := Demo(context.Background(), quickDemo(t, faultRepeat))
	if err != nil || report.Delivered != 300 || report.Attempts < 306 {
		t.Errorf("report %+v, error %v", report, err)
	}
}

func TestDemoKeeps(t *testing.T) {
	o := quickDemo(t, faultNone)
	o.Keep = true
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := &cancelOn{text: "Still running", cancel: cancel}
	o.Out = out
	if _, err := Demo(ctx, o); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"/p/P1/", "/portal?token=T1", "curl", "/events", "Bearer", "/eventdeliveries", "/metrics"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	checkEmpty(t, o.DataRoot)
}

// cancelOn cancels when a text is written.
type cancelOn struct {
	bytes.Buffer
	text   string
	cancel context.CancelFunc
}

func (c *cancelOn) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(c.text)) {
		c.cancel()
	}
	return c.Buffer.Write(p)
}

func TestDemoOptionsValidate(t *testing.T) {
	for _, o := range []DemoOptions{{Count: -1}, {Count: maxDemoCount + 1}, {FailFor: time.Minute, Timeout: time.Minute}} {
		if err := o.EnsureDefaults(); err != nil {
			t.Fatal(err)
		}
		if err := o.Validate(); err == nil {
			t.Errorf("accepted %+v", o)
		}
	}
	var o DemoOptions
	if err := o.EnsureDefaults(); err != nil || o.Validate() != nil || o.Count != 2000 || len(o.Samples) < 24 {
		t.Errorf("defaults: %d events, %d samples, %v", o.Count, len(o.Samples), err)
	}
}

func TestDemoEventNumber(t *testing.T) {
	for text, want := range map[string]int{"demo-0": 0, "demo-1999": 1999, "demo-": -1, "demo--1": -1, "other-1": -1, "": -1} {
		if got, ok := demoEventNumber([]byte(text)); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: got %d, %t", text, got, ok)
		}
	}
}

func TestAppendRequestKeepsData(t *testing.T) {
	d := &demo{DemoOptions: DemoOptions{Samples: []Sample{{EventType: "a\"b", Data: []byte(`{ "x" : 1.10 }`)}}}, endpoints: []string{"E0", "E1"}}
	types, err := quotedTypes(d.Samples)
	if err != nil {
		t.Fatal(err)
	}
	got := string(d.appendRequest(nil, 3, types[0]))
	want := `{"endpoint_id":"E1","event_type":"a\"b","idempotency_key":"demo-3","data":{ "x" : 1.10 }}`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

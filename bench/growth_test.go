package bench

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func growthOptions(t *testing.T, fault string) Options {
	o := quickOptions(t, fault)
	o.Scenarios, o.Quick, o.Stored = []string{"growth"}, true, 1000
	return o
}

func TestGrowth(t *testing.T) {
	o := growthOptions(t, faultNone)
	got, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	row := got.Scenarios[0]
	if len(row.Runs) != 1 || row.Value <= 0 || row.BaselineValue <= 0 || row.Lost != 0 || row.Verified == 0 {
		t.Errorf("row %+v", row)
	}
	if len(row.Checks) != 3 || row.Checks[2].Target != 50 || row.Checks[2].Value <= 0 || row.Checks[0].Target != 0.95 || row.Checks[1].Target != 20 || row.Checks[1].Value <= 0 {
		t.Errorf("checks %+v", row.Checks)
	}
	plan := planGrowth(o.Stored)
	if stored := row.Published - row.Runs[0].Published; stored != plan.delivered() {
		t.Errorf("%d deliveries are accounted for, want %d", stored, plan.delivered())
	}
	lists := len((&growthStock{singles: placeholders(2)}).lists(&plan, "", time.Now()))
	if pages := figureNamed(&row, "list pages looked at"); pages != float64(2*lists) {
		t.Errorf("%v pages were looked at, want %d", pages, 2*lists)
	}
	checkEmpty(t, o.DataRoot)
}

func TestGrowthFindsFaults(t *testing.T) {
	for fault, want := range map[string]string{
		faultLose:   "no more for",
		faultForge:  "signatures checked are wrong",
		faultNoRows: "no events",
		faultReject: "status 400",
	} {
		t.Run(fault, func(t *testing.T) {
			o := growthOptions(t, fault)
			o.TailLimit = 300 * time.Millisecond
			if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
			checkEmpty(t, o.DataRoot)
		})
	}
}

func TestGrowthIsCancelled(t *testing.T) {
	o := growthOptions(t, faultNone)
	o.Stored = 5000
	var progress cancelOnWrite
	ctx, cancel := context.WithCancel(context.Background())
	progress.cancel = cancel
	o.Progress = &progress
	if _, err := Run(ctx, o); err == nil {
		t.Error("no error")
	}
	checkEmpty(t, o.DataRoot)
}

func TestGrowthNeedsSpace(t *testing.T) {
	o := Options{Stored: 100_000_000, DataRoot: t.TempDir(), Duration: time.Hour, Repeat: 100}
	o.EnsureDefaults()
	s := &growthStudy{r: &runner{Options: o}, plan: growthPlan{singles: o.Stored}}
	if _, known := freeBytes(o.DataRoot); !known {
		t.Skip("this system does not tell what is free")
	}
	if err := s.checkSpace(o.DataRoot); err == nil || !strings.Contains(err.Error(), "MiB free") {
		t.Errorf("got %v", err)
	}
	s.r.Duration, s.r.Repeat, s.plan.singles = time.Millisecond, 1, 1
	if err := s.checkSpace(o.DataRoot); err != nil {
		t.Logf("is the disk full? %v", err)
	}
}

// The numbers of each kind have no hole, and every kind that listings are
// filtered by is there.
func TestGrowthPlan(t *testing.T) {
	for _, stored := range []int{1000, 50_000} {
		plan := planGrowth(stored)
		if n := plan.stored(); n < stored || n >= stored+growthPerOwner {
			t.Errorf("%d deliveries for %d", n, stored)
		}
		f := newGrowthFilling(&growthStock{singles: placeholders(3), failing: "F", waiting: "W", paused: "P"}, plan)
		var singles, fanouts, odd, keyed, rare int
		for n := 1; n > 0; {
			var body []byte
			body, n = f.nextBatch(nil)
			for line := range strings.Lines(string(body)) {
				var ev fakeEvent
				if err := json.Unmarshal([]byte(line), &ev); err != nil {
					t.Fatal(err)
				}
				seq, _, ok := readStamp(ev.Data)
				switch {
				case !ok || len(ev.Data) != growthPayload:
					t.Fatalf("data %s", ev.Data)
				case ev.OwnerID != "" && seq == uint64(fanouts):
					fanouts++
				case len(ev.EndpointID) > 1 && seq == uint64(singles):
					singles++
				case len(ev.EndpointID) == 1 && seq == growthOddFirst+uint64(odd):
					odd++
				default:
					t.Fatalf("event %s after %d, %d, %d", line, singles, fanouts, odd)
				}
				if ev.IdempotencyKey == plan.someKey() {
					keyed++
				}
				if ev.EventType == growthRareType {
					rare++
				}
			}
		}
		if singles != plan.singles || fanouts != plan.fanouts || odd != plan.odd || odd < 3 || keyed != 1 || rare == 0 {
			t.Errorf("%d, %d, %d events, %d with the key, %d rare; the plan is %+v", singles, fanouts, odd, keyed, rare, plan)
		}
	}
}

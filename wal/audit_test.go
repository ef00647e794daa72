package wal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"posthaste/event"
)

func audit(project event.ID, action string) event.Audit {
	return event.Audit{ProjectID: project, Action: action, Outcome: event.AuditDone, Actor: event.Actor{Kind: event.ActorServer}}
}

func actions(t *testing.T, l *Log, project event.ID, r event.Range, f event.AuditFilter) (got []string) {
	t.Helper()
	rows, _, err := l.Audits(project, r, f)
	must(t, err)
	for _, a := range rows {
		got = append(got, a.Action)
	}
	return got
}

// TestAuditListings: the instance's listing has all, a project's its own, in the order in
// which they were written, in both directions.
func TestAuditListings(t *testing.T) {
	l := openLog(t, testOptions(vfs.NewMem()))
	one, two := idOf(1), idOf(2)
	must(t, l.Audit(audit(one, "a.1"), audit(event.ID{}, "a.2")))
	must(t, l.CASCatalog([]event.CatalogRecord{rec('p', 1, 1, "x")}, audit(two, "b.3")))
	must(t, l.Audit(audit(one, "b.4")))
	all := event.Range{Limit: 10}
	for _, c := range []struct {
		project event.ID
		r       event.Range
		f       event.AuditFilter
		want    string
	}{
		{event.ID{}, all, event.AuditFilter{}, "[a.1 a.2 b.3 b.4]"},
		{event.ID{}, event.Range{Limit: 3, Descending: true}, event.AuditFilter{}, "[b.4 b.3 a.2]"},
		{one, all, event.AuditFilter{}, "[a.1 b.4]"},
		{two, all, event.AuditFilter{}, "[b.3]"},
		{idOf(3), all, event.AuditFilter{}, "[]"},
		{event.ID{}, all, event.AuditFilter{Action: "b."}, "[b.3 b.4]"},
		{event.ID{}, all, event.AuditFilter{Action: "b"}, "[]"},
		{event.ID{}, all, event.AuditFilter{Action: "b.4"}, "[b.4]"},
		{event.ID{}, all, event.AuditFilter{Actor: event.ActorServer, Outcome: event.AuditDone}, "[a.1 a.2 b.3 b.4]"},
		{event.ID{}, all, event.AuditFilter{Outcome: event.AuditRefused}, "[]"},
		{event.ID{}, all, event.AuditFilter{Object: one}, "[]"},
	} {
		if got := fmt.Sprint(actions(t, l, c.project, c.r, c.f)); got != c.want {
			t.Errorf("%s %+v %+v: %s, want %s", c.project, c.r, c.f, got, c.want)
		}
	}
	rows, scan, err := l.Audits(event.ID{}, event.Range{Limit: 10, Budget: 2}, event.AuditFilter{Action: "b.4"})
	if err != nil || len(rows) != 0 || scan.Looked != 2 || scan.Next.IsZero() {
		t.Errorf("with a budget of 2: %v, %+v, %v", rows, scan, err)
	}
	if got := actions(t, l, event.ID{}, event.Range{Limit: 10, From: scan.Next}, event.AuditFilter{}); fmt.Sprint(got) != "[b.3 b.4]" {
		t.Errorf("from where it ended: %v", got)
	}
}

// TestAuditGoesWithItsChange: a change that is refused leaves no record, and a power cut
// inside any write leaves a change with its record or neither, and every one that was
// acknowledged.
func TestAuditGoesWithItsChange(t *testing.T) {
	mem := vfs.NewCrashableMem()
	type clone struct {
		fs    *vfs.MemFS
		acked int64
	}
	var acked, writes atomic.Int64
	clones := make(chan clone, 4096)
	o := testOptions(errorfs.Wrap(plainReuse{mem}, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if n := writes.Add(1); op.Kind.ReadOrWrite() == errorfs.OpIsWrite && acked.Load() > 0 {
			seen := acked.Load()
			cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: int(n % 4 * 33), RNG: rand.New(rand.NewPCG(uint64(n), 7))}
			clones <- clone{mem.CrashClone(cfg), seen}
		}
		return nil
	})))
	l := openLog(t, o)
	for rev := uint64(1); rev < 40; rev++ {
		must(t, l.CASCatalog([]event.CatalogRecord{rec('p', 1, rev, "x")}, audit(idOf(1), fmt.Sprint("rev.", rev))))
		acked.Store(int64(rev))
	}
	if err := l.CASCatalog([]event.CatalogRecord{rec('p', 1, 1, "y")}, audit(idOf(1), "refused")); !errors.Is(err, event.ErrConflict) {
		t.Error(err)
	}
	if got := actions(t, l, idOf(1), event.Range{Limit: 100}, event.AuditFilter{Action: "refused"}); len(got) != 0 {
		t.Errorf("of a change that was refused: %v", got)
	}
	must(t, l.Close())
	close(clones)
	cuts, between := 0, 0
	for c := range clones {
		after := o
		after.FS = c.fs
		crashed, err := OpenReadOnly(after)
		must(t, err)
		lines := load(t, crashed)
		own, all := actions(t, crashed, idOf(1), event.Range{Limit: 100}, event.AuditFilter{}), actions(t, crashed, event.ID{}, event.Range{Limit: 100}, event.AuditFilter{})
		must(t, crashed.Close())
		n := len(own)
		if int64(n) < c.acked || len(all) != n || len(lines) != 1 || lines[0] != fmt.Sprintf("p 01 %d x", n) {
			t.Fatalf("cut %d, %d acknowledged: the catalog has %q, the audit log %d records of the project and %d of all", cuts, c.acked, lines, n, len(all))
		}
		if cuts++; int64(n) > c.acked {
			between++
		}
	}
	t.Logf("%d cuts, %d of them between a write and its acknowledgement", cuts, between)
	if cuts < 40 || between == 0 {
		t.Error("the cuts are too few to say anything")
	}
}

// TestForgetAudits removes whole hours, of all projects, and nothing else.
func TestForgetAudits(t *testing.T) {
	l := openLog(t, testOptions(vfs.NewMem()))
	start := l.now() + 10*hour
	for i := range uint64(6) {
		setClock(l, start/hour*hour+i*hour)
		must(t, l.Audit(audit(idOf(i%2+1), fmt.Sprint(i)), audit(event.ID{}, fmt.Sprint("i", i))))
	}
	if n, err := l.ForgetAudits(hourTime(uint32(start / hour)).Add(2*time.Hour + 59*time.Minute)); err != nil || n != 3 {
		t.Errorf("%d ranges, %v; want 3", n, err)
	}
	all := event.Range{Limit: 100}
	for project, want := range map[event.ID]string{{}: "[2 i2 3 i3 4 i4 5 i5]", idOf(1): "[2 4]", idOf(2): "[3 5]"} {
		if got := fmt.Sprint(actions(t, l, project, all, event.AuditFilter{})); got != want {
			t.Errorf("of %s %s is left, want %s", project, got, want)
		}
	}
	if n, err := l.ForgetAudits(hourTime(uint32(start / hour)).Add(2 * time.Hour)); err != nil || n != 0 {
		t.Errorf("again: %d ranges, %v; want none", n, err)
	}
}

// TestDamagedAuditIsFound: the listing says which record, and shows nothing of it.
func TestDamagedAuditIsFound(t *testing.T) {
	l := openLog(t, testOptions(vfs.NewMem()))
	must(t, l.Audit(audit(idOf(1), "a")))
	damage(t, l, kindAudit)
	if rows, _, err := l.Audits(event.ID{}, event.Range{Limit: 10}, event.AuditFilter{}); !errors.Is(err, ErrCorrupt) || len(rows) != 0 {
		t.Errorf("%v, %v", rows, err)
	}
}

package wal

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

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

// TestAuditGoesWithItsChange: a change that is refused leaves no record, and after a power
// cut there are change and record, or neither.
func TestAuditGoesWithItsChange(t *testing.T) {
	mem := vfs.NewCrashableMem()
	o := testOptions(mem)
	l := openLog(t, o)
	must(t, l.CASCatalog([]event.CatalogRecord{rec('p', 1, 1, "x")}, audit(idOf(1), "project.create")))
	if err := l.CASCatalog([]event.CatalogRecord{rec('p', 1, 1, "y")}, audit(idOf(1), "refused")); !errors.Is(err, event.ErrConflict) {
		t.Fatal(err)
	}
	for rev := uint64(2); rev < 40; rev++ {
		must(t, l.CASCatalog([]event.CatalogRecord{rec('p', 1, rev, "x")}, audit(idOf(1), fmt.Sprint("rev.", rev))))
		o.FS = mem.CrashClone(vfs.CrashCloneCfg{})
		crashed, err := OpenReadOnly(o)
		must(t, err)
		lines := load(t, crashed)
		got := actions(t, crashed, idOf(1), event.Range{Limit: 100, Descending: true}, event.AuditFilter{})
		must(t, crashed.Close())
		if want := fmt.Sprintf("p 01 %d x", rev); len(lines) != 1 || lines[0] != want || len(got) != int(rev) || got[0] != fmt.Sprint("rev.", rev) {
			t.Fatalf("after a cut: %q and %d records, the last %s; want %s and %d", lines, len(got), got[0], want, rev)
		}
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

package wal

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
	"posthaste/stats"
)

// countTruth counts by scanning what countedWork counted as it went.
type countTruth map[stats.Series]stats.Cell

func (c countTruth) add(project, endpoint event.ID, typ string, f stats.Field) {
	for _, s := range []stats.Series{
		{Project: project}, {Project: project, Dim: stats.OfEndpoint, Endpoint: endpoint}, {Project: project, Dim: stats.OfType, Type: typ},
	} {
		cell := c[s]
		cell.Add(f, 1)
		c[s] = cell
	}
}

// truthOf reads every delivery of a project with its attempts.
func truthOf(t *testing.T, l *Log, project event.ID) countTruth {
	t.Helper()
	events, _, err := l.Events(project, event.Range{Limit: 1 << 20}, event.EventFilter{})
	must(t, err)
	truth := countTruth{}
	for _, ev := range events {
		for i := range ev.Owed {
			d, err := l.Delivery(project, ev.Owed[i].ID)
			must(t, err)
			truth.add(project, d.EndpointID, ev.Type, stats.StatusField(d.Status))
			attempts, err := l.Attempts(project, d.ID)
			must(t, err)
			for k := range attempts {
				truth.add(project, d.EndpointID, ev.Type, stats.ResultField(attempts[k].Class, attempts[k].StatusCode))
			}
		}
	}
	return truth
}

// onlyChecked leaves the fields of a cell that truthOf knows.
func onlyChecked(c stats.Cell) stats.Cell {
	c = slices.DeleteFunc(slices.Clone(c), func(n stats.Count) bool {
		_, _, result := n.Field.Result()
		return n.N == 0 || !result && n.Field > stats.StatusField(event.Discarded)
	})
	return c
}

// compareCounts checks the counts of all levels against the rows.
func compareCounts(l *Log, truth countTruth) error {
	now := uint64(time.Now().Add(48 * time.Hour).UnixMilli())
	from := uint64(time.Now().Add(-24 * time.Hour).UnixMilli())
	for _, step := range []time.Duration{time.Minute * 2, time.Hour, 24 * time.Hour} {
		for _, dim := range []stats.Dim{stats.OfProject, stats.OfEndpoint, stats.OfType} {
			all, err := l.CountsOf(idOf(1), dim, stats.Span{From: from, To: now, Step: step})
			if err != nil {
				return err
			}
			found := 0
			for i := range all {
				var sum stats.Cell
				for _, c := range all[i].Cells {
					sum.AddCell(c)
				}
				sum = onlyChecked(sum)
				want := onlyChecked(truth[all[i].Series])
				if !slices.Equal(sum, want) {
					return fmt.Errorf("steps of %v, %+v: counted %v, there is %v", step, all[i].Series, sum, want)
				}
				if len(want) > 0 {
					found++
				}
			}
			want := 0
			for s := range truth {
				if s.Dim == dim {
					want++
				}
			}
			if found != want {
				return fmt.Errorf("steps of %v, dimension %d: %d series are counted, of %d", step, dim, found, want)
			}
			if err := compareNamed(l, all, stats.Span{From: from, To: now, Step: step}); err != nil {
				return err
			}
		}
	}
	return nil
}

// compareNamed checks that series that are named one by one, one of them twice and one that
// has no counts, are what they are among all.
func compareNamed(l *Log, all []stats.SeriesCells, span stats.Span) error {
	unknown := stats.Series{Project: idOf(1), Dim: stats.OfEndpoint, Endpoint: idOf(99)}
	names := []stats.Series{unknown}
	for i := range all {
		names = append(names, all[i].Series)
	}
	named, err := l.Counts(append(names, names[len(names)-1]), span)
	if err != nil {
		return err
	}
	none := stats.SeriesCells{Series: unknown, Cells: make([]stats.Cell, span.Steps())}
	same := func(a, b stats.SeriesCells) bool {
		return a.Series == b.Series && slices.EqualFunc(a.Cells, b.Cells, slices.Equal[stats.Cell])
	}
	if !slices.EqualFunc(named, append([]stats.SeriesCells{none}, all...), same) {
		return fmt.Errorf("steps of %v: by name there is %v, among all %v", span.Step, named, all)
	}
	return nil
}

// countedWork appends events and settles some of their deliveries, in all ways.
func countedWork(t *testing.T, l *Log, r *rand.Rand, requests int) {
	t.Helper()
	for i := range requests {
		sub := post(idOf(1), fmt.Sprint(i), idOf(2), idOf(3), idOf(4))
		sub.Event.Type = fmt.Sprintf("type.%d", i%3)
		appendOne(t, l, sub)
		for k := range sub.Event.Owed {
			d := sub.Event.Owed[k]
			for d.Status.Owed() && r.IntN(4) > 0 {
				s := attempted(d, []event.Status{event.Success, event.Retry, event.Failure, event.Discarded}[r.IntN(4)])
				if s.Delivery.Status == event.Discarded {
					s.Attempt = nil
					s.Delivery.Attempts = d.Attempts
				}
				if r.IntN(2) == 0 {
					s.Type = sub.Event.Type
				}
				if s.Attempt != nil {
					s.Attempt.StartedAt = time.Now()
				}
				must(t, l.Settle(&s))
				d = s.Delivery
			}
		}
	}
	must(t, l.Flush())
}

// TestCountsAreWhatIsThere: whether they are pending, in rows or both, and after a
// restart, also one that finds records that are not folded.
func TestCountsAreWhatIsThere(t *testing.T) {
	mem := vfs.NewCrashableMem()
	o := testOptions(plainReuse{mem})
	r := rand.New(rand.NewPCG(1, 1))
	l, err := Open(o)
	must(t, err)
	for range 5 {
		countedWork(t, l, r, 20)
		must(t, compareCounts(l, truthOf(t, l, idOf(1))))
		must(t, l.fold())
		must(t, compareCounts(l, truthOf(t, l, idOf(1))))
	}
	countedWork(t, l, r, 20)
	crashed := mem.CrashClone(vfs.CrashCloneCfg{})
	must(t, l.Close())

	o.FS = plainReuse{crashed}
	l, err = Open(o)
	must(t, err)
	must(t, compareCounts(l, truthOf(t, l, idOf(1))))
	countedWork(t, l, r, 20)
	must(t, l.db.Flush())
	must(t, compareCounts(l, truthOf(t, l, idOf(1))))
	must(t, l.Close())
	l = openLog(t, o)
	must(t, compareCounts(l, truthOf(t, l, idOf(1))))
}

// TestManyTypesCountTogether beyond the bound.
func TestManyTypesCountTogether(t *testing.T) {
	names := typeNames{seen: make(map[event.ID]map[string]struct{})}
	for i := range maxTypes + 10 {
		name := fmt.Sprint("t", i)
		want := name
		if i >= maxTypes {
			want = ""
		}
		if got := names.of(idOf(1), name); got != want {
			t.Fatalf("type %d is counted as %q", i, got)
		}
	}
	if names.of(idOf(1), "t5") != "t5" || names.of(idOf(2), "t5") != "t5" {
		t.Error("a type that is known is not counted by its name")
	}
}

// TestOldCountsGo, level by level.
func TestOldCountsGo(t *testing.T) {
	l := newLogInMemory(t)
	countedWork(t, l, rand.New(rand.NewPCG(2, 2)), 10)
	must(t, l.fold())
	seen := func(step time.Duration) bool {
		all, err := l.Counts([]stats.Series{{Project: idOf(1)}}, stats.Span{From: uint64(time.Now().Add(-24 * time.Hour).UnixMilli()), To: uint64(time.Now().Add(24 * time.Hour).UnixMilli()), Step: step})
		must(t, err)
		return slices.ContainsFunc(all[0].Cells, func(c stats.Cell) bool { return c.Deliveries() > 0 })
	}
	for i, step := range []time.Duration{time.Minute, time.Hour, 24 * time.Hour} {
		l.ageCounts(time.Now().Add(stats.Levels[i].Keep - time.Minute))
		if !seen(step) {
			t.Errorf("level %d went early", i)
		}
		l.ageCounts(time.Now().Add(stats.Levels[i].Keep + stats.Levels[i].Stretch))
		if seen(step) {
			t.Errorf("level %d is still there", i)
		}
	}
}

func TestCountSpans(t *testing.T) {
	l := newLogInMemory(t)
	for _, step := range []time.Duration{0, time.Second, 90 * time.Second} {
		if _, err := l.Counts([]stats.Series{{Project: idOf(1)}}, stats.Span{From: 0, To: 1, Step: step}); err == nil {
			t.Errorf("steps of %v were taken", step)
		}
	}
	if _, err := l.Counts([]stats.Series{{Project: idOf(1)}}, stats.Span{From: 0, To: 1e12, Step: time.Minute}); err == nil {
		t.Error("any number of steps was taken")
	}
	all, err := l.Counts([]stats.Series{{Project: idOf(1)}}, stats.Span{From: 90_000, To: 180_001, Step: time.Minute})
	if err != nil || len(all[0].Cells) != 3 { // from minute 1 to minute 3
		t.Errorf("got %+v, %v", all, err)
	}
}

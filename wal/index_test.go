package wal

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"posthaste/event"
)

// indexAll ends all stretches and waits until they are written.
func indexAll(t testing.TB, l *Log) {
	t.Helper()
	l.endStretches()
	poke(l.index)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		left := len(l.indexer.ended)
		l.mu.Unlock()
		if left == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("stretches of %d projects are not written", left)
		}
	}
}

// numbered posts n events, of which every rare-th has a type of its own, and returns those.
func numbered(t testing.TB, l *Log, project event.ID, n, rare int) (ids []event.ID) {
	t.Helper()
	for from := 0; from < n; from += 500 {
		subs := make([]event.Submission, min(500, n-from))
		for i := range subs {
			subs[i] = post(project, "x")
			if (from+i)%rare == rare/2 {
				subs[i].Event.Type = "rare"
			}
		}
		must(t, l.Append(t.Context(), subs))
		for i := range subs {
			if subs[i].Event.Type == "rare" {
				ids = append(ids, subs[i].Event.ID)
			}
		}
		advance(l, 1)
	}
	return ids
}

// TestTheIndexLooksAtWhatIsWantedOnly, in memory and in the store, over several stretches.
func TestTheIndexLooksAtWhatIsWantedOnly(t *testing.T) {
	l := newLogInMemory(t)
	setClock(l, (l.now()/hour+1)*hour) // no hour ends meanwhile
	want := numbered(t, l, idOf(1), 3*stretchEvents+100, 1000)
	for _, where := range []string{"partly in memory", "in the store"} {
		for _, down := range []bool{false, true} {
			got, scan, err := l.Events(idOf(1), event.Range{Limit: 100, Descending: down}, event.EventFilter{EventType: "rare"})
			must(t, err)
			ids := eventIDs(got)
			if down {
				slices.Reverse(ids)
			}
			sameIDs(t, where, ids, want)
			if scan.Looked > len(want)+1 {
				t.Errorf("%s, down %v: looked at %d rows for %d events", where, down, scan.Looked, len(want))
			}
			got, scan, err = l.Events(idOf(1), event.Range{Limit: 100, Descending: down}, event.EventFilter{EventType: "none"})
			if err != nil || len(got) != 0 || scan.Looked > 1 {
				t.Errorf("%s, down %v: looked at %d rows for nothing, %v", where, down, scan.Looked, err)
			}
		}
		indexAll(t, l)
	}
}

// TestTheIndexOutlivesTheProcess: Close writes what there is.
func TestTheIndexOutlivesTheProcess(t *testing.T) {
	o := testOptions(vfs.NewMem())
	l, err := Open(o)
	must(t, err)
	setClock(l, (l.now()/hour+1)*hour) // no hour ends meanwhile
	want := numbered(t, l, idOf(1), 600, 100)
	must(t, l.Close())
	l = openLog(t, o)
	got, scan, err := l.Events(idOf(1), event.Range{Limit: 100}, event.EventFilter{EventType: "rare"})
	must(t, err)
	sameIDs(t, "events", eventIDs(got), want)
	if scan.Looked > len(want)+1 {
		t.Errorf("looked at %d rows", scan.Looked)
	}
}

// disturb does to the index what a crash, time and restarts do.
func disturb(rt *rapid.T, t *testing.T, l *Log, o Options) *Log {
	switch rapid.IntRange(0, 5).Draw(rt, "index") {
	case 0: // all in memory
	case 1:
		indexAll(t, l)
	case 2:
		indexAll(t, l)
		loseStretches(t, l, func() bool { return rapid.Bool().Draw(rt, "lost") })
	case 3:
		must(t, l.Close())
		return openedAgain(t, o)
	case 4:
		must(t, l.Close())
		l = openedAgain(t, o)
		loseStretches(t, l, func() bool { return rapid.Bool().Draw(rt, "lost") })
	case 5:
		l.mu.Lock() // ended, but not written yet
		l.indexer.endAll(event.DeliveryID(l.clock, l.node, l.seq))
		l.mu.Unlock()
	}
	return l
}

func openedAgain(t *testing.T, o Options) *Log {
	l, err := Open(o)
	must(t, err)
	recoverAll(t, l)
	return l
}

// loseStretches takes stretches away, as a crash does in front of their group.
func loseStretches(t *testing.T, l *Log, lost func() bool) {
	for _, r := range records(t, l) {
		if r.key[0] == kindStretch && lost() {
			must(t, l.db.Delete(r.key, nil))
		}
	}
}

// TestAnIndexThatClaimsTooMuchIsNoticed tests the model: a stretch without its tags has to
// make the listings part from it.
func TestAnIndexThatClaimsTooMuchIsNoticed(t *testing.T) {
	l := newLogInMemory(t)
	m := &listModel{types: map[event.ID]string{}}
	for i := range 40 {
		s := post(modelProjects[0], "x", modelEndpoints[i%4])
		s.Event.Type = modelTypes[i%2]
		m.add(t, l, s)
	}
	indexAll(t, l)
	f := event.EventFilter{EventType: modelTypes[0], Endpoints: modelEndpoints[2:3]}
	r := event.Range{Limit: 100}
	if err := m.checkEvents(l, modelProjects[0], r, f); err != nil {
		t.Fatal(err)
	}
	must(t, l.db.DeleteRange([]byte{kindFind}, []byte{kindFind + 1}, nil))
	if err := m.checkEvents(l, modelProjects[0], r, f); err == nil {
		t.Error("a stretch without tags went unnoticed")
	}
}

// TestRetentionTakesTheIndexAlong, and what is noted late of an hour that was cleaned is not
// written.
func TestRetentionTakesTheIndexAlong(t *testing.T) {
	h := newHours(t, 5, 3, 20)
	h.finish(func(*event.Delivery) event.Status { return event.Success })
	h.retain(Policy{Now: h.at(100), Default: Keep{Payload: time.Hour, History: time.Hour}})
	indexAll(t, h.l)
	if after := left(t, h.l); after["stretch"]+after["find"] != 0 {
		t.Errorf("left are %v", after)
	}
}

// TestAStretchHasAllOfItsEvents: what is written of many projects at once, over hours,
// restarts and bounds of memory, claims no event that it lacks.
func TestAStretchHasAllOfItsEvents(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := testOptions(vfs.NewMem())
		l := openedAgain(t, o)
		for range rapid.IntRange(1, 60).Draw(rt, "requests") {
			switch rapid.IntRange(0, 12).Draw(rt, "meanwhile") {
			case 0:
				advance(l, hour)
			case 1:
				indexAll(t, l)
			case 2:
				must(t, l.Close())
				l = openedAgain(t, o)
			case 3:
				l.mu.Lock()
				l.indexer.held = openTags
				l.mu.Unlock()
			}
			project := idOf(rapid.Uint64Range(1, 3).Draw(rt, "project"))
			appendOne(t, l, post(project, "x", idOf(rapid.Uint64Range(10, 14).Draw(rt, "endpoint"))))
		}
		indexAll(t, l)
		err := checkClaims(l, records(t, l))
		must(t, l.Close())
		if err != nil {
			rt.Fatal(err)
		}
	})
}

// checkClaims checks every stretch against the events: each is found by its endpoint.
func checkClaims(l *Log, all []record) error {
	for _, r := range all {
		if r.key[0] != kindStretch {
			continue
		}
		first, last, n, err := decodeStretch(r.key, r.value)
		if err != nil {
			return err
		}
		var project event.ID
		copy(project[:], r.key[5:])
		events, _, err := l.Events(project, event.Range{From: first, To: last, Limit: 1000}, event.EventFilter{})
		if err != nil || len(events) != n {
			return errors.Join(err, fmt.Errorf("a stretch of %d events spans %d", n, len(events)))
		}
		for _, ev := range events {
			t := idTag(tagEndpoint, ev.Owed[0].EndpointID)
			key := appendFindKey(nil, project, t.shard(), last)
			i := slices.IndexFunc(all, func(r record) bool { return string(r.key) == string(key) })
			if i < 0 {
				return fmt.Errorf("no row for the tag of event %s", ev.ID)
			}
			ids, dense, err := places(nil, key, all[i].value, t)
			if err != nil || !dense && !slices.Contains(ids, ev.ID) {
				return errors.Join(err, fmt.Errorf("event %s is not among %v", ev.ID, ids))
			}
		}
	}
	return nil
}

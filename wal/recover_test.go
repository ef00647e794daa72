package wal

import (
	"errors"
	"io"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// reopen closes a log and opens it again.
func reopen(t *testing.T, l *Log, o Options) *Log {
	t.Helper()
	must(t, l.Close())
	return openLog(t, o)
}

// wantOwed checks that what Recover told leads to exactly these deliveries.
func wantOwed(t *testing.T, l *Log, r recovered, want map[event.ID][]event.ID) {
	t.Helper()
	for ep, after := range r.behind {
		got, err := owedTo(l, ep, after, l.Horizon(ep), 3)
		must(t, err)
		sameIDs(t, "owed to "+ep.String(), idsOf(got), want[ep])
	}
	for ep, ids := range want {
		if _, told := r.behind[ep]; !told && len(ids) > 0 {
			t.Errorf("Recover did not tell of %s, which is owed %d", ep, len(ids))
		}
	}
}

func TestRecoverWithoutAMark(t *testing.T) {
	o := testOptions(vfs.NewMem())
	l := openLog(t, o)
	want := map[event.ID][]event.ID{}
	for range 3 {
		ev := appendOne(t, l, post(idOf(1), "x", idOf(2), idOf(3), idOf(4), idOf(5)))
		want[idOf(2)] = append(want[idOf(2)], ev.Owed[0].ID)
		settle(t, l, attempted(ev.Owed[1], event.Success))
		settle(t, l, attempted(ev.Owed[2], event.Retry))
		want[idOf(5)] = append(want[idOf(5)], ev.Owed[3].ID)
		advance(l, 2*hour)
	}
	first := appendOne(t, l, post(idOf(1), "x", idOf(2))).Owed[0]
	settle(t, l, attempted(first, event.Success)) // the newest is attempted, older ones are not

	l = reopen(t, l, o)
	r := recoverAll(t, l)
	wantOwed(t, l, r, want)
	if got := slices.Collect(maps.Keys(r.behind)); len(got) != 2 {
		t.Errorf("behind: %v", got)
	}
	wantTimers := map[event.ID]uint64{idOf(4): 1_700_000_600_000}
	if !maps.Equal(r.timers, wantTimers) {
		t.Errorf("timers %v, want %v", r.timers, wantTimers)
	}
}

// TestRecoverReadsFromTheWatermark: the mark vouches for what lies before it, so
// that is not read; the delivery at the mark itself is.
func TestRecoverReadsFromTheWatermark(t *testing.T) {
	for _, c := range []struct {
		name string
		skip uint64
	}{{"within a millisecond's reach", 1}, {"within an hour", 1000}, {"across hours", 3 * hour}} {
		o := testOptions(vfs.NewMem())
		l := openLog(t, o)
		var ids []event.ID
		for range 6 {
			advance(l, c.skip)
			ids = append(ids, appendOne(t, l, post(idOf(1), "x", idOf(2), idOf(3))).Owed[0].ID)
		}
		must(t, l.SetMark(event.Mark{Watermark: ids[3].Time()}))
		must(t, l.SetMark(event.Mark{})) // leaves it as it is
		l = reopen(t, l, o)
		r := recoverAll(t, l)
		if got, want := r.behind[idOf(2)], event.Before(ids[3]); got != want {
			t.Errorf("%s: behind after %s, want %s", c.name, got, want)
		}
		if len(r.behind) != 2 {
			t.Errorf("%s: %v", c.name, r.behind)
		}
	}
}

// TestRecoverBehindEndpoints: an endpoint that is behind is told from its place
// even when all of it lies before the watermark, and from an earlier one if a
// delivery since the watermark asks for it.
func TestRecoverBehindEndpoints(t *testing.T) {
	o := testOptions(vfs.NewMem())
	l := openLog(t, o)
	var ids []event.ID
	for range 6 {
		ids = append(ids, appendOne(t, l, post(idOf(1), "x", idOf(2))).Owed[0].ID)
		advance(l, 2*hour)
	}
	now := l.now()
	other := appendOne(t, l, post(idOf(1), "x", idOf(4))).Owed[0]
	must(t, l.SetMark(event.Mark{Watermark: now, Behind: []event.Behind{
		{Endpoint: idOf(2), After: ids[1]}, {Endpoint: idOf(3), After: ids[5]}, {Endpoint: idOf(4), After: other.ID}}}))
	must(t, l.SetMark(event.Mark{CaughtUp: []event.ID{idOf(3), idOf(99)}}))
	l = reopen(t, l, o)
	r := recoverAll(t, l)
	want := map[event.ID]event.ID{idOf(2): ids[1], idOf(4): event.Before(other.ID)}
	if !maps.Equal(r.behind, want) {
		t.Errorf("behind %v, want %v", r.behind, want)
	}
	wantOwed(t, l, r, map[event.ID][]event.ID{idOf(2): ids[2:], idOf(4): {other.ID}})
}

// TestRecoverOwnsPartitions: it tells only of the partitions it is asked for.
func TestRecoverOwnsPartitions(t *testing.T) {
	o := testOptions(vfs.NewMem())
	o.Partitions = 4
	l := openLog(t, o)
	byPartition := map[uint16]int{}
	for n := range uint64(40) {
		ep := idOf(100 + n)
		byPartition[event.Partition(event.EndpointHash(ep), 4)]++
		ev := appendOne(t, l, post(idOf(1), "x", ep, ep))
		settle(t, l, attempted(ev.Owed[0], event.Retry))
		if n%2 == 0 {
			must(t, l.SetMark(event.Mark{Behind: []event.Behind{{Endpoint: ep}}}))
		}
	}
	o.Partitions = 9 // a store keeps the count that it was made with
	l = reopen(t, l, o)
	if l.Partitions() != 4 {
		t.Fatalf("%d partitions, want 4", l.Partitions())
	}
	for p := range uint16(4) {
		behind, timers := 0, 0
		err := l.Recover(func(q uint16) bool { return q == p }, func(event.Behind) { behind++ }, func(event.Timer) { timers++ }, func(event.Health) {})
		if err != nil || behind != byPartition[p] || timers != byPartition[p] {
			t.Errorf("partition %d: %d behind, %d timers, want %d: %v", p, behind, timers, byPartition[p], err)
		}
	}
}

// TestIDsRiseAlthoughTheClockWentBack across a restart.
func TestIDsRiseAlthoughTheClockWentBack(t *testing.T) {
	o := testOptions(vfs.NewMem())
	l := openLog(t, o)
	advance(l, 30*hour) // the machine's clock is far behind the ids from here on
	old := appendOne(t, l, post(idOf(1), "x", idOf(2)))
	l = reopen(t, l, o)
	r := recoverAll(t, l)
	horizon := l.Horizon(idOf(2))
	if old.Owed[0].ID.Compare(horizon) > 0 {
		t.Errorf("the horizon %s is before %s", horizon, old.Owed[0].ID)
	}
	ev := appendOne(t, l, post(idOf(1), "y", idOf(2)))
	if ev.ID.Compare(old.ID) <= 0 || ev.Owed[0].ID.Compare(horizon) <= 0 {
		t.Errorf("new ids %s, %s are not after %s and the horizon %s", ev.ID, ev.Owed[0].ID, old.ID, horizon)
	}
	wantOwed(t, l, r, map[event.ID][]event.ID{idOf(2): {old.Owed[0].ID}})

	// With a mark the ids rise even before Recover.
	must(t, l.SetMark(event.Mark{Watermark: ev.ID.Time() + 50*hour}))
	l = reopen(t, l, o)
	if again := appendOne(t, l, post(idOf(1), "z", idOf(2))); again.ID.Time() < ev.ID.Time()+50*hour {
		t.Errorf("the id %s is before the watermark", again.ID)
	}
}

// TestHorizonParts old from new for every endpoint.
func TestHorizonPartsOldFromNew(t *testing.T) {
	o := testOptions(vfs.NewMem())
	l := openLog(t, o)
	eps := []event.ID{idOf(2), idOf(3), idOf(4)}
	old := appendOne(t, l, post(idOf(1), "x", eps...))
	l = reopen(t, l, o)
	recoverAll(t, l)
	ev := appendOne(t, l, post(idOf(1), "y", eps...))
	for i, ep := range eps {
		h := l.Horizon(ep)
		if old.Owed[i].ID.Compare(h) > 0 || ev.Owed[i].ID.Compare(h) <= 0 || event.DeliveryEndpointHash(h) != event.EndpointHash(ep) {
			t.Errorf("horizon %s does not lie between %s and %s", h, old.Owed[i].ID, ev.Owed[i].ID)
		}
	}
}

func TestRecoverEmptyStore(t *testing.T) {
	l := openLog(t, testOptions(vfs.NewMem()))
	if r := recoverAll(t, l); len(r.behind) != 0 || len(r.timers) != 0 {
		t.Errorf("got %+v", r)
	}
}

// TestMarkFollowsWhatItVouchesFor: it is in the group of the settlements before it
// or in a later one.
func TestMarkFollowsWhatItVouchesFor(t *testing.T) {
	mem := vfs.NewCrashableMem()
	o := testOptions(mem)
	o.SettleDelay = time.Hour // only Flush commits
	l := openLog(t, o)
	d := appendOne(t, l, post(idOf(1), "x", idOf(2))).Owed[0]
	s := attempted(d, event.Success)
	must(t, l.Settle(&s))
	must(t, l.SetMark(event.Mark{Watermark: d.ID.Time() + 1}))

	crashed := testOptions(mem.CrashClone(vfs.CrashCloneCfg{}))
	after := openLog(t, crashed)
	r := recoverAll(t, after)
	wantOwed(t, after, r, map[event.ID][]event.ID{idOf(2): {d.ID}}) // neither of the two was durable

	must(t, l.Flush())
	crashed = testOptions(mem.CrashClone(vfs.CrashCloneCfg{}))
	after = openLog(t, crashed)
	if r := recoverAll(t, after); len(r.behind) != 0 {
		t.Errorf("behind %v although settled and marked", r.behind)
	}
}

// TestCorruptRecordsStopReaders: every reader of a record that is not what was
// written says so.
func TestCorruptRecordsStopReaders(t *testing.T) {
	for _, c := range []struct {
		name string
		kind byte
		read func(l *Log) error
	}{
		{"Event", kindEvent, func(l *Log) error { _, err := l.Event(idOf(1), goldenEventID(l)); return err }},
		{"Events", kindEvent, func(l *Log) error {
			_, _, err := l.Events(idOf(1), event.Range{Limit: 9}, event.EventFilter{})
			return err
		}},
		{"Delivery", kindDelivery, func(l *Log) error { _, err := l.Delivery(idOf(1), goldenDeliveryID(l)); return err }},
		{"Attempts", kindDelivery, func(l *Log) error { _, err := l.Attempts(idOf(1), goldenDeliveryID(l)); return err }},
		{"Deliveries of an endpoint", kindDelivery, func(l *Log) error {
			_, _, err := l.Deliveries(idOf(1), event.Range{Limit: 9}, event.DeliveryFilter{Endpoints: []event.ID{idOf(2)}})
			return err
		}},
		{"Deliveries of a status", kindDelivery, func(l *Log) error {
			_, _, err := l.Deliveries(idOf(1), event.Range{Limit: 9}, event.DeliveryFilter{Statuses: []event.Status{event.Retry}})
			return err
		}},
		{"ReadOwed", kindDelivery, func(l *Log) error {
			_, _, err := l.ReadOwed(nil, idOf(2), event.ID{}, farAway, 9)
			return err
		}},
		{"ReadTimers", kindTimer, func(l *Log) error {
			_, _, err := l.ReadTimers(nil, idOf(2), 0, event.ID{}, maxMillis, 9)
			return err
		}},
		{"Recover, deliveries", kindDelivery, func(l *Log) error { _, err := tryRecover(l); return err }},
		{"Recover, behind", kindBehind, func(l *Log) error { _, err := tryRecover(l); return err }},
		{"Recover, watermark", kindWatermark, func(l *Log) error { _, err := tryRecover(l); return err }},
		{"LoadCatalog", kindCatalog, func(l *Log) error { return l.LoadCatalog(func(event.CatalogRecord) error { return nil }) }},
		{"CASCatalog", kindCatalog, func(l *Log) error {
			return l.CASCatalog([]event.CatalogRecord{{Kind: 'p', ID: idOf(1), Rev: 2, Value: []byte("x")}})
		}},
		{"Dump", kindIdempotent, func(l *Log) error { return l.Dump(io.Discard, 0) }},
		{"idempotency", kindIdempotent, func(l *Log) error {
			s := post(idOf(1), "x", idOf(2))
			s.Event.IdempotencyKey = "k-1"
			return l.Append(t.Context(), []event.Submission{s})
		}},
	} {
		l := goldenLog(t)
		if err := c.read(l); err != nil {
			t.Errorf("%s: %v before it was corrupt", c.name, err)
		}
		l = goldenLog(t)
		damage(t, l, c.kind)
		if err := c.read(l); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: got error %v", c.name, err)
		}
	}
}

package wal

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

var farAway = event.DeliveryID(maxMillis, 0xFFFFFFFF, event.MaxDeliverySeq)

// TestReadOwed: several hours, some with nothing of the endpoint, two endpoints
// with the same hash, others around them; some deliveries attempted, discarded or
// changed by hand; every page size.
func TestReadOwed(t *testing.T) {
	l := newLogInMemory(t)
	ours, theirs := collidingEndpoints()
	var want []event.Delivery
	var all []event.ID
	for _, skip := range []uint64{0, 1, hour, hour, 0, 5 * hour, 1} {
		advance(l, skip)
		for i := range uint64(4) {
			advance(l, i%2) // two in each millisecond
			ev := appendOne(t, l, post(idOf(1), "x", ours, theirs, idOf(50), idOf(51), ours))
			settle(t, l, attempted(ev.Owed[4], event.Retry))
			all = append(all, ev.Owed[0].ID, ev.Owed[4].ID)
			want = append(want, ev.Owed[0])
		}
		discarded := post(idOf(1), "x", ours)
		discarded.Event.Owed[0].Status = event.Discarded
		all = append(all, appendOne(t, l, discarded).Owed[0].ID)
		advance(l, 3*hour)
		appendOne(t, l, post(idOf(1), "x", idOf(52), theirs))
	}
	for _, page := range []int{1, 2, 3, 5, 1000} {
		got, err := owedTo(l, ours, event.ID{}, farAway, page)
		must(t, err)
		sameIDs(t, "owed", idsOf(got), idsOf(want))
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("got %+v\nwant %+v", got[i], want[i])
			}
		}
	}
	// From and to every delivery of the endpoint, the attempted ones too, and to
	// other endpoints' places.
	for i := range want {
		want[i].Status = event.Scheduled
	}
	bounds := append([]event.ID{{}, farAway}, all...)
	for _, id := range all {
		bounds = append(bounds, event.Before(id), event.DeliveryID(id.Time(), 0, 0), event.DeliveryID(id.Time(), 0xFFFFFFFF, event.MaxDeliverySeq))
	}
	for _, after := range bounds {
		for _, upTo := range bounds {
			if after.Compare(upTo) > 0 {
				continue
			}
			got, err := owedTo(l, ours, after, upTo, 7)
			must(t, err)
			sameIDs(t, "owed after "+after.String()+" up to "+upTo.String(), idsOf(got), between(want, after, upTo))
		}
	}
}

// between is the ids in (after, upTo].
func between(ds []event.Delivery, after, upTo event.ID) []event.ID {
	ids := []event.ID{}
	for i := range ds {
		if ds[i].ID.Compare(after) > 0 && ds[i].ID.Compare(upTo) <= 0 {
			ids = append(ids, ds[i].ID)
		}
	}
	return ids
}

// TestReadOwedGivesItsCallerATurn: a long stretch of settled deliveries is read in
// several calls, each of which gets on.
func TestReadOwedGivesItsCallerATurn(t *testing.T) {
	l := newLogInMemory(t)
	ep := idOf(2)
	subs := make([]event.Submission, maxScannedRows)
	for i := range subs {
		subs[i] = post(idOf(1), "x", ep)
	}
	must(t, l.Append(t.Context(), subs))
	for i := range subs {
		s := attempted(subs[i].Event.Owed[0], event.Success)
		must(t, l.Settle(&s))
	}
	last := appendOne(t, l, post(idOf(1), "y", ep)).Owed[0].ID
	got, at, err := l.ReadOwed(nil, ep, event.ID{}, farAway, 10)
	if err != nil || len(got) != 0 || at == farAway || at == (event.ID{}) {
		t.Errorf("first call: %d deliveries, at %s, %v", len(got), at, err)
	}
	got, err = owedTo(l, ep, event.ID{}, farAway, 10)
	must(t, err)
	sameIDs(t, "owed", idsOf(got), []event.ID{last})
}

func TestReadOwedAppendsToDst(t *testing.T) {
	l := newLogInMemory(t)
	id := appendOne(t, l, post(idOf(1), "x", idOf(2))).Owed[0].ID
	got, last, err := l.ReadOwed([]event.Delivery{{ID: idOf(5)}}, idOf(2), event.ID{}, farAway, 10)
	must(t, err)
	sameIDs(t, "deliveries", idsOf(got), []event.ID{idOf(5), id})
	if last != farAway {
		t.Errorf("last is %s", last)
	}
	got, last, err = l.ReadOwed(nil, idOf(99), event.ID{}, farAway, 10)
	if err != nil || len(got) != 0 || last != farAway {
		t.Errorf("unknown endpoint: %d deliveries, last %s, %v", len(got), last, err)
	}
}

// TestReadTimers: due order, then delivery order; limits; the place to go on from.
func TestReadTimers(t *testing.T) {
	l := newLogInMemory(t)
	ours, theirs := collidingEndpoints()
	base := time.UnixMilli(1_800_000_000_000).UTC()
	retry := func(ep event.ID, due int) event.Delivery {
		s := attempted(appendOne(t, l, post(idOf(1), "x", ep)).Owed[0], event.Retry)
		s.Delivery.Due = base.Add(time.Duration(due) * time.Millisecond)
		s.Delivery.Manual = due == 3
		return settle(t, l, s)
	}
	d9, d3, d7, d3b := retry(ours, 9), retry(ours, 3), retry(ours, 7), retry(ours, 3)
	retry(theirs, 1)
	want := []event.Delivery{d3, d3b, d7, d9}
	dueOf := func(d event.Delivery) uint64 { return uint64(d.Due.UnixMilli()) }

	got, next, err := l.ReadTimers(nil, ours, 0, event.ID{}, maxMillis, 100)
	if err != nil || next != 0 {
		t.Errorf("next %d, %v", next, err)
	}
	sameIDs(t, "timers", idsOf(got), idsOf(want))
	for i := range got {
		w := want[i]
		w.UpdatedAt, w.Reason = time.Time{}, "" // not kept there
		if got[i] != w {
			t.Errorf("got %+v\nwant %+v", got[i], w)
		}
	}
	for name, c := range map[string]struct {
		afterDue uint64
		afterID  event.ID
		until    uint64
		limit    int
		want     []event.Delivery
		next     uint64
	}{
		"until the first":       {until: dueOf(d3), limit: 10, want: want[:2], next: dueOf(d7)},
		"until before it":       {until: dueOf(d3) - 1, limit: 10, want: want[:0], next: dueOf(d3)},
		"limit within a tie":    {until: maxMillis, limit: 1, want: want[:1], next: dueOf(d3)},
		"behind the first":      {afterDue: dueOf(d3), afterID: d3.ID, until: maxMillis, limit: 1, want: want[1:2], next: dueOf(d7)},
		"behind a tie":          {afterDue: dueOf(d3), afterID: d3b.ID, until: maxMillis, limit: 10, want: want[2:]},
		"from a due time":       {afterDue: dueOf(d7), until: maxMillis, limit: 10, want: want[2:]},
		"all of it exactly":     {until: dueOf(d9), limit: 4, want: want},
		"nothing behind":        {afterDue: dueOf(d9), afterID: d9.ID, until: maxMillis, limit: 4},
		"no room":               {until: maxMillis, limit: 0, next: dueOf(d3)},
		"until between entries": {until: dueOf(d7) + 1, limit: 9, want: want[:3], next: dueOf(d9)},
	} {
		got, next, err := l.ReadTimers(nil, ours, c.afterDue, c.afterID, c.until, c.limit)
		must(t, err)
		sameIDs(t, name, idsOf(got), idsOf(c.want))
		if next != c.next {
			t.Errorf("%s: next %d, want %d", name, next, c.next)
		}
	}
}

// TestReadsSeeOneView: a reader that began before a commit does not see half of it.
func TestReadsSeeOneView(t *testing.T) {
	l := openLog(t, testOptions(vfs.NewMem()))
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				subs := []event.Submission{post(idOf(1), "a", idOf(2)), post(idOf(1), "b", idOf(2))}
				if err := l.Append(t.Context(), subs); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	for range 200 {
		got, _, err := l.ReadOwed(nil, idOf(2), event.ID{}, farAway, 1<<20)
		must(t, err)
		if len(got)%2 != 0 {
			t.Errorf("%d deliveries: half of a request", len(got))
			break
		}
	}
	close(stop)
	<-done
}

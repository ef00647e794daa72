package wal

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// randomPolicy keeps some projects longer than others.
func randomPolicy(rng *rand.Rand) Policy {
	keep := func() Keep {
		some := func() time.Duration { return []time.Duration{0, 1, 2, 3, 5, 8}[rng.IntN(6)] * time.Hour }
		return Keep{Payload: some(), History: some()}
	}
	p := Policy{Default: keep(), Except: map[event.ID]Keep{}}
	for project := uint64(1); project <= 3; project++ {
		if rng.IntN(2) == 0 {
			p.Except[idOf(project)] = keep()
		}
	}
	if rng.IntN(3) == 0 {
		living, longest := event.EndpointHash(idOf(20)), time.Duration(rng.IntN(6))*time.Hour
		p.Longest = func(hash uint32) (time.Duration, bool) { return longest, hash == living }
		p.Except[idOf(3)] = Keep{} // or all history would be alike, and Longest is not asked
	}
	return p
}

// TestRetain under random policies, with endpoints that are behind and deliveries
// that wait: exactly what has to go goes, and all that is left is listed. Then all
// ends, policies change, the store is opened again, and the rest goes.
func TestRetain(t *testing.T) {
	seeds := uint64(25)
	if testing.Short() {
		seeds = 6
	}
	for seed := range seeds {
		h := newHours(t, seed, 10, 6)
		h.finish(func(d *event.Delivery) event.Status {
			switch h.rng.IntN(20) {
			case 0:
				return event.Retry
			case 1:
				return event.Failure
			case 2:
				if h.rng.IntN(3) == 0 {
					return event.Scheduled
				}
			}
			return event.Success
		})
		p := randomPolicy(h.rng)
		p.Now = h.at(4 + 8*h.rng.Float64())
		h.retain(p)
		if err := h.check(p); err != nil {
			t.Fatalf("seed %d: %v\npolicy %+v", seed, err, p)
		}
		if again := h.retain(p); again.Hours != 0 || again.Ranges != 0 {
			t.Fatalf("seed %d: a second call did %+v", seed, again)
		}
		if h.rng.IntN(2) == 0 {
			h.l = reopen(t, h.l, h.o)
		}
		h.catchUp()
		h.finish(func(*event.Delivery) event.Status { return event.Success })
		p.Now = p.Now.Add(time.Hour)
		if h.rng.IntN(2) == 0 { // shorter for one, so that what went stays gone
			id := idOf(uint64(1 + h.rng.IntN(3)))
			k := keepOf(p, id)
			k.Payload, k.History = time.Hour, time.Hour
			p.Except[id] = k
		}
		h.retain(p)
		if err := h.check(p); err != nil {
			t.Fatalf("seed %d, after the end: %v\npolicy %+v", seed, err, p)
		}
		must(t, h.l.Close())
	}
}

// left counts the records of each kind.
func left(t testing.TB, l *Log) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, r := range records(t, l) {
		counts[dumpers[r.key[0]].name]++
	}
	return counts
}

// TestRetainAll: when all projects are kept alike, nothing of an hour is left, in one
// range per kind.
func TestRetainAll(t *testing.T) {
	h := newHours(t, 3, 4, 30)
	for _, ev := range h.events {
		appendOne(t, h.l, replayOf(ev))
		break
	}
	h.finish(func(d *event.Delivery) event.Status {
		return []event.Status{event.Success, event.Failure}[h.rng.IntN(2)]
	})
	indexAll(t, h.l)
	before := left(t, h.l)
	for _, name := range []string{"event", "delivery", "status", "idempotency", "replay", "stretch", "find"} {
		if before[name] == 0 {
			t.Fatalf("no %s among %v", name, before)
		}
	}
	r := h.retain(Policy{Now: h.at(100), Default: Keep{Payload: time.Hour, History: time.Hour, Keys: time.Hour}})
	after := left(t, h.l)
	if after["event"] != 1 || after["delivery"]+after["status"]+after["idempotency"]+after["replay"]+after["left"] != 0 || after["stretch"] != 1 || after["gone"] != 1 {
		t.Errorf("left are %v", after)
	}
	if r.Hours != 4 || r.Ranges != 4*6+1 || len(r.Postponed) != 0 {
		t.Errorf("got %+v", r)
	}
}

// TestRetainNeedsTheWatermark: nothing is removed that it has not passed.
func TestRetainNeedsTheWatermark(t *testing.T) {
	h := newHours(t, 1, 4, 5)
	all := Policy{Now: h.at(100), Default: Keep{Payload: time.Hour, History: time.Hour}}
	if r := h.retain(all); r.Hours != 0 {
		t.Errorf("without a watermark: %+v", r)
	}
	must(t, h.l.SetMark(event.Mark{Watermark: uint64(h.start+2)*hour + hour/2}))
	must(t, h.l.Flush())
	if r := h.retain(all); r.Hours != 2 {
		t.Errorf("with a watermark in the third hour: %+v", r)
	}
	if _, err := h.l.Retain(Policy{}); err == nil {
		t.Error("a policy without the time was taken")
	}
}

// TestKeysAreKeptForTheirWindow although their events went, and a duplicate says so.
func TestKeysAreKeptForTheirWindow(t *testing.T) {
	l := newLogInMemory(t)
	setClock(l, (l.now()/hour+1)*hour)
	first := submit(t, l, keyed("k", "x"))
	advance(l, 5*hour)
	must(t, l.SetMark(event.Mark{Watermark: l.now()}))
	must(t, l.Flush())
	now := time.UnixMilli(int64(l.now()))
	for _, keep := range []Keep{{Payload: time.Hour}, {Payload: time.Hour, Keys: 6 * time.Hour}} {
		_, err := l.Retain(Policy{Now: now, Default: keep})
		must(t, err)
		got := submit(t, l, keyed("k", "x"))
		if !got.Duplicate || got.Event.ID != first.Event.ID {
			t.Fatalf("%+v: got %+v", keep, got)
		}
	}
	if _, err := l.Event(idOf(1), first.Event.ID); !errors.Is(err, event.ErrNotFound) {
		t.Fatalf("the event: %v", err)
	}
	if dups := duplicatesOf(t, l, idOf(1)); len(dups) != 2 || len(dups[0].Data) != 0 {
		t.Errorf("duplicates %+v", dups)
	}
	_, err := l.Retain(Policy{Now: now, Default: Keep{Payload: time.Hour, Keys: time.Hour}})
	must(t, err)
	if got := submit(t, l, keyed("k", "x")); got.Duplicate {
		t.Errorf("without its key: %+v", got)
	}
}

// TestTooMuchPendingPostponesTheHour as a whole, and says so; an hour later it is
// looked at again.
func TestTooMuchPendingPostponesTheHour(t *testing.T) {
	h := newHours(t, 1, 3, 2)
	setClock(h.l, uint64(h.start+3)*hour)
	h.hours = 4
	endpoints := make([]event.ID, 101)
	for i := range endpoints {
		endpoints[i] = idOf(uint64(1000 + i))
	}
	var waiting []event.Delivery
	for len(waiting) <= maxPending {
		ev := appendOne(t, h.l, post(idOf(1), "x", endpoints...))
		for i := range ev.Owed {
			s := attempted(ev.Owed[i], event.Retry)
			must(t, h.l.Settle(&s))
			waiting = append(waiting, s.Delivery)
		}
	}
	setClock(h.l, uint64(h.start+4)*hour)
	h.finish(func(*event.Delivery) event.Status { return event.Success })
	p := Policy{Now: h.at(10), Default: Keep{Payload: time.Hour, History: time.Hour}}
	r := h.retain(p)
	if r.Hours != 4 || len(r.Postponed) != 1 || !r.Postponed[0].Hour.Equal(h.at(3)) || r.Postponed[0].Reason == "" {
		t.Errorf("got %+v", r)
	}
	if n := left(t, h.l); n["delivery"] != 2*len(waiting) || n["event"] != len(waiting)/101 || n["left"] != 1 {
		t.Errorf("left are %v", n)
	}
	for i := range waiting {
		s := attempted(waiting[i], event.Success)
		must(t, h.l.Settle(&s))
	}
	if r = h.retain(p); r.Hours != 0 {
		t.Errorf("at once again: %+v", r)
	}
	p.Now = p.Now.Add(time.Hour)
	if r = h.retain(p); r.Hours != 1 || len(r.Postponed) != 0 {
		t.Errorf("an hour later: %+v", r)
	}
	if n := left(t, h.l); n["delivery"]+n["event"]+n["status"]+n["left"] != 0 {
		t.Errorf("left are %v", n)
	}
}

// TestMaxBytes removes a project's oldest hours until the rest fits, whether the bound
// is its own or everybody's, and counts again after a restart and a deletion.
func TestMaxBytes(t *testing.T) {
	for name, except := range map[string]bool{"own": true, "default": false} {
		h := newHours(t, 5, 10, 20)
		h.finish(func(*event.Delivery) event.Status { return event.Success })
		size := func(project event.ID) (n int64, oldest uint32) {
			oldest = ^uint32(0)
			must(t, h.l.eachRow(kindEvent, func(key, value []byte) error {
				if slices.Equal(key[5:21], project[:]) {
					n += int64(len(key) + len(value))
					oldest = min(oldest, bucketOfKey(key))
				}
				return nil
			}))
			return n, oldest
		}
		was, _ := size(idOf(1))
		k := Keep{MaxBytes: was / 2}
		p := Policy{Now: h.at(10)}
		if except {
			p.Except = map[event.ID]Keep{idOf(1): k}
		} else {
			p.Default = k
		}
		h.retain(p)
		is, oldest := size(idOf(1))
		if is > k.MaxBytes || is < k.MaxBytes-was/5 {
			t.Errorf("%s: %d bytes of %d are left, %d are allowed", name, is, was, k.MaxBytes)
		}
		if _, others := size(idOf(2)); except && others != h.start || !except && others == h.start {
			t.Errorf("%s: the other project's oldest hour is %d", name, others-h.start)
		}
		ds, _, err := h.l.Deliveries(idOf(1), event.Range{Limit: 1}, event.DeliveryFilter{})
		if err != nil || len(ds) != 1 || bucketOf(ds[0].ID.Time()) >= oldest {
			t.Errorf("%s: history began with %v, %v", name, ds, err)
		}
		if r := h.retain(p); r.Hours != 0 {
			t.Errorf("%s: again: %+v", name, r)
		}

		h.l = reopen(t, h.l, h.o)
		if r := h.retain(p); r.Hours != 0 {
			t.Errorf("%s: after a restart: %+v", name, r)
		}
		for id, ev := range h.events { // room for nothing more, but none is needed
			if ev.ProjectID == idOf(1) && bucketOf(id.Time()) == oldest {
				must(t, h.l.DeleteContent(idOf(1), id))
			}
		}
		k.MaxBytes, _ = size(idOf(1))
		if except {
			p.Except[idOf(1)] = k
		}
		if r := h.retain(p); except && r.Hours != 0 {
			t.Errorf("%s: after a deletion: %+v", name, r)
		}
		k.MaxBytes--
		if except {
			p.Except[idOf(1)] = k
		}
		if r := h.retain(p); except && r.Hours != 1 {
			t.Errorf("%s: a byte too much after a deletion: %+v", name, r)
		}
		must(t, h.l.Close())
	}
}

// TestSettlementOfWhatIsGone: neither an attempt's end nor a retry by hand brings rows
// back of a delivery that was removed, and the sink hears of the retry it waits for.
func TestSettlementOfWhatIsGone(t *testing.T) {
	o := testOptions(vfs.NewMem())
	sink := &recordingSink{}
	o.Sink = sink
	l := openLog(t, o)
	setClock(l, (l.now()/hour+1)*hour)
	ev := appendOne(t, l, post(idOf(1), "x", idOf(2), idOf(3)))
	ended := settle(t, l, attempted(ev.Owed[0], event.Failure))
	ended2 := settle(t, l, attempted(ev.Owed[1], event.Failure))
	advance(l, 5*hour)
	must(t, l.SetMark(event.Mark{Watermark: l.now()}))
	must(t, l.Flush())
	p := Policy{Now: time.UnixMilli(int64(l.now())), Default: Keep{Payload: time.Hour}}
	retry := event.Settlement{Delivery: ended, Was: event.Failure}
	retry.Delivery.Status, retry.Delivery.Due = event.Retry, p.Now
	_, err := l.Retain(p)
	must(t, err)
	if err := l.Settle(&retry); !errors.Is(err, event.ErrNotFound) {
		t.Errorf("a retry without its event: %v", err)
	}
	p.Default.History = time.Hour
	_, err = l.Retain(p)
	must(t, err)
	if err := l.Settle(&retry); !errors.Is(err, event.ErrNotFound) {
		t.Errorf("a retry by hand: %v", err)
	}
	late := attempted(ended2, event.Success)
	late.Was = event.Failure
	must(t, l.Settle(&late))
	must(t, l.Flush())
	if n := left(t, l); n["delivery"]+n["timer"]+n["status"] != 0 {
		t.Errorf("left are %v", n)
	}
	if _, timers := sink.snapshot(); len(timers) != 2 || timers[0].Endpoint != idOf(2) {
		t.Errorf("the sink was told of %v", timers)
	}
}

// TestRetainBesideTraffic: appends, settlements, listings and retries by hand go on,
// and at the end the books are in order.
func TestRetainBesideTraffic(t *testing.T) {
	h := newHours(t, 9, 12, 12)
	h.finish(func(*event.Delivery) event.Status { return event.Failure })
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		rng := rand.New(rand.NewPCG(1, 1))
		ids := slices.Collect(maps.Keys(h.state))
		for n := uint64(0); ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			d := h.state[ids[rng.IntN(len(ids))]]
			s := event.Settlement{Delivery: d, Was: d.Status}
			if d.Status == event.Retry {
				s = attempted(d, event.Failure)
			} else {
				s.Delivery.Status, s.Delivery.Due = event.Retry, time.UnixMilli(int64(n+1))
			}
			err := h.l.Settle(&s)
			if err == nil {
				h.state[d.ID] = s.Delivery
			} else if !errors.Is(err, event.ErrNotFound) || d.Status == event.Retry {
				t.Error(err)
			}
			if _, _, err := h.l.Deliveries(d.ProjectID, event.Range{Limit: 20}, event.DeliveryFilter{}); err != nil {
				t.Error(err)
			}
		}
	}()
	for i := range 10 {
		h.retain(Policy{Now: h.at(float64(i + 3)), Default: Keep{Payload: 2 * time.Hour, History: 2 * time.Hour}})
		appendOne(t, h.l, post(idOf(1), "x", idOf(2)))
	}
	close(stop)
	<-ended
	must(t, h.l.Flush())
	booksInOrder(t, h.l)
}

// booksInOrder: every outcome has its delivery, everything that waits has its timer,
// its index entry, its delivery and its event.
func booksInOrder(t testing.TB, l *Log) {
	t.Helper()
	timers := 0
	must(t, l.eachRow(kindTimer, func(key, value []byte) error {
		timers++
		w, err := decodeTimer(key, value)
		if err != nil {
			return err
		}
		d, err := l.Delivery(w.ProjectID, w.ID)
		if err != nil || d.Status != event.Retry {
			return fmt.Errorf("a timer's delivery: %+v, %w", d, err)
		}
		_, closer, err := l.db.Get(appendStatusKey(nil, d.ProjectID, event.Retry, d.ID))
		if errors.Is(err, pebble.ErrNotFound) {
			return fmt.Errorf("%+v is not in the status index", d)
		}
		must(t, closer.Close())
		_, err = l.Event(d.ProjectID, d.EventID)
		return err
	}))
	waiting := 0
	must(t, l.eachRow(kindStatus, func(key, _ []byte) error {
		if event.Status(key[21]) == event.Retry {
			waiting++
		}
		return nil
	}))
	if waiting != timers {
		t.Errorf("%d deliveries wait, %d have a timer", waiting, timers)
	}
	var last event.ID
	must(t, l.eachRow(kindDelivery, func(key, _ []byte) error {
		id, row := deliveryKeyParts(key)
		if row != 0 && id != last {
			return fmt.Errorf("an outcome without its delivery %s", id)
		}
		last = id
		return nil
	}))
}

// TestCloseEndsRetain: it returns, and so does Close.
func TestCloseEndsRetain(t *testing.T) {
	h := newHours(t, 2, 20, 3)
	h.finish(func(*event.Delivery) event.Status { return event.Success })
	result := make(chan error, 1)
	go func() {
		_, err := h.l.Retain(Policy{Now: h.at(100), Default: Keep{Payload: time.Hour, History: time.Hour}})
		result <- err
	}()
	must(t, h.l.Close())
	if err := <-result; err != nil && !errors.Is(err, event.ErrClosed) {
		t.Error(err)
	}
	l := openLog(t, h.o)
	if _, err := l.Retain(Policy{Now: h.at(100), Default: Keep{Payload: time.Hour, History: time.Hour}}); err != nil {
		t.Error(err)
	}
	if n := left(t, l); n["event"]+n["delivery"] != 0 {
		t.Errorf("left are %v", n)
	}
}

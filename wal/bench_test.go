package wal

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// benchLog is a log on the disk with its default sizes.
func benchLog(b *testing.B) *Log { return benchLogOn(b, "disk") }

// benchLogOn is a log with its default sizes: on a disk, whose syncs take the time
// that they take, or in memory.
func benchLogOn(b *testing.B, where string) *Log {
	b.Helper()
	o := Options{Dir: "log", FS: vfs.NewMem(), OnFatal: func(err error) { panic(err) }}
	if where == "disk" {
		o.Dir, o.FS = b.TempDir(), vfs.Default
	}
	l := openLog(b, o)
	if _, err := tryRecover(l); err != nil {
		b.Fatal(err)
	}
	return l
}

// benchData is 1 KiB that hardly compresses.
var benchData = func() []byte {
	data := make([]byte, 1024)
	for i := range data {
		data[i] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"[rand.N(64)]
	}
	return data
}()

func benchPost(endpoint event.ID) event.Submission {
	s := post(idOf(1), "", endpoint)
	s.Event.Data = benchData
	return s
}

// BenchmarkAppendBatch100: a request of a hundred events, one producer.
func BenchmarkAppendBatch100(b *testing.B) {
	l := benchLog(b)
	b.ReportAllocs()
	b.SetBytes(100 * int64(len(benchData)))
	subs := make([]event.Submission, 100)
	for b.Loop() {
		for i := range subs {
			subs[i] = benchPost(idOf(uint64(100 + i)))
		}
		must(b, l.Append(b.Context(), subs))
	}
}

// BenchmarkReadOwed: a page of 64 out of a long backlog.
func BenchmarkReadOwed(b *testing.B) {
	l := benchLog(b)
	const rows = 50_000
	subs := make([]event.Submission, 500)
	for range rows / len(subs) {
		for i := range subs {
			subs[i] = post(idOf(1), "x", idOf(uint64(2+i%4)))
		}
		must(b, l.Append(b.Context(), subs))
	}
	must(b, l.db.Flush())
	var page []event.Delivery
	var after event.ID
	b.ReportAllocs()
	for b.Loop() {
		var err error
		page, after, err = l.ReadOwed(page[:0], idOf(2), after, farAway, 64)
		must(b, err)
		if after == farAway {
			after = event.ID{}
		}
	}
	b.ReportMetric(64, "rows/op")
}

// BenchmarkListWithoutEvents: a page of 20 of a project's deliveries of an hour in which
// a thousand endpoints had ten each, when retention has taken the events away.
func BenchmarkListWithoutEvents(b *testing.B) {
	l := benchLog(b)
	setClock(l, (l.now()/hour+1)*hour)
	subs := make([]event.Submission, 500)
	for n := range 20 {
		for i := range subs {
			subs[i] = post(idOf(uint64(1+i%2)), "x", idOf(uint64(1000+(n%2)*500+i)))
		}
		must(b, l.Append(b.Context(), subs))
	}
	advance(l, 2*hour)
	must(b, l.SetMark(event.Mark{Watermark: l.now()}))
	must(b, l.Flush())
	if _, err := l.Retain(Policy{Now: time.UnixMilli(int64(l.now())), Default: Keep{Payload: time.Hour}}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		ds, _, err := l.Deliveries(idOf(1), event.Range{Limit: 20, Descending: true}, event.DeliveryFilter{})
		if err != nil || len(ds) != 20 {
			b.Fatalf("%d deliveries, %v", len(ds), err)
		}
	}
}

// BenchmarkIndexNote: what the index takes of an event's way in, under the log's lock and
// before it.
func BenchmarkIndexNote(b *testing.B) {
	l := newLogInMemory(b)
	s := benchPost(idOf(100))
	s.Event.IdempotencyKey = "an idempotency key"
	id, tags := event.DeliveryID(l.now(), 1, 1), []tag(nil)
	b.ReportAllocs()
	for n := uint64(1); b.Loop(); n++ {
		tags = appendTags(tags[:0], &s.Event, s.Event.Owed)
		l.mu.Lock()
		if l.indexer.note(idOf(1), event.DeliveryID(id.Time(), 1, n), tags) {
			l.indexer.written(l.indexer.queue)
			l.indexer.queue = nil
		}
		l.mu.Unlock()
	}
}

// BenchmarkIndexWrite: sorting and encoding a stretch, off that way.
func BenchmarkIndexWrite(b *testing.B) {
	l := newLogInMemory(b)
	s := stretch{project: idOf(1), first: event.DeliveryID(goldenClock, 1, 0)}
	for i := range uint64(stretchEvents) {
		ev := benchPost(idOf(100 + i%1000)).Event
		ev.IdempotencyKey = fmt.Sprint("key ", i)
		s.ids = append(s.ids, event.DeliveryID(goldenClock+i/10, 1, 2*i))
		for _, t := range appendTags(nil, &ev, ev.Owed) {
			s.tags = append(s.tags, uint64(t)<<16|i)
		}
	}
	s.last = s.ids[len(s.ids)-1]
	size := 0
	b.ReportAllocs()
	for b.Loop() {
		batch := l.db.NewBatch()
		appendStretch(batch, &s, nil)
		size = batch.Len()
		must(b, batch.Close())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/stretchEvents, "ns/event")
	b.ReportMetric(float64(size)/stretchEvents, "B/event")
}

// BenchmarkEventsBehind: ten endpoints that are behind, and owed the same events, read
// what they deliver next by turns: pages of 64 deliveries, then the event of each. They
// are at the same place of the log, or lag events apart.
func BenchmarkEventsBehind(b *testing.B) {
	const events, endpoints = 100_000, 10
	l := benchLog(b)
	owed := make([]event.ID, endpoints)
	for i := range owed {
		owed[i] = idOf(uint64(10 + i))
	}
	subs := make([]event.Submission, 100)
	for range events / len(subs) {
		for i := range subs {
			subs[i] = post(idOf(1), "", owed...)
			subs[i].Event.Data = benchData[:300]
		}
		must(b, l.Append(b.Context(), subs))
	}
	must(b, l.db.Flush())
	for _, lag := range []int{0, 1000, 10_000} {
		b.Run(fmt.Sprintf("lag=%d", lag), func(b *testing.B) {
			places := make([]event.ID, endpoints)
			for i := range places {
				for n := 0; n < i*lag; {
					page, last, err := l.ReadOwed(nil, owed[i], places[i], farAway, min(1000, i*lag-n))
					must(b, err)
					places[i] = last
					n += len(page)
				}
			}
			b.ReportAllocs()
			var page []event.Delivery
			turn := 0
			for b.Loop() {
				if len(page) == 0 {
					turn = (turn + 1) % endpoints
					var err error
					page, places[turn], err = l.ReadOwed(page[:0], owed[turn], places[turn], farAway, 64)
					must(b, err)
				}
				if len(page) == 0 {
					places[turn] = event.ID{}
					continue
				}
				_, err := l.Event(page[0].ProjectID, page[0].EventID)
				must(b, err)
				page = page[1:]
			}
		})
	}
}

package stats

import (
	"encoding/hex"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"posthaste/event"
)

func TestResults(t *testing.T) {
	for _, c := range []struct {
		class event.ErrorClass
		code  int
	}{{event.ClassNone, 200}, {event.ClassNone, 204}, {event.ClassStatus, 503}, {event.ClassStatus, 999}, {event.ClassTimeout, 0}, {event.ClassTransform, 0}} {
		class, code, ok := ResultField(c.class, c.code).Result()
		if !ok || class != c.class || code != c.code {
			t.Errorf("%v %d: got %v %d %v", c.class, c.code, class, code, ok)
		}
	}
	for _, f := range []Field{StatusField(event.Discarded), FieldFirst, FieldTime, LatencyField(0), LatencyField(latencyBuckets - 1)} {
		if _, _, ok := f.Result(); ok {
			t.Errorf("field %d is taken for a result", f)
		}
	}
	if top := LatencyField(latencyBuckets - 1); top >= fieldClass {
		t.Errorf("latencies reach up to field %d, into the results", top)
	}
}

// TestLatencyBuckets: every time is within the bounds of its bucket, and these follow
// each other without a gap.
func TestLatencyBuckets(t *testing.T) {
	_, end := latencyBounds(0)
	for b := 1; b < latencyBuckets; b++ {
		low, high := latencyBounds(b)
		if low != end || float64(high-low)/float64(low) > 0.251 {
			t.Fatalf("bucket %d is from %v to %v, the one before ends at %v", b, low, high, end)
		}
		end = high
	}
	for range 10_000 {
		d := time.Duration(rand.Int64N(int64(70 * time.Second)))
		b := LatencyBucket(d)
		low, high := latencyBounds(b)
		if d < low || d >= high && b != latencyBuckets-1 {
			t.Fatalf("%v is in bucket %d, from %v to %v", d, b, low, high)
		}
	}
	if LatencyBucket(-1) != 0 || LatencyBucket(time.Hour) != latencyBuckets-1 {
		t.Error("what is out of range is not in the first and last bucket")
	}
}

func TestQuantile(t *testing.T) {
	var c Cell
	if c.Quantile(0.5) != 0 {
		t.Error("a quantile of nothing")
	}
	var all []time.Duration
	for range 5000 {
		d := time.Duration(rand.ExpFloat64() * float64(40*time.Millisecond))
		all = append(all, d)
		c.Add(LatencyField(LatencyBucket(d)), 1)
		c.Add(ResultField(event.ClassNone, 200), 1)
	}
	slices.Sort(all)
	for _, q := range []float64{0.01, 0.5, 0.95, 0.99} {
		want := all[int(q*float64(len(all)))]
		got := c.Quantile(q)
		if diff := float64(got-want) / float64(want); want > time.Millisecond && (diff > 0.13 || diff < -0.13) {
			t.Errorf("quantile %v: got %v, want %v", q, got, want)
		}
	}
}

func randomCell(r *rand.Rand) Cell {
	var c Cell
	for range 1 + r.IntN(8) {
		c.Add(Field(r.IntN(int(maxField)+1)), r.Int64N(1000)-300)
	}
	c.Trim()
	return c
}

func TestRowRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var row Row
		for range r.IntN(6) {
			row.Add(r.IntN(60), randomCell(r))
		}
		row = slices.DeleteFunc(row, func(s Slot) bool { s.Cell.Trim(); return len(s.Cell) == 0 })
		text := AppendRow(nil, row)
		got, err := ParseRow(text)
		if err != nil {
			t.Fatal(err)
		}
		again := AppendRow(nil, got)
		if !slices.Equal(again, text) {
			t.Fatalf("%v became %v", row, got)
		}
	}
}

// TestAddendsAddUp: rows that are added in any order, or parsed one behind the other, are
// their sum.
func TestAddendsAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var sum Row
	var text []byte
	for range 50 {
		var row Row
		row.Add(r.IntN(60), randomCell(r))
		sum.AddRow(row)
		text = AppendRow(text, row)
	}
	got, err := ParseRow(text)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := AppendRow(nil, got), AppendRow(nil, sum); !slices.Equal(a, b) {
		t.Errorf("got %v, want %v", got, sum)
	}
}

func FuzzRow(f *testing.F) {
	f.Add([]byte{})
	f.Add(AppendRow(nil, Row{{At: 3, Cell: Cell{{StatusField(event.Success), 4}, {ResultField(event.ClassNone, 200), -4}}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		row, err := ParseRow(b)
		if err != nil {
			return
		}
		text := AppendRow(nil, row)
		again, err := ParseRow(text)
		if err != nil || !slices.Equal(AppendRow(nil, again), text) {
			t.Errorf("%x: %v became %v: %v", b, row, again, err)
		}
	})
}

func FuzzBook(f *testing.F) {
	var b Book
	b.Settle(&Settled{Project: event.ID{1}, Endpoint: event.ID{2}, Type: "t", Created: 1e12, Was: event.Scheduled, Is: event.Success, Attempt: true, First: true, Result: ResultField(event.ClassNone, 200), Ended: 1e12})
	f.Add(AppendBook(nil, &b))
	f.Fuzz(func(t *testing.T, text []byte) {
		var b, again Book
		if b.ParseBook(text) != nil {
			return
		}
		if err := again.ParseBook(AppendBook(nil, &b)); err != nil || !sameBook(&b, &again) {
			t.Errorf("%x: a book became another: %v", text, err)
		}
	})
}

func sameBook(a, b *Book) bool {
	pages := func(b *Book) map[Page]Cell {
		m := map[Page]Cell{}
		b.Each(func(p *Page, c Cell) {
			c = slices.Clone(c)
			if c.Trim(); len(c) > 0 {
				m[*p] = c
			}
		})
		return m
	}
	return reflect.DeepEqual(pages(a), pages(b))
}

// TestADeliveryMovesThroughItsStates: under the minute of its creation, whenever it
// changes.
func TestADeliveryMovesThroughItsStates(t *testing.T) {
	var b Book
	project, endpoint := event.ID{1}, event.ID{2}
	created := uint64(600_000_000)
	d := event.Delivery{ID: event.DeliveryID(created, 5, 6), ProjectID: project, EndpointID: endpoint}
	b.Created(&d, "order.paid")
	b.Settle(&Settled{Project: project, Endpoint: endpoint, Type: "order.paid", Created: created, Was: event.Scheduled, Is: event.Retry,
		Attempt: true, First: true, Result: ResultField(event.ClassTimeout, 0), Ended: created + 30_000})
	b.Settle(&Settled{Project: project, Endpoint: endpoint, Type: "order.paid", Created: created, Was: event.Retry, Is: event.Success,
		Attempt: true, Result: ResultField(event.ClassNone, 204), Ended: created + 3_600_000, Took: 20 * time.Millisecond})
	then, now := uint32(created/minuteMillis), uint32((created+3_600_000)/minuteMillis)
	for _, s := range []Series{
		{Project: project}, {Project: project, Dim: OfEndpoint, Endpoint: endpoint}, {Project: project, Dim: OfType, Type: "order.paid"},
	} {
		c := slices.Clone(b.Page(Page{s, then}))
		c.Trim()
		if want := (Cell{{StatusField(event.Success), 1}, {ResultField(event.ClassTimeout, 0), 1}}); !slices.Equal(c, want) {
			t.Errorf("%v: then %v, want %v", s, c, want)
		}
		c = b.Page(Page{s, now})
		if c.Get(ResultField(event.ClassNone, 204)) != 1 || c.Get(FieldTime) != 20 || c.Attempts() != 1 || c.Deliveries() != 0 {
			t.Errorf("%v: an hour later %v", s, c)
		}
	}
	if c := b.Page(Page{Series{Project: project}, then}); c.Get(FieldFirst) != 0 {
		t.Error("it counts as taken at first")
	}
}

func TestLevels(t *testing.T) {
	for i, l := range Levels {
		if l.Stretch%l.Slot != 0 || l.Slots() > 64 || i > 0 && (l.Slot%Levels[i-1].Slot != 0 || l.Stretch%Levels[i-1].Stretch != 0) {
			t.Errorf("level %d: %+v", i, l)
		}
		at := uint64(1_800_000_123_456)
		stretch, slot := l.Place(at)
		if start := l.Start(stretch, slot); start > at || at-start >= uint64(l.Slot.Milliseconds()) {
			t.Errorf("level %d: %d is in a slot that begins at %d", i, at, start)
		}
	}
	for _, c := range []struct {
		step, age time.Duration
		want      int
	}{
		{time.Minute, time.Hour, 0}, {15 * time.Minute, day, 0}, {time.Hour, day, 1}, {6 * time.Hour, 7 * day, 1},
		{day, 30 * day, 2}, {15 * time.Minute, 7 * day, 1}, {time.Minute, 100 * day, 2}, {time.Minute, 10000 * day, 2},
	} {
		if got := LevelFor(c.step, c.age); got != c.want {
			t.Errorf("steps of %v, %v ago: level %d, want %d", c.step, c.age, got, c.want)
		}
	}
}

func BenchmarkSettle(b *testing.B) {
	var book Book
	s := Settled{Project: event.ID{1}, Type: "order.paid", Created: 1e12, Was: event.Scheduled, Is: event.Success, Attempt: true, First: true, Result: ResultField(event.ClassNone, 200), Ended: 1e12, Took: time.Millisecond}
	b.ReportAllocs()
	for i := range b.N {
		s.Endpoint[0] = byte(i % 16)
		book.Settle(&s)
		if i%100 == 99 {
			book.Reset()
		}
	}
}

// TestGoldenBook: one page, byte for byte. A change here is a new format of the log.
func TestGoldenBook(t *testing.T) {
	var b Book
	*b.cell(Page{Series{Project: event.ID{1}, Dim: OfType, Type: "order.paid"}, 30_000_000}) = Cell{
		{StatusField(event.Scheduled), -1}, {StatusField(event.Success), 1}, {FieldFirst, 1}, {FieldTime, 300}, {ResultField(event.ClassNone, 200), 1},
	}
	const want = "01000000000000000000000000000000" + "02" + "0a6f726465722e70616964" + "8087a70e" +
		"05" + "0001" + "0202" + "0602" + "01d804" + "a70902"
	if got := hex.EncodeToString(AppendBook(nil, &b)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestOlderDeliveriesAreCountedAsTheyEnd: one that was created before there were counts.
func TestOlderDeliveriesAreCountedAsTheyEnd(t *testing.T) {
	var b Book
	b.Settle(&Settled{Project: event.ID{1}, Endpoint: event.ID{2}, Created: 6e11, Was: event.Retry, Is: event.Success})
	c := b.Page(Page{Series{Project: event.ID{1}}, 1e7})
	if c.InState(event.Retry) != 0 || c.InState(event.Success) != 1 || c.Deliveries() != 1 {
		t.Errorf("%v: %d deliveries", c, c.Deliveries())
	}
}

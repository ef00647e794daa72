package jobs

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"posthaste/event"
)

func TestAfterIsTheInverseOfBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var id event.ID
		copy(id[:], rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0x7F, 0xFE, 0xFF}), 16, 16).Draw(t, "id"))
		if got := event.Before(after(id)); got != id {
			t.Fatalf("%x became %x", id, got)
		}
	})
}

// Stretches follow each other without a gap or an overlap, whatever is listed, and
// end where the scan does.
func TestAScanMissesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const hour = 3600_000
		ms := func(name string) uint64 { return rapid.Uint64Range(0, 1000*hour).Draw(t, name) }
		id := func(name string, ms uint64) event.ID {
			return event.DeliveryID(ms, rapid.Uint32().Draw(t, name+" hash"), rapid.Uint64Range(0, event.MaxDeliverySeq).Draw(t, name+" sequence"))
		}
		created := ms("project")
		job := event.Job{ProjectID: id("project", created), ID: id("job", created+ms("job"))}
		want := after(event.ID{})
		if rapid.Bool().Draw(t, "from") {
			job.Filter.From = id("from", ms("from"))
			want = job.Filter.From
		}
		if rapid.Bool().Draw(t, "resumed") {
			job.Cursor = id("cursor", ms("cursor"))
			if job.Cursor.Compare(want) >= 0 {
				want = after(job.Cursor)
			}
		}
		last := lastAt(job.ID.Time())
		if rapid.Bool().Draw(t, "to") {
			job.Filter.To = id("to", ms("to"))
			if job.Filter.To.Compare(last) < 0 {
				last = job.Filter.To
			}
		}
		if want == (event.ID{}) {
			want = after(want) // no id is zero
		}
		s, n := newScan(&job), 0
		for ; !s.ended; n++ {
			r := s.stretch(10)
			if r.From != want || r.To.Compare(r.From) < 0 || r.To.Compare(last) > 0 || r.Limit != 10 {
				t.Fatalf("%s to %s, want it from %s to %s at most", r.From, r.To, want, last)
			}
			rows, listed := []row(nil), event.Scan{}
			next := event.DeliveryID(min(r.To.Time(), r.From.Time()+ms("listed")), 0xFFFFFFFF, event.MaxDeliverySeq)
			if next.Compare(r.To) > 0 {
				next = r.To
			}
			switch rapid.IntRange(0, 2).Draw(t, "ends") {
			case 0: // full
				rows = make([]row, r.Limit)
				rows[r.Limit-1].id = next
			case 1: // at the end of its budget
				if next.Compare(r.From) > 0 {
					listed.Next = next
				}
			}
			end := reached(r, rows, listed)
			if end.Compare(r.From) < 0 || end.Compare(r.To) > 0 {
				t.Fatalf("reached %s of %s to %s", end, r.From, r.To)
			}
			s.done(end)
			want = after(end)
			if n > 20000 {
				t.Fatal("it does not end")
			}
		}
		if n > 0 && event.Before(want) != last || n == 0 && want.Compare(last) <= 0 {
			t.Fatalf("it ended before %s, want it at %s", want, last)
		}
	})
}

func TestPaceHasNoDrift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pace{rate: rapid.IntRange(1, MaxRate).Draw(t, "rate")}
		begin := time.Unix(1e9, 0)
		now, items := begin, 0
		for range 200 {
			n := p.most(pageDeliveries)
			now = now.Add(p.wait(now))
			due := begin.Add(time.Duration(float64(items) / float64(p.rate) * 1e9))
			if (now.Sub(due)).Abs() > time.Microsecond {
				t.Fatalf("number %d goes at %s, want %s", items, now, due)
			}
			p.spend(n)
			items += n
		}
	})
}

func TestPaceWithoutARate(t *testing.T) {
	var p pace
	p.spend(1000)
	if p.wait(time.Now()) != 0 || p.most(200) != 200 {
		t.Errorf("%+v", p)
	}
}

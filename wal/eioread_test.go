package wal

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"posthaste/event"
	"posthaste/wal/waltest"
)

// readFaults is a log on a disk of which one read fails.
type readFaults struct {
	disk *waltest.Disk
	o    Options
	left atomic.Int64 // reads until the one that fails; 0 and less: none does
	hit  atomic.Int64 // reads that failed
	reqs []*event.Event
}

func newReadFaults(t *testing.T, fill func(*readFaults, *testing.T, *Log)) *readFaults {
	t.Helper()
	f := &readFaults{disk: waltest.NewDisk()}
	f.disk.Before(func(op waltest.Op) error {
		if !op.Write && f.left.Add(-1) == 0 {
			f.hit.Add(1)
			return syscall.EIO
		}
		return nil
	})
	f.o = testOptions(f.disk.FS())
	f.o.CacheBytes, f.o.MemTableBytes = 1, 24<<10 // next to nothing stays in memory
	l, err := Open(f.o)
	must(t, err)
	recoverAll(t, l)
	fill(f, t, l)
	must(t, l.Flush())
	must(t, l.db.Flush())
	must(t, l.Close())
	return f
}

// fill makes a store with two hours of events in tables, in all states, of which some
// have retries, and some are behind.
func (f *readFaults) fill(t *testing.T, l *Log) {
	for i := range 60 {
		s := post(idOf(1), fmt.Sprintf("%d %0700d", i, i), idOf(2), idOf(3))
		s.Event.IdempotencyKey, s.Event.OwnerID = fmt.Sprint(i), fmt.Sprint(i%4)
		ev := appendOne(t, l, s)
		f.reqs = append(f.reqs, ev)
		if i == 30 {
			advance(l, hour)
		}
		if i > 50 {
			continue
		}
		st := attempted(ev.Owed[i%2], []event.Status{event.Success, event.Retry, event.Failure}[i%3])
		must(t, l.Settle(&st))
		if i < 10 {
			st = attempted(ev.Owed[1-i%2], event.Success)
			must(t, l.Settle(&st))
		}
	}
	must(t, l.SetMark(event.Mark{
		Watermark: f.reqs[40].ID.Time(), Behind: []event.Behind{{Endpoint: idOf(2)}, {Endpoint: idOf(3)}},
		Health: []event.Health{{Endpoint: idOf(2), Failures: 3}},
	}))
	must(t, l.CASCatalog([]event.CatalogRecord{rec('p', 1, 1, "x"), rec('e', 2, 1, "y")}))
	must(t, l.PutJob(job(1, 1, event.JobRunning)))
}

// fillHistory makes a store whose events are gone, but for their deliveries.
func (f *readFaults) fillHistory(t *testing.T, l *Log) {
	for i := range 40 {
		ev := appendOne(t, l, post(idOf(1), fmt.Sprintf("%0700d", i), idOf(2), idOf(3), idOf(4), idOf(uint64(5+i%20))))
		f.reqs = append(f.reqs, ev)
		for k := range ev.Owed {
			st := attempted(ev.Owed[k], []event.Status{event.Success, event.Failure}[i%2])
			must(t, l.Settle(&st))
		}
		if i == 20 {
			advance(l, hour)
		}
	}
	advance(l, 10*hour)
	must(t, l.SetMark(event.Mark{Watermark: l.now()}))
	must(t, l.Flush())
	_, err := l.Retain(Policy{Now: time.UnixMilli(int64(l.now())), Default: Keep{Payload: time.Hour, History: 1000 * time.Hour}})
	must(t, err)
	if _, err := l.Event(idOf(1), f.reqs[39].ID); !errors.Is(err, event.ErrNotFound) {
		t.Fatalf("the events are there: %v", err)
	}
}

// question is something that can be asked of a log, and returns something to compare.
type question func(l *Log) (any, error)

func askDeliveries(r event.Range, q event.DeliveryFilter) question {
	return func(l *Log) (any, error) {
		got, _, err := l.Deliveries(idOf(1), r, q)
		return got, err
	}
}

func askEvents(r event.Range, q event.EventFilter) question {
	return func(l *Log) (any, error) {
		got, _, err := l.Events(idOf(1), r, q)
		return eventIDs(got), err
	}
}

func (f *readFaults) askedOfHistory() map[string]question {
	all, newest := event.Range{Limit: 1000}, event.Range{Limit: 1000, Descending: true}
	ev := f.reqs[7]
	return map[string]question{
		"deliveries":                askDeliveries(all, event.DeliveryFilter{}),
		"deliveries, newest first":  askDeliveries(newest, event.DeliveryFilter{}),
		"deliveries of an event":    askDeliveries(all, event.DeliveryFilter{EventID: ev.ID}),
		"deliveries of an endpoint": askDeliveries(all, event.DeliveryFilter{Endpoints: []event.ID{idOf(3)}}),
		"deliveries that failed":    askDeliveries(all, event.DeliveryFilter{Statuses: []event.Status{event.Failure}}),
		"deliveries that succeeded": askDeliveries(newest, event.DeliveryFilter{Statuses: []event.Status{event.Success}}),
		"attempts":                  func(l *Log) (any, error) { return l.Attempts(idOf(1), ev.Owed[1].ID) },
	}
}

func (f *readFaults) asked() map[string]question {
	all := event.Range{Limit: 1000}
	newest := event.Range{Limit: 1000, Descending: true}
	ev := f.reqs[7]
	return map[string]question{
		"event":                     func(l *Log) (any, error) { return l.Event(idOf(1), ev.ID) },
		"delivery":                  func(l *Log) (any, error) { return l.Delivery(idOf(1), ev.Owed[1].ID) },
		"attempts":                  func(l *Log) (any, error) { return l.Attempts(idOf(1), ev.Owed[1].ID) },
		"events":                    askEvents(all, event.EventFilter{}),
		"events, newest first":      askEvents(newest, event.EventFilter{}),
		"events of an owner":        askEvents(all, event.EventFilter{OwnerID: "2"}),
		"events of a key":           askEvents(newest, event.EventFilter{IdempotencyKey: "33"}),
		"events with a text":        askEvents(all, event.EventFilter{Query: "59 000"}),
		"deliveries":                askDeliveries(all, event.DeliveryFilter{}),
		"deliveries that failed":    askDeliveries(newest, event.DeliveryFilter{Statuses: []event.Status{event.Failure}}),
		"deliveries that wait":      askDeliveries(all, event.DeliveryFilter{Statuses: []event.Status{event.Scheduled, event.Retry}}),
		"deliveries of an endpoint": askDeliveries(newest, event.DeliveryFilter{Endpoints: []event.ID{idOf(3)}}),
		"deliveries of two":         askDeliveries(all, event.DeliveryFilter{Endpoints: []event.ID{idOf(2), idOf(3)}}),
		"deliveries of an event":    askDeliveries(all, event.DeliveryFilter{EventID: ev.ID}),
		"deliveries of a type":      askDeliveries(all, event.DeliveryFilter{EventType: "order.paid"}),
		"owed": func(l *Log) (any, error) {
			return owedTo(l, idOf(2), event.ID{}, f.reqs[59].Owed[0].ID, 7)
		},
		"timers": func(l *Log) (any, error) {
			ds, next, err := l.ReadTimers(nil, idOf(2), 0, event.ID{}, maxMillis, 5)
			return []any{ds, next}, err
		},
		"jobs":     func(l *Log) (any, error) { return l.Jobs(idOf(1), all) },
		"job":      func(l *Log) (any, error) { return l.Job(idOf(1), idOf(1)) },
		"running":  func(l *Log) (any, error) { return l.RunningJobs() },
		"recovery": func(l *Log) (any, error) { return tryRecover(l) },
		"catalog": func(l *Log) (any, error) {
			n := 0
			err := l.LoadCatalog(func(event.CatalogRecord) error { n++; return nil })
			return n, err
		},
	}
}

// TestEveryReadThatFails fails each read of each question with EIO: the answer is an
// error that does not say that there is nothing, or it is what it is without the
// fault; and the next answer is right.
func TestEveryReadThatFails(t *testing.T) {
	f := newReadFaults(t, (*readFaults).fill)
	n := f.fail(t, f.asked())
	f = newReadFaults(t, (*readFaults).fillHistory)
	n += f.fail(t, f.askedOfHistory())
	t.Logf("%d reads failed", n)
}

// fail returns how many reads failed.
func (f *readFaults) fail(t *testing.T, questions map[string]question) (faults int) {
	for _, name := range slices.Sorted(maps.Keys(questions)) {
		l, err := Open(f.o)
		must(t, err)
		n := f.failEach(t, l, name, questions[name])
		if faults += n; n == 0 {
			t.Errorf("%s reads nothing", name)
		}
		must(t, l.Close())
	}
	return faults
}

func (f *readFaults) failEach(t *testing.T, l *Log, name string, ask question) int {
	want, err := ask(l)
	must(t, err)
	for n := int64(1); ; n++ {
		f.hit.Store(0)
		f.left.Store(n)
		got, err := ask(l)
		f.left.Store(0)
		if f.hit.Load() == 0 {
			return int(n - 1)
		}
		switch {
		case err != nil && (!errors.Is(err, syscall.EIO) || errors.Is(err, event.ErrNotFound) || errors.Is(err, event.ErrConflict)):
			t.Errorf("%s, read %d: got error %v", name, n, err)
		case err == nil && !reflect.DeepEqual(got, want):
			t.Errorf("%s, read %d: no error, and a wrong answer:\n got %v\nwant %v", name, n, got, want)
		}
		if got, err = ask(l); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, after read %d: got %v, %v", name, n, got, err)
		}
	}
}

// TestWritesThatCannotRead: what has to look before it writes returns the error, and
// writes nothing.
func TestWritesThatCannotRead(t *testing.T) {
	f := newReadFaults(t, (*readFaults).fill)
	ended := f.reqs[2].Owed[0]
	writes := map[string]func(l *Log) error{
		"Append of a key": func(l *Log) error {
			s := post(idOf(1), string(f.reqs[5].Data), idOf(2), idOf(3))
			s.Event.IdempotencyKey, s.Event.OwnerID = f.reqs[5].IdempotencyKey, f.reqs[5].OwnerID
			subs := []event.Submission{s}
			err := l.Append(t.Context(), subs)
			if err == nil && (!subs[0].Duplicate || subs[0].Event.ID != f.reqs[5].ID) {
				t.Errorf("a key that is known became %+v", subs[0])
			}
			return err
		},
		"CASCatalog":    func(l *Log) error { return l.CASCatalog([]event.CatalogRecord{rec('p', 1, 1, "x")}) },
		"DeleteContent": func(l *Log) error { return l.DeleteContent(idOf(1), f.reqs[9].ID) },
		"Settle what had ended": func(l *Log) error {
			d, err := l.Delivery(idOf(1), ended.ID)
			if err != nil {
				return err
			}
			s := attempted(d, event.Success)
			return l.Settle(&s)
		},
	}
	for name, write := range writes {
		l, err := Open(f.o)
		must(t, err)
		faults := 0
		for n := int64(1); ; n++ {
			f.hit.Store(0)
			f.left.Store(n)
			err := write(l)
			f.left.Store(0)
			if f.hit.Load() == 0 {
				break
			}
			faults++
			if err != nil && !errors.Is(err, syscall.EIO) && name != "CASCatalog" || errors.Is(err, event.ErrNotFound) {
				t.Errorf("%s, read %d: got error %v", name, n, err)
			}
			if name == "CASCatalog" && err == nil {
				t.Errorf("%s, read %d: it was taken", name, n)
			}
		}
		if faults == 0 {
			t.Errorf("%s reads nothing", name)
		}
		must(t, l.Close())
	}
}

// TestASlowDiskTakesTimeOnly: with a wait in front of each operation all is as it is
// without.
func TestASlowDiskTakesTimeOnly(t *testing.T) {
	disk := waltest.NewDisk()
	c := &crashRun{o: crashOptions()}
	c.o.FS = disk.FS()
	disk.Before(func(op waltest.Op) error {
		time.Sleep(rand.N(time.Millisecond)) // the disk
		return nil
	})
	l, err := Open(c.o)
	must(t, err)
	recoverAll(t, l)
	c.workload(t, l)
	must(t, l.Close())
	disk.Before(nil)
	if err := c.verify(t, cut{fs: disk.FS(), acked: len(c.reqs)}); err != nil {
		t.Error(err)
	}
}

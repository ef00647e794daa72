package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"posthaste/event"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdDirVariable); dir != "" {
		holdDir(dir)
		return
	}
	if os.Getenv(failDiskVariable) != "" {
		failDisk()
	}
	if spec := os.Getenv(failOpVariable); spec != "" {
		failOp(spec)
	}
	if spec := os.Getenv(fillDiskVariable); spec != "" {
		fillDisk(spec)
		return
	}
	goleak.VerifyTestMain(m)
}

// hour is the length of a bucket, in milliseconds.
const hour = uint64(bucketMillis)

// must ends the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// testOptions are small and fast, on fs. A failure of the store ends the test.
func testOptions(fs vfs.FS) Options {
	return Options{
		Dir: "log", FS: fs, SettleDelay: time.Millisecond, CacheBytes: 1 << 20, MemTableBytes: 256 << 10, CreatedBy: "test",
		OnFatal: func(err error) { panic("not expected in this test: " + err.Error()) },
	}
}

// openLog opens a log that is closed when the test ends.
func openLog(t testing.TB, o Options) *Log {
	t.Helper()
	l, err := Open(o)
	must(t, err)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return l
}

// newLogInMemory opens a new log in memory and recovers it.
func newLogInMemory(t testing.TB) *Log {
	t.Helper()
	l := openLog(t, testOptions(vfs.NewMem()))
	recoverAll(t, l)
	return l
}

// setClock moves the time of the ids to come to the future; it never goes back.
func setClock(l *Log, ms uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock = max(l.clock, ms)
}

// advance is setClock relative to the newest id.
func advance(l *Log, ms uint64) { setClock(l, l.now()+ms) }

// idOf makes a readable id: n in its last bytes.
func idOf(n uint64) (id event.ID) {
	id[0] = 1
	binary.BigEndian.PutUint64(id[8:], n)
	return id
}

// post makes a submission that is owed to endpoints.
func post(project event.ID, data string, endpoints ...event.ID) event.Submission {
	s := event.Submission{Event: event.Event{
		ProjectID: project, Type: "order.paid", Data: []byte(data), ReceivedAt: time.UnixMilli(1_700_000_000_000).UTC(),
	}}
	for i, ep := range endpoints {
		s.Event.Owed = append(s.Event.Owed, event.Delivery{EndpointID: ep, SubscriptionID: idOf(uint64(7000 + i)), Status: event.Scheduled})
	}
	return s
}

// appendOne appends one submission and returns its event.
func appendOne(t testing.TB, l *Log, s event.Submission) *event.Event {
	t.Helper()
	subs := []event.Submission{s}
	must(t, l.Append(t.Context(), subs))
	must(t, subs[0].Err)
	return &subs[0].Event
}

// attempted is the settlement of the delivery's next attempt.
func attempted(d event.Delivery, to event.Status) event.Settlement {
	s := event.Settlement{Delivery: d, Was: d.Status, Timer: d.Due}
	s.Delivery.Attempts++
	s.Delivery.Limit = 5
	s.Delivery.Status = to
	s.Delivery.UpdatedAt = time.UnixMicro(1_700_000_001_000_000).UTC()
	s.Delivery.Due = time.Time{}
	if to == event.Retry {
		s.Delivery.Due = time.UnixMilli(1_700_000_600_000 + int64(d.Attempts)).UTC()
	}
	s.Attempt = &event.Attempt{
		DeliveryID: d.ID, EndpointID: d.EndpointID, Number: s.Delivery.Attempts, URL: "https://example.com/hook",
		StartedAt: time.UnixMicro(1_700_000_000_500_000).UTC(), Duration: 1500 * time.Microsecond, StatusCode: 503, Class: event.ClassStatus,
	}
	if to == event.Success {
		s.Attempt.StatusCode, s.Attempt.Class = 200, event.ClassNone
	}
	return s
}

// settle settles and waits until it can be read.
func settle(t testing.TB, l *Log, s event.Settlement) event.Delivery {
	t.Helper()
	must(t, l.Settle(&s))
	must(t, l.Flush())
	return s.Delivery
}

// recovered is what Recover tells.
type recovered struct {
	behind map[event.ID]event.ID
	timers map[event.ID]uint64
	health map[event.ID]event.Health
}

func everyPartition(uint16) bool { return true }

func tryRecover(l *Log) (recovered, error) {
	r := recovered{map[event.ID]event.ID{}, map[event.ID]uint64{}, map[event.ID]event.Health{}}
	err := l.Recover(everyPartition,
		func(b event.Behind) { r.behind[b.Endpoint] = b.After },
		func(t event.Timer) { r.timers[t.Endpoint] = t.DueMilli },
		func(h event.Health) { r.health[h.Endpoint] = h })
	return r, err
}

func recoverAll(t testing.TB, l *Log) recovered {
	t.Helper()
	r, err := tryRecover(l)
	must(t, err)
	return r
}

// owedTo reads all that an endpoint is owed after an id, page by page.
func owedTo(l *Log, endpoint, after, upTo event.ID, page int) ([]event.Delivery, error) {
	var all []event.Delivery
	for {
		var err error
		var last event.ID
		all, last, err = l.ReadOwed(all, endpoint, after, upTo, page)
		if err != nil || last == upTo {
			return all, err
		}
		if last.Compare(after) <= 0 {
			return all, fmt.Errorf("ReadOwed stands still at %s", after)
		}
		after = last
	}
}

func idsOf(ds []event.Delivery) []event.ID {
	ids := make([]event.ID, len(ds))
	for i := range ds {
		ids[i] = ds[i].ID
	}
	return ids
}

func sameIDs(t testing.TB, what string, got, want []event.ID) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s: got %d ids %v\nwant %d ids %v", what, len(got), got, len(want), want)
	}
}

// collidingEndpoints finds two endpoints with the same hash.
var collidingEndpoints = sync.OnceValues(func() (event.ID, event.ID) {
	seen := map[uint32]event.ID{}
	for n := uint64(1); ; n++ {
		id := idOf(n)
		if other, ok := seen[event.EndpointHash(id)]; ok {
			return other, id
		}
		seen[event.EndpointHash(id)] = id
	}
})

// recordingSink notes what it is told, in order.
type recordingSink struct {
	mu     sync.Mutex
	events []event.ID
	timers []event.Timer
}

func (s *recordingSink) Committed(groups [][]event.Submission) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, subs := range groups {
		for i := range subs {
			if subs[i].Err == nil && !subs[i].Duplicate {
				s.events = append(s.events, subs[i].Event.ID)
			}
		}
	}
}

func (s *recordingSink) Waiting(timers []event.Timer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timers = append(s.timers, timers...)
}

func (s *recordingSink) snapshot() ([]event.ID, []event.Timer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events), slices.Clone(s.timers)
}

// sameEvent reports a difference between an event that was appended and what
// was read back.
func sameEvent(got, want *event.Event) error {
	switch {
	case got.ID != want.ID, got.ProjectID != want.ProjectID, got.Type != want.Type, got.OwnerID != want.OwnerID,
		got.SourceID != want.SourceID, got.Path != want.Path, got.Query != want.Query, got.Origin != want.Origin, got.Of != want.Of,
		got.IdempotencyKey != want.IdempotencyKey, !got.ReceivedAt.Equal(want.ReceivedAt), !slices.Equal(got.Headers, want.Headers):
		return fmt.Errorf("got  %+v\nwant %+v", got, want)
	case !bytes.Equal(got.Data, want.Data):
		return errors.New("data differs")
	}
	if !slices.Equal(idsOf(got.Owed), idsOf(want.Owed)) {
		return fmt.Errorf("owed ids differ: got %v, want %v", idsOf(got.Owed), idsOf(want.Owed))
	}
	return nil
}

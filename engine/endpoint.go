package engine

import (
	"slices"
	"time"

	"posthaste/event"
	"posthaste/internal/wheel"
)

// job is one attempt to make.
type job struct {
	d      event.Delivery
	ev     *event.Event // nil: to be read from the log
	shared *parcel      // what ev is part of, where other jobs have it too
	// timed: the delivery waited in the timer index under d.Due; otherwise this
	// is its first attempt.
	timed bool
	// panics is how often it made a worker panic.
	panics uint8
}

// bytes is what a job weighs in memory, with its event unless that is shared.
func (j *job) bytes() int64 {
	const own = 256
	if j.ev == nil || j.shared != nil {
		return own
	}
	return own + j.ev.SizeBytes()
}

// fresh: the delivery came without a detour through the log.
func (j *job) fresh() bool { return j.ev != nil && !j.timed }

// parcel is an event that several jobs of a shard carry. It weighs its full size
// until the last of them is out of the queues. It is a copy: a pointer into a
// request would keep the whole request alive.
type parcel struct {
	ev     event.Event
	queued int // jobs in queues that carry it
}

// alarm is what a timer of the wheel wakes.
type alarm struct {
	ep   *endpoint
	kind alarmKind
}

type alarmKind uint8

const (
	alarmToken alarmKind = iota // the endpoint's next rate token is there
	alarmRetry                  // the first entry of its timer index is due
)

// endpoint is the state of an endpoint that has something to do. It belongs to
// its shard, and is touched only under the shard's lock.
//
// Its deliveries stand in one line by id. All up to cursor are settled, in the
// timer index, in flight or in queue. While it is behind, those in
// (cursor, tail] are in the log only:
//
//	settled ... in flight, queue | cursor ... in the log ... | tail
type endpoint struct {
	id    event.ID
	queue ring[job]

	flying   []flight // attempts in flight
	inFlight int      // how many
	slots    int      // how many there may be, as of the last look; 0: not looked yet
	tat      int64    // state of its rate limit, see ratelimit.Limit
	listed   bool     // in the shard's ready queue
	held     bool     // it is paused
	gone     bool     // its partition is given up: nothing of it is begun any more
	probing  bool     // its breaker waits for the end of a probe
	spilled  bool     // its deliveries went back to the log, see Shard.spill
	slow     bool     // its last attempt was, see slowAttempt
	inLine   bool     // it waits for room in the ward
	called   bool     // it was called in from there, and is listed
	health   *health  // nil: it is well
	recorded bool     // the log has a record of its health
	fresh    int      // deliveries in queue that came without a detour through the log
	ready    int      // deliveries that pace counts: fresh while listed
	active   bool     // in the shard's active list
	token    wheel.Timer[alarm]

	behind  bool
	cursor  event.ID
	tail    event.ID
	reading bool     // in the shard's list of endpoints that are to be read
	marked  event.ID // the place in the log that was last recorded, while behind

	// The timer index: entries up to (timerDue, timerID) are in memory or done.
	// next is the due time, in Unix ms, of the first one that is not; 0 if there
	// is none. soon are the due times of entries that are not yet in the log. No
	// entry up to readTo may be added any more.
	retry    wheel.Timer[alarm]
	timerDue uint64
	timerID  event.ID
	readTo   uint64
	next     uint64
	soon     []uint64
	emptied  time.Time // when the entries were last read until none was due

	resting bool // the log could not be read; the retry alarm ends it
}

// low is the smallest id whose first attempt is not settled and which is in
// memory.
func (ep *endpoint) low() (event.ID, bool) {
	var low event.ID
	found := false
	for i := range ep.queue.len() {
		j := ep.queue.at(i)
		if !j.timed && (!found || j.d.ID.Compare(low) < 0) {
			low, found = j.d.ID, true
		}
	}
	for i := range ep.flying {
		f := &ep.flying[i]
		if !f.timed && (!found || f.id.Compare(low) < 0) {
			low, found = f.id, true
		}
	}
	return low, found
}

// flight is an attempt on its way.
type flight struct {
	id    event.ID
	timed bool
}

// finds reports whether an attempt of the delivery is on its way.
func (ep *endpoint) finds(id event.ID) bool {
	return slices.ContainsFunc(ep.flying, func(f flight) bool { return f.id == id })
}

// queued is the delivery's job in the queue, nil if it has none.
func (ep *endpoint) queued(id event.ID) *job {
	for i := range ep.queue.len() {
		if j := ep.queue.at(i); j.d.ID == id {
			return j
		}
	}
	return nil
}

// idle reports whether nothing would be lost if the state were forgotten, but for the
// timer index and the health.
func (ep *endpoint) idle() bool {
	return ep.queue.len() == 0 && ep.inFlight == 0 && !ep.behind && !ep.listed && !ep.reading &&
		ep.marked == event.ID{} && !ep.token.Active()
}

func (ep *endpoint) waits() bool { return ep.next != 0 || len(ep.soon) > 0 || ep.retry.Active() }

func (ep *endpoint) landed(id event.ID) {
	if i := slices.IndexFunc(ep.flying, func(f flight) bool { return f.id == id }); i >= 0 {
		last := len(ep.flying) - 1
		ep.flying[i] = ep.flying[last]
		ep.flying = ep.flying[:last]
	}
}

// soonest is the earliest due time that is not yet in the log.
func (ep *endpoint) soonest() uint64 {
	if len(ep.soon) == 0 {
		return 1<<64 - 1
	}
	return slices.Min(ep.soon)
}

func (ep *endpoint) arrived(due uint64) {
	if i := slices.Index(ep.soon, due); i >= 0 {
		last := len(ep.soon) - 1
		ep.soon[i] = ep.soon[last]
		ep.soon = ep.soon[:last]
	}
}

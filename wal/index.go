package wal

import (
	"slices"

	"github.com/cespare/xxhash/v2"

	"posthaste/event"
)

// The index finds a project's events by what they say of themselves: type, owner, source,
// idempotency key, and the endpoints and subscriptions they are owed to. Each such word
// is a tag, a hash of 48 bits. While events are appended their tags are noted in
// memory, a stretch for each project:
//
//	addEvent ──► stretch of a project ──ends: full, hour over, Close──► indexLoop ──► rows I and F
//
// A listing asks the rows for the hours and stretches that are written and the
// memory for the others. What neither speaks for is read row by row: a stretch that
// a crash took with it, and hours that an older program wrote. So the index may lack
// anything, but a stretch that is in it has all events from its first id to its last.
const (
	stretchEvents = 4096    // a stretch ends with as many events
	stretchTags   = 1 << 15 // or with as many tags, but not within an event
	openTags      = 1 << 20 // all stretches end when they have as many together: 8 MiB
	stretchCost   = 32      // what a stretch costs beside its tags and ids, in tags
	endedTags     = 4 << 20 // those that are not written yet are forgotten beyond so many: 32 MiB
	fewOpen       = 16      // with more open stretches none gets room before it needs it
)

// tag is a hash of 48 bits of something that an event says of itself. Its first byte
// is the shard, which names the row of a stretch that it is in.
type tag uint64

func (t tag) shard() byte { return byte(t >> 40) }

// What a tag is a hash of.
const (
	tagType = iota + 1
	tagOwner
	tagSource
	tagKey
	tagEndpoint
	tagSubscription
)

func textTag(of uint64, text string) tag { return newTag(of, xxhash.Sum64String(text)) }

func idTag(of uint64, id event.ID) tag { return newTag(of, xxhash.Sum64(id[:])) }

func newTag(of, hash uint64) tag { return tag((hash ^ of*0x9E3779B97F4A7C15) >> 16) }

// appendTags appends the tags of an event that owes so much.
func appendTags(dst []tag, ev *event.Event, owed []event.Delivery) []tag {
	if ev.Type != "" {
		dst = append(dst, textTag(tagType, ev.Type))
	}
	if ev.OwnerID != "" {
		dst = append(dst, textTag(tagOwner, ev.OwnerID))
	}
	if ev.SourceID != (event.ID{}) {
		dst = append(dst, idTag(tagSource, ev.SourceID))
	}
	if ev.IdempotencyKey != "" {
		dst = append(dst, textTag(tagKey, ev.IdempotencyKey))
	}
	for i := range owed {
		dst = append(dst, idTag(tagEndpoint, owed[i].EndpointID), idTag(tagSubscription, owed[i].SubscriptionID))
	}
	return dst
}

// stretch is a run of a project's events within an hour: all of those from its first id
// to its last, both inclusive. ids and tags only grow, under Log.mu; what is there does
// not change, so that a copy of the slices can be read without it.
type stretch struct {
	project event.ID
	first   event.ID
	last    event.ID // set when it ends
	ids     []event.ID
	tags    []uint64 // tag, then 16 bits: whose, as an index into ids
}

// cost is what it holds in memory, in tags; an id is as large as two.
func (s *stretch) cost() int { return len(s.tags) + 2*len(s.ids) + stretchCost }

// indexer is the part of the index that is not in the store yet. Log.mu guards it.
type indexer struct {
	bucket uint32   // the hour of the open stretches
	since  event.ID // a project's events from here on are in its open stretch, or that has begun since
	open   map[event.ID]*stretch
	recent *stretch // one of open, or nil
	newest event.ID // of all that were noted
	held   int      // what the open ones cost, in tags
	queue  []*stretch
	ended  map[event.ID][]*stretch // those of queue, and those that are being written
	behind int                     // what these cost, in tags
}

// start begins with ids that are greater than all that are stored.
func (x *indexer) start(clock uint64) {
	x.bucket, x.since = bucketOf(clock), event.DeliveryID(clock, 0, 0)
	x.open, x.ended = make(map[event.ID]*stretch), make(map[event.ID][]*stretch)
}

// note takes up an event that has just got its id, and reports whether there is
// something to write. The caller holds Log.mu.
func (x *indexer) note(project, id event.ID, tags []tag) bool {
	full := false
	if bucket := bucketOf(id.Time()); bucket != x.bucket {
		full = x.turn(bucket)
	}
	s := x.recent
	if s == nil || s.project != project {
		s = x.stretchOf(project)
	}
	x.newest = id
	n := uint64(len(s.ids))
	s.ids = append(s.ids, id)
	for _, t := range tags {
		s.tags = append(s.tags, uint64(t)<<16|n)
	}
	x.held += len(tags) + 2
	switch {
	case len(s.ids) >= stretchEvents || len(s.tags) >= stretchTags:
		x.held -= s.cost() - stretchCost
		x.end(s, id)
		x.recent = x.follower(s)
		x.open[project] = x.recent
		return true
	case x.held > openTags:
		x.endAll(idAfter(id))
		return true
	}
	return full
}

func (x *indexer) stretchOf(project event.ID) *stretch {
	s := x.open[project]
	if s == nil {
		s = &stretch{project: project, first: x.since}
		x.open[project] = s
		x.held += stretchCost
	}
	x.recent = s
	return s
}

// follower is the stretch behind one that is full. The next one will be much the same,
// so it has room for as much, unless many projects might hold such room.
func (x *indexer) follower(full *stretch) *stretch {
	s := &stretch{project: full.project, first: idAfter(full.last)}
	if len(x.open) <= fewOpen {
		s.ids = make([]event.ID, 0, stretchEvents)
		s.tags = make([]uint64, 0, min(len(full.tags)+len(full.tags)/16, 2*stretchTags))
	}
	return s
}

// end queues a stretch to be written. When the log takes more than it writes of the
// index, a stretch is forgotten instead: its events are read row by row.
func (x *indexer) end(s *stretch, last event.ID) {
	s.last = last
	if x.behind > endedTags {
		return
	}
	x.behind += s.cost()
	x.queue = append(x.queue, s)
	x.ended[s.project] = append(x.ended[s.project], s)
}

// endAll ends all open stretches in front of an id that is yet to come, and reports
// whether there were any.
func (x *indexer) endAll(next event.ID) bool {
	some := false
	for _, s := range x.open {
		if len(s.ids) > 0 {
			x.end(s, event.Before(next))
			some = true
		}
	}
	x.open, x.recent, x.held, x.since = make(map[event.ID]*stretch), nil, 0, next
	return some
}

// turn ends the hour.
func (x *indexer) turn(bucket uint32) bool {
	some := x.endAll(firstOfBucket(x.bucket + 1))
	x.bucket, x.since = bucket, firstOfBucket(bucket)
	return some
}

func firstOfBucket(bucket uint32) event.ID {
	return event.DeliveryID(uint64(bucket)*bucketMillis, 0, 0)
}

// written forgets stretches that can be read from the store, or never will be.
func (x *indexer) written(done []*stretch) {
	for _, s := range done {
		x.behind -= s.cost()
		rest := slices.DeleteFunc(slices.Clone(x.ended[s.project]), func(other *stretch) bool { return other == s })
		if len(rest) == 0 {
			delete(x.ended, s.project)
		} else {
			x.ended[s.project] = rest
		}
	}
}

// idAfter is the smallest id that is greater than id, which is not the greatest.
func idAfter(id event.ID) event.ID {
	for i := len(id) - 1; i >= 0; i-- {
		id[i]++
		if id[i] != 0 {
			break
		}
	}
	return id
}

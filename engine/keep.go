package engine

import (
	"container/list"
	"time"

	"posthaste/event"
)

const (
	// keepFor is how near a retry must be for its event to stay in memory.
	keepFor = time.Minute
	// keepShare is the part of Options.QueueBytes that such events may take, of all
	// shards together: one sixteenth.
	keepShare = 16
)

// keep holds the events of deliveries that are to be retried soon. To read one back
// from the log costs about as much as the attempt itself. The shard's lock guards it.
//
// It forgets the oldest where it holds too much, and those that nobody came for; the log
// has them all. What it holds counts as memory for deliveries that wait.
type keep struct {
	most, bytes int64
	byID        map[event.ID]*list.Element // by delivery
	line        list.List                  // of kept, oldest first
}

type kept struct {
	delivery event.ID
	ev       *event.Event
	since    time.Time
}

func (k *keep) init(most int64) {
	k.most = most
	k.byID = make(map[event.ID]*list.Element)
}

// put remembers the event of a delivery, and returns by how much the memory grew.
func (k *keep) put(delivery event.ID, ev *event.Event, now time.Time) (grown int64) {
	before := k.bytes
	k.take(delivery)
	k.byID[delivery] = k.line.PushBack(kept{delivery, ev, now})
	k.bytes += ev.SizeBytes()
	for k.bytes > k.most {
		k.take(k.oldest().delivery)
	}
	return k.bytes - before
}

func (k *keep) oldest() kept { return k.line.Front().Value.(kept) }

// expire forgets what was put in before, and returns by how much the memory shrank.
func (k *keep) expire(before time.Time) (shrunk int64) {
	held := k.bytes
	for k.line.Len() > 0 && k.oldest().since.Before(before) {
		k.take(k.oldest().delivery)
	}
	return held - k.bytes
}

// drop forgets the events of some deliveries, and returns by how much the memory shrank.
func (k *keep) drop(which func(delivery event.ID) bool) (shrunk int64) {
	held := k.bytes
	for id := range k.byID {
		if which(id) {
			k.take(id)
		}
	}
	return held - k.bytes
}

// take gives the delivery's event out of memory; nil if it is not there.
func (k *keep) take(delivery event.ID) *event.Event {
	el := k.byID[delivery]
	if el == nil {
		return nil
	}
	delete(k.byID, delivery)
	ev := k.line.Remove(el).(kept).ev
	k.bytes -= ev.SizeBytes()
	return ev
}

// keepEvent keeps the event of a delivery whose retry is settled next. The caller
// holds mu.
func (s *Shard) keepEvent(d *event.Delivery, ev *event.Event) {
	if ev == nil || d.Due.Sub(d.UpdatedAt) > keepFor || s.e.queued.Load() >= s.e.o.QueueBytes {
		return
	}
	s.e.queued.Add(s.keep.put(d.ID, ev, time.Now()))
}

// keptEvent is the event of a delivery that is to be queued; nil if it was not kept.
// The caller holds mu.
func (s *Shard) keptEvent(delivery event.ID) *event.Event {
	ev := s.keep.take(delivery)
	if ev != nil {
		s.e.queued.Add(-ev.SizeBytes())
	}
	return ev
}

package wal

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// Retain and DeleteContent look at what is stored and then remove some of it. What they
// decide from must not change in between. So they hold Log.freezing from before
// they look until they have removed, and begin with a flush, after which all that
// was written before can be read. Writers that would owe again what may be removed
// read-lock it, look whether it is still there, and write before they let go: retries
// by hand of what had ended, and replays. All other writers go on, but for
// settlements of the hour that is being cleaned: their index entries would go with it.

// freeze is the hour that is being cleaned. Log.mu guards it.
type freeze struct {
	on     bool
	bucket uint32
	// below: deliveries of earlier hours than this may have been removed since the
	// log was opened.
	below uint32
}

// freezeHour stops the settlements of an hour until thaw, and returns when all
// earlier ones can be read. The caller holds freezing.
func (l *Log) freezeHour(bucket uint32) error {
	l.mu.Lock()
	l.frozen = freeze{on: true, bucket: bucket, below: max(l.frozen.below, bucket+1)}
	l.mu.Unlock()
	err := l.Flush()
	if err != nil {
		l.thaw()
	}
	return err
}

func (l *Log) thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frozen.on = false
	l.room.Broadcast()
}

// reserveFor is reserve for a delivery's settlement: it waits, too, while the
// delivery's hour is frozen.
func (l *Log) reserveFor(d *event.Delivery) (*group, error) {
	for {
		g, err := l.reserve()
		if err != nil || !l.frozen.on || l.frozen.bucket != bucketOf(d.ID.Time()) {
			return g, err
		}
		l.room.Wait()
		l.mu.Unlock()
	}
}

// remains looks whether a delivery is still there, and its event with its content,
// where a settlement that does not come out of an owed state rests on that. The
// caller holds the gate and freezing for reading. The errors are event.ErrNotFound
// and errContentDeleted, or the store's.
func (l *Log) remains(s *event.Settlement) error {
	d := &s.Delivery
	_, closer, err := l.get(appendDeliveryKey(nil, d.ID, l.partitions, 0))
	if errors.Is(err, pebble.ErrNotFound) {
		return fmt.Errorf("delivery %s: %w", d.ID, event.ErrNotFound)
	}
	if err != nil {
		return err
	}
	_ = closer.Close()
	ev, err := l.stored(d.ProjectID, d.EventID)
	switch {
	case errors.Is(err, event.ErrNotFound) && !d.Status.Owed():
		return nil // history is kept longer than events
	case err == nil && ev.flags&flagContentDeleted != 0:
		return errContentDeleted
	}
	return err
}

var errContentDeleted = &event.StateError{Reason: "the content of this event was deleted"}

// refuseReplays refuses the replays of events whose content was deleted. The
// caller holds the gate, and freezing for reading until the others are in a group.
func (l *Log) refuseReplays(subs []event.Submission) error {
	for i := range subs {
		s := &subs[i]
		if !accepted(s) || s.Event.Origin != event.Replayed {
			continue
		}
		original, err := l.stored(s.Event.ProjectID, s.Event.Of)
		switch {
		case errors.Is(err, event.ErrNotFound): // it may have been removed; the replay has its own copy
		case err != nil:
			return err
		case original.flags&flagContentDeleted != 0:
			s.Err = errContentDeleted
		}
	}
	return nil
}

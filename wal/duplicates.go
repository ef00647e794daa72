package wal

import (
	"errors"

	"posthaste/event"
)

// A duplicate is kept as an event's record without data, under an id of its own that
// its submitter does not see. It names the first event and owes nothing.

// appendDuplicateMeta appends a duplicate's record, with room for the header, the
// sequence and the first event's id.
func appendDuplicateMeta(dst []byte, ev *event.Event) []byte {
	dup := *ev
	dup.Origin, dup.Of, dup.Owed = event.Duplicate, event.ID{}, nil
	return appendEventMeta(dst, &dup)
}

// addDuplicates writes the rows of the request's duplicates, which all know their
// first event by now. The caller holds mu.
func (l *Log) addDuplicates(g *group, subs []event.Submission, s *scratch) {
	for i := range subs {
		if subs[i].Err == nil && subs[i].Duplicate {
			l.addDuplicate(g, &subs[i].Event, s, i)
		}
	}
}

func (l *Log) addDuplicate(g *group, ev *event.Event, s *scratch, i int) {
	seq := l.nextSeq(1)
	id := event.DeliveryID(l.clock, l.node, seq)
	meta := s.metaOf(i)
	putMillis(meta[eventSeqOffset:], seq)
	copy(meta[eventOfOffset:], ev.ID[:])
	s.key = appendEventKey(s.key[:0], ev.ProjectID, id)
	sealEvent(meta, s.key, s.crcs[i])
	_ = g.batch.Set(s.key, meta, nil)
	s.ended = l.indexer.note(ev.ProjectID, id, s.tagsOf(i)) || s.ended
}

// fill gives a duplicate that was read back the first event's data, if that is
// still there.
func (l *Log) fill(ev *event.Event) error {
	if ev.Origin != event.Duplicate {
		return nil
	}
	first, err := l.stored(ev.ProjectID, ev.Of)
	if errors.Is(err, event.ErrNotFound) {
		return nil
	}
	if err == nil {
		ev.Data, ev.Deleted = first.Data, first.Deleted
	}
	return err
}

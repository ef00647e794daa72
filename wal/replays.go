package wal

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// replaysOf lists the replays of an event, oldest first.
func (l *Log) replaysOf(project, original event.ID) ([]event.ID, error) {
	prefix := appendReplayPrefix(nil, project, original)
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: successor(bytes.Clone(prefix))})
	if err != nil {
		return nil, err
	}
	var ids []event.ID
	for valid := it.First(); valid && err == nil; valid = it.Next() {
		if err = checkKey(it.Key(), replayKeyLen); err == nil {
			var id event.ID
			copy(id[:], it.Key()[replayKeyLen-16:])
			ids = append(ids, id)
		}
	}
	return ids, errors.Join(err, it.Close())
}

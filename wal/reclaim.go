package wal

import (
	"bytes"
	"context"
	"errors"
	"slices"
)

// liveBytes are those of tables and blob files that are in use.
func (l *Log) liveBytes() int64 {
	m := l.db.Metrics()
	return int64(m.Table.Local.LiveSize + m.BlobFiles.Local.LiveSize)
}

// reclaim gives back the space of what was removed. A range deletion alone only
// hides rows. Pebble drops a table by itself that lies wholly in a deleted range, once
// the deletion has been flushed; what shares a table with other rows goes when that
// is next compacted, which for an hour that is over may be never. So the deleted
// stretches are compacted here. A blob file goes with the last table that refers to
// it, and is rewritten when a good part of it is referred to no longer; see
// separateValues.
func (r *retaining) reclaim() error {
	ctx, cancel := r.l.untilClose(r.p.Quit)
	defer cancel()
	for _, s := range joined(r.removed) {
		err := r.l.db.Compact(ctx, s.start, s.end, true)
		if errors.Is(err, context.Canceled) {
			return nil // the log closes
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// joined makes one stretch of all that was removed of a kind in hours that follow each
// other.
func joined(removed []span) []span {
	slices.SortFunc(removed, compareSpans)
	var all []span
	for _, s := range removed {
		if len(all) == 0 || !follows(all[len(all)-1], s) {
			all = append(all, s)
			continue
		}
		if last := &all[len(all)-1]; bytes.Compare(last.end, s.end) < 0 {
			last.end = s.end
		}
	}
	return all
}

func follows(a, b span) bool {
	return a.start[0] == b.start[0] && bucketOfKey(b.start) <= bucketOfKey(a.end)+1
}

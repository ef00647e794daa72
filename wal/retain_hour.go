package wal

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// hourVisit is what is done about one hour: look what has to stay, then remove the
// rest as ranges of keys, in one batch. Settlements of the hour's deliveries wait
// meanwhile.
type hourVisit struct {
	r       *retaining
	it      *pebble.Iterator
	bucket  uint32
	batch   *pebble.Batch
	spans   []span // what may go
	keep    []span // what has to stay
	reasons []string
}

func (r *retaining) visit(bucket uint32) error {
	r.visited[bucket] = true
	r.done.Hours++
	l := r.l
	l.freezing.Lock()
	defer l.freezing.Unlock()
	if err := l.freezeHour(bucket); err != nil {
		return err
	}
	defer l.thaw()
	it, err := l.db.NewIter(nil)
	if err != nil {
		return err
	}
	v := &hourVisit{r: r, it: it, bucket: bucket, batch: l.db.NewBatch()}
	defer v.batch.Close()
	if err := errors.Join(v.look(), it.Error(), it.Close()); err != nil {
		return fmt.Errorf("retention of the hour from %s: %w", hourTime(bucket).Format(time.RFC3339), err)
	}
	return v.remove()
}

// look finds what to remove.
func (v *hourVisit) look() error {
	tooMany, err := v.pending()
	if err != nil || tooMany {
		return err
	}
	for clock, kinds := range kindsOf {
		if v.r.most[clock] <= v.bucket {
			continue
		}
		for _, kind := range kinds {
			if err := v.old(clock, kind); err != nil {
				return err
			}
		}
	}
	v.spans, err = v.filled(without(v.spans, v.keep))
	return err
}

// old finds the rows of a kind that are too old: all of the hour, or those of some
// prefixes.
func (v *hourVisit) old(clock int, kind byte) error {
	if v.r.least[clock] > v.bucket {
		v.spans = append(v.spans, bucketSpan(kind, v.bucket))
		if kind == kindEvent {
			s := bucketSpan(kindSize, v.bucket)
			return v.batch.DeleteRange(s.start, s.end, nil)
		}
		return nil
	}
	n := 16 // a project
	if kind == kindDelivery {
		n = endpointLen - 5 // a partition and an endpoint's hash
	}
	var from []byte // where the stretch of prefixes that go begins
	err := prefixes(v.it, kind, v.bucket, n, func(prefix []byte) error {
		goes, err := v.goes(clock, prefix)
		switch {
		case goes && from == nil:
			from = prefix
		case !goes && from != nil:
			v.spans = append(v.spans, span{from, prefix})
			from = nil
		}
		return err
	})
	if from != nil {
		v.spans = append(v.spans, span{from, bucketSpan(kind, v.bucket).end})
	}
	return err
}

// goes reports whether the rows of a prefix, at the first of which the iterator
// stands, are too old.
func (v *hourVisit) goes(clock int, prefix []byte) (bool, error) {
	if prefix[0] == kindDelivery {
		return v.endpointGoes()
	}
	var project event.ID
	copy(project[:], prefix[5:])
	goes := v.r.targetOf(project)[clock] > v.bucket
	if goes && prefix[0] == kindEvent {
		return goes, v.batch.Delete(appendSizeKey(nil, v.bucket, project), nil)
	}
	return goes, nil
}

// endpointGoes decides by the project of an endpoint's first row, and by what any
// living endpoint of the same hash needs.
func (v *hourVisit) endpointGoes() (bool, error) {
	id, row := deliveryKeyParts(v.it.Key())
	if row != 0 {
		return false, &CorruptError{bytesClone(v.it.Key()), "an outcome without its delivery"}
	}
	d, err := decodeDelivery(v.it.Key(), v.it.Value())
	if err != nil || v.r.targetOf(d.ProjectID)[history] <= v.bucket || v.r.p.Longest == nil {
		return err == nil && v.r.targetOf(d.ProjectID)[history] > v.bucket, err
	}
	longest, living := v.r.p.Longest(event.DeliveryEndpointHash(id))
	return !living || v.r.before(longest) > v.bucket, nil
}

// filled leaves out the spans that are empty, so that an hour in which something
// stays does not get the same tombstones again and again.
func (v *hourVisit) filled(spans []span) ([]span, error) {
	some := spans[:0]
	for _, s := range spans {
		if v.it.SeekGE(s.start) && bytes.Compare(v.it.Key(), s.end) < 0 {
			some = append(some, s)
		}
	}
	return some, v.it.Error()
}

// remove commits the removal, and whether to look at the hour again.
func (v *hourVisit) remove() error {
	r := v.r
	for _, s := range v.spans {
		_ = v.batch.DeleteRange(s.start, s.end, nil)
	}
	key := appendBucket(nil, kindLeft, v.bucket)
	_, left := r.state.left[v.bucket]
	if len(v.reasons) > 0 {
		r.state.left[v.bucket] = r.p.Now.Add(time.Hour)
		for _, reason := range v.reasons {
			r.done.Postponed = append(r.done.Postponed, Postponed{hourTime(v.bucket), reason})
		}
		if !left {
			_ = v.batch.Set(key, sealedLeft(key), nil)
		}
	} else if left {
		delete(r.state.left, v.bucket)
		_ = v.batch.Delete(key, nil)
	}
	if v.batch.Empty() {
		return nil
	}
	r.removed = append(r.removed, v.spans...)
	r.done.Ranges += len(v.spans)
	return r.l.commitNow(v.batch)
}

// A bucket's record says that something had to stay there that was old enough. It has
// no fields.
func sealedLeft(key []byte) []byte {
	value := make([]byte, recordHeaderLen)
	seal(value, key)
	return value
}

func decodeLeft(key, value []byte) (uint32, error) {
	if err := checkKey(key, leftKeyLen); err != nil {
		return 0, err
	}
	_, err := open(key, value)
	return bucketOfKey(key), err
}

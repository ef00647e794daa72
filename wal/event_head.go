package wal

import (
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// eventHead is what a listing asks of an event's record, without a copy. It is not summed
// up: what is listed is read again.
type eventHead struct {
	id               event.ID
	seq              uint64
	origin           event.Origin
	source           event.ID
	kind, key, owner []byte
	owed             []byte // endpoints, 16 bytes each
	data             []byte
}

func readHead(key, value []byte) (h eventHead, err error) {
	if err := checkKey(key, eventKeyLen); err != nil {
		return h, err
	}
	if len(value) < recordHeaderLen {
		return h, tooShort(key, value)
	}
	if value[0] != recordVersion && value[0] != eventVersion2 {
		return h, &CorruptError{bytesClone(key), "not an event record of version 1 or 2"}
	}
	r := reader{b: value[recordHeaderLen:], key: key}
	h.id, h.seq = eventKeyID(key), millis(r.take6())
	second := value[0] == eventVersion2
	if second {
		h.origin = event.Origin(r.byte())
		r.take(1 + 16) // flags, of
		h.source = r.id()
	}
	r.take6()
	h.kind, h.key, h.owner = r.bytes(), r.bytes(), r.bytes()
	if second {
		r.bytes()
		r.bytes()
	}
	for range 2 * min(r.uvarint(), uint64(len(r.b))) {
		r.bytes()
	}
	n := r.uvarint()
	if n > uint64(len(r.b))/16 {
		r.bad = true
	}
	h.owed = r.take(int(min(n, uint64(len(r.b))/16)) * 16)
	h.data = r.b
	return h, r.done()
}

// appendOwed appends the ids of the deliveries to those of endpoints, or if there are
// none to all.
func (h *eventHead) appendOwed(dst []event.ID, only *idSet) []event.ID {
	for i := 0; i*16 < len(h.owed); i++ {
		endpoint := event.ID(h.owed[i*16 : i*16+16])
		if only.has(endpoint) {
			dst = append(dst, event.DeliveryID(h.id.Time(), event.EndpointHash(endpoint), h.seq+uint64(i)))
		}
	}
	return dst
}

func (h *eventHead) owes(only *idSet) bool {
	if only.empty() {
		return true
	}
	for i := 0; i < len(h.owed); i += 16 {
		if only.has(event.ID(h.owed[i : i+16])) {
			return true
		}
	}
	return false
}

// eventWords are the words of a filter that events are found by.
type eventWords struct {
	endpoints    *idSet
	subscription event.ID // not in the event's record: in those of its deliveries
	kind         string
	key, owner   string
	sources      *idSet
}

// pass asks an event's record.
func (w *eventWords) pass(h *eventHead) bool {
	return (w.kind == "" || string(h.kind) == w.kind) && (w.key == "" || string(h.key) == w.key) &&
		(w.owner == "" || string(h.owner) == w.owner) && w.sources.has(h.source) && h.owes(w.endpoints)
}

// groups are the tags to look for.
func (w *eventWords) groups() [][]tag {
	groups := [][]tag{textTags(tagKey, w.key), w.sources.tags(tagSource), textTags(tagOwner, w.owner), textTags(tagType, w.kind), w.endpoints.tags(tagEndpoint)}
	if w.subscription != (event.ID{}) {
		groups = append(groups, []tag{idTag(tagSubscription, w.subscription)})
	}
	return groups
}

func textTags(of uint64, text string) []tag {
	if text == "" {
		return nil
	}
	return []tag{textTag(of, text)}
}

// idSet is a set of ids. nil and the empty set have all.
type idSet struct {
	few  []event.ID
	many map[event.ID]struct{} // instead of few
}

func newIDSet(ids []event.ID) *idSet {
	if len(ids) <= 8 {
		return &idSet{few: ids}
	}
	s := &idSet{few: ids, many: make(map[event.ID]struct{}, len(ids))}
	for _, id := range ids {
		s.many[id] = struct{}{}
	}
	return s
}

func (s *idSet) empty() bool { return s == nil || len(s.few) == 0 }

func (s *idSet) has(id event.ID) bool {
	if s.empty() {
		return true
	}
	if s.many == nil {
		return slices.Contains(s.few, id)
	}
	_, ok := s.many[id]
	return ok
}

// tags are nil where not every id has one.
func (s *idSet) tags(of uint64) []tag {
	if s.empty() || len(s.few) > maxTags || slices.Contains(s.few, event.ID{}) {
		return nil
	}
	tags := make([]tag, len(s.few))
	for i, id := range s.few {
		tags[i] = idTag(of, id)
	}
	return tags
}

// eventWalk goes through those of a project's events in a range that the index does not
// exclude.
type eventWalk struct {
	*bucketWalk
	find *finder // nil: none is excluded
	err  error
}

// newEventWalk stands on the first one.
func newEventWalk(it *pebble.Iterator, find *finder, project event.ID, r event.Range) *eventWalk {
	w := &eventWalk{find: find}
	if find == nil {
		w.bucketWalk = newBucketWalk(it, kindEvent, project[:], r)
		return w
	}
	w.bucketWalk = unplacedWalk(it, kindEvent, project[:], r)
	find.from, find.to = w.from, w.to
	if r.Descending {
		w.settleOn(w.to)
	} else {
		w.settleOn(w.from)
	}
	return w
}

// settleOn moves to the first event from pos on that is not excluded.
func (w *eventWalk) settleOn(pos event.ID) {
	for w.ok = true; w.ok; {
		at, ok, err := w.find.next(pos)
		if w.err, w.ok = err, ok && at.Compare(w.from) >= 0 && at.Compare(w.to) <= 0; !w.ok {
			return
		}
		if !w.placed || w.id() != at {
			w.seek(at)
		}
		if !w.ok || w.id() == at {
			return
		}
		pos = w.id() // there is nothing at the place itself
	}
}

// next moves on from the event it stands on.
func (w *eventWalk) next() {
	if w.find == nil {
		w.bucketWalk.next()
		return
	}
	if w.find.all || !w.find.some { // the neighbour may well be next
		if w.bucketWalk.next(); w.ok {
			w.settleOn(w.id())
		}
		return
	}
	if id := w.id(); w.down {
		w.settleOn(event.Before(id))
	} else {
		w.settleOn(idAfter(id))
	}
}

// storedHead reads what a listing asks of an event that a delivery is of.
func (l *Log) storedHead(project, id event.ID, fn func(*eventHead) bool) (bool, error) {
	key := appendEventKey(make([]byte, 0, eventKeyLen), project, id)
	value, closer, err := l.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer closer.Close()
	h, err := readHead(key, value)
	return err == nil && fn(&h), err
}

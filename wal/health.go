package wal

import (
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// appendHealthBody appends an endpoint's health, after its header:
//
//	failures n | since n, ms | trips n | until n, ms
func appendHealthBody(dst []byte, h *event.Health) []byte {
	dst = binary.AppendUvarint(dst, uint64(h.Failures))
	dst = binary.AppendUvarint(dst, h.Since)
	dst = binary.AppendUvarint(dst, uint64(h.Trips))
	return binary.AppendUvarint(dst, h.Until)
}

func decodeHealth(key, value []byte) (event.Health, error) {
	if err := checkKey(key, healthKeyLen); err != nil {
		return event.Health{}, err
	}
	r, err := open(key, value)
	if err != nil {
		return event.Health{}, err
	}
	var h event.Health
	copy(h.Endpoint[:], key[3:])
	h.Failures, h.Since = int(r.uvarint()), r.uvarint()
	h.Trips, h.Until = int(r.uvarint()), r.uvarint()
	return h, r.done()
}

// setHealth writes an endpoint's health, or removes it when there is nothing to
// remember. The caller holds mu.
func (l *Log) setHealth(g *group, h *event.Health) {
	key := appendHealthKey(nil, h.Endpoint, l.partitions)
	if h.Well() {
		_ = g.batch.Delete(key, nil)
		return
	}
	value := appendHealthBody(make([]byte, recordHeaderLen), h)
	seal(value, key)
	_ = g.batch.Set(key, value, nil)
}

// readHealth tells of every endpoint that is not well.
func (r *recovery) readHealth(health func(event.Health)) error {
	return forOwned(r.l.db, kindHealth, r.owns, func(it *pebble.Iterator) (bool, error) {
		h, err := decodeHealth(it.Key(), it.Value())
		if err == nil {
			health(h)
		}
		return it.Next(), err
	})
}

package wal

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"posthaste/event"
)

// An event's record is its meta data, then the data as it was posted. The
// sequence of its first delivery stands at a fixed place, for it is known only
// when the event joins a group.
//
//	header | seq 6 | received ms 6 | type | idempotency key | owner |
//	n headers (name, value) | n owed (endpoint 16) | data
//
// Text is a uvarint length and its bytes; data runs to the end of the record.
// The i-th owed endpoint's delivery id is (the event's ms, hash of the endpoint,
// seq + i). The CRC runs over data, then meta data, then key: the long part is
// summed before the group is locked.
const eventSeqOffset = recordHeaderLen

// appendEventMeta appends the record up to its data, with room for the header
// and the sequence.
func appendEventMeta(dst []byte, ev *event.Event) []byte {
	dst = append(dst, make([]byte, recordHeaderLen+6)...)
	dst = appendMillis(dst, uint64(ev.ReceivedAt.UnixMilli()))
	dst = appendString(dst, ev.Type)
	dst = appendString(dst, ev.IdempotencyKey)
	dst = appendString(dst, ev.OwnerID)
	dst = binary.AppendUvarint(dst, uint64(len(ev.Headers)))
	for _, h := range ev.Headers {
		dst = appendString(appendString(dst, h.Name), h.Value)
	}
	dst = binary.AppendUvarint(dst, uint64(len(ev.Owed)))
	for i := range ev.Owed {
		dst = append(dst, ev.Owed[i].EndpointID[:]...)
	}
	return dst
}

func sealEvent(meta, key []byte, dataCRC uint32) {
	crc := crc32.Update(dataCRC, castagnoli, meta[recordHeaderLen:])
	sealWith(meta, crc32.Update(crc, castagnoli, key))
}

// decodeEvent reads an event's record into memory of its own.
func decodeEvent(key, value []byte) (*event.Event, error) {
	value = bytesClone(value)
	ev, data, err := decodeEventMeta(key, value)
	if err != nil {
		return nil, err
	}
	meta := value[recordHeaderLen : len(value)-len(data)]
	crc := crc32.Update(crc32.Update(crc32.Checksum(data, castagnoli), castagnoli, meta), castagnoli, key)
	if crc != binary.LittleEndian.Uint32(value[1:]) {
		return nil, &CorruptError{bytesClone(key), "checksum mismatch"}
	}
	ev.Data = data
	return ev, nil
}

func decodeEventMeta(key, value []byte) (*event.Event, []byte, error) {
	if err := checkKey(key, eventKeyLen); err != nil {
		return nil, nil, err
	}
	if len(value) < recordHeaderLen || value[0] != recordVersion {
		return nil, nil, &CorruptError{bytesClone(key), "not an event record of version 1"}
	}
	r := reader{b: value[recordHeaderLen:], key: key}
	ev := &event.Event{ID: eventKeyID(key)}
	copy(ev.ProjectID[:], key[5:])
	seq := millis(r.take6())
	ev.ReceivedAt = time.UnixMilli(int64(millis(r.take6()))).UTC()
	ev.Type, ev.IdempotencyKey, ev.OwnerID = r.string(), r.string(), r.string()
	ev.Headers = r.headers()
	ev.Owed = r.owed(ev, seq)
	if err := r.done(); err != nil {
		return nil, nil, err
	}
	return ev, r.b, nil
}

func (r *reader) take6() []byte {
	if f := r.take(6); f != nil {
		return f
	}
	return make([]byte, 6)
}

func (r *reader) headers() []event.Header {
	n := r.uvarint()
	if n == 0 || n > uint64(len(r.b)) {
		r.bad = r.bad || n != 0
		return nil
	}
	hs := make([]event.Header, n)
	for i := range hs {
		hs[i].Name = r.string()
		hs[i].Value = r.string()
	}
	return hs
}

func (r *reader) owed(ev *event.Event, seq uint64) []event.Delivery {
	n := r.uvarint()
	if n > uint64(len(r.b))/16 {
		r.bad = true
		return nil
	}
	ds := make([]event.Delivery, n)
	for i := range ds {
		ep := r.id()
		ds[i] = event.Delivery{
			ID:      event.DeliveryID(ev.ID.Time(), event.EndpointHash(ep), seq+uint64(i)),
			EventID: ev.ID, ProjectID: ev.ProjectID, EndpointID: ep,
		}
	}
	return ds
}

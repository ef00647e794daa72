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
// Version 1, of an event that was posted to the API:
//
//	header | seq 6 | received ms 6 | type | idempotency key | owner |
//	n headers (name, value) | n owed (endpoint 16) | data
//
// Version 2, of one that has an origin, a source, a path or a query, or whose content was
// deleted:
//
//	header | seq 6 | origin 1 | flags 1 | of 16 | source 16 | received ms 6 | type |
//	idempotency key | owner | path | query | n headers (name, value) |
//	n owed (endpoint 16) | data
//
// Text is a uvarint length and its bytes; data runs to the end of the record.
// The i-th owed endpoint's delivery id is (the event's ms, hash of the endpoint,
// seq + i). The CRC runs over data, then meta data, then key: the long part is
// summed before the group is locked. In version 2 it runs over the version, too, so
// that neither is taken for the other.
const (
	eventSeqOffset   = recordHeaderLen
	eventFlagsOffset = eventSeqOffset + 6 + 1     // version 2 only
	eventOfOffset    = eventSeqOffset + 6 + 1 + 1 // version 2 only

	eventVersion2 = 2
)

// Flags of an event's record.
const flagContentDeleted = 1

// appendEventMeta appends the record up to its data, with room for the header
// and the sequence. The version is set.
func appendEventMeta(dst []byte, ev *event.Event) []byte {
	if !plain(ev) {
		return appendEventMeta2(dst, ev)
	}
	dst = append(dst, recordVersion, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) // header, sequence
	return appendAddressed(appendNamed(dst, ev), ev)
}

// appendEventMeta2 is appendEventMeta in version 2.
func appendEventMeta2(dst []byte, ev *event.Event) []byte {
	dst = append(dst, eventVersion2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte(ev.Origin), 0)
	dst = append(append(dst, ev.Of[:]...), ev.SourceID[:]...)
	dst = appendNamed(dst, ev)
	dst = appendString(appendString(dst, ev.Path), ev.Query)
	return appendAddressed(dst, ev)
}

func appendNamed(dst []byte, ev *event.Event) []byte {
	dst = appendMillis(dst, uint64(ev.ReceivedAt.UnixMilli()))
	dst = appendString(dst, ev.Type)
	dst = appendString(dst, ev.IdempotencyKey)
	return appendString(dst, ev.OwnerID)
}

func appendAddressed(dst []byte, ev *event.Event) []byte {
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

// plain reports whether an event fits version 1.
func plain(ev *event.Event) bool {
	return ev.Origin == event.Posted && ev.Path == "" && ev.Query == "" && ev.SourceID == (event.ID{}) && ev.Of == (event.ID{})
}

// sealEvent fills in the checksum.
func sealEvent(meta, key []byte, dataCRC uint32) {
	putCRC(meta, eventCRC(meta, key, dataCRC))
}

func eventCRC(meta, key []byte, dataCRC uint32) uint32 {
	crc := crc32.Update(dataCRC, castagnoli, meta[recordHeaderLen:])
	crc = crc32.Update(crc, castagnoli, key)
	if meta[0] == eventVersion2 {
		crc = crc32.Update(crc, castagnoli, meta[:1])
	}
	return crc
}

// storedEvent is an event's record.
type storedEvent struct {
	event.Event
	flags byte
	meta  []byte // all before the data
}

// decodeEvent reads an event's record into memory of its own.
func decodeEvent(key, value []byte) (*event.Event, error) {
	ev, err := decodeStored(key, value)
	if err != nil {
		return nil, err
	}
	return &ev.Event, nil
}

// decodeStored is decodeEvent for those who need the record too.
func decodeStored(key, value []byte) (*storedEvent, error) {
	value = bytesClone(value)
	ev, data, err := decodeMeta(key, value)
	if err != nil {
		return nil, err
	}
	ev.meta = value[:len(value)-len(data)]
	if eventCRC(ev.meta, key, crc32.Checksum(data, castagnoli)) != binary.LittleEndian.Uint32(value[1:]) {
		return nil, &CorruptError{bytesClone(key), "checksum mismatch"}
	}
	ev.Data = data
	return ev, nil
}

func decodeMeta(key, value []byte) (*storedEvent, []byte, error) {
	if err := checkKey(key, eventKeyLen); err != nil {
		return nil, nil, err
	}
	if len(value) < recordHeaderLen {
		return nil, nil, tooShort(key, value)
	}
	if value[0] != recordVersion && value[0] != eventVersion2 {
		return nil, nil, &CorruptError{bytesClone(key), "not an event record of version 1 or 2"}
	}
	r := reader{b: value[recordHeaderLen:], key: key}
	ev := &storedEvent{Event: event.Event{ID: eventKeyID(key)}}
	copy(ev.ProjectID[:], key[5:])
	seq := millis(r.take6())
	second := value[0] == eventVersion2
	if second {
		ev.Origin, ev.flags = event.Origin(r.byte()), r.byte()
		ev.Of, ev.SourceID = r.id(), r.id()
		ev.Deleted = ev.flags&flagContentDeleted != 0
	}
	ev.ReceivedAt = time.UnixMilli(int64(millis(r.take6()))).UTC()
	ev.Type, ev.IdempotencyKey, ev.OwnerID = r.string(), r.string(), r.string()
	if second {
		ev.Path, ev.Query = r.string(), r.string()
	}
	ev.Headers = r.headers()
	ev.Owed = r.owed(&ev.Event, seq)
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

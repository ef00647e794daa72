package wal

import (
	"encoding/binary"

	"posthaste/event"
	"posthaste/stats"
)

// The first byte of a key is its kind.
const (
	kindHeader     = 'H' // the store's header, one record
	kindCatalog    = 'C' // kind, id
	kindEvent      = 'E' // bucket, project, event
	kindDelivery   = 'D' // bucket, partition, endpoint hash, ms, sequence, row
	kindTimer      = 'T' // partition, endpoint, due, delivery
	kindStatus     = 'X' // bucket, project, status, delivery
	kindIdempotent = 'K' // bucket, project, hash of the key
	kindReplay     = 'R' // bucket, project, original event, replay
	kindBehind     = 'B' // partition, endpoint
	kindHealth     = 'A' // partition, endpoint
	kindWatermark  = 'W' // partition
	kindJob        = 'J' // project, job
	kindGone       = 'G' // project
	kindLeft       = 'L' // bucket
	kindCounts     = 'N' // level, stretch, project, dimension, endpoint or type
	kindCounted    = 'Q' // sequence
	kindSize       = 'S' // bucket, project
	kindStretch    = 'I' // bucket, project, last event
	kindFind       = 'F' // bucket, project, shard, last event
	kindAudit      = 'U' // project or zero, record
)

// bucketMillis is the length of a time bucket. Rows of one bucket are deleted
// together, as a range, when retention ends.
const bucketMillis = 3600 * 1000

// Lengths of keys, in bytes.
const (
	catalogKeyLen  = 1 + 1 + 16
	eventKeyLen    = 1 + 4 + 16 + 16
	deliveryKeyLen = 1 + 4 + 2 + 4 + 6 + 6 + 2
	deliveryIDLen  = deliveryKeyLen - 2 // a delivery's rows share this prefix
	endpointLen    = 1 + 4 + 2 + 4      // an endpoint's rows of a bucket share this
	timerKeyLen    = 1 + 2 + 16 + 6 + 16
	statusKeyLen   = 1 + 4 + 16 + 1 + 16
	idemKeyLen     = 1 + 4 + 16 + 16
	replayKeyLen   = 1 + 4 + 16 + 16 + 16
	behindKeyLen   = 1 + 2 + 16
	healthKeyLen   = behindKeyLen
	waterKeyLen    = 1 + 2
	jobKeyLen      = 1 + 16 + 16
	goneKeyLen     = 1 + 16
	leftKeyLen     = 1 + 4
	sizeKeyLen     = 1 + 4 + 16
	countedKeyLen  = 1 + 8

	countsPrefixLen = 1 + 1 + 4 + 16 + 1 // of the rows of a project's dimension in a stretch
)

// allPartitions is the watermark's partition number for those that have no
// watermark of their own: all, unless they are held by several engines, or by none.
const allPartitions = 0xFFFF

// newestID stands in the place of a partition in the key of the record that says how
// late the newest id is.
const newestID = 0xFFFE

func bucketOf(ms uint64) uint32 { return uint32(ms / bucketMillis) }

func appendCatalogKey(dst []byte, kind byte, id event.ID) []byte {
	return append(append(dst, kindCatalog, kind), id[:]...)
}

func appendEventKey(dst []byte, project, id event.ID) []byte {
	dst = append(dst, kindEvent)
	dst = binary.BigEndian.AppendUint32(dst, bucketOf(id.Time()))
	return append(append(dst, project[:]...), id[:]...)
}

func eventKeyID(key []byte) (id event.ID) {
	copy(id[:], key[eventKeyLen-16:])
	return id
}

// appendDeliveryKey appends the key of a delivery's row: 0 is the delivery as it
// was created, 2n its n-th attempt, 2n+1 a change of state after that attempt.
// All of the key but the row derives from the delivery's id.
func appendDeliveryKey(dst []byte, id event.ID, partitions int, row uint16) []byte {
	dst = appendEndpointPrefix(dst, bucketOf(id.Time()), event.DeliveryEndpointHash(id), partitions)
	dst = append(dst, id[:6]...)
	dst = append(dst, id[10:]...)
	return binary.BigEndian.AppendUint16(dst, row)
}

// appendBound appends the key at which the rows of an endpoint's hash begin that
// belong to id and later. id may be another endpoint's: then it is where it falls
// between ours. row counts only for an id of ours.
func appendBound(dst []byte, id event.ID, hash uint32, partitions int, row uint16) []byte {
	switch of := event.DeliveryEndpointHash(id); {
	case of > hash: // all of ours of that millisecond come before id
		id, row = event.DeliveryID(id.Time(), hash, event.MaxDeliverySeq), 0xFFFF
	case of < hash: // and here after it
		id, row = event.DeliveryID(id.Time(), hash, 0), 0
	}
	return appendDeliveryKey(dst, id, partitions, row)
}

func appendEndpointPrefix(dst []byte, bucket, hash uint32, partitions int) []byte {
	dst = appendPartitionPrefix(dst, bucket, event.Partition(hash, partitions))
	return binary.BigEndian.AppendUint32(dst, hash)
}

func appendPartitionPrefix(dst []byte, bucket uint32, partition uint16) []byte {
	dst = append(dst, kindDelivery)
	dst = binary.BigEndian.AppendUint32(dst, bucket)
	return binary.BigEndian.AppendUint16(dst, partition)
}

// deliveryKeyParts reads the delivery's id and the row out of a key.
func deliveryKeyParts(key []byte) (id event.ID, row uint16) {
	copy(id[:6], key[endpointLen:])
	copy(id[6:10], key[endpointLen-4:])
	copy(id[10:], key[endpointLen+6:])
	return id, binary.BigEndian.Uint16(key[deliveryIDLen:])
}

func appendTimerPrefix(dst []byte, endpoint event.ID, partitions int) []byte {
	dst = append(dst, kindTimer)
	dst = binary.BigEndian.AppendUint16(dst, event.Partition(event.EndpointHash(endpoint), partitions))
	return append(dst, endpoint[:]...)
}

func appendTimerKey(dst []byte, endpoint event.ID, partitions int, due uint64, delivery event.ID) []byte {
	dst = appendTimerPrefix(dst, endpoint, partitions)
	dst = appendMillis(dst, due)
	return append(dst, delivery[:]...)
}

// timerKeyParts reads the endpoint, due time and delivery out of a timer's key.
func timerKeyParts(key []byte) (endpoint event.ID, due uint64, delivery event.ID) {
	copy(endpoint[:], key[3:])
	due = millis(key[19:])
	copy(delivery[:], key[25:])
	return endpoint, due, delivery
}

func appendStatusKey(dst []byte, project event.ID, status event.Status, delivery event.ID) []byte {
	dst = append(dst, kindStatus)
	dst = binary.BigEndian.AppendUint32(dst, bucketOf(delivery.Time()))
	dst = append(append(dst, project[:]...), byte(status))
	return append(dst, delivery[:]...)
}

func appendIdempotentKey(dst []byte, bucket uint32, project event.ID, hash [16]byte) []byte {
	dst = append(dst, kindIdempotent)
	dst = binary.BigEndian.AppendUint32(dst, bucket)
	return append(append(dst, project[:]...), hash[:]...)
}

// appendReplayKey appends the key that leads from an event to a replay of it. It lies
// in the bucket of the event.
func appendReplayKey(dst []byte, project, original, replay event.ID) []byte {
	return append(appendReplayPrefix(dst, project, original), replay[:]...)
}

func appendReplayPrefix(dst []byte, project, original event.ID) []byte {
	dst = appendBucket(dst, kindReplay, bucketOf(original.Time()))
	return append(append(dst, project[:]...), original[:]...)
}

// appendBucket appends where the rows of a kind begin that belong to a bucket.
func appendBucket(dst []byte, kind byte, bucket uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, kind), bucket)
}

// appendInBucket appends where a project's rows of a kind begin in a bucket.
func appendInBucket(dst []byte, kind byte, bucket uint32, project event.ID) []byte {
	return append(appendBucket(dst, kind, bucket), project[:]...)
}

func appendHealthKey(dst []byte, endpoint event.ID, partitions int) []byte {
	dst = append(dst, kindHealth)
	dst = binary.BigEndian.AppendUint16(dst, event.Partition(event.EndpointHash(endpoint), partitions))
	return append(dst, endpoint[:]...)
}

func appendJobKey(dst []byte, project, id event.ID) []byte {
	return append(append(append(dst, kindJob), project[:]...), id[:]...)
}

func appendBehindKey(dst []byte, endpoint event.ID, partitions int) []byte {
	dst = append(dst, kindBehind)
	dst = binary.BigEndian.AppendUint16(dst, event.Partition(event.EndpointHash(endpoint), partitions))
	return append(dst, endpoint[:]...)
}

func appendWatermarkKey(dst []byte, partition uint16) []byte {
	return binary.BigEndian.AppendUint16(append(dst, kindWatermark), partition)
}

func appendMillis(dst []byte, ms uint64) []byte {
	return append(dst, byte(ms>>40), byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms))
}

func millis(b []byte) uint64 {
	return uint64(b[0])<<40 | uint64(b[1])<<32 | uint64(b[2])<<24 | uint64(b[3])<<16 | uint64(b[4])<<8 | uint64(b[5])
}

// successor is the smallest key that is greater than every key with this
// prefix. It changes prefix in place.
func successor(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		prefix[i]++
		if prefix[i] != 0 {
			return prefix[:i+1]
		}
	}
	return nil
}

func appendCountedKey(dst []byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, kindCounted), seq)
}

func appendCountsKey(dst []byte, level int, stretch uint32, s *stats.Series) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, kindCounts, byte(level)), stretch)
	dst = append(append(dst, s.Project[:]...), byte(s.Dim))
	return s.AppendOf(dst)
}

// decodeCountsKey reads what appendCountsKey wrote.
func decodeCountsKey(key []byte) (level stats.Level, stretch uint32, s stats.Series, err error) {
	if len(key) < countsPrefixLen || int(key[1]) >= len(stats.Levels) {
		return level, 0, s, &CorruptError{bytesClone(key), "not a key of counts"}
	}
	copy(s.Project[:], key[6:])
	s.Dim = stats.Dim(key[countsPrefixLen-1])
	if !s.ParseOf(key[countsPrefixLen:]) {
		return level, 0, s, &CorruptError{bytesClone(key), "not a series of counts"}
	}
	return stats.Levels[key[1]], binary.BigEndian.Uint32(key[2:]), s, nil
}

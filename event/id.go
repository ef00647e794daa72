package event

import (
	"encoding/binary"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/oklog/ulid/v2"
)

// ID names every object of posthaste. It is a ULID (https://github.com/ulid/spec):
// 48 bits of Unix milliseconds, then 80 bits that make it unique. Its text form
// is 26 characters of Crockford base 32 and sorts as the bytes do.
type ID = ulid.ULID

// IDTextLen is the length of an ID's text form.
const IDTextLen = ulid.EncodedSize

// NewID makes the id of an object that a person creates: a project, an endpoint,
// a subscription. Events and deliveries get theirs from the log, in commit order.
// It may be called from any goroutine.
func NewID() ID { return ulid.Make() }

// ParseID reads an id's text form. The error says nothing of the text, which
// came from outside.
func ParseID(text string) (ID, error) {
	id, err := ulid.ParseStrict(text)
	if err != nil {
		return ID{}, ErrBadID
	}
	return id, nil
}

// AppendID appends the text form of id to dst.
func AppendID(dst []byte, id ID) []byte {
	n := len(dst)
	dst = append(dst, make([]byte, IDTextLen)...)
	_ = id.MarshalTextTo(dst[n:])
	return dst
}

// TimeOf is the creation time that id carries, in UTC, to the millisecond.
func TimeOf(id ID) time.Time { return time.UnixMilli(int64(id.Time())).UTC() }

// EndpointHash places an endpoint: its partition, and the order of its rows in
// the log, derive from it. Two endpoints may share a hash, so a row found by it
// is checked against the endpoint id it names.
func EndpointHash(endpoint ID) uint32 { return uint32(xxhash.Sum64(endpoint[:]) >> 32) }

// Partition is the partition of an endpoint hash among count partitions. count
// is stored with the data and never changes for a store.
func Partition(hash uint32, count int) uint16 { return uint16(hash % uint32(count)) }

// DefaultPartitions is how many partitions a new store has.
const DefaultPartitions = 256

// MaxDeliverySeq is the largest sequence a delivery id can carry.
const MaxDeliverySeq = 1<<48 - 1

// DeliveryID builds a delivery's id:
//
//	+----------------+--------------------+-----------------+
//	| ms since 1970  | endpoint hash      | sequence        |
//	| 6 bytes, BE    | 4 bytes, BE        | 6 bytes, BE     |
//	+----------------+--------------------+-----------------+
//
// It is a valid ULID. From the id alone the log computes the row's key, so a
// delivery is looked up without an index; the ids of one endpoint sort in the
// order in which its deliveries were committed.
func DeliveryID(ms uint64, endpointHash uint32, seq uint64) ID {
	var id ID
	_ = id.SetTime(ms)
	binary.BigEndian.PutUint32(id[6:], endpointHash)
	id[10], id[11] = byte(seq>>40), byte(seq>>32)
	binary.BigEndian.PutUint32(id[12:], uint32(seq))
	return id
}

// DeliveryEndpointHash is the endpoint hash that a delivery id carries.
func DeliveryEndpointHash(id ID) uint32 { return binary.BigEndian.Uint32(id[6:]) }

// Before is the greatest id that is smaller than id; of the zero id, the greatest.
func Before(id ID) ID {
	for i := len(id) - 1; i >= 0; i-- {
		id[i]--
		if id[i] != 0xFF {
			break
		}
	}
	return id
}

package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"posthaste/event"
)

// Every value starts with its record's version and a CRC-32C (Castagnoli,
// RFC 3720 B.4) over the bytes after it and then the key, so that a record is
// neither torn nor read under a key that is not its own.
//
//	+---------+-----------------+----------------+
//	| version | CRC-32C         | body           |
//	| 1 byte  | 4 bytes, LE     | to the end     |
//	+---------+-----------------+----------------+
const (
	recordVersion   = 1
	recordHeaderLen = 5
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrCorrupt means that a record is not what was written. Nothing is deleted
// in order to carry on.
var ErrCorrupt = errors.New("corrupt record")

// CorruptError is ErrCorrupt with the record's key.
type CorruptError struct {
	Key    []byte
	Reason string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("corrupt record at key %x: %s", e.Key, e.Reason)
}

// Is makes errors.Is(err, ErrCorrupt) true.
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }

// seal fills in the header of a whole value.
func seal(value, key []byte) {
	crc := crc32.Update(crc32.Checksum(value[recordHeaderLen:], castagnoli), castagnoli, key)
	sealWith(value, crc)
}

func sealWith(value []byte, crc uint32) {
	value[0] = recordVersion
	putCRC(value, crc)
}

func putCRC(value []byte, crc uint32) {
	binary.LittleEndian.PutUint32(value[1:], crc)
}

// checkKey checks the length of a key before its parts are taken.
func checkKey(key []byte, length int) error {
	if len(key) != length {
		return &CorruptError{bytesClone(key), fmt.Sprintf("a key of %d bytes, not %d", len(key), length)}
	}
	return nil
}

// open checks a value's header and returns a reader of its body.
func open(key, value []byte) (reader, error) {
	if len(value) < recordHeaderLen {
		return reader{}, tooShort(key, value)
	}
	if value[0] != recordVersion {
		return reader{}, &CorruptError{bytesClone(key), fmt.Sprintf("record version %d; this program reads version %d", value[0], recordVersion)}
	}
	crc := crc32.Update(crc32.Checksum(value[recordHeaderLen:], castagnoli), castagnoli, key)
	if crc != binary.LittleEndian.Uint32(value[1:]) {
		return reader{}, &CorruptError{bytesClone(key), "checksum mismatch"}
	}
	return reader{b: value[recordHeaderLen:], key: key}, nil
}

// tooShort is the error of a value that is shorter than a header. Of one in a value file
// Pebble says nothing else where the file is damaged: no record is empty.
func tooShort(key, value []byte) error {
	reason := "shorter than its header"
	if len(value) == 0 {
		reason = "its value cannot be read from its file; see what is affected with posthaste doctor"
	}
	return &CorruptError{bytesClone(key), reason}
}

// reader takes fields off the front of a record's body. The first field that
// is not there sets bad, and every later one reads as zero.
type reader struct {
	b, key []byte
	bad    bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	f := r.b[:n:n]
	r.b = r.b[n:]
	return f
}

func (r *reader) byte() byte {
	if f := r.take(1); f != nil {
		return f[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) bytes() []byte { return r.takeLong(r.uvarint()) }

// takeLong is take for a length that was read.
func (r *reader) takeLong(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	return r.take(int(n))
}

func (r *reader) string() string { return string(r.bytes()) }

func (r *reader) id() (id event.ID) {
	copy(id[:], r.take(16))
	return id
}

// done reports what is wrong with the record once its fields were read.
func (r *reader) done() error {
	if r.bad {
		return &CorruptError{bytesClone(r.key), "ends before its last field"}
	}
	return nil
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func bytesClone(b []byte) []byte { return append([]byte(nil), b...) }

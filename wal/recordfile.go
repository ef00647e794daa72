package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Pebble keeps its write-ahead logs and its manifest in blocks of 32 KiB, as records in
// one or more chunks. No chunk reaches into another block:
//
//	+-----------+--------+--------+------------+-----------------+---------+
//	| CRC-32C,  | size   | type   | log number | synced up to    | payload |
//	| masked  4 | 2      | 1      | 4          | 8               |         |
//	+-----------+--------+--------+------------+-----------------+---------+
//
// All integers are little-endian. The CRC runs from the type to the payload's end. A
// manifest's chunks have neither log number nor synced; the latter is an offset in the
// file that had been synced when the chunk was written, or less. A log that was closed
// ends with a header of the next log's number, without CRC and size.
//
// Pebble reads such a file to the first chunk that is not whole, and takes that for its
// end unless a later block proves the contrary; of a manifest it takes anything for
// the end. So a flipped bit could cut off what comes after it without a sign. recordScan
// reads as Pebble does, and then looks at what follows the end for proof that it is none.
const (
	recordBlock   = 32 << 10
	plainChunk    = 7  // length of a chunk's header in a manifest
	numberedChunk = 11 // with a log number: of older logs, and the end of a closed one
	syncedChunk   = 19 // with log number and synced
)

// sector is what a disk writes whole.
const sector = 512

// The place of a chunk in its record.
const (
	chunkFull = iota
	chunkFirst
	chunkMiddle
	chunkLast
)

// recordHead is how much of a record's payload recordScan keeps.
const recordHead = 128

// unsyncedRecords is how many records of a log may follow one that is not durable yet:
// two groups, and one batch of each of the few that commit beside them.
const unsyncedRecords = 64

// recordScan is one pass over a file of records.
type recordScan struct {
	in      io.Reader
	number  uint32 // a log's; 0 is a manifest
	durable bool   // what was written to the log was synced before unsyncedRecords more were
	visit   func(head []byte)

	buf   [recordBlock]byte
	n     int   // bytes of the block
	block int64 // where it begins in the file
	found recordEnd
}

// recordEnd is where the records of a file end, and how.
type recordEnd struct {
	Records int
	Stop    int64 // behind the last whole record
	// Closed: the file ends as its writer ended it. Otherwise the writer was stopped, in
	// the middle of a record perhaps.
	Closed bool
	At     int64  // of what is damaged
	Damage string // why what follows is no torn end; "" if it may be one
}

// chunk is one whole chunk.
type chunk struct {
	place   int
	payload []byte
	synced  uint64
	end     int // in the block
}

// What stands at a place in a block.
const (
	isChunk = iota
	isPadding
	isEnd
	isNone
)

// run reads the file. The error is one of reading it.
func (s *recordScan) run() (recordEnd, error) {
	var head []byte
	open := false // in a record
	at, err := s.next()
	for err == nil {
		c, what := s.chunkAt(at)
		if what == isEnd && open {
			what = isNone
		}
		switch what {
		case isPadding:
			if s.n < recordBlock {
				return s.ends(open || at < s.n)
			}
			at, err = s.next()
			continue
		case isEnd:
			s.found.Closed = true
			return s.found, nil
		case isNone:
			return s.examine(at)
		}
		begins := c.place == chunkFull || c.place == chunkFirst
		switch {
		case begins && open:
			s.damaged(at, "a record begins within another")
			return s.found, nil
		case begins:
			head = head[:0]
		case !open: // Pebble passes over it, too
			at = c.end
			continue
		}
		at = c.end
		head = append(head, c.payload[:min(len(c.payload), recordHead-len(head))]...)
		if open = c.place == chunkFirst || c.place == chunkMiddle; !open {
			s.found.Records++
			s.found.Stop = s.block + int64(at)
			s.visit(head)
		}
	}
	if errors.Is(err, io.EOF) {
		return s.ends(open)
	}
	return s.found, err
}

// ends is the end of the file itself.
func (s *recordScan) ends(torn bool) (recordEnd, error) {
	s.found.Closed = !torn
	return s.found, nil
}

// next reads the next block; io.EOF if there is none.
func (s *recordScan) next() (int, error) {
	s.block += int64(s.n)
	n, err := io.ReadFull(s.in, s.buf[:])
	if s.n = n; n > 0 && errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return 0, err
}

// chunkAt reads what stands at a place in the block.
func (s *recordScan) chunkAt(at int) (c chunk, what int) {
	rest := s.buf[at:s.n]
	if len(rest) < plainChunk {
		return c, isPadding
	}
	size, kind := int(binary.LittleEndian.Uint16(rest[4:])), rest[6]
	if kind == 0 {
		if len(rest) < syncedChunk && allZero(rest) {
			return c, isPadding
		}
		return c, isNone
	}
	length, known := chunkHeader(kind)
	if !known || len(rest) < length {
		return c, isNone
	}
	if length > plainChunk && binary.LittleEndian.Uint32(rest[7:]) != s.number {
		next := binary.LittleEndian.Uint32(rest[7:]) == s.number+1
		if next && size == 0 && binary.LittleEndian.Uint32(rest) == 0 {
			return c, isEnd
		}
		return c, isNone
	}
	if len(rest) < length+size || binary.LittleEndian.Uint32(rest) != maskedCRC(rest[6:length+size]) {
		return c, isNone
	}
	c = chunk{place: int(kind-1) % 4, payload: rest[length : length+size], end: at + length + size}
	if length == syncedChunk {
		c.synced = binary.LittleEndian.Uint64(rest[11:])
	}
	return c, isChunk
}

// chunkHeader is the length of the header of chunks of a type.
func chunkHeader(kind byte) (length int, known bool) {
	switch {
	case kind >= 1 && kind <= 4:
		return plainChunk, true
	case kind >= 5 && kind <= 8:
		return numberedChunk, true
	case kind >= 9 && kind <= 12:
		return syncedChunk, true
	}
	return 0, false
}

// examine looks whether what stands at a place, which is no chunk, may be the end.
func (s *recordScan) examine(at int) (recordEnd, error) {
	stop := s.block + int64(at)
	switch {
	case s.oneBitOff(at):
		s.damaged(at, "one flipped bit")
		return s.found, nil
	case at == 0 && s.foreign():
		s.damaged(at, "what stands there was never part of such a file")
		return s.found, nil
	}
	records := 0
	var err error
	for ; err == nil; at, err = s.next() {
		for at < s.n {
			c, what := s.chunkAt(at)
			if what != isChunk {
				at++
				continue
			}
			at = c.end
			if c.place == chunkFull || c.place == chunkLast {
				records++
			}
			if reason := s.proof(c, stop, records); reason != "" {
				s.found.At, s.found.Damage = stop, reason
				return s.found, nil
			}
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return s.found, err
}

// proof says why a chunk behind a place means that the file did not end there.
func (s *recordScan) proof(c chunk, stop int64, records int) string {
	switch {
	case s.number == 0 && (c.place == chunkFull || c.place == chunkFirst):
		return "records follow that were written after it"
	case s.number != 0 && c.synced > uint64(stop):
		return "a later record says that it was on the disk"
	case s.number != 0 && s.durable && records > unsyncedRecords:
		return fmt.Sprintf("more than %d records follow that were written after it", unsyncedRecords)
	}
	return ""
}

func (s *recordScan) damaged(at int, reason string) {
	s.found.At, s.found.Damage = s.block+int64(at), reason
}

// foreign reports whether a block does not begin as one does: with a chunk, one of
// the log whose file this was before, or zeros.
func (s *recordScan) foreign() bool {
	head := s.buf[:min(s.n, syncedChunk)]
	if allZero(head) || len(head) < plainChunk {
		return false
	}
	if head[6] == 0 { // the first bytes of a header, if nothing is behind them
		return !allZero(head[plainChunk:])
	}
	length, known := chunkHeader(head[6])
	if !known {
		return true
	}
	if s.number == 0 {
		return length != plainChunk
	}
	if len(head) < length { // the file ends within a header
		return false
	}
	return length == plainChunk || binary.LittleEndian.Uint32(head[7:]) > s.number+1
}

// oneBitOff reports whether what stands at a place is a chunk with one bit flipped. Of
// other bytes this is so by chance in one of ten thousand chunks of the largest size.
func (s *recordScan) oneBitOff(at int) bool {
	length := plainChunk
	if s.number != 0 {
		length = syncedChunk
	}
	rest := s.buf[at:s.n]
	if len(rest) < length || allZero(rest[:length]) {
		return false
	}
	stored, size := binary.LittleEndian.Uint32(rest), int(binary.LittleEndian.Uint16(rest[4:]))
	if end := length + size; end <= len(rest) && oneBitFlipped(rest[6:end], stored) {
		return !s.torn(at, at+end)
	}
	for bit := range 16 {
		if size := size ^ 1<<bit; length+size <= len(rest) && maskedCRC(rest[6:length+size]) == stored {
			return s.number == 0 || binary.LittleEndian.Uint32(rest[7:]) == s.number
		}
	}
	return false
}

// torn reports whether a chunk has zeros from the edge of a sector to its end, and nothing
// behind it: a crash leaves that, and there may have been but one bit.
func (s *recordScan) torn(at, end int) bool {
	last := s.n
	for last > at && s.buf[last-1] == 0 {
		last--
	}
	return (last+sector-1)/sector*sector < end // blocks begin at a sector
}

// oneBitFlipped reports whether data and its masked CRC agree but for one bit of either.
func oneBitFlipped(data []byte, stored uint32) bool {
	crc := crc32.Checksum(data, castagnoli)
	if d := stored ^ mask(crc); d != 0 && d&(d-1) == 0 {
		return true
	}
	diff := unmask(stored) ^ crc
	if diff == 0 {
		return false
	}
	// A CRC is linear: a flipped bit changes it by a value that depends on how many bytes
	// follow alone.
	for bit := range 8 {
		change := castagnoli[1<<bit]
		for range data {
			if change == diff {
				return true
			}
			change = castagnoli[byte(change)] ^ change>>8
		}
	}
	return false
}

// maskedCRC is a CRC-32C as Pebble stores it.
func maskedCRC(data []byte) uint32 { return mask(crc32.Checksum(data, castagnoli)) }

const crcMask = 0xa282ead8

func mask(crc uint32) uint32 { return (crc>>15 | crc<<17) + crcMask }

func unmask(crc uint32) uint32 {
	crc -= crcMask
	return crc>>17 | crc<<15
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

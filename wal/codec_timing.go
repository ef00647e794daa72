package wal

import (
	"encoding/binary"
	"time"

	"posthaste/event"
)

// appendTiming appends where an attempt's time went:
//
//	which 1 | microseconds of each
//
// Bits of which, from the lowest: token, lookup, connect, handshake, wait. A bit that is
// not set stands for 0. Most attempts have a wait only.
func appendTiming(dst []byte, t *event.Timing) []byte {
	at := len(dst)
	dst = append(dst, 0)
	for i, part := range parts(t) {
		if us := part.Microseconds(); us > 0 {
			dst[at] |= 1 << i
			dst = binary.AppendUvarint(dst, uint64(us))
		}
	}
	return dst
}

func (r *reader) timing() (t event.Timing) {
	which := r.byte()
	r.bad = r.bad || which >= 1<<len(parts(&t))
	for i, part := range parts(&t) {
		if which&(1<<i) != 0 {
			*part = time.Duration(r.uvarint()) * time.Microsecond
		}
	}
	return t
}

func parts(t *event.Timing) [5]*time.Duration {
	return [...]*time.Duration{&t.Token, &t.Lookup, &t.Connect, &t.Handshake, &t.Wait}
}

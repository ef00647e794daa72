package wal

import (
	"encoding/binary"
	"time"

	"posthaste/event"
)

// statusAtMostOnce is added to the status in row 0 of a delivery that is to be made
// at most once.
const statusAtMostOnce = 0x80

// appendDeliveryBody appends row 0 of a delivery, after its header:
//
//	status 1 | event 16 | project 16 | endpoint 16 | subscription 16 | reason
func appendDeliveryBody(dst []byte, d *event.Delivery) []byte {
	status := byte(d.Status)
	if d.AtMostOnce {
		status |= statusAtMostOnce
	}
	dst = append(dst, status)
	dst = append(dst, d.EventID[:]...)
	dst = append(dst, d.ProjectID[:]...)
	dst = append(dst, d.EndpointID[:]...)
	dst = append(dst, d.SubscriptionID[:]...)
	return appendString(dst, d.Reason)
}

func decodeDelivery(key, value []byte) (event.Delivery, error) {
	if err := checkKey(key, deliveryKeyLen); err != nil {
		return event.Delivery{}, err
	}
	r, err := open(key, value)
	if err != nil {
		return event.Delivery{}, err
	}
	id, _ := deliveryKeyParts(key)
	d := event.Delivery{ID: id, UpdatedAt: event.TimeOf(id)}
	status := r.byte()
	d.Status, d.AtMostOnce = event.Status(status&^statusAtMostOnce), status&statusAtMostOnce != 0
	d.EventID, d.ProjectID, d.EndpointID, d.SubscriptionID = r.id(), r.id(), r.id(), r.id()
	d.Reason = r.string()
	return d, r.done()
}

// Flags of an attempt's row, and of a timer.
const (
	flagAttempt = 1 << iota // an attempt was made; else only the state changed
	flagManual
	flagBodyCut
	flagAtMostOnce // timers only
	flagHeaderText // the attempt's headers are packed
	flagTiming     // the attempt's timing is known
)

// appendOutcomeBody appends a later row of a delivery, after its header: the
// state it is in from now on, then the attempt that led to it, if one did.
//
//	status 1 | flags 1 | charged attempts | limit | due ms | updated µs | reason |
//	number | started µs | duration µs | status code | class 1 | error | address |
//	URL | request headers | response headers | response body | timing
//
// Numbers are uvarints, text a uvarint length and its bytes; headers are packed, see
// appendHeaderText.
func appendOutcomeBody(dst []byte, s *event.Settlement) []byte {
	d, a := &s.Delivery, s.Attempt
	dst = append(dst, byte(d.Status), outcomeFlags(a))
	dst = binary.AppendUvarint(dst, uint64(d.Attempts))
	dst = binary.AppendUvarint(dst, uint64(d.Limit))
	dst = binary.AppendUvarint(dst, timeMillis(d.Due))
	dst = binary.AppendUvarint(dst, uint64(d.UpdatedAt.UnixMicro()))
	dst = appendString(dst, d.Reason)
	if a == nil {
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(a.Number))
	dst = binary.AppendUvarint(dst, uint64(a.StartedAt.UnixMicro()))
	dst = binary.AppendUvarint(dst, uint64(a.Duration.Microseconds()))
	dst = binary.AppendUvarint(dst, uint64(a.StatusCode))
	dst = append(dst, byte(a.Class))
	dst = appendString(dst, a.Error)
	dst = appendString(dst, a.Address)
	dst = appendString(dst, a.URL)
	dst = appendHeaderText(dst, a.RequestHeaders)
	dst = appendHeaderText(dst, a.ResponseHeaders)
	dst = appendBytes(dst, a.ResponseBody)
	if a.Timing == (event.Timing{}) {
		return dst
	}
	return appendTiming(dst, &a.Timing)
}

func outcomeFlags(a *event.Attempt) (f byte) {
	if a == nil {
		return 0
	}
	f = flagAttempt | flagHeaderText
	if a.Manual {
		f |= flagManual
	}
	if a.BodyCut {
		f |= flagBodyCut
	}
	if a.Timing != (event.Timing{}) {
		f |= flagTiming
	}
	return f
}

// decodeOutcome reads a later row into the delivery's state and, when a is not
// nil and the row holds one, the attempt. It reports whether it holds one.
func decodeOutcome(key, value []byte, d *event.Delivery, a *event.Attempt) (bool, error) {
	r, err := open(key, value)
	if err != nil {
		return false, err
	}
	d.Status = event.Status(r.byte())
	flags := r.byte()
	d.Attempts, d.Limit = int(r.uvarint()), int(r.uvarint())
	d.Due = millisTime(r.uvarint())
	d.UpdatedAt = time.UnixMicro(int64(r.uvarint())).UTC()
	d.Reason = r.string()
	if a == nil || flags&flagAttempt == 0 {
		return false, r.done()
	}
	a.DeliveryID, a.EndpointID = d.ID, d.EndpointID
	a.Manual, a.BodyCut = flags&flagManual != 0, flags&flagBodyCut != 0
	a.Number = int(r.uvarint())
	a.StartedAt = time.UnixMicro(int64(r.uvarint())).UTC()
	a.Duration = time.Duration(r.uvarint()) * time.Microsecond
	a.StatusCode = int(r.uvarint())
	a.Class = event.ErrorClass(r.byte())
	a.Error, a.Address, a.URL = r.string(), r.string(), r.string()
	if flags&flagHeaderText != 0 {
		a.RequestHeaders, a.ResponseHeaders = r.headerText(), r.headerText()
	} else {
		a.RequestHeaders, a.ResponseHeaders = bytesClone(r.bytes()), bytesClone(r.bytes())
	}
	a.ResponseBody = bytesClone(r.bytes())
	a.Timing = event.Timing{}
	if flags&flagTiming != 0 {
		a.Timing = r.timing()
	}
	return true, r.done()
}

// appendTimerBody appends a timer's record, after its header: all that is
// needed to make the attempt without reading the delivery's rows.
//
//	flags 1 | event 16 | project 16 | subscription 16 | charged attempts | limit
func appendTimerBody(dst []byte, d *event.Delivery) []byte {
	var flags byte
	if d.Manual {
		flags = flagManual
	}
	if d.AtMostOnce {
		flags |= flagAtMostOnce
	}
	dst = append(dst, flags)
	dst = append(dst, d.EventID[:]...)
	dst = append(dst, d.ProjectID[:]...)
	dst = append(dst, d.SubscriptionID[:]...)
	dst = binary.AppendUvarint(dst, uint64(d.Attempts))
	return binary.AppendUvarint(dst, uint64(d.Limit))
}

func decodeTimer(key, value []byte) (event.Delivery, error) {
	if err := checkKey(key, timerKeyLen); err != nil {
		return event.Delivery{}, err
	}
	r, err := open(key, value)
	if err != nil {
		return event.Delivery{}, err
	}
	ep, due, id := timerKeyParts(key)
	d := event.Delivery{ID: id, EndpointID: ep, Status: event.Retry, Due: millisTime(due)}
	flags := r.byte()
	d.Manual, d.AtMostOnce = flags&flagManual != 0, flags&flagAtMostOnce != 0
	d.EventID, d.ProjectID, d.SubscriptionID = r.id(), r.id(), r.id()
	d.Attempts, d.Limit = int(r.uvarint()), int(r.uvarint())
	return d, r.done()
}

func timeMillis(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixMilli())
}

func millisTime(ms uint64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms)).UTC()
}

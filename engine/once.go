package engine

import (
	"time"

	"posthaste/event"
)

// A delivery that is to be made at most once is written off before its attempt, and
// that is durable before a byte is sent. If the process ends in the middle, it
// stays a failure that says so; otherwise the attempt's outcome takes its place.
const writtenOff = "an attempt was begun and its outcome is not known: it may have arrived"

// forewarn writes the delivery off. It reports false if that failed.
func (s *Shard) forewarn(st *event.Settlement) bool {
	off := *st
	off.Delivery.Status, off.Delivery.Reason = event.Failure, writtenOff
	off.Delivery.UpdatedAt, off.Delivery.Due = s.e.now(), time.Time{}
	err := s.e.o.Store.Settle(&off)
	if err == nil {
		err = s.e.o.Store.Flush()
	}
	if err != nil {
		s.e.o.Logger.Error().Err(err).Str("delivery", st.Delivery.ID.String()).Msg("a delivery was not sent: that it is about to be could not be written")
		return false
	}
	st.Was, st.Timer = event.Failure, time.Time{}
	return true
}

// afterwarn takes the write-off back after an attempt that did not count, unless
// something may have been sent. It reports false: the job is not queued again, the
// log has it.
func (s *Shard) afterwarn(w *worker) (again bool) {
	w.settled = true
	if w.attempt.Class != event.ClassLocal {
		return false
	}
	st := &w.settlement
	st.Delivery.Status, st.Delivery.UpdatedAt = event.Retry, s.e.now()
	st.Delivery.Due = st.Delivery.UpdatedAt.Add(localPause)
	s.settle(st, w.job.ev)
	return false
}

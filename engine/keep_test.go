package engine

import (
	"testing"
	"time"

	"posthaste/event"
)

func TestKeep(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	id := func(n uint64) event.ID { return event.DeliveryID(uint64(now.UnixMilli()), 1, n) }
	ev := &event.Event{Data: make([]byte, 744)} // of 1000 bytes in memory
	var k keep
	k.init(3000)
	var held int64
	for n := range uint64(5) {
		held += k.put(id(n), ev, now.Add(time.Duration(n)*time.Second))
	}
	if k.take(id(0)) != nil || k.take(id(1)) != nil {
		t.Error("it holds more than it may")
	}
	if held != 3000 || k.bytes != 3000 {
		t.Errorf("%d bytes reported, %d counted, want 3000", held, k.bytes)
	}
	if grown := k.put(id(3), ev, now.Add(10*time.Second)); grown != 0 {
		t.Errorf("an event that it had made it grow by %d", grown)
	}
	if shrunk := k.expire(now.Add(5 * time.Second)); shrunk != 2000 {
		t.Errorf("%d bytes expired, want those of two events", shrunk)
	}
	if k.take(id(3)) != ev || k.take(id(3)) != nil || k.bytes != 0 || k.line.Len() != 0 {
		t.Errorf("what was put in last is not handed out once: %d bytes, %d in line", k.bytes, k.line.Len())
	}
}

// A retry that is near does not read its event from the log.
func TestANearRetryReadsNoEvent(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		reads := 0
		w.store.broken = func(op string) error {
			if op == "event" {
				reads++
			}
			return nil
		}
		ep := w.endpoint()
		w.sender.set(ep.ID, failsFirst(1))
		w.post(ep, 20)
		w.settled(time.Hour)
		w.want(map[event.Status]int{event.Success: 20})
		if reads > 0 {
			t.Errorf("%d events read", reads)
		}
		if st := w.engine.Stats(); st.QueuedBytes != 0 {
			t.Errorf("%d bytes are counted at the end", st.QueuedBytes)
		}
	})
}

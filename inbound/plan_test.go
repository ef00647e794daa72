package inbound

import (
	"testing"

	"posthaste/event"
)

// A source that was changed is another one at once.
func TestPlansFollowTheSource(t *testing.T) {
	p := newPlans()
	one := &event.Source{ID: event.NewID(), MaskID: "a"}
	first := p.of(one)
	if p.of(one) != first {
		t.Error("made twice")
	}
	two := *one
	two.EventTypeLocation = "body.t"
	if got := p.of(&two); got == first || got.eventType.name != "t" {
		t.Errorf("plan %+v of the changed source", got)
	}
}

func TestPlansAreBounded(t *testing.T) {
	p := newPlans()
	for range maxPlans + 10 {
		p.of(&event.Source{ID: event.NewID()})
	}
	if n := len(p.mu.of); n != 10 {
		t.Errorf("%d plans", n)
	}
}

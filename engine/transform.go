package engine

import (
	"errors"

	"posthaste/catalog"
	"posthaste/event"
)

// transformed is the event as the delivery's subscription wants it: its function is
// run on the data, with nothing from outside, so that each attempt sends the same.
func (e *Engine) transformed(target *catalog.Endpoint, d *event.Delivery, ev *event.Event) (*event.Event, error) {
	if e.o.Transform == nil {
		return ev, nil
	}
	sub := target.Subscription(d.SubscriptionID)
	if sub == nil || sub.Function == "" {
		return ev, nil
	}
	data, err := e.o.Transform(sub.Function, d, ev)
	if err != nil {
		return nil, err
	}
	c := *ev
	c.Data = data
	return &c, nil
}

// functionClass says whether it was the function's fault, or nobody's who could have
// it changed: then it is no attempt.
func functionClass(err error) event.ErrorClass {
	var fault *event.InvalidError
	if errors.As(err, &fault) {
		return event.ClassTransform
	}
	return event.ClassLocal
}

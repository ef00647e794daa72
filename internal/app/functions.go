package app

import (
	"context"
	"errors"
	"io"
	"time"

	"posthaste/event"
	"posthaste/transform"
)

// functionPatience is how long a delivery waits for a process that is free to run its
// function, and for the function.
const functionPatience = 30 * time.Second

// RunTransforms is the whole of a process that runs subscriptions' functions. It
// returns when its input ends.
func RunTransforms(in io.Reader, out io.Writer) error { return transform.Serve(in, out) }

// startFunctions prepares for subscriptions' functions. A process starts when the
// first is called.
func (a *App) startFunctions() {
	if len(a.o.TransformCommand) == 0 {
		return
	}
	a.functions = transform.New(transform.Options{
		Command:         a.o.TransformCommand,
		Workers:         a.o.TransformWorkers,
		Timeout:         a.o.TransformTimeout,
		MemoryBytes:     a.o.TransformMemory,
		MaxPayloadBytes: a.o.MaxPayloadBytes,
	})
}

func (a *App) stopFunctions() {
	if a.functions != nil {
		a.functions.Close()
	}
}

// transformer runs a function for a delivery. Its clock and its random numbers come
// of the delivery, so that each attempt sends the same.
func (a *App) transformer() func(function string, d *event.Delivery, ev *event.Event) ([]byte, error) {
	if a.functions == nil {
		return nil
	}
	return func(function string, d *event.Delivery, ev *event.Event) ([]byte, error) {
		ctx, cancel := context.WithTimeout(context.Background(), functionPatience)
		defer cancel()
		r, err := a.functions.Run(ctx, transform.Call{
			Function: function, Payload: ev.Data, Now: event.TimeOf(d.ID), Seed: d.ID.Time() ^ uint64(event.EndpointHash(d.ID)),
		})
		var fault *transform.Error
		if errors.As(err, &fault) {
			err = event.Invalid("function", "%s: %s", fault.Kind, fault.Message)
		}
		return r.Payload, err
	}
}

// checkFunction says what is wrong with a function, as far as can be told without
// running it.
func (a *App) checkFunction() func(string) error {
	if a.functions == nil {
		return nil
	}
	return a.functions.Check
}

// tryFunction runs a function for somebody who writes it.
func (a *App) tryFunction() func(ctx context.Context, function string, payload []byte) ([]byte, []string, error) {
	if a.functions == nil {
		return nil
	}
	return func(ctx context.Context, function string, payload []byte) ([]byte, []string, error) {
		r, err := a.functions.Run(ctx, transform.Call{Function: function, Payload: payload, Now: time.Now(), Seed: uint64(time.Now().UnixNano())})
		return r.Payload, r.Log, err
	}
}

package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"posthaste/event"
	"posthaste/transform"
)

// functionBody is a function to try out. Convoy's clients send a type beside it, which
// makes no difference for a subscription.
type functionBody struct {
	Payload  json.RawMessage `json:"payload"`
	Function string          `json:"function"`
	Type     string          `json:"type"`
}

// testFunction runs a function over a payload.
func (a *API) testFunction(c *call) (reply, error) {
	if a.o.Transform == nil {
		return reply{}, errNoFunctions
	}
	var in functionBody
	if err := a.readJSON(c.r, &in); err != nil {
		return reply{}, err
	}
	switch {
	case in.Function == "":
		return reply{}, event.Invalid("function", "is empty; give JavaScript with a function transform(payload) that returns what is sent")
	case len(in.Payload) == 0:
		return reply{}, event.Invalid("payload", "is missing; give the JSON value that the function is called with")
	}
	if err := checkFunctionSize(in.Function); err != nil {
		return reply{}, err
	}
	out, log, err := a.o.Transform(c.r.Context(), in.Function, in.Payload)
	if err != nil {
		return reply{}, functionError(err)
	}
	if log == nil {
		log = []string{}
	}
	data, err := appendObject(nil, struct {
		Log []string `json:"log"`
	}{log}, member{"payload", out})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Transformer function run successfully", verbatim(data))
}

// checkFunction refuses a function that could not be run.
func (a *API) checkFunction(source string) error {
	if err := checkFunctionSize(source); err != nil {
		return err
	}
	if a.o.CheckFunction == nil {
		return event.Invalid("function", "%s; leave it out", errNoFunctions)
	}
	return functionError(a.o.CheckFunction(source))
}

func checkFunctionSize(source string) error {
	if len(source) > event.MaxFunctionBytes {
		return event.Invalid("function", "has %d bytes; at most %d are allowed", len(source), event.MaxFunctionBytes)
	}
	return nil
}

// functionError is a refusal if the function is to blame, and else the server's failure.
func functionError(err error) error {
	var failed *transform.Error
	switch {
	case errors.As(err, &failed):
		return event.Invalid("function", "%s", failed)
	case errors.Is(err, transform.ErrClosed):
		return event.ErrClosed
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded): // while it waited for its turn
		return event.ErrOverloaded
	}
	return err
}

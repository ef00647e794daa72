package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// The ways in which events are posted: the last part of the path.
const (
	ToEndpoint  = ""          // one endpoint
	ToOwner     = "fanout"    // the endpoints of an owner
	ToAll       = "broadcast" // every subscription that wants it
	ToDynamic   = "dynamic"   // the URL that comes with it
	toMany      = "batch"
	mediaNDJSON = "application/x-ndjson"
)

// Outcome is what became of one posted event.
type Outcome struct {
	Accepted bool   `json:"status"`
	ID       string `json:"uid"` // "" if it was refused, or the server does not say
	Message  string `json:"message"`
}

// Post posts one event. again says that it carries an idempotency key, and so may be
// sent again.
func (s Scope) Post(ctx context.Context, to string, body any, again bool) (*Answer, Outcome, error) {
	path := s.Path("events")
	if to != ToEndpoint {
		path = s.Path("events", to)
	}
	a, err := s.client.Do(ctx, Request{Method: http.MethodPost, Path: path, Body: body, Again: again})
	if err != nil {
		return nil, Outcome{}, err
	}
	out := Outcome{Accepted: true, Message: a.Message}
	var data struct {
		ID string `json:"uid"`
	}
	if json.Unmarshal(a.Data, &data) == nil {
		out.ID = data.ID
	}
	return a, out, nil
}

// PostBatch posts lines of NDJSON, each an event, n of them, and returns what became of
// each. It repeats nothing: the caller knows whether it may.
func (s Scope) PostBatch(ctx context.Context, lines []byte, n int) ([]Outcome, error) {
	a, err := s.client.Do(ctx, Request{Method: http.MethodPost, Path: s.Path("events", toMany), Body: lines, ContentType: mediaNDJSON})
	var data json.RawMessage
	var refused *Error
	switch {
	case err == nil:
		data = a.Data
	case errors.As(err, &refused) && !refused.Busy() && len(refused.Data) > 0 && refused.Data[0] == '[':
		data = refused.Data // nothing was accepted, and each has its own reason
	default:
		return nil, err
	}
	var outcomes []Outcome
	if jsonErr := json.Unmarshal(data, &outcomes); jsonErr != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, jsonErr)
	}
	if len(outcomes) != n {
		return nil, fmt.Errorf("%w: %d events were posted and %d answered", ErrAnswer, n, len(outcomes))
	}
	return outcomes, nil
}

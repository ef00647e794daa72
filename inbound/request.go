package inbound

import (
	"bytes"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

// maxQueryBytes bounds what an event keeps of a request's query.
const maxQueryBytes = event.MaxHeaderBytes

// request is one request while it is served. What it refers to is the server's memory
// until own has copied it.
type request struct {
	head  *fasthttp.RequestHeader
	now   time.Time // UTC
	query []byte    // raw

	plan       *plan // its source
	maxData    int   // bytes that the project takes
	requireKey bool
	limit      int // bytes of the body, decompressed

	data     []byte // the event's, from read on
	received int    // bytes of the body, decompressed

	subs      []event.Submission // one
	duplicate bool
	response  []byte // to a challenge; nil for a webhook
}

// read verifies a body, makes JSON of it and takes out what the event needs.
func (r *request) read(body []byte) *refusal {
	if no := r.verify(body); no != nil {
		return no
	}
	if len(r.query) > maxQueryBytes {
		return refuseQuery
	}
	var no *refusal
	if r.data, no = r.dataOf(body); no != nil {
		return no
	}
	if len(r.data) > r.maxData {
		return dataTooLarge(len(r.data), r.maxData)
	}
	r.received = len(body)
	return r.own()
}

func (r *request) verify(body []byte) *refusal {
	if r.plan.broken != nil {
		return r.plan.broken
	}
	if r.plan.verifier == nil {
		return nil
	}
	return r.plan.verifier.verify(r.head, body, r.now)
}

// own makes the submission, of memory of its own.
func (r *request) own() *refusal {
	src := r.plan.src
	eventType, no := r.eventType()
	if no != nil {
		return no
	}
	key := r.idempotencyKey()
	if key == "" && r.requireKey {
		return refuseNoKey
	}
	headers, no := r.forwarded()
	if no != nil {
		return no
	}
	r.subs = []event.Submission{{To: event.ToSource, Event: event.Event{
		ProjectID:      src.ProjectID,
		Type:           eventType,
		IdempotencyKey: key,
		Headers:        headers,
		Data:           bytes.Clone(r.data),
		ReceivedAt:     r.now,
		SourceID:       src.ID,
		Path:           r.plan.path,
		Query:          string(r.query),
	}}}
	r.data = nil
	return nil
}

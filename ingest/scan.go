package ingest

import (
	"bytes"

	"posthaste/event"
	"posthaste/internal/jsonscan"
)

// fields are the raw JSON values of the members of an event that mean
// something; others are tolerated. Absent ones are nil, and so are, except for
// data, null and the empty string. Of two members with one name the last counts.
type fields struct {
	data, eventType, headers, key   []byte
	endpoint, app, owner, broadcast []byte // whom the event is for
	url, secret, types              []byte // of a dynamic event
}

// scanSingle reads a body that is one event.
func (r *request) scanSingle(body []byte) *refusal {
	r.member.Object(body)
	var f fields
	f.collect(&r.member)
	if err := r.member.Err(); err != nil {
		return malformed("invalid JSON: %v", err)
	}
	r.items = append(r.items, r.check(&f))
	return r.items[0].no
}

// scanLines reads a body of one event a line. A line that is not JSON refuses
// that line only; empty ones do not count.
func (r *request) scanLines(body []byte) *refusal {
	var line []byte
	for number := 1; len(body) > 0; number++ {
		line, body, _ = bytes.Cut(body, []byte{'\n'})
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if len(r.items) == event.MaxBatchItems {
			return refuseItemCount
		}
		r.items = append(r.items, r.scanLine(number, line))
	}
	return r.refuseNone()
}

func (r *request) scanLine(number int, line []byte) item {
	r.member.Object(line)
	var f fields
	f.collect(&r.member)
	if err := r.member.Err(); err != nil {
		return item{no: malformed("line %d: invalid JSON: %v", number, err)}
	}
	return r.check(&f)
}

// scanArray reads a body that is an array of events. If it is not JSON there
// is no telling where the next event starts, so the request is refused.
func (r *request) scanArray(body []byte) *refusal {
	r.batch.Array(body)
	for r.batch.NextInto(&r.member) {
		if len(r.items) == event.MaxBatchItems {
			return refuseItemCount
		}
		if r.batch.Kind() != jsonscan.Object {
			r.items = append(r.items, item{no: refuseNoObject})
			continue
		}
		var f fields
		f.collect(&r.member)
		if r.member.Err() == nil { // else the loop ends, and r.batch reports it
			r.items = append(r.items, r.check(&f))
		}
	}
	if err := r.batch.Err(); err != nil {
		return malformed("invalid JSON: %v", err)
	}
	return r.refuseNone()
}

func (r *request) refuseNone() *refusal {
	if len(r.items) == 0 {
		return refuseEmptyBatch
	}
	return nil
}

// collect walks an event's members to the end.
func (f *fields) collect(s *jsonscan.Scanner) {
	for s.Next() {
		switch string(s.Key()) {
		case "data":
			f.data = s.Value()
		case "event_type":
			f.eventType = unlessEmpty(s.Value())
		case "endpoint_id":
			f.endpoint = unlessEmpty(s.Value())
		case "app_id":
			f.app = unlessEmpty(s.Value())
		case "owner_id":
			f.owner = unlessEmpty(s.Value())
		case "broadcast":
			f.broadcast = unlessEmpty(s.Value())
		case "url":
			f.url = unlessEmpty(s.Value())
		case "secret":
			f.secret = unlessEmpty(s.Value())
		case "event_types":
			f.types = unlessEmpty(s.Value())
		case "custom_headers":
			f.headers = unlessEmpty(s.Value())
		case "idempotency_key":
			f.key = unlessEmpty(s.Value())
		}
	}
}

func unlessEmpty(value []byte) []byte {
	if string(value) == "null" || string(value) == `""` {
		return nil
	}
	return value
}

package ingest

import (
	"strings"

	"posthaste/event"
)

// address works out whom the event is for.
func (r *request) address(it *item, f *fields) (no *refusal) {
	switch r.route {
	case routeFanout:
		return it.toOwner(f.owner)
	case routeBroadcast:
		it.to = event.ToSubscribers
		return nil
	case routeDynamic:
		it.to = event.ToDynamic
		return r.dynamic.read(f, &r.header)
	case routeBatch:
		return it.toAny(f)
	}
	return it.toOne(f)
}

// toOne addresses an event of the single route.
func (it *item) toOne(f *fields) *refusal {
	switch {
	case f.endpoint != nil && f.app != nil:
		return malformed("endpoint_id:please provide only one of endpoint_id and app_id")
	case f.endpoint != nil:
		return it.toEndpoint(f.endpoint)
	case f.app != nil:
		return it.toApp(f.app)
	case f.owner != nil: // as an older Go client posts what it fans out
		return it.toOwner(f.owner)
	}
	return malformed("endpoint_id:please provide an endpoint id")
}

// toAny addresses an event of a batch, which says by its fields which route it
// would have taken alone.
func (it *item) toAny(f *fields) *refusal {
	everyone := string(f.broadcast) == "true"
	if !everyone && f.broadcast != nil && string(f.broadcast) != "false" {
		return malformed("broadcast:must be true or false")
	}
	one, two := f.endpoint != nil || f.app != nil, f.owner != nil || everyone
	switch {
	case one && two, f.endpoint != nil && f.app != nil, f.owner != nil && everyone:
		return tooMany(f, everyone)
	case f.owner != nil:
		return it.toOwner(f.owner)
	case everyone:
		it.to = event.ToSubscribers
		return nil
	case f.endpoint != nil, f.app != nil:
		return it.toOne(f)
	}
	return malformed("endpoint_id:please provide an endpoint id, an app id, an owner id or broadcast")
}

// tooMany refuses an event with more than one addressee.
func tooMany(f *fields, everyone bool) *refusal {
	var given []string
	for _, of := range [...]struct {
		field string
		is    bool
	}{
		{"endpoint_id", f.endpoint != nil}, {"app_id", f.app != nil}, {"owner_id", f.owner != nil}, {"broadcast", everyone},
	} {
		if of.is {
			given = append(given, of.field)
		}
	}
	last := len(given) - 1
	return malformed("%s:please provide only one of %s and %s", given[0], strings.Join(given[:last], ", "), given[last])
}

func (it *item) toOwner(raw []byte) (no *refusal) {
	it.to = event.ToOwner
	it.owner, no = text("owner_id", raw, event.MaxNameBytes)
	return no
}

func (it *item) toEndpoint(raw []byte) (no *refusal) {
	it.to = event.ToEndpoint
	it.target, no = idOf("endpoint_id", raw, refuseEndpoint)
	return no
}

func (it *item) toApp(raw []byte) (no *refusal) {
	it.to = event.ToApp
	it.target, no = idOf("app_id", raw, refuseApp)
	return no
}

// idOf reads an id. The zero one is nobody's.
func idOf(field string, raw []byte, unknown *refusal) (event.ID, *refusal) {
	inside, no := text(field, raw, event.MaxNameBytes)
	if no != nil {
		return event.ID{}, no
	}
	id, err := event.ParseID(stringOf(inside))
	if err != nil {
		return event.ID{}, malformed("%s:%v", field, err)
	}
	if id == (event.ID{}) {
		return event.ID{}, unknown
	}
	return id, nil
}

package catalog

import (
	"fmt"

	"posthaste/event"
	"posthaste/internal/seal"
)

// object is what the catalog holds: *Project, *Endpoint, *Subscription, *apiKey,
// *eventType, *source, *portalLink, *application.
type object interface {
	ref() Change      // what it is, without what happened to it
	revision() uint64 // as stored
	encode(*seal.Box) ([]byte, error)
	insertInto(s *state)
	removeFrom(s *state)
}

// edit is one object's part of a write. before is nil when it is created, after
// is nil when it is deleted; after's revision is one more than before's.
type edit struct{ before, after object }

func created(o object) edit { return edit{after: o} }
func deleted(o object) edit { return edit{before: o} }

func (e *edit) change() Change {
	var ch Change
	if e.after != nil {
		ch = e.after.ref()
	} else {
		ch = e.before.ref()
		ch.Deleted = true
	}
	if ch.Kind == KindEndpoint {
		ch.Before, _ = e.before.(*Endpoint)
		ch.After, _ = e.after.(*Endpoint)
	}
	return ch
}

// record is the edit as the store takes it, its secrets sealed by the box.
func (e *edit) record(box *seal.Box) (event.CatalogRecord, error) {
	ch := e.change()
	rec := event.CatalogRecord{Kind: ch.Kind, ID: ch.ID}
	if e.after == nil {
		rec.Rev = e.before.revision() + 1
		return rec, nil
	}
	rec.Rev = e.after.revision()
	value, err := e.after.encode(box)
	if err != nil {
		return rec, fmt.Errorf("encode record %q %s: %w", ch.Kind, ch.ID, err)
	}
	rec.Value = value
	return rec, nil
}

func (e *edit) apply(s *state) {
	if e.before != nil {
		e.before.removeFrom(s)
	}
	if e.after != nil {
		e.after.insertInto(s)
	}
}

package catalog

import (
	"fmt"

	"posthaste/event"
)

// object is what the catalog holds: *Project, *Endpoint, *subscription, *apiKey.
type object interface {
	ref() Change      // Deleted is not set
	revision() uint64 // as stored
	noun() any        // what is stored of it
	insertInto(s *state)
	removeFrom(s *state)
}

// edit is one object's part of a write. before is nil when it is created, after
// is nil when it is deleted; after's revision is one more than before's.
type edit struct{ before, after object }

func created(o object) edit { return edit{after: o} }
func deleted(o object) edit { return edit{before: o} }

func (e *edit) change() Change {
	if e.after != nil {
		return e.after.ref()
	}
	ch := e.before.ref()
	ch.Deleted = true
	return ch
}

// record is the edit as the store takes it.
func (e *edit) record() (event.CatalogRecord, error) {
	ch := e.change()
	rec := event.CatalogRecord{Kind: ch.Kind, ID: ch.ID}
	if e.after == nil {
		rec.Rev = e.before.revision() + 1
		return rec, nil
	}
	rec.Rev = e.after.revision()
	value, err := encode(e.after.noun())
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

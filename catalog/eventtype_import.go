package catalog

import (
	"bytes"

	"posthaste/event"
)

// maxImport is how many webhooks one import takes.
const maxImport = 1000

// ImportEventTypes takes the webhooks of an OpenAPI document, JSON or YAML, into the
// catalogue of a project: each by its name, with its description and the JSON schema
// of its body. An event type that is there gets the description and the schema of the
// document. All are written or none. It returns them by name.
func (c *Catalog) ImportEventTypes(project event.ID, spec string) ([]*event.EventType, error) {
	doc, err := readSpec(spec) // before the lock: it may take long
	if err != nil {
		return nil, err
	}
	found, err := doc.webhooks()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.Snapshot()
	if snap.stored(project) == nil {
		return nil, notFound("project", project)
	}
	var edits []edit
	out := make([]*event.EventType, len(found))
	for i := range found {
		before, after, err := c.imported(snap, project, &found[i])
		if err != nil {
			return nil, err
		}
		switch {
		case before == nil:
			edits = append(edits, created(after))
		case before != after:
			edits = append(edits, edit{before: before, after: after})
		}
		out[i] = &after.EventType
	}
	if len(snap.EventTypes(project))+countNew(edits) > maxEventTypesOfProject {
		return nil, tooManyEventTypes()
	}
	if len(edits) == 0 {
		return out, nil
	}
	return out, c.commitLocked("import event types", edits...)
}

// imported is the event type of a webhook as it is, nil if there is none, and as it
// is to be; they are the same if nothing changes.
func (c *Catalog) imported(snap *Snapshot, project event.ID, w *webhook) (before, after *eventType, err error) {
	now := c.timestamp()
	t := event.EventType{ID: event.NewID(), ProjectID: project, Name: w.name, CreatedAt: now}
	rev := uint64(1)
	if before = snap.eventTypeNamed(project, w.name); before != nil {
		t, rev = before.EventType, before.rev+1
	}
	t.Description, t.JSONSchema, t.UpdatedAt = w.description, w.schema, now
	if err := normalizeEventType(&t); err != nil {
		return nil, nil, within("spec", within(w.name, err))
	}
	if before != nil && t.Description == before.Description && bytes.Equal(t.JSONSchema, before.JSONSchema) {
		return before, before, nil
	}
	return before, &eventType{EventType: t, rev: rev}, nil
}

func countNew(edits []edit) int {
	n := 0
	for i := range edits {
		if edits[i].before == nil {
			n++
		}
	}
	return n
}

package catalog

import (
	"posthaste/event"
)

// CreateEventType adds an event type to the catalogue of the project that
// t.ProjectID names. An id that is zero is made.
func (c *Catalog) CreateEventType(t event.EventType) (*event.EventType, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.Snapshot()
	if snap.stored(t.ProjectID) == nil {
		return nil, notFound("project", t.ProjectID)
	}
	now := c.timestamp()
	t.ID = newID(t.ID)
	t.CreatedAt, t.UpdatedAt, t.DeprecatedAt = now, now, nil
	if err := normalizeEventType(&t); err != nil {
		return nil, err
	}
	if snap.eventTypeNamed(t.ProjectID, t.Name) != nil {
		return nil, event.Invalid("name", "the project has an event type with this name already; change that one")
	}
	if len(snap.EventTypes(t.ProjectID)) >= maxEventTypesOfProject {
		return nil, tooManyEventTypes()
	}
	stored := &eventType{EventType: t, rev: 1}
	if err := c.commitLocked("create event type", created(stored)); err != nil {
		return nil, err
	}
	return &stored.EventType, nil
}

// UpdateEventType lets change edit a copy of an event type of the project, and
// writes it. An error of change is returned as it is, and nothing is written. change
// cannot alter the ids, the name and the times.
func (c *Catalog) UpdateEventType(project, id event.ID, change func(*event.EventType) error) (*event.EventType, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, found := c.Snapshot().eventTypes.get(eventTypeProbe(project, id))
	if !found {
		return nil, notFound("event type", id)
	}
	t := old.EventType
	if err := change(&t); err != nil {
		return nil, err
	}
	t.ID, t.ProjectID, t.Name, t.CreatedAt, t.DeprecatedAt = old.ID, old.ProjectID, old.Name, old.CreatedAt, old.DeprecatedAt
	return c.replaceEventTypeLocked(old, t)
}

// DeprecateEventType marks an event type of the project as one not to use any more.
// One that is marked already stays as it is.
func (c *Catalog) DeprecateEventType(project, id event.ID) (*event.EventType, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, found := c.Snapshot().eventTypes.get(eventTypeProbe(project, id))
	if !found {
		return nil, notFound("event type", id)
	}
	if old.DeprecatedAt != nil {
		return &old.EventType, nil
	}
	t, now := old.EventType, c.timestamp()
	t.DeprecatedAt = &now
	return c.replaceEventTypeLocked(old, t)
}

func (c *Catalog) replaceEventTypeLocked(old *eventType, t event.EventType) (*event.EventType, error) {
	t.UpdatedAt = c.timestamp()
	if err := normalizeEventType(&t); err != nil {
		return nil, err
	}
	stored := &eventType{EventType: t, rev: old.rev + 1}
	if err := c.commitLocked("update event type", edit{before: old, after: stored}); err != nil {
		return nil, err
	}
	return &stored.EventType, nil
}

// eventTypeNamed is the event type of a project with a name; nil if there is none.
func (s *Snapshot) eventTypeNamed(project event.ID, name string) *eventType {
	t, found := s.typeNames.get(&eventType{EventType: event.EventType{ProjectID: project, Name: name}})
	if !found {
		return nil
	}
	return t
}

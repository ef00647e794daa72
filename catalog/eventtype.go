package catalog

import (
	"time"

	"posthaste/event"
	"posthaste/internal/seal"
)

// eventType is a stored event type.
type eventType struct {
	event.EventType
	rev uint64
}

func eventTypeProbe(project, id event.ID) *eventType {
	return &eventType{EventType: event.EventType{ProjectID: project, ID: id}}
}

func (t *eventType) ref() Change {
	return Change{Kind: KindEventType, ID: t.ID, ProjectID: t.ProjectID}
}
func (t *eventType) revision() uint64 { return t.rev }

func (t *eventType) encode(*seal.Box) ([]byte, error) { return encodeJSON(&t.EventType) }

func (t *eventType) insertInto(s *state) {
	s.eventTypes.put(t)
	s.typeNames.put(t)
	s.changed.eventTypes = true
}

func (t *eventType) removeFrom(s *state) {
	s.eventTypes.remove(t)
	s.typeNames.remove(t)
	s.changed.eventTypes = true
}

// anyEventType is the event type that every new project has.
func anyEventType(project event.ID, now time.Time) *eventType {
	return &eventType{EventType: event.EventType{ID: event.NewID(), ProjectID: project, Name: "*", CreatedAt: now, UpdatedAt: now}, rev: 1}
}

// EventTypes lists the catalogue of a project, oldest first.
func (s *Snapshot) EventTypes(project event.ID) []*event.EventType {
	var out []*event.EventType
	for t := range s.eventTypes.walk(eventTypeProbe(project, event.ID{}), eventTypeProbe(project, lastID), false) {
		out = append(out, &t.EventType)
	}
	return out
}

// EventType is the event type of the project with this id, nil if there is none.
func (s *Snapshot) EventType(project, id event.ID) *event.EventType {
	t, found := s.eventTypes.get(eventTypeProbe(project, id))
	if !found {
		return nil
	}
	return &t.EventType
}

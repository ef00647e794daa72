package api

import (
	"encoding/json"
	"net/http"
	"time"

	"posthaste/event"
)

// eventTypeBody is an entry of the catalogue of event types in a request. nil is a field
// that was not sent.
type eventTypeBody struct {
	Name        *string         `json:"name"` // at creation only
	Category    *string         `json:"category"`
	Description *string         `json:"description"`
	JSONSchema  json.RawMessage `json:"json_schema"` // null: as before; {}: none
}

func (b *eventTypeBody) apply(t *event.EventType) {
	set(&t.Category, b.Category)
	set(&t.Description, b.Description)
	setConditions(&t.JSONSchema, b.JSONSchema)
}

// eventTypeView is an entry of the catalogue as it is answered.
type eventTypeView struct {
	ID           event.ID        `json:"uid"`
	Name         string          `json:"name"`
	Category     string          `json:"category"`
	Description  string          `json:"description"`
	JSONSchema   json.RawMessage `json:"json_schema"` // {}: none
	DeprecatedAt *time.Time      `json:"deprecated_at"`
	CreatedAt    time.Time       `json:"created_at"`
	UpdatedAt    time.Time       `json:"updated_at"`
}

func newEventTypeView(t *event.EventType) eventTypeView {
	return eventTypeView{
		ID: t.ID, Name: t.Name, Category: t.Category, Description: t.Description, JSONSchema: orEmpty(t.JSONSchema),
		DeprecatedAt: t.DeprecatedAt, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
	}
}

func eventTypeViews(types []*event.EventType) []eventTypeView {
	views := make([]eventTypeView, len(types))
	for i, t := range types {
		views[i] = newEventTypeView(t)
	}
	return views
}

// listEventTypes is not paged: clients expect an array.
func (a *API) listEventTypes(c *call) (reply, error) {
	return respond(http.StatusOK, "Event types fetched successfully", eventTypeViews(c.snap.EventTypes(c.project.ID)))
}

func (a *API) createEventType(c *call) (reply, error) {
	b, err := a.readEventTypeBody(c)
	if err != nil {
		return reply{}, err
	}
	t := event.EventType{ProjectID: c.project.ID}
	set(&t.Name, b.Name)
	b.apply(&t)
	made, err := a.o.Catalog.CreateEventType(t)
	return respondEventType(http.StatusCreated, "Event type created successfully", made, err)
}

// updateEventType changes what the body names and leaves the rest. Its message is
// Convoy's.
func (a *API) updateEventType(c *call) (reply, error) {
	id, err := pathID(c.r, "eventTypeID")
	if err != nil {
		return reply{}, err
	}
	b, err := a.readEventTypeBody(c)
	if err != nil {
		return reply{}, err
	}
	t, err := a.o.Catalog.UpdateEventType(c.project.ID, id, func(t *event.EventType) error {
		if b.Name != nil && *b.Name != "" && *b.Name != t.Name {
			return event.Invalid("name", "an event type's name does not change; create another and deprecate this one")
		}
		b.apply(t)
		return nil
	})
	return respondEventType(http.StatusCreated, "Event type created successfully", t, err)
}

// deprecateEventType marks an event type as one that should not be used any more.
func (a *API) deprecateEventType(c *call) (reply, error) {
	id, err := pathID(c.r, "eventTypeID")
	if err != nil {
		return reply{}, err
	}
	t, err := a.o.Catalog.DeprecateEventType(c.project.ID, id)
	return respondEventType(http.StatusCreated, "Event type deprecated successfully", t, err)
}

// importEventTypes enters the webhooks of an OpenAPI document, which is a text in the
// request, into the catalogue.
func (a *API) importEventTypes(c *call) (reply, error) {
	var in struct {
		Spec string `json:"spec"`
	}
	if err := a.readJSON(c.r, &in); err != nil {
		return reply{}, err
	}
	types, err := a.o.Catalog.ImportEventTypes(c.project.ID, in.Spec)
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Event types imported successfully", eventTypeViews(types))
}

func (a *API) readEventTypeBody(c *call) (*eventTypeBody, error) {
	b := &eventTypeBody{}
	return b, a.readJSON(c.r, b)
}

func respondEventType(code int, message string, t *event.EventType, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return respond(code, message, newEventTypeView(t))
}

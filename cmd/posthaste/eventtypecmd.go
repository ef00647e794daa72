package main

import (
	"net/http"

	"posthaste/client"
)

// eventTypeCmd is about the catalogue of event types.
type eventTypeCmd struct {
	remote
	List      eventTypeListCmd      `cmd:"" help:"List event types." example:"posthaste event-type list"`
	Create    eventTypeCreateCmd    `cmd:"" help:"Enter an event type." example:"posthaste event-type create order.paid --category orders"`
	Deprecate eventTypeDeprecateCmd `cmd:"" help:"Mark an event type as one not to be used any more." example:"posthaste event-type deprecate 01KAM4Z8V1V6W3J7C2Q9RZB5XN"`
}

type eventTypeListCmd struct{}

// Run prints the list.
func (*eventTypeListCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	return listing[client.EventType]{
		resource: in.EventTypes(),
		titles:   []string{"ID", "NAME", "CATEGORY", "DESCRIPTION", "DEPRECATED"},
		cells: func(t client.EventType) []string {
			return []string{t.ID, t.Name, t.Category, short(t.Description, 60), s.atIf(t.DeprecatedAt)}
		},
		none: "No event types here yet. Enter one: posthaste event-type create NAME",
	}.show(s, listFlags{Limit: maxLimit})
}

type eventTypeCreateCmd struct {
	Name        string `arg:"" help:"The event type."`
	Category    string `placeholder:"TEXT" help:"What it belongs to."`
	Description string `placeholder:"TEXT" help:"When it happens."`
	Schema      string `placeholder:"JSON" help:"The data's JSON schema; @FILE reads a file."`
}

// Run enters the event type.
func (c *eventTypeCreateCmd) Run(s *session) (err error) {
	body := map[string]any{"name": c.Name, "category": c.Category, "description": c.Description}
	if c.Schema != "" {
		if body["json_schema"], err = s.readJSON("--schema", c.Schema); err != nil {
			return err
		}
	}
	in, err := s.project()
	if err != nil {
		return err
	}
	row, err := in.EventTypes().Create(s.ctx, body)
	if err != nil {
		return err
	}
	return showOne(s, row, s.eventTypeFields)
}

func (s *session) eventTypeFields(t client.EventType) []field {
	return []field{
		{"ID", t.ID}, {"Name", t.Name}, {"Category", t.Category}, {"Description", t.Description}, {"Deprecated", s.atIf(t.DeprecatedAt)},
	}
}

type eventTypeDeprecateCmd struct {
	ID string `arg:"" help:"The event type, by its id."`
}

// Run marks the event type.
func (c *eventTypeDeprecateCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	row, err := in.EventTypes().Change(s.ctx, http.MethodPost, c.ID, "deprecate", nil)
	if err != nil {
		return err
	}
	return showOne(s, row, s.eventTypeFields)
}

package main

import (
	"net/url"
	"strconv"

	"posthaste/client"
)

// eventCmd is about events.
type eventCmd struct {
	remote
	List          eventListCmd          `cmd:"" help:"List events, the newest first." example:"posthaste event list --since 2h --type order.paid"`
	Get           eventGetCmd           `cmd:"" help:"Show an event." example:"posthaste event get 01KAM4Z8V1V6W3J7C2Q9RZB5XN --data"`
	DeleteContent eventDeleteContentCmd `cmd:"" help:"Delete an event's data and headers, and keep that it was there." example:"posthaste event delete-content 01KAM4Z8V1V6W3J7C2Q9RZB5XN --yes"`
}

// eventFilter selects events.
type eventFilter struct {
	Endpoint       []string `placeholder:"ID" help:"Owed to this endpoint; may be repeated."`
	Type           string   `placeholder:"TYPE" help:"Of this event type."`
	Owner          string   `placeholder:"ID" help:"Sent to this owner's endpoints."`
	Source         []string `placeholder:"ID" help:"From this source; may be repeated."`
	IdempotencyKey string   `placeholder:"KEY" help:"With this idempotency key."`
	Query          string   `placeholder:"TEXT" help:"With this text in the data; name a time range with it."`
	Body           string   `placeholder:"JSON" help:"With data that holds these values; name a time range with it."`
	spanFlags
}

func (f *eventFilter) query(s *session) (url.Values, error) {
	q := named("eventType", f.Type, "ownerId", f.Owner, "idempotencyKey", f.IdempotencyKey, "query", f.Query, "body", f.Body)
	addAll(q, "endpointId", f.Endpoint)
	addAll(q, "sourceId", f.Source)
	return q, f.spanFlags.query(s, q)
}

func addAll(q url.Values, name string, values []string) {
	if len(values) > 0 {
		q[name] = values
	}
}

type eventListCmd struct {
	eventFilter
	listFlags
}

// Run prints the list.
func (c *eventListCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	query, err := c.query(s)
	if err != nil {
		return err
	}
	return listing[client.Event]{
		resource: in.Events(), query: query,
		titles: []string{"ID", "CREATED", "TYPE", "ENDPOINTS", "BYTES", "NOTE"},
		cells: func(e client.Event) []string {
			return []string{e.ID, s.at(e.CreatedAt), e.EventType, strconv.Itoa(len(e.Endpoints)), strconv.Itoa(len(e.Data)), eventNote(e)}
		},
		none: "No events here. Send one: posthaste send --endpoint ID --type order.paid '{\"n\":1}'",
	}.show(s, c.listFlags)
}

// eventNote is what is unusual about an event.
func eventNote(e client.Event) string {
	switch {
	case e.IsDuplicate:
		return "duplicate of " + e.DuplicateOf
	case e.IsTest:
		return "a test"
	case e.ContentDeleted:
		return "content deleted"
	}
	return e.FailureReason
}

type eventGetCmd struct {
	ID   string `arg:"" help:"The event."`
	Data bool   `help:"Print its data alone, byte for byte."`
}

// Run prints the event.
func (c *eventGetCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	row, err := in.Events().Get(s.ctx, c.ID)
	if err != nil {
		return err
	}
	if c.Data {
		return s.print(row.Value.Data)
	}
	return showOne(s, row, s.eventFields)
}

func (s *session) eventFields(e client.Event) []field {
	return []field{
		{"ID", e.ID}, {"Type", e.EventType}, {"Created", s.at(e.CreatedAt)},
		{"Source", e.SourceID}, {"Endpoints", joined(e.Endpoints)}, {"Idempotency key", e.IdempotencyKey},
		{"Note", eventNote(e)}, {"Data", short(string(e.Data), 400)},
	}
}

type eventDeleteContentCmd struct {
	ID string `arg:"" help:"The event."`
	yesFlag
}

// Run asks and deletes.
func (c *eventDeleteContentCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	if err := s.confirm(c.Yes, "Delete the content of event %s? Nothing brings it back, and it cannot be delivered any more.", clean(c.ID)); err != nil {
		return err
	}
	a, err := in.Events().Act(s.ctx, "DELETE", c.ID, "content", nil)
	if err != nil {
		return err
	}
	return s.done(a.Data, "The content of event %s is deleted.", clean(c.ID))
}

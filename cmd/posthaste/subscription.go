package main

import (
	"posthaste/client"
)

// subscriptionCmd is about subscriptions.
type subscriptionCmd struct {
	remote
	List   subscriptionListCmd   `cmd:"" help:"List subscriptions." example:"posthaste subscription list --endpoint 01KAM4Z8V1V6W3J7C2Q9RZB5XN"`
	Get    subscriptionGetCmd    `cmd:"" help:"Show a subscription." example:"posthaste subscription get 01KAM4Z8V1V6W3J7C2Q9RZB5XN"`
	Create subscriptionCreateCmd `cmd:"" help:"Subscribe an endpoint to event types." example:"posthaste subscription create --endpoint 01KAM4Z8V1V6W3J7C2Q9RZB5XN --type 'order.*' --filter '{\"total\":{\"$gt\":100}}'"`
	Update subscriptionUpdateCmd `cmd:"" help:"Change a subscription." example:"posthaste subscription update 01KAM4Z8V1V6W3J7C2Q9RZB5XN --type order.paid,order.refunded"`
	Delete subscriptionDeleteCmd `cmd:"" help:"Delete a subscription." example:"posthaste subscription delete 01KAM4Z8V1V6W3J7C2Q9RZB5XN --yes"`
}

// subscriptionID is the argument that names a subscription.
type subscriptionID struct {
	ID string `arg:"" help:"The subscription."`
}

type subscriptionListCmd struct {
	Endpoint string `placeholder:"ID" help:"Only this endpoint's."`
	Name     string `placeholder:"TEXT" help:"Only those with the text in their name."`
	listFlags
}

// Run prints the list.
func (c *subscriptionListCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	return listing[client.Subscription]{
		resource: in.Subscriptions(),
		query:    named("endpointId", c.Endpoint, "name", c.Name),
		titles:   []string{"ID", "NAME", "ENDPOINT", "TYPES", "SOURCE"},
		cells: func(sub client.Subscription) []string {
			endpoint, source := owners(sub)
			return []string{sub.ID, sub.Name, endpoint, joined(sub.Filter.EventTypes), source}
		},
		none: "No subscriptions here yet. Make one: posthaste subscription create --endpoint ID --type '*'",
	}.show(s, c.listFlags)
}

// owners are the ids of what a subscription stands between.
func owners(sub client.Subscription) (endpoint, source string) {
	if sub.Endpoint != nil {
		endpoint = sub.Endpoint.ID
	}
	if sub.Source != nil {
		source = sub.Source.ID
	}
	return endpoint, source
}

type subscriptionGetCmd struct{ subscriptionID }

// Run prints the subscription.
func (c *subscriptionGetCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	row, err := in.Subscriptions().Get(s.ctx, c.ID)
	if err != nil {
		return err
	}
	return showOne(s, row, s.subscriptionFields)
}

func (s *session) subscriptionFields(sub client.Subscription) []field {
	endpoint, source := owners(sub)
	fields := []field{
		{"ID", sub.ID}, {"Name", sub.Name}, {"Endpoint", endpoint}, {"Source", source},
		{"Types", joined(sub.Filter.EventTypes)}, {"Mode", sub.DeliveryMode},
	}
	if sub.Function != "" {
		fields = append(fields, field{"Function", short(sub.Function, 60)})
	}
	return append(fields, field{"Created", s.at(sub.CreatedAt)}, field{"Updated", s.at(sub.UpdatedAt)})
}

// subscriptionFlags are what can be set of a subscription.
type subscriptionFlags struct {
	Name     *string  `placeholder:"NAME" help:"Its name."`
	Endpoint *string  `placeholder:"ID" help:"Who gets the events."`
	Source   *string  `placeholder:"ID" help:"Take the events of this source, and no others."`
	Type     []string `placeholder:"TYPE" sep:"," help:"Event types, as exact texts or globs; '*' is all of them."`
	Filter   *string  `placeholder:"JSON" help:"Conditions on the event's data; @FILE reads a file."`
	Function *string  `placeholder:"JS" help:"A function that changes the event; @FILE reads a file."`
	Mode     *string  `enum:"at_least_once,at_most_once" placeholder:"MODE" help:"${enum}."`
	fieldsFlag
}

func (f *subscriptionFlags) body(s *session) (map[string]any, error) {
	flags, filter := map[string]any{}, map[string]any{}
	for name, value := range map[string]*string{
		"name": f.Name, "endpoint_id": f.Endpoint, "source_id": f.Source, "delivery_mode": f.Mode,
	} {
		if value != nil {
			flags[name] = *value
		}
	}
	if f.Type != nil {
		filter["event_types"] = f.Type
	}
	if f.Filter != nil {
		conditions, err := s.readJSON("--filter", *f.Filter)
		if err != nil {
			return nil, err
		}
		filter["filter"] = map[string]any{"body": conditions}
	}
	if len(filter) > 0 {
		flags["filter_config"] = filter
	}
	if f.Function != nil {
		function, err := s.readInput("--function", *f.Function)
		if err != nil {
			return nil, err
		}
		flags["function"] = string(function)
	}
	return f.fieldsFlag.body(s, flags)
}

type subscriptionCreateCmd struct{ subscriptionFlags }

// Run makes the subscription: of all types if none is named.
func (c *subscriptionCreateCmd) Run(s *session) error {
	if c.Type == nil {
		c.Type = []string{"*"}
	}
	body, err := c.body(s)
	if err != nil {
		return err
	}
	in, err := s.project()
	if err != nil {
		return err
	}
	if _, given := body["name"]; !given {
		body["name"] = joined(c.Type)
	}
	row, err := in.Subscriptions().Create(s.ctx, body)
	if err != nil {
		return err
	}
	return showOne(s, row, s.subscriptionFields)
}

type subscriptionUpdateCmd struct {
	subscriptionID
	subscriptionFlags
}

// Run changes the subscription.
func (c *subscriptionUpdateCmd) Run(s *session) error {
	body, err := c.body(s)
	if err != nil {
		return err
	}
	if len(body) == 0 {
		return errNoChange
	}
	in, err := s.project()
	if err != nil {
		return err
	}
	row, err := in.Subscriptions().Update(s.ctx, c.ID, body)
	if err != nil {
		return err
	}
	return showOne(s, row, s.subscriptionFields)
}

type subscriptionDeleteCmd struct {
	subscriptionID
	yesFlag
}

// Run asks and deletes.
func (c *subscriptionDeleteCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	if err := s.confirm(c.Yes, "Delete subscription %s?", clean(c.ID)); err != nil {
		return err
	}
	a, err := in.Subscriptions().Delete(s.ctx, c.ID)
	if err != nil {
		return err
	}
	return s.done(a.Data, "Subscription %s is deleted.", clean(c.ID))
}

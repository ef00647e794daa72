package main

import (
	"fmt"
	"time"

	"posthaste/client"
)

// endpointFlags are what can be set of an endpoint. What is left out stays as it is, or
// is the server's default.
type endpointFlags struct {
	Name        *string           `placeholder:"NAME" help:"Its name; a new one's is its URL's host."`
	Owner       *string           `placeholder:"ID" help:"Whose it is: events can be sent to all endpoints of an owner."`
	Description *string           `placeholder:"TEXT" help:"What it is for."`
	Secret      *string           `placeholder:"TEXT" help:"What it is signed with; of a new one the server makes one if this is left out."`
	Signature   *string           `enum:"convoy,standard-webhooks" placeholder:"MODE" help:"How it is signed: ${enum}."`
	RateLimit   *int              `placeholder:"N" help:"At most so many attempts in --rate-period; 0 is no limit."`
	RatePeriod  *time.Duration    `placeholder:"TIME" help:"The period of --rate-limit."`
	HTTPTimeout *time.Duration    `name:"http-timeout" placeholder:"TIME" help:"Time for one attempt."`
	Header      map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"A header of every request to it; may be repeated."`
	fieldsFlag
}

func (f *endpointFlags) body(s *session) (map[string]any, error) {
	flags := map[string]any{}
	for name, value := range map[string]*string{
		"name": f.Name, "owner_id": f.Owner, "description": f.Description, "secret": f.Secret, "signature_mode": f.Signature,
	} {
		if value != nil {
			flags[name] = *value
		}
	}
	if f.RateLimit != nil {
		flags["rate_limit"] = *f.RateLimit
	}
	if f.RatePeriod != nil {
		flags["rate_limit_duration"] = int(*f.RatePeriod / time.Second)
	}
	if f.HTTPTimeout != nil {
		flags["http_timeout"] = int(*f.HTTPTimeout / time.Second)
	}
	if f.Header != nil {
		flags["custom_headers"] = f.Header
	}
	return f.fieldsFlag.body(s, flags)
}

type endpointCreateCmd struct {
	URL  string   `arg:"" help:"Where to deliver to."`
	Type []string `placeholder:"TYPE" sep:"," help:"Subscribe it to these event types at once; '*' is all of them."`
	endpointFlags
}

// Run makes the endpoint and, if types are named, a subscription.
func (c *endpointCreateCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	body, err := c.body(s)
	if err != nil {
		return err
	}
	body["url"] = c.URL
	if _, given := body["name"]; !given {
		body["name"] = hostOf(c.URL)
	}
	row, err := in.Endpoints().Create(s.ctx, body)
	if err != nil {
		return err
	}
	if err := showOne(s, row, s.endpointFields); err != nil || len(c.Type) == 0 {
		return err
	}
	sub, err := in.Subscriptions().Create(s.ctx, newSubscription(row.Value, c.Type))
	if err != nil {
		return fmt.Errorf("the endpoint is there, but not its subscription: %w", err)
	}
	return s.say("Subscription %s is for %s.", sub.Value.ID, clean(joined(c.Type)))
}

// newSubscription is the request for a subscription of an endpoint to types.
func newSubscription(e client.Endpoint, types []string) map[string]any {
	return map[string]any{
		"name": e.Name, "endpoint_id": e.ID,
		"filter_config": map[string]any{"event_types": types},
	}
}

type endpointUpdateCmd struct {
	endpointID
	URL *string `name:"url" placeholder:"URL" help:"Where to deliver to."`
	endpointFlags
}

// Run changes the endpoint.
func (c *endpointUpdateCmd) Run(s *session) error {
	body, err := c.body(s)
	if err != nil {
		return err
	}
	if c.URL != nil {
		body["url"] = *c.URL
	}
	if len(body) == 0 {
		return errNoChange
	}
	in, err := s.project()
	if err != nil {
		return err
	}
	row, err := in.Endpoints().Update(s.ctx, c.ID, body)
	if err != nil {
		return err
	}
	return showOne(s, row, s.endpointFields)
}

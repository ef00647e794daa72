package client

import (
	"net/url"
	"strings"
)

// Projects are the instance's projects. Only an instance key lists or makes them.
func (c *Client) Projects() Resource[Project] {
	return Resource[Project]{c, apiPath + "/projects"}
}

// Audit is the audit log of the whole instance.
func (c *Client) Audit() Resource[Audit] { return Resource[Audit]{c, apiPath + "/audit"} }

// InstanceKeys are the keys that reach every project.
func (c *Client) InstanceKeys() Resource[Key] {
	return Resource[Key]{c, apiPath + "/keys"}
}

// Scope is what lies within one project.
type Scope struct {
	client *Client
	id     string
}

// Project is the scope of the project with this id. It asks the server nothing.
func (c *Client) Project(id string) Scope { return Scope{c, id} }

// ID is the project's.
func (s Scope) ID() string { return s.id }

// Path is the path of something within the project, whose parts may be any text.
func (s Scope) Path(parts ...string) string {
	var b strings.Builder
	b.WriteString(apiPath + "/projects/" + url.PathEscape(s.id))
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

// Endpoints are where events are delivered to.
func (s Scope) Endpoints() Resource[Endpoint] {
	return Resource[Endpoint]{s.client, s.Path("endpoints")}
}

// Subscriptions say which events an endpoint gets.
func (s Scope) Subscriptions() Resource[Subscription] {
	return Resource[Subscription]{s.client, s.Path("subscriptions")}
}

// Events are what was posted.
func (s Scope) Events() Resource[Event] { return Resource[Event]{s.client, s.Path("events")} }

// Deliveries are what events owe to endpoints.
func (s Scope) Deliveries() Resource[Delivery] {
	return Resource[Delivery]{s.client, s.Path("eventdeliveries")}
}

// Attempts are the attempts of one delivery.
func (s Scope) Attempts(delivery string) Resource[Attempt] {
	return Resource[Attempt]{s.client, s.Path("eventdeliveries", delivery, "deliveryattempts")}
}

// Keys are the project's API keys.
func (s Scope) Keys() Resource[Key] { return Resource[Key]{s.client, s.Path("keys")} }

// Sources are where webhooks of others come in.
func (s Scope) Sources() Resource[Source] { return Resource[Source]{s.client, s.Path("sources")} }

// PortalLinks let owners look after their endpoints.
func (s Scope) PortalLinks() Resource[PortalLink] {
	return Resource[PortalLink]{s.client, s.Path("portal-links")}
}

// EventTypes are the catalogue of event types.
func (s Scope) EventTypes() Resource[EventType] {
	return Resource[EventType]{s.client, s.Path("event-types")}
}

// Jobs are batch retries and replays.
func (s Scope) Jobs() Resource[Job] { return Resource[Job]{s.client, s.Path("jobs")} }

// Audit is the project's audit log.
func (s Scope) Audit() Resource[Audit] { return Resource[Audit]{s.client, s.Path("audit")} }

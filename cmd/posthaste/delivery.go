package main

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"posthaste/client"
)

// deliveryCmd is about deliveries.
type deliveryCmd struct {
	remote
	List     deliveryListCmd     `cmd:"" help:"List deliveries, the newest first." example:"posthaste delivery list --status Failure --since 24h"`
	Get      deliveryGetCmd      `cmd:"" help:"Show a delivery." example:"posthaste delivery get 01KAM4Z8V1V6W3J7C2Q9RZB5XN"`
	Tail     deliveryTailCmd     `cmd:"" help:"Show deliveries as they are created and change, until it is interrupted." example:"posthaste delivery tail --status Failure,Retry"`
	Attempts deliveryAttemptsCmd `cmd:"" help:"Show what was tried, and what came back." example:"posthaste delivery attempts 01KAM4Z8V1V6W3J7C2Q9RZB5XN"`
	Retry    deliveryRetryCmd    `cmd:"" help:"Try deliveries again: those that are named, or those that a filter selects." example:"posthaste delivery retry --status Failure --since 24h"`
	Curl     deliveryCurlCmd     `cmd:"" help:"Print a delivery's request as a curl command." example:"posthaste delivery curl 01KAM4Z8V1V6W3J7C2Q9RZB5XN"`
}

// deliveryFilter selects deliveries, those of a time among them, and those that a search
// finds.
type deliveryFilter struct {
	deliveryMatch
	Query string `placeholder:"TEXT" help:"That this finds: a text in the data or in answers, or operators such as code:5xx, attempts>3 and data.order.id=7."`
	spanFlags
}

// deliveryMatch selects deliveries by what they are.
type deliveryMatch struct {
	Endpoint       []string `placeholder:"ID" help:"To this endpoint; may be repeated."`
	Status         []string `sep:"," enum:"Scheduled,Processing,Retry,Success,Failure,Discarded" placeholder:"STATUS" help:"In this state: ${enum}; may be repeated."`
	Type           string   `placeholder:"TYPE" help:"Of this event type."`
	Owner          string   `placeholder:"ID" help:"To this owner's endpoints."`
	Event          string   `placeholder:"ID" help:"Of this event."`
	Subscription   string   `placeholder:"ID" help:"By this subscription."`
	Source         []string `placeholder:"ID" help:"Of events from this source; may be repeated."`
	IdempotencyKey string   `placeholder:"KEY" help:"Of events with this idempotency key."`
}

// query is the API's. An owner is looked up: the API knows endpoints only.
func (f *deliveryFilter) query(s *session, in client.Scope) (url.Values, error) {
	q := f.match()
	endpoints, err := f.endpoints(s, in)
	if err != nil {
		return nil, err
	}
	addAll(q, "endpointId", endpoints)
	if f.Query != "" {
		q.Set("query", f.Query)
	}
	return q, f.spanFlags.query(s, q)
}

// match is the query of all but endpoints and owner.
func (f *deliveryMatch) match() url.Values {
	q := named("eventType", f.Type, "eventId", f.Event, "subscriptionId", f.Subscription, "idempotencyKey", f.IdempotencyKey)
	addAll(q, "status", f.Status)
	addAll(q, "sourceId", f.Source)
	return q
}

// endpoints are those that are named and, of an owner that is named, those of these.
func (f *deliveryMatch) endpoints(s *session, in client.Scope) ([]string, error) {
	if f.Owner == "" {
		return f.Endpoint, nil
	}
	var found []string
	for row, err := range in.Endpoints().All(s.ctx, named("ownerId", f.Owner)) {
		if err != nil {
			return nil, err
		}
		if id := row.Value.ID; len(f.Endpoint) == 0 || contains(f.Endpoint, id) {
			found = append(found, id)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no endpoint has the owner %s; see posthaste endpoint list", clean(f.Owner))
	}
	return found, nil
}

func contains(ids []string, id string) bool {
	for _, other := range ids {
		if strings.EqualFold(other, id) {
			return true
		}
	}
	return false
}

type deliveryListCmd struct {
	deliveryFilter
	listFlags
}

// Run prints the list.
func (c *deliveryListCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	query, err := c.query(s, in)
	if err != nil {
		return err
	}
	return listing[client.Delivery]{
		resource: in.Deliveries(), query: query,
		titles: []string{"ID", "CREATED", "STATUS", "ATTEMPTS", "TYPE", "ENDPOINT", "NOTE"},
		cells: func(d client.Delivery) []string {
			return []string{d.ID, s.at(d.CreatedAt), d.Status, tries(d), d.EventType, endpointName(d), s.deliveryNote(d)}
		},
		none: "No deliveries here. Is there an endpoint with a subscription (posthaste subscription list), and were events sent (posthaste event list)?",
	}.show(s, c.listFlags)
}

// tries is how many attempts were made, of how many.
func tries(d client.Delivery) string {
	return strconv.Itoa(d.Metadata.NumTrials) + "/" + strconv.Itoa(d.Metadata.RetryLimit)
}

func endpointName(d client.Delivery) string {
	if d.Endpoint == nil || d.Endpoint.Name == "" {
		return d.EndpointID
	}
	return d.Endpoint.Name
}

// deliveryNote is what a list says of a delivery besides: why it is where it is, when it
// goes on, or how long it took.
func (s *session) deliveryNote(d client.Delivery) string {
	switch {
	case d.Metadata.NextSendTime != nil && d.Status == "Retry":
		return "next " + s.at(*d.Metadata.NextSendTime)
	case d.Status == "Success" && d.LatencySeconds > 0:
		return "took " + seconds(d.LatencySeconds)
	}
	return d.Description
}

// seconds shows a length of time, a short one more exactly.
func seconds(n float64) string {
	d := time.Duration(n * float64(time.Second))
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}

type deliveryGetCmd struct {
	ID string `arg:"" help:"The delivery."`
}

// Run prints the delivery.
func (c *deliveryGetCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	row, err := in.Deliveries().Get(s.ctx, c.ID)
	if err != nil {
		return err
	}
	return showOne(s, row, s.deliveryFields)
}

func (s *session) deliveryFields(d client.Delivery) []field {
	return []field{
		{"ID", d.ID}, {"Status", d.Status}, {"Note", d.Description}, {"Attempts", tries(d)},
		{"Next", s.atIf(d.Metadata.NextSendTime)}, {"Event", d.EventID}, {"Type", d.EventType},
		{"Endpoint", d.EndpointID}, {"URL", d.TargetURL}, {"Subscription", d.SubscriptionID},
		{"Idempotency key", d.IdempotencyKey}, {"Created", s.at(d.CreatedAt)}, {"Updated", s.at(d.UpdatedAt)},
	}
}

type deliveryAttemptsCmd struct {
	ID     string `arg:"" help:"The delivery."`
	Body   bool   `help:"Print what the receivers answered, too."`
	Timing bool   `help:"Print where the time went, too: an access token, DNS, connecting, TLS, waiting for the answer's first byte, and reading it."`
}

// Run prints the attempts. The API gives all of them at once.
func (c *deliveryAttemptsCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	page, err := in.Attempts(c.ID).List(s.ctx, nil)
	if err != nil {
		return err
	}
	if s.remote.JSON {
		return s.print(page.Raw)
	}
	if len(page.Rows) == 0 {
		return s.say("No attempt was made yet. See why: posthaste delivery get %s", clean(c.ID))
	}
	head := []string{"NUMBER", "TIME", "RESULT", "TOOK", "ADDRESS", "ERROR"}
	if c.Timing {
		head = slices.Insert(head, 4, "TOKEN", "DNS", "CONNECT", "TLS", "WAIT", "READ")
	}
	t := newTable(s.stdout, head...)
	for _, row := range page.Rows {
		a := row.Value
		cells := []string{strconv.Itoa(a.Number), s.at(a.RequestedAt), attemptResult(a), seconds(a.DurationMS / 1000), a.IPAddress, short(a.Error, 80)}
		if c.Timing {
			cells = slices.Insert(cells, 4, timingCells(a.Timing)...)
		}
		if err := t.row(cells...); err != nil {
			return err
		}
	}
	if err := t.close(); err != nil || !c.Body {
		return err
	}
	for _, row := range page.Rows {
		if _, err := fmt.Fprintf(s.stdout, "\n%d: %s\n", row.Value.Number, clean(row.Value.ResponseData)); err != nil {
			return err
		}
	}
	return nil
}

// timingCells are the parts of an attempt's time; what was not done, or is not known, is "".
func timingCells(t *client.Timing) []string {
	cells := make([]string, 6)
	if t == nil {
		return cells
	}
	for i, ms := range []float64{t.Token, t.DNS, t.Connect, t.TLS, t.Wait, t.Read} {
		if ms >= 0.005 { // less is written as 0s
			cells[i] = seconds(ms / 1000)
		}
	}
	return cells
}

func attemptResult(a client.Attempt) string {
	if a.HTTPStatus != "" {
		return a.HTTPStatus
	}
	if a.Status {
		return "taken"
	}
	return a.ErrorClass
}

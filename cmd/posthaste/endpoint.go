package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"posthaste/client"
)

// errNoChange refuses an update that names nothing.
var errNoChange = usageError{errors.New("nothing to change was named; see --help")}

// endpointCmd is about endpoints.
type endpointCmd struct {
	remote
	List         endpointListCmd     `cmd:"" help:"List endpoints." example:"posthaste endpoint list --owner acme"`
	Get          endpointGetCmd      `cmd:"" help:"Show an endpoint and its secrets." example:"posthaste endpoint get 01KAM4Z8V1V6W3J7C2Q9RZB5XN"`
	Create       endpointCreateCmd   `cmd:"" help:"Make an endpoint." example:"posthaste endpoint create https://example.com/hook --type 'order.*'"`
	Update       endpointUpdateCmd   `cmd:"" help:"Change an endpoint." example:"posthaste endpoint update 01KAM4Z8V1V6W3J7C2Q9RZB5XN --rate-limit 100 --rate-period 1m"`
	Delete       endpointDeleteCmd   `cmd:"" help:"Delete an endpoint." example:"posthaste endpoint delete 01KAM4Z8V1V6W3J7C2Q9RZB5XN --yes"`
	Pause        endpointPauseCmd    `cmd:"" help:"Hold back what goes to an endpoint; once more lets it go on." example:"posthaste endpoint pause 01KAM4Z8V1V6W3J7C2Q9RZB5XN"`
	Activate     endpointActivateCmd `cmd:"" help:"Let an endpoint take deliveries again." example:"posthaste endpoint activate 01KAM4Z8V1V6W3J7C2Q9RZB5XN"`
	RotateSecret endpointRotateCmd   `cmd:"" help:"Give an endpoint a new secret; the old ones go on for a while." example:"posthaste endpoint rotate-secret 01KAM4Z8V1V6W3J7C2Q9RZB5XN --keep-old 24h"`
	Test         endpointTestCmd     `cmd:"" help:"Send a test event to an endpoint." example:"posthaste endpoint test 01KAM4Z8V1V6W3J7C2Q9RZB5XN"`
}

// endpointID is the argument that names an endpoint.
type endpointID struct {
	ID string `arg:"" help:"The endpoint."`
}

type endpointListCmd struct {
	Owner  string `placeholder:"ID" help:"Only this owner's."`
	Search string `placeholder:"TEXT" help:"Only those with the text in their name."`
	listFlags
}

// Run prints the list.
func (c *endpointListCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	return listing[client.Endpoint]{
		resource: in.Endpoints(),
		query:    named("ownerId", c.Owner, "q", c.Search),
		titles:   []string{"ID", "NAME", "STATUS", "OWNER", "URL"},
		cells: func(e client.Endpoint) []string {
			return []string{e.ID, e.Name, e.Status, e.OwnerID, e.URL}
		},
		none: "No endpoints here yet. Make one: posthaste endpoint create URL",
	}.show(s, c.listFlags)
}

// named makes a query of names and values, without those that are empty.
func named(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

type endpointGetCmd struct{ endpointID }

// Run prints the endpoint.
func (c *endpointGetCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	row, err := in.Endpoints().Get(s.ctx, c.ID)
	if err != nil {
		return err
	}
	return showOne(s, row, s.endpointFields)
}

func (s *session) endpointFields(e client.Endpoint) []field {
	rate := "none"
	if e.RateLimit > 0 {
		rate = fmt.Sprintf("%d in %s", e.RateLimit, time.Duration(e.RatePeriod)*time.Second)
	}
	fields := []field{
		{"ID", e.ID}, {"Name", e.Name}, {"URL", e.URL}, {"Status", e.Status}, {"Owner", e.OwnerID},
		{"Description", e.Description}, {"Signature", e.SignatureMode}, {"Rate limit", rate},
		{"Timeout", (time.Duration(e.HTTPTimeout) * time.Second).String()}, {"Circuit breaker", e.CBState},
	}
	for _, secret := range e.Secrets {
		fields = append(fields, field{"Secret", secret.Value})
		if secret.PublicKey != "" {
			fields = append(fields, field{"Public key", secret.PublicKey})
		}
		if secret.ExpiresAt != nil {
			fields = append(fields, field{"  expires", s.at(*secret.ExpiresAt)})
		}
	}
	return append(fields, field{"Created", s.at(e.CreatedAt)}, field{"Updated", s.at(e.UpdatedAt)})
}

type endpointDeleteCmd struct {
	endpointID
	yesFlag
}

// Run asks and deletes.
func (c *endpointDeleteCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	if err := s.confirm(c.Yes, "Delete endpoint %s?", clean(c.ID)); err != nil {
		return err
	}
	a, err := in.Endpoints().Delete(s.ctx, c.ID)
	if err != nil {
		return err
	}
	return s.done(a.Data, "Endpoint %s is deleted.", clean(c.ID))
}

type endpointPauseCmd struct{ endpointID }

// Run pauses the endpoint, or lets a paused one go on.
func (c *endpointPauseCmd) Run(s *session) error {
	return s.changeEndpoint(http.MethodPut, c.ID, "pause", nil)
}

type endpointActivateCmd struct{ endpointID }

// Run activates the endpoint.
func (c *endpointActivateCmd) Run(s *session) error {
	return s.changeEndpoint(http.MethodPost, c.ID, "activate", nil)
}

func (s *session) changeEndpoint(method, id, action string, body any) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	row, err := in.Endpoints().Change(s.ctx, method, id, action, body)
	if err != nil {
		return err
	}
	return s.done(row.Raw, "Endpoint %s is %s.", row.Value.ID, clean(row.Value.Status))
}

type endpointRotateCmd struct {
	endpointID
	Secret  string        `placeholder:"TEXT" help:"The new secret; without it one is made."`
	KeepOld time.Duration `default:"24h" placeholder:"TIME" help:"How long the old secrets sign beside the new one, to a second; 0 ends them at once (${default})."`
}

// Run changes the secret and prints it.
func (c *endpointRotateCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	body := map[string]any{"expiration_seconds": int(c.KeepOld / time.Second)}
	if c.Secret != "" {
		body["secret"] = c.Secret
	}
	row, err := in.Endpoints().Change(s.ctx, http.MethodPut, c.ID, "expire_secret", body)
	if err != nil {
		return err
	}
	return showOne(s, row, s.endpointFields)
}

type endpointTestCmd struct {
	endpointID
	Type string `placeholder:"TYPE" help:"The test event's type."`
	Data string `placeholder:"JSON" help:"The test event's data; @FILE reads a file."`
}

// Run sends the event and says which it is.
func (c *endpointTestCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	body := map[string]any{}
	if c.Type != "" {
		body["event_type"] = c.Type
	}
	if c.Data != "" {
		if body["data"], err = s.readJSON("--data", c.Data); err != nil {
			return err
		}
	}
	a, err := in.Endpoints().Act(s.ctx, http.MethodPost, c.ID, "test", body)
	if err != nil {
		return err
	}
	var sent struct {
		ID         string `json:"uid"`
		Deliveries *int   `json:"deliveries"` // nil: the server does not say
	}
	if a.Into(&sent) == nil && sent.Deliveries != nil && *sent.Deliveries == 0 {
		return s.done(a.Data, "%s It is not sent: no subscription of the endpoint wants it. See posthaste subscription list --endpoint %s", sentence(a.Message), clean(c.ID))
	}
	return s.done(a.Data, "%s Look for it with: posthaste delivery list --event %s", sentence(a.Message), clean(sent.ID))
}

package main

import (
	"encoding/json"
	"fmt"
	"net/http"

	"posthaste/client"
)

// portalLinkCmd is about portal links.
type portalLinkCmd struct {
	remote
	List   portalLinkListCmd   `cmd:"" help:"List portal links." example:"posthaste portal-link list --owner acme"`
	Create portalLinkCreateCmd `cmd:"" help:"Let an owner's people look after their endpoints." example:"posthaste portal-link create acme --owner acme --manage"`
	Revoke portalLinkRevokeCmd `cmd:"" help:"End a portal link." example:"posthaste portal-link revoke 01KAM4Z8V1V6W3J7C2Q9RZB5XN --yes"`
	Token  portalLinkTokenCmd  `cmd:"" help:"Make a short-lived token of a portal link." example:"posthaste portal-link token 01KAM4Z8V1V6W3J7C2Q9RZB5XN"`
}

type portalLinkListCmd struct {
	Owner string `placeholder:"ID" help:"Only this owner's."`
	listFlags
}

// Run prints the list.
func (c *portalLinkListCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	return listing[client.PortalLink]{
		resource: in.PortalLinks(),
		query:    named("ownerId", c.Owner),
		titles:   []string{"ID", "NAME", "OWNER", "AUTH", "MANAGES", "CREATED"},
		cells: func(l client.PortalLink) []string {
			return []string{l.ID, l.Name, l.OwnerID, l.AuthType, yesNo(l.CanManageEndpoint), s.at(l.CreatedAt)}
		},
		none: "No portal links here yet. Make one: posthaste portal-link create NAME --owner ID",
	}.show(s, c.listFlags)
}

type portalLinkCreateCmd struct {
	Name     string   `arg:"" help:"The link's name."`
	Owner    string   `required:"" placeholder:"ID" help:"Whose endpoints it shows."`
	Endpoint []string `placeholder:"ID" help:"Only this endpoint of theirs; may be repeated."`
	Auth     string   `default:"static_token" enum:"static_token,refresh_token,one_time" placeholder:"TYPE" help:"${enum} (${default})."`
	Manage   bool     `help:"Let them change endpoints, too."`
	fieldsFlag
}

// Run makes the link and prints its URL.
func (c *portalLinkCreateCmd) Run(s *session) error {
	flags := map[string]any{"name": c.Name, "owner_id": c.Owner, "auth_type": c.Auth, "can_manage_endpoint": c.Manage}
	if c.Endpoint != nil {
		flags["endpoints"] = c.Endpoint
	}
	body, err := c.body(s, flags)
	if err != nil {
		return err
	}
	in, err := s.project()
	if err != nil {
		return err
	}
	row, err := in.PortalLinks().Create(s.ctx, body)
	if err != nil {
		return err
	}
	return showOne(s, row, s.portalLinkFields)
}

func (s *session) portalLinkFields(l client.PortalLink) []field {
	return []field{
		{"ID", l.ID}, {"Name", l.Name}, {"Owner", l.OwnerID}, {"URL", l.URL}, {"Token", l.Token}, {"Auth", l.AuthType},
		{"Manages", yesNo(l.CanManageEndpoint)}, {"Expires", s.atIf(l.ExpiresAt)}, {"Created", s.at(l.CreatedAt)},
	}
}

type portalLinkRevokeCmd struct {
	ID string `arg:"" help:"The link."`
	yesFlag
}

// Run asks and revokes.
func (c *portalLinkRevokeCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	if err := s.confirm(c.Yes, "Revoke portal link %s? Whoever has it is refused from then on.", clean(c.ID)); err != nil {
		return err
	}
	a, err := in.PortalLinks().Act(s.ctx, http.MethodPut, c.ID, "revoke", nil)
	if err != nil {
		return err
	}
	return s.done(a.Data, "Portal link %s is revoked.", clean(c.ID))
}

type portalLinkTokenCmd struct {
	ID string `arg:"" help:"The link."`
}

// Run prints the token alone.
func (c *portalLinkTokenCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	a, err := in.PortalLinks().Act(s.ctx, http.MethodGet, c.ID, "refresh_token", nil)
	if err != nil {
		return err
	}
	var token string
	if s.remote.JSON || json.Unmarshal(a.Data, &token) != nil {
		return s.print(a.Data)
	}
	_, err = fmt.Fprintln(s.stdout, token)
	return err
}

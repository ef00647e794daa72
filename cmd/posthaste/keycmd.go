package main

import (
	"fmt"
	"time"

	"posthaste/client"
)

// keyCmd is about API keys.
type keyCmd struct {
	remote
	List   keyListCmd   `cmd:"" help:"List a project's keys, or with --instance the instance's." example:"posthaste key list"`
	Create keyCreateCmd `cmd:"" help:"Make a key. Its text is shown once." example:"posthaste key create billing --scope ingest --expires 90d"`
	Revoke keyRevokeCmd `cmd:"" help:"End a key." example:"posthaste key revoke 01KAM4Z8V1V6W3J7C2Q9RZB5XN --yes"`
}

// keysOfFlag says whose keys.
type keysOfFlag struct {
	Instance bool `help:"Keys of the instance, which reach every project."`
}

func (f *keysOfFlag) keys(s *session) (client.Resource[client.Key], error) {
	if f.Instance {
		return s.client.InstanceKeys(), nil
	}
	in, err := s.project()
	return in.Keys(), err
}

type keyListCmd struct {
	keysOfFlag
	listFlags
}

// Run prints the list.
func (c *keyListCmd) Run(s *session) error {
	keys, err := c.keys(s)
	if err != nil {
		return err
	}
	return listing[client.Key]{
		resource: keys,
		titles:   []string{"ID", "NAME", "SCOPES", "OWNER", "LAST USED", "EXPIRES"},
		cells: func(k client.Key) []string {
			return []string{k.ID, k.Name, joined(k.Scopes), k.OwnerID, s.atIf(k.LastUsedAt), s.atIf(k.ExpiresAt)}
		},
		none: "No keys here yet. Make one: posthaste key create NAME",
	}.show(s, c.listFlags)
}

type keyCreateCmd struct {
	Name      string   `arg:"" help:"What the key is for."`
	Scope     []string `sep:"," enum:"ingest,read,manage" placeholder:"SCOPE" help:"What it may do: ${enum}; may be repeated. All of them if it is left out."`
	Owner     string   `placeholder:"ID" help:"Only what belongs to this owner."`
	AllowFrom []string `sep:"," placeholder:"CIDR" help:"Addresses or networks it may be used from; may be repeated."`
	Expires   string   `placeholder:"TIME" help:"When it ends: a time, or how long it lives (90d, 12h)."`
	keysOfFlag
	fieldsFlag
}

// Run makes the key and prints its text.
func (c *keyCreateCmd) Run(s *session) error {
	flags := map[string]any{"name": c.Name}
	if c.Scope != nil {
		flags["scopes"] = c.Scope
	}
	if c.Owner != "" {
		flags["owner_id"] = c.Owner
	}
	if c.AllowFrom != nil {
		flags["allow_from"] = c.AllowFrom
	}
	if c.Expires != "" {
		end, err := c.end(s)
		if err != nil {
			return err
		}
		flags["expires_at"] = end.UTC().Format(time.RFC3339)
	}
	body, err := c.body(s, flags)
	if err != nil {
		return err
	}
	keys, err := c.keys(s)
	if err != nil {
		return err
	}
	row, err := keys.Create(s.ctx, body)
	if err != nil {
		return err
	}
	if err := showOne(s, row, s.keyFields); err != nil || s.remote.JSON {
		return err
	}
	return s.say("The key is shown this once.")
}

// end is when the key ends.
func (c *keyCreateCmd) end(s *session) (time.Time, error) {
	if d, err := parseDuration(c.Expires); err == nil {
		return s.now().Add(d), nil
	}
	t, err := parseTime(c.Expires, s.now(), s.location)
	if err != nil {
		return t, usageError{fmt.Errorf("--expires: %w", err)}
	}
	return t, nil
}

func (s *session) keyFields(k client.Key) []field {
	return []field{
		{"ID", k.ID}, {"Name", k.Name}, {"Key", k.Key}, {"Scopes", joined(k.Scopes)}, {"Owner", k.OwnerID},
		{"Allowed from", joined(k.AllowFrom)}, {"Expires", s.atIf(k.ExpiresAt)}, {"Created", s.at(k.CreatedAt)},
	}
}

type keyRevokeCmd struct {
	ID string `arg:"" help:"The key, by its id."`
	keysOfFlag
	yesFlag
}

// Run asks and revokes.
func (c *keyRevokeCmd) Run(s *session) error {
	keys, err := c.keys(s)
	if err != nil {
		return err
	}
	if err := s.confirm(c.Yes, "Revoke key %s? Whoever uses it is refused from then on.", clean(c.ID)); err != nil {
		return err
	}
	a, err := keys.Delete(s.ctx, c.ID)
	if err != nil {
		return err
	}
	return s.done(a.Data, "Key %s is revoked.", clean(c.ID))
}

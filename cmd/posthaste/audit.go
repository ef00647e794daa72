package main

import (
	"strings"

	"posthaste/client"
)

// auditCmd lists the audit log.
type auditCmd struct {
	Instance bool   `help:"Of the whole instance, which needs its key."`
	Actor    string `placeholder:"ID" help:"Of this key or portal link, or of a kind of actor: instance_key, api_key, portal_link, server."`
	Action   string `placeholder:"ACTION" help:"This action, such as key.create; with a dot at its end, all of a kind: key."`
	Object   string `placeholder:"ID" help:"About this object."`
	Outcome  string `placeholder:"OUTCOME" help:"done, refused, begun or failed."`
	spanFlags
	listFlags

	remote
}

// Run prints the list.
func (c *auditCmd) Run(s *session) error {
	query := named("actor", c.Actor, "action", c.Action, "object", c.Object, "outcome", c.Outcome)
	if err := c.spanFlags.query(s, query); err != nil {
		return err
	}
	resource := s.client.Audit()
	if !c.Instance {
		in, err := s.project()
		if err != nil {
			return err
		}
		resource = in.Audit()
	}
	return listing[client.Audit]{
		resource: resource, query: query,
		titles: []string{"TIME", "ACTOR", "ACTION", "OBJECT", "OUTCOME", "FROM", "CHANGED"},
		cells: func(a client.Audit) []string {
			return []string{s.at(a.CreatedAt), auditActor(a), a.Action, auditObject(a), a.Outcome, a.Address, auditChanged(a)}
		},
		none: "Nothing is recorded here.",
	}.show(s, c.listFlags)
}

func auditActor(a client.Audit) string {
	return strings.TrimSpace(a.ActorKind + " " + firstOf(a.ActorName, a.ActorID))
}

func auditObject(a client.Audit) string {
	return strings.TrimSpace(a.ObjectKind + " " + firstOf(a.ObjectID, a.ObjectName))
}

// auditChanged names the fields that were changed, or says why something was done.
func auditChanged(a client.Audit) string {
	var names []string
	for _, c := range a.Changes {
		names = append(names, c.Field)
	}
	return firstOf(a.Reason, strings.Join(names, ", "))
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

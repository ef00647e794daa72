package catalog

import (
	"posthaste/event"
)

// By is this catalog for somebody who acts: what is written through it is recorded in the
// audit log as theirs, in the same write as the change. Of who, the actor, the address
// and the request's id count. Without By it is the server itself that acts.
func (c *Catalog) By(who event.Audit) *Catalog { return &Catalog{core: c.core, by: who} }

// auditKinds are the kinds of object as the audit log names them.
var auditKinds = map[byte]string{
	KindProject: "project", KindEndpoint: "endpoint", KindSubscription: "subscription", KindKey: "key",
	KindEventType: "event_type", KindSource: "source", KindPortalLink: "portal_link", KindApplication: "application",
}

// auditActions are the operations that are not called create, update or delete.
var auditActions = map[string]string{
	"expire a secret":                  "secret.rotate",
	"end a secret":                     "secret.expire",
	"change the status of an endpoint": "endpoint.status",
	"delete key":                       "key.revoke",
	"revoke portal link":               "portal_link.revoke",
	"use portal link":                  "portal_link.use",
}

// maxDetailed is up to how many objects of one write have a record each. More have one
// together.
const maxDetailed = 100

// trail is what the audit log says of a write: a record for each object of the kind that
// the write is about, and for each key that it makes. A deletion is about its last object,
// whose others go with it.
func (c *Catalog) trail(op string, edits []edit) []event.Audit {
	if len(edits) == 0 {
		return nil
	}
	last := &edits[len(edits)-1]
	if last.after == nil {
		a, _ := c.audited(op, last, true)
		if len(edits) > 1 {
			a.Count = len(edits)
		}
		return []event.Audit{a}
	}
	about := edits[0].change().Kind
	told := make([]*edit, 0, len(edits))
	for i := range edits {
		if kind := edits[i].change().Kind; kind == about || kind == KindKey {
			told = append(told, &edits[i])
		}
	}
	if len(told) > maxDetailed {
		a, _ := c.audited(op, told[0], false)
		a.Count = len(told)
		return []event.Audit{a}
	}
	var trail []event.Audit
	for _, e := range told {
		if a, worth := c.audited(op, e, true); worth {
			trail = append(trail, a)
		}
	}
	return trail
}

// audited is the record of one object's part of a write. It is not worth one where the
// server wrote something down by itself that is nobody's setting.
func (c *Catalog) audited(op string, e *edit, detailed bool) (a event.Audit, worth bool) {
	ch := e.change()
	o := e.after
	if o == nil {
		o = e.before
	}
	a = c.by
	if a.Actor.Kind == "" {
		a.Actor.Kind = event.ActorServer
	}
	name, _ := nounOf(o)
	a.ProjectID, a.ProjectName = ch.ProjectID, c.projectName(ch.ProjectID, o)
	a.Object = event.AuditObject{Kind: auditKinds[ch.Kind], ID: ch.ID, Name: name}
	a.Action, a.Outcome = auditAction(op, e), event.AuditDone
	if detailed && e.after != nil {
		a.Changes = c.changes(ch.Kind, e)
		if e.before != nil && len(a.Changes) == 0 && a.Actor.Kind == event.ActorServer {
			return a, false
		}
	}
	if ep, ok := o.(*Endpoint); ok && a.Actor.Kind == event.ActorServer && len(ep.StatusHistory) > 0 {
		a.Reason = ep.StatusHistory[len(ep.StatusHistory)-1].Reason
	}
	return a, true
}

func auditAction(op string, e *edit) string {
	if action := auditActions[op]; action != "" {
		return action
	}
	kind := auditKinds[e.change().Kind]
	switch {
	case e.before == nil:
		return kind + ".create"
	case e.after == nil:
		return kind + ".delete"
	}
	return kind + ".update"
}

func (c *Catalog) projectName(id event.ID, o object) string {
	if p, ok := o.(*Project); ok {
		return p.Name
	}
	if p := c.Snapshot().stored(id); p != nil {
		return p.Name
	}
	return ""
}

// nounOf is an object's name and what is compared of it.
func nounOf(o object) (name string, noun any) {
	switch o := o.(type) {
	case *Project:
		return o.Name, &o.Project
	case *Endpoint:
		return o.Name, &o.Endpoint
	case *Subscription:
		return o.Name, &o.Subscription
	case *apiKey:
		return o.Name, keyNoun{o.APIKey, o.Scopes.Names()}
	case *eventType:
		return o.Name, &o.EventType
	case *source:
		return o.Name, &o.Source
	case *portalLink:
		return o.Name, &o.PortalLink
	case *application:
		return o.Name, &o.Application
	}
	panic("BUG: an object that the audit log does not know")
}

// keyNoun is an API key with its scopes by their names.
type keyNoun struct {
	event.APIKey
	Scopes []string `json:"scopes"`
}

package api

import (
	"errors"
	"net/http"
	"strings"

	"posthaste/event"
)

// Auditor is the audit log. Its methods may be called from any goroutine.
//
// The catalog writes what it changes down by itself, see catalog.By. What the API writes
// is the rest: what is done with deliveries, events and jobs, secrets that are shown, and
// refusals.
type Auditor interface {
	// Audit is durable when it returns.
	Audit(trail ...event.Audit) error
	// Audits lists what is about a project or, for the zero id, all.
	Audits(project event.ID, r event.Range, f event.AuditFilter) ([]event.Audit, event.Scan, error)
}

// unaudited is an Auditor that forgets.
type unaudited struct{}

func (unaudited) Audit(...event.Audit) error { return nil }

func (unaudited) Audits(event.ID, event.Range, event.AuditFilter) ([]event.Audit, event.Scan, error) {
	return nil, event.Scan{}, nil
}

// who is the caller as the audit log names it, with where the request came from.
func (c *call) who(requestID string) event.Audit {
	a := event.Audit{Outcome: event.AuditDone, RequestID: strings.Clone(requestID), Actor: event.Actor{ID: c.grant.KeyID}}
	if addr, ok := addressOf(c.r.RemoteAddr); ok {
		a.Address = addr.String()
	}
	switch k, isKey := c.snap.Key(c.grant.ProjectID, c.grant.KeyID); {
	case c.grant.KeyID.IsZero() && c.grant.Instance:
		a.Actor.Kind = event.ActorInstanceKey
	case c.grant.KeyID.IsZero():
		a.Actor.Kind = event.ActorNobody
	case isKey:
		a.Actor.Kind, a.Actor.Name = event.ActorAPIKey, k.Name
	case c.grant.Portal:
		a.Actor.Kind = event.ActorPortalLink
		if l := c.snap.PortalLink(c.grant.ProjectID, c.grant.KeyID); l != nil {
			a.Actor.Name = l.Name
		}
	default:
		a.Actor.Kind = event.ActorAPIKey // revoked a moment ago
	}
	return a
}

// reveal is the action of who is shown a secret.
const reveal = "secret.reveal"

// did says what a request has done that the catalog knows nothing of. It is recorded once
// the handler has returned, before the answer is sent.
func (c *call) did(action, kind string, id event.ID, name string) {
	c.done.Action = action
	c.done.Object = event.AuditObject{Kind: kind, ID: id, Name: name}
}

// reveals says that a request which reads is answered with a secret in clear. Those that
// change something have a record of that.
func (c *call) reveals(kind string, id event.ID, name string) {
	if c.r.Method != http.MethodGet {
		return
	}
	if c.done.Count++; c.done.Count == 1 {
		c.did(reveal, kind, id, name)
	}
}

// audited records what a request did, or that it was refused. An answer that is a success
// is not sent before its record is durable.
func (a *API) audited(c *call, rt *route, requestID string, rep reply, err error) (reply, error) {
	switch {
	case c == nil:
		return rep, err
	case c.done.Action != "" && (err == nil || c.done.Action != reveal):
		if fault := a.recordDone(c, requestID); fault != nil {
			return reply{}, fault
		}
	case isRefused(err):
		if fault := a.recordRefusal(c, rt, requestID, err); fault != nil {
			a.o.Fault(requestID, fault)
		}
	}
	return rep, err
}

func (a *API) recordDone(c *call, requestID string) error {
	record := c.who(requestID)
	record.Action, record.Object, record.Count, record.Changes = c.done.Action, c.done.Object, c.done.Count, c.done.Changes
	if record.Count == 1 {
		record.Count = 0
	}
	if c.project != nil {
		record.ProjectID, record.ProjectName = c.project.ID, c.project.Name
	}
	if record.Action == reveal && c.r.Method == http.MethodGet {
		return a.seldom.record(a.o, record)
	}
	return a.o.Audit.Audit(record)
}

// recordRefusal puts a refusal down in the caller's own project: what it asked for may be
// another's.
func (a *API) recordRefusal(c *call, rt *route, requestID string, err error) error {
	record := c.who(requestID)
	_, message := codeOf(err)
	record.Outcome, record.Reason = event.AuditRefused, strings.Clone(message)
	if blocked, ok := errors.AsType[*event.BlockedError](err); ok {
		record.Reason += " (" + strings.Clone(blocked.Host) + ")"
	}
	record.Action, record.Object = refusedAction(c.r, rt.pattern)
	if p := c.snap.Project(c.grant.ProjectID); p != nil {
		record.ProjectID, record.ProjectName = p.ID, p.Name
	}
	return a.seldom.record(a.o, record)
}

// refusedError is an error that a caller gets because it may not do what it asks for,
// whatever it is told.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

func refused(err error) error {
	if err == nil {
		return nil
	}
	return refusedError{err}
}

func isRefused(err error) bool {
	var said *httpError
	return errors.As(err, new(refusedError)) || errors.As(err, &said) && said.code == http.StatusForbidden || errors.As(err, new(*event.BlockedError))
}

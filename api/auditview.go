package api

import (
	"time"

	"posthaste/event"
)

// auditView is a record of the audit log as it is answered.
type auditView struct {
	ID          event.ID            `json:"uid"`
	CreatedAt   time.Time           `json:"created_at"`
	ProjectID   string              `json:"project_id"`   // "": the instance
	ProjectName string              `json:"project_name"` // as it was called then
	ActorKind   string              `json:"actor_kind"`   // instance_key, api_key, portal_link, server, nobody
	ActorID     string              `json:"actor_id"`     // of the key or the portal link
	ActorName   string              `json:"actor_name"`
	Action      string              `json:"action"`
	ObjectKind  string              `json:"object_kind"`
	ObjectID    string              `json:"object_id"`
	ObjectName  string              `json:"object_name"`
	Count       int                 `json:"count"`   // of the objects that the action was about, or of attempts that were refused; 0: it is not known
	Outcome     string              `json:"outcome"` // done, refused, begun, failed
	Reason      string              `json:"reason"`
	Address     string              `json:"address"` // that the request came from
	RequestID   string              `json:"request_id"`
	Changes     []event.AuditChange `json:"changes"`
}

func newAuditView(a *event.Audit) auditView {
	v := auditView{
		ID: a.ID, CreatedAt: event.TimeOf(a.ID), ProjectID: idText(a.ProjectID), ProjectName: a.ProjectName,
		ActorKind: a.Actor.Kind, ActorID: idText(a.Actor.ID), ActorName: a.Actor.Name,
		Action: a.Action, ObjectKind: a.Object.Kind, ObjectID: idText(a.Object.ID), ObjectName: a.Object.Name, Count: a.Count,
		Outcome: a.Outcome, Reason: a.Reason, Address: a.Address, RequestID: a.RequestID, Changes: a.Changes,
	}
	if a.Count == 0 && !a.Object.ID.IsZero() {
		v.Count = 1
	}
	if v.Changes == nil {
		v.Changes = []event.AuditChange{}
	}
	return v
}

// idText is an id's text; "" for none.
func idText(id event.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

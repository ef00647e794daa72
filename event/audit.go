package event

// Audit is one record of the audit log: one action that manages the server or a project,
// done, or refused because its caller may not. It holds no secret, no payload and no
// credential. It is stored as JSON, so the names of its fields never change.
type Audit struct {
	// ID names the record. The log makes it; its time is when the action was recorded.
	ID          ID            `json:"uid"`
	ProjectID   ID            `json:"project_id,omitzero"` // zero: the instance
	ProjectName string        `json:"project_name,omitempty"`
	Actor       Actor         `json:"actor"`
	Action      string        `json:"action"` // what was done: the kind of object, a dot, and the verb, as endpoint.create
	Object      AuditObject   `json:"object,omitzero"`
	Outcome     string        `json:"outcome"`          // one of the Audit constants
	Reason      string        `json:"reason,omitempty"` // of a refusal; of what the server does by itself
	Count       int           `json:"count,omitempty"`  // objects, where it is more than the one that is named; attempts that were refused
	Address     string        `json:"address,omitempty"`
	RequestID   string        `json:"request_id,omitempty"`
	Changes     []AuditChange `json:"changes,omitempty"`
}

// The outcomes of an action.
const (
	AuditDone    = "done"
	AuditRefused = "refused" // its caller may not do it
	AuditBegun   = "begun"   // it takes several writes; another record says when it is done
	AuditFailed  = "failed"  // it was begun and did not come to its end
)

// Actor is who acts.
type Actor struct {
	Kind string `json:"kind"`         // one of the Actor constants
	ID   ID     `json:"uid,omitzero"` // of the key or the portal link
	Name string `json:"name,omitempty"`
}

// The kinds of actor.
const (
	ActorInstanceKey = "instance_key" // the key of the data directory or of POSTHASTE_ROOT_KEY
	ActorAPIKey      = "api_key"
	ActorPortalLink  = "portal_link"
	ActorServer      = "server" // nobody asked
	ActorNobody      = "nobody" // a route that takes no key
)

// AuditObject is what an action is about.
type AuditObject struct {
	Kind string `json:"kind"` // project, endpoint, subscription, key, ...
	ID   ID     `json:"uid,omitzero"`
	Name string `json:"name,omitempty"`
}

// AuditChange is one field that an action changed. Of a field that holds a secret, or may,
// Before and After are digests under a key of this store: they tell that it changed, and
// whether it came back, and no more. They are empty where there was nothing.
type AuditChange struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// AuditFilter selects records of the audit log; zero fields select all. Fields combine.
type AuditFilter struct {
	Actor   string // an id, or a kind of actor
	Action  string // an action, or with a dot at its end all of a kind
	Object  ID
	Outcome string
}

// Selects reports whether a record passes.
func (f *AuditFilter) Selects(a *Audit) bool {
	if f.Actor != "" && f.Actor != a.Actor.Kind && (a.Actor.ID.IsZero() || f.Actor != a.Actor.ID.String()) {
		return false
	}
	if f.Action != "" && f.Action != a.Action {
		kind := f.Action[len(f.Action)-1] == '.' && len(a.Action) > len(f.Action) && a.Action[:len(f.Action)] == f.Action
		if !kind {
			return false
		}
	}
	if !f.Object.IsZero() && f.Object != a.Object.ID {
		return false
	}
	return f.Outcome == "" || f.Outcome == a.Outcome
}

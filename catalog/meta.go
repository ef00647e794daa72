package catalog

import (
	"slices"

	"posthaste/event"
)

// meta is what stands in for the URL that is told of what happens to a project: a
// project and an endpoint of their own, so that operational events are stored,
// signed and delivered as all others are. They are derived from their parent when it
// is loaded or changed, and never stored.
type meta struct {
	project  *Project
	endpoint *Endpoint
}

func compileMeta(parent *Project) *meta {
	noun := event.Project{
		ID: event.MetaProject(parent.ID), Name: cutName(parent.Name, " operational events"), Type: parent.Type,
		Config: event.DefaultProjectConfig(), CreatedAt: parent.CreatedAt, UpdatedAt: parent.UpdatedAt,
	}
	noun.Config.Strategy = parent.Config.Strategy
	noun.Config.Retention = parent.Config.Retention
	p := &Project{Project: noun, Retry: parent.Retry, isMeta: true}
	p.versions = versionsOf(&noun.Config.Signature)
	m, made, changed := &parent.Config.MetaEvent, event.StampOf(parent.CreatedAt), event.StampOf(parent.UpdatedAt)
	e := event.Endpoint{
		ID: event.MetaEndpoint(parent.ID), ProjectID: noun.ID, Name: noun.Name, URL: m.URL,
		Secrets: []event.Secret{{ID: event.MetaEndpoint(parent.ID), Value: m.Secret, CreatedAt: made, UpdatedAt: changed}},
		Status:  event.EndpointActive, HTTPTimeout: event.DefaultHTTPTimeout, ContentType: contentJSON, SignatureMode: event.SignConvoy,
		CreatedAt: made, UpdatedAt: changed,
	}
	return &meta{project: p, endpoint: assemble(e, nil, nil, parent.rev)}
}

func (m *meta) insertInto(s *state) {
	s.metas.put(m.project.ID, m)
	s.metas.put(m.endpoint.ID, m)
}

func (m *meta) removeFrom(s *state) {
	s.metas.remove(m.project.ID)
	s.metas.remove(m.endpoint.ID)
}

// IsMeta reports whether the project is not one of the catalog's own, but stands for
// the operational events of one, see event.MetaProject.
func (p *Project) IsMeta() bool { return p.isMeta }

// WantsMeta reports whether the project is to be told of operational events of this
// type.
func (p *Project) WantsMeta(eventType string) bool {
	m := &p.Config.MetaEvent
	return m.IsEnabled && (len(m.EventTypes) == 0 || slices.Contains(m.EventTypes, eventType))
}

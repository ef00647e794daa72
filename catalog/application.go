package catalog

import (
	"iter"

	"posthaste/event"
	"posthaste/internal/seal"
)

// application is a stored application.
type application struct {
	event.Application
	rev uint64
}

func (a *application) noun() *event.Application { return &a.Application }

func (a *application) ref() Change {
	return Change{Kind: KindApplication, ID: a.ID, ProjectID: a.ProjectID}
}
func (a *application) revision() uint64 { return a.rev }

func (a *application) encode(*seal.Box) ([]byte, error) { return encodeJSON(&a.Application) }

func (a *application) insertInto(s *state) {
	s.applications.put(a.ProjectID, a.ID, a)
	s.changed.applications = true
}

func (a *application) removeFrom(s *state) {
	s.applications.remove(a.ProjectID, a.ID)
	s.changed.applications = true
}

// Application is the project's application with this id; nil if there is none.
func (s *Snapshot) Application(project, id event.ID) *event.Application {
	a := s.applications.get(project, id)
	if a == nil {
		return nil
	}
	return &a.Application
}

// Applications lists the applications of a project by id, which is by age; match
// selects, nil takes all.
func (s *Snapshot) Applications(project event.ID, r event.Range, match func(*event.Application) bool) []*event.Application {
	return selected(s.applications.within(project, r), r.Limit, (*application).noun, match)
}

// EndpointsOfApp lists the endpoints of an application, oldest first.
func (s *Snapshot) EndpointsOfApp(project, app event.ID) iter.Seq[*Endpoint] {
	return func(yield func(*Endpoint) bool) {
		lo := &Endpoint{Endpoint: event.Endpoint{ProjectID: project, AppID: &app}}
		hi := &Endpoint{Endpoint: event.Endpoint{ProjectID: project, AppID: &app, ID: lastID}}
		s.apps.walk(lo, hi, false)(yield)
	}
}

// compareGrouped orders endpoints that have an application.
func compareGrouped(a, b *Endpoint) int {
	if c := comparePairs(a.ProjectID, *a.AppID, b.ProjectID, *b.AppID); c != 0 {
		return c
	}
	return compareID(a.ID, b.ID)
}

package api

import (
	"net/http"

	"posthaste/catalog"
	"posthaste/event"
)

// listProjects is not paged: clients expect an array. An orgID is ignored, there
// being one organisation.
func (a *API) listProjects(c *call) (reply, error) {
	count, _, _ := c.snap.Counts()
	views := make([]projectView, 0, count)
	for _, p := range c.snap.Projects(event.Range{Descending: true, Limit: max(count, 1)}) {
		view := newProjectView(p, nil)
		view.Config.MetaEvent.Secret = maskSecret(view.Config.MetaEvent.Secret)
		views = append(views, view)
	}
	return respond(http.StatusOK, "Projects fetched successfully", views)
}

func (a *API) createProject(c *call) (reply, error) {
	body, err := a.readBody(c.r)
	if err != nil {
		return reply{}, err
	}
	project := event.Project{Config: event.DefaultProjectConfig()}
	if err := a.decodeProject(c, body, &project); err != nil {
		return reply{}, err
	}
	limits, err := a.keyFor(c, &keyBody{})
	if err != nil {
		return reply{}, err
	}
	p, key, text, err := a.o.Catalog.CreateProjectWithKey(project, limits)
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusCreated, "Project created successfully", createdProject{
		APIKey:  newKeyView(key, text),
		Project: newProjectView(p, &statisticsView{}),
	})
}

func (a *API) getProject(c *call) (reply, error) {
	secrets, err := c.shown()
	if err != nil {
		return reply{}, err
	}
	return a.respondProject(c, http.StatusOK, "Project fetched successfully", c.project, secrets)
}

// updateProject changes what the body names and leaves the rest.
func (a *API) updateProject(c *call) (reply, error) {
	body, err := a.readBody(c.r)
	if err != nil {
		return reply{}, err
	}
	kind := c.project.Type
	p, err := a.o.Catalog.UpdateProject(c.project.ID, func(p *event.Project) error {
		if err := a.decodeProject(c, body, p); err != nil {
			return err
		}
		if p.Type != "" && p.Type != kind {
			return event.Invalid("type", "a project's type does not change")
		}
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	return a.respondProject(c, http.StatusAccepted, "Project updated successfully", p, c.mayManage())
}

func (a *API) deleteProject(c *call) (reply, error) {
	if err := a.o.Catalog.DeleteProject(c.project.ID); err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Project deleted successfully", nil)
}

func (a *API) respondProject(c *call, code int, message string, p *catalog.Project, secrets bool) (reply, error) {
	statistics, err := a.statistics(p.ID)
	if err != nil {
		return reply{}, err
	}
	view := newProjectView(p, statistics)
	switch {
	case !secrets:
		view.Config.MetaEvent.Secret = maskSecret(view.Config.MetaEvent.Secret)
	case view.Config.MetaEvent.Secret != "":
		c.reveals("project", p.ID, p.Name)
	}
	return respond(code, message, view)
}

// statisticsBudget bounds how many events are looked at to say that there is one.
const statisticsBudget = 1000

// statistics looks for one thing of each kind in a project.
func (a *API) statistics(project event.ID) (*statisticsView, error) {
	one := event.Range{Descending: true, Limit: 1, Budget: statisticsBudget}
	events, _, err := a.o.Reader.Events(project, one, event.EventFilter{})
	if err != nil {
		return nil, err
	}
	snap := a.o.Catalog.Snapshot()
	return &statisticsView{
		EventsExist:        len(events) > 0,
		SourcesExist:       len(snap.Sources(project, one, nil)) > 0,
		EndpointsExist:     len(snap.Endpoints(project, one, nil)) > 0,
		SubscriptionsExist: len(snap.Subscriptions(project, one, nil)) > 0,
	}, nil
}

// projectBody is a project in a request. It is filled with the project as it is
// before a body is read over it.
type projectBody struct {
	Name    string     `json:"name"`
	Type    string     `json:"type"`
	LogoURL string     `json:"logo_url"`
	Config  configBody `json:"config"`
}

// decodeProject reads a body over a project.
func (a *API) decodeProject(c *call, body []byte, p *event.Project) error {
	in := projectBody{Name: p.Name, Type: p.Type, LogoURL: p.LogoURL, Config: configBody{ProjectConfig: p.Config}}
	if err := a.decodeFor(c.r, body, &in); err != nil {
		return err
	}
	config, err := in.Config.config(p.Config)
	if err != nil {
		return err
	}
	p.Name, p.Type, p.LogoURL, p.Config = in.Name, in.Type, in.LogoURL, config
	return nil
}

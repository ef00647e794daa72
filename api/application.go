package api

import (
	"net/http"
	"strings"

	"posthaste/catalog"
	"posthaste/event"
)

const inApplications = "/applications"

func (a *API) listApplications(c *call) (reply, error) {
	params := c.r.URL.Query()
	q, err := parsePageQuery(params)
	if err != nil {
		return reply{}, err
	}
	name := strings.ToLower(params.Get("q"))
	match := func(app *event.Application) bool { return strings.Contains(strings.ToLower(app.Name), name) }
	p, err := readPage(q, listing[*event.Application]{
		fetch: snapshotFetch(func(r event.Range) []*event.Application { return c.snap.Applications(c.project.ID, r, match) }),
		id:    func(app *event.Application) event.ID { return app.ID },
	}, a.o.MaxPageBytes)
	if err != nil {
		return reply{}, err
	}
	data, err := p.encode(func(dst []byte, app *event.Application) ([]byte, error) {
		return appendObject(dst, newApplicationView(app, c.snap, maxEndpointsInApp, false))
	})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Applications fetched successfully", data)
}

// createApplication makes an application and, if it comes with a URL, an endpoint of
// it that takes all events.
func (a *API) createApplication(c *call) (reply, error) {
	var b applicationBody
	if err := a.readJSON(c.r, &b); err != nil {
		return reply{}, err
	}
	app := event.Application{ProjectID: c.project.ID}
	b.apply(&app)
	made, err := a.o.Catalog.CreateApplication(app)
	if err != nil {
		return reply{}, err
	}
	if url := b.url(); url != "" {
		endpoint := appEndpointBody{endpointBody: endpointBody{URL: &url, Secret: b.Secret}}
		if _, err := a.createInApplication(c, made, &endpoint); err != nil {
			return reply{}, a.takeBack(err, func() error { return a.o.Catalog.DeleteApplication(c.project.ID, made.ID) })
		}
	}
	return a.respondApplication(c, http.StatusCreated, "Application created successfully", made, nil)
}

// takeBack undoes a first step because of the error of a second. It returns that error,
// unless the undoing fails too.
func (a *API) takeBack(err error, undo func() error) error {
	if failed := undo(); failed != nil {
		return failed
	}
	return err
}

func (a *API) getApplication(c *call) (reply, error) {
	app, err := c.application()
	return a.respondApplication(c, http.StatusOK, "Application fetched successfully", app, err)
}

// updateApplication changes what the body names. Disabling an application pauses its
// endpoints; enabling it lets those that are paused go on.
func (a *API) updateApplication(c *call) (reply, error) {
	app, err := c.application()
	if err != nil {
		return reply{}, err
	}
	var b applicationBody
	if err := a.readJSON(c.r, &b); err != nil {
		return reply{}, err
	}
	if b.url() != "" {
		return reply{}, event.Invalid("url", "is one of an endpoint; change the endpoints of the application instead")
	}
	was := app.IsDisabled
	app, err = a.o.Catalog.UpdateApplication(c.project.ID, app.ID, func(app *event.Application) error {
		was = app.IsDisabled
		b.apply(app)
		return nil
	})
	if err == nil && app.IsDisabled != was {
		err = a.pauseApplication(app)
	}
	return a.respondApplication(c, http.StatusAccepted, "Application updated successfully", app, err)
}

const (
	appDisabled = "its application was disabled"
	appEnabled  = "its application was enabled"
)

// pauseApplication brings the endpoints of an application to the state that it is in.
// Those that failures made inactive stay so, and those that were paused by hand.
func (a *API) pauseApplication(app *event.Application) error {
	from, to, reason := event.EndpointPaused, event.EndpointActive, appEnabled
	if app.IsDisabled {
		from, to, reason = to, from, appDisabled
	}
	for e := range a.o.Catalog.Snapshot().EndpointsOfApp(app.ProjectID, app.ID) {
		if e.Status != from || !app.IsDisabled && !pausedByApplication(e) {
			continue
		}
		_, err := a.o.Catalog.ChangeStatus(app.ProjectID, e.ID, reason, func(now event.EndpointStatus) (event.EndpointStatus, error) {
			if now != from {
				return now, nil
			}
			return to, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pausedByApplication reports whether it was its application that paused an endpoint.
func pausedByApplication(e *catalog.Endpoint) bool {
	n := len(e.StatusHistory)
	return n > 0 && e.StatusHistory[n-1].Reason == appDisabled
}

// deleteApplication deletes an application with its endpoints and subscriptions.
func (a *API) deleteApplication(c *call) (reply, error) {
	app, err := c.application()
	if err != nil {
		return reply{}, err
	}
	if err := a.o.Catalog.DeleteApplication(c.project.ID, app.ID); err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Application deleted successfully", nil)
}

// application is the application in the path, if the project has it.
func (c *call) application() (*event.Application, error) {
	id, err := pathID(c.r, "appID")
	if err != nil {
		return nil, err
	}
	app := c.snap.Application(c.project.ID, id)
	if app == nil {
		return nil, event.ErrNotFound
	}
	return app, nil
}

func (a *API) respondApplication(c *call, code int, message string, app *event.Application, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	view := newApplicationView(app, a.o.Catalog.Snapshot(), event.MaxFanout, c.mayManage())
	if c.mayManage() && len(view.Endpoints) > 0 {
		c.reveals("application", app.ID, app.Name)
	}
	return respond(code, message, view)
}

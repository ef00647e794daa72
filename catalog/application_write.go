package catalog

import (
	"posthaste/event"
)

// CreateApplication makes an application in the project that a.ProjectID names. An id
// that is zero is made.
func (c *Catalog) CreateApplication(a event.Application) (*event.Application, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Snapshot().stored(a.ProjectID) == nil {
		return nil, notFound("project", a.ProjectID)
	}
	now := c.timestamp()
	a.ID = newID(a.ID)
	a.CreatedAt, a.UpdatedAt = now, now
	if err := checkApplication(&a); err != nil {
		return nil, err
	}
	stored := &application{Application: a, rev: 1}
	if err := c.commitLocked("create application", created(stored)); err != nil {
		return nil, err
	}
	return &stored.Application, nil
}

// UpdateApplication lets change edit a copy of an application of the project, and
// writes it. An error of change is returned as it is, and nothing is written. change
// cannot alter the ids and the creation time.
func (c *Catalog) UpdateApplication(project, id event.ID, change func(*event.Application) error) (*event.Application, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.Snapshot().applications.get(project, id)
	if old == nil {
		return nil, notFound("application", id)
	}
	a := old.Application
	if err := change(&a); err != nil {
		return nil, err
	}
	a.ID, a.ProjectID, a.CreatedAt, a.UpdatedAt = old.ID, old.ProjectID, old.CreatedAt, c.timestamp()
	if err := checkApplication(&a); err != nil {
		return nil, err
	}
	stored := &application{Application: a, rev: old.rev + 1}
	if err := c.commitLocked("update application", edit{before: old, after: stored}); err != nil {
		return nil, err
	}
	return &stored.Application, nil
}

// DeleteApplication deletes an application of the project with its endpoints and their
// subscriptions, in one write.
func (c *Catalog) DeleteApplication(project, id event.ID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.Snapshot()
	a := snap.applications.get(project, id)
	if a == nil {
		return notFound("application", id)
	}
	var edits []edit
	for e := range snap.EndpointsOfApp(project, id) {
		edits = append(edits, deletions(e)...)
	}
	return c.commitLocked("delete application", append(edits, deleted(a))...)
}

func checkApplication(a *event.Application) error {
	if err := checkName("name", a.Name); err != nil {
		return err
	}
	if err := checkText("support_email", a.SupportEmail, event.MaxNameBytes); err != nil {
		return err
	}
	return checkText("slack_webhook_url", a.SlackWebhookURL, event.MaxURLBytes)
}

// checkApp checks the application that an endpoint belongs to, if it has another than
// before; the zero id is none.
func (c *Catalog) checkApp(e, before *event.Endpoint) error {
	if e.AppID != nil && e.AppID.IsZero() {
		e.AppID = nil
	}
	if e.AppID == nil || before.AppID != nil && *e.AppID == *before.AppID {
		return nil
	}
	if c.Snapshot().applications.get(e.ProjectID, *e.AppID) == nil {
		return event.Invalid("app_id", "the project has no application with this id; create it first")
	}
	return nil
}

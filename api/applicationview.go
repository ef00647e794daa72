package api

import (
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// applicationBody is an application in a request. nil is a field that was not sent, or
// was null.
type applicationBody struct {
	Name            *string `json:"name"`
	AppName         *string `json:"app_name"` // the older name of name
	SupportEmail    *string `json:"support_email"`
	SlackWebhookURL *string `json:"slack_webhook_url"`
	IsDisabled      *bool   `json:"is_disabled"`

	// With a URL, a new application has an endpoint at once.
	URL      *string `json:"url"`
	Endpoint *string `json:"endpoint"` // the older name of url
	Secret   *string `json:"secret"`   // of that endpoint; "": one is made
}

func (b *applicationBody) apply(app *event.Application) {
	setText(&app.Name, b.AppName)
	setText(&app.Name, b.Name)
	set(&app.SupportEmail, b.SupportEmail)
	set(&app.SlackWebhookURL, b.SlackWebhookURL)
	set(&app.IsDisabled, b.IsDisabled)
}

// url is the URL of the endpoint that comes with a new application; "" for none.
func (b *applicationBody) url() (url string) {
	set(&url, b.Endpoint)
	setText(&url, b.URL)
	return url
}

// applicationView is an application as it is answered.
type applicationView struct {
	ID              event.ID          `json:"uid"`
	GroupID         event.ID          `json:"group_id"` // the older name of project_id
	ProjectID       event.ID          `json:"project_id"`
	Name            string            `json:"name"`
	Title           string            `json:"title"` // the same
	SupportEmail    string            `json:"support_email"`
	SlackWebhookURL string            `json:"slack_webhook_url"`
	IsDisabled      bool              `json:"is_disabled"`
	Endpoints       []appEndpointView `json:"endpoints"`
	Events          int               `json:"events"` // not counted: always 0
	CreatedAt       time.Time         `json:"created_at"`
	UpdatedAt       time.Time         `json:"updated_at"`
	DeletedAt       *time.Time        `json:"deleted_at"`
}

// maxEndpointsInApp bounds the endpoints that are shown of each application in a list.
const maxEndpointsInApp = 100

func newApplicationView(app *event.Application, snap *catalog.Snapshot, most int, clear bool) applicationView {
	v := applicationView{
		ID: app.ID, GroupID: app.ProjectID, ProjectID: app.ProjectID, Name: app.Name, Title: app.Name,
		SupportEmail: app.SupportEmail, SlackWebhookURL: app.SlackWebhookURL, IsDisabled: app.IsDisabled,
		Endpoints: []appEndpointView{},
		CreatedAt: app.CreatedAt, UpdatedAt: app.UpdatedAt,
	}
	for e := range snap.EndpointsOfApp(app.ProjectID, app.ID) {
		if len(v.Endpoints) == most {
			break
		}
		v.Endpoints = append(v.Endpoints, newAppEndpointView(e, clear))
	}
	return v
}

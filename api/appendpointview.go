package api

import (
	"slices"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// appEndpointBody is an endpoint in a request about an application: with the older
// names, and the event types that it is to get.
type appEndpointBody struct {
	endpointBody
	TargetURL *string  `json:"target_url"`
	Title     *string  `json:"title"`
	Events    []string `json:"events"` // null: as before, or all; empty: all
}

func (b *appEndpointBody) useOlderNames() {
	if b.TargetURL != nil {
		setIfNil(&b.URL, *b.TargetURL)
	}
	if b.Title != nil {
		setIfNil(&b.Name, *b.Title)
	}
}

// setIfNil fills a field in that was not sent, or was empty.
func setIfNil(field **string, text string) {
	if *field == nil || **field == "" {
		*field = &text
	}
}

// appEndpointView is an endpoint of an application as it is answered: with the older
// names, and durations as texts.
type appEndpointView struct {
	ID                event.ID             `json:"uid"`
	ProjectID         event.ID             `json:"project_id"`
	AppID             *event.ID            `json:"app_id"`
	OwnerID           string               `json:"owner_id"`
	TargetURL         string               `json:"target_url"`
	URL               string               `json:"url"`
	Title             string               `json:"title"`
	Name              string               `json:"name"`
	Description       string               `json:"description"`
	Status            event.EndpointStatus `json:"status"`
	Secret            string               `json:"secret"` // the newest
	Secrets           []secretView         `json:"secrets"`
	HTTPTimeout       wireSeconds          `json:"http_timeout"`
	RateLimit         int                  `json:"rate_limit"`
	RateLimitDuration wireSeconds          `json:"rate_limit_duration"`
	Events            []string             `json:"events"` // what its subscriptions take
	CreatedAt         time.Time            `json:"created_at"`
	UpdatedAt         time.Time            `json:"updated_at"`
	DeletedAt         *time.Time           `json:"deleted_at"`
}

func newAppEndpointView(e *catalog.Endpoint, clear bool) appEndpointView {
	v := appEndpointView{
		ID: e.ID, ProjectID: e.ProjectID, AppID: e.AppID, OwnerID: e.OwnerID,
		TargetURL: e.URL, URL: e.URL, Title: e.Name, Name: e.Name, Description: e.Description, Status: e.Status,
		Secrets:     secretViews(e.Secrets, clear),
		HTTPTimeout: wireSeconds{e.HTTPTimeout, true},
		RateLimit:   e.RateLimit, RateLimitDuration: wireSeconds{e.RateLimitDuration, true},
		Events:    []string{},
		CreatedAt: e.CreatedAt.Time(), UpdatedAt: e.UpdatedAt.Time(),
	}
	if n := len(v.Secrets); n > 0 {
		v.Secret = v.Secrets[n-1].Value
	}
	for _, s := range e.Subscriptions() {
		for _, t := range s.FilterConfig.EventTypes {
			if !slices.Contains(v.Events, t) {
				v.Events = append(v.Events, t)
			}
		}
	}
	return v
}

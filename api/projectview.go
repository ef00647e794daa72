package api

import (
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// projectView is a project as it is answered.
type projectView struct {
	ID             event.ID        `json:"uid"`
	Name           string          `json:"name"`
	LogoURL        string          `json:"logo_url"`
	OrganisationID string          `json:"organisation_id"` // always "": there is one organisation
	Type           string          `json:"type"`
	Config         configView      `json:"config"`
	Statistics     *statisticsView `json:"statistics"`      // null in a list
	RetainedEvents int             `json:"retained_events"` // not counted: always 0
	CreatedAt      time.Time       `json:"created_at"`
	UpdatedAt      time.Time       `json:"updated_at"`
	DeletedAt      *time.Time      `json:"deleted_at"`
}

// configView is a project's config, with what is left out of it when it is stored.
type configView struct {
	event.ProjectConfig
	RateLimit rateLimitView `json:"ratelimit"`
	MetaEvent metaEventView `json:"meta_event"`
}

// rateLimitView is a limit on the events that a project takes in, and whether it is in
// force.
type rateLimitView struct {
	Count    int  `json:"count"`
	Duration int  `json:"duration"` // seconds
	Enabled  bool `json:"enabled"`
}

type metaEventView struct {
	event.MetaEventConfig
	PubSub *struct{} `json:"pub_sub"`
}

func newConfigView(c event.ProjectConfig) configView {
	if c.MetaEvent.EventTypes == nil {
		c.MetaEvent.EventTypes = []string{}
	}
	return configView{
		ProjectConfig: c,
		RateLimit:     rateLimitView(c.RateLimit),
		MetaEvent:     metaEventView{MetaEventConfig: c.MetaEvent},
	}
}

type statisticsView struct {
	EndpointsExist     bool `json:"endpoints_exist"`
	EventsExist        bool `json:"events_exist"`
	SourcesExist       bool `json:"sources_exist"`
	SubscriptionsExist bool `json:"subscriptions_exist"`
}

func newProjectView(p *catalog.Project, statistics *statisticsView) projectView {
	return projectView{
		ID: p.ID, Name: p.Name, LogoURL: p.LogoURL, Type: p.Type,
		Config:     newConfigView(p.Config),
		Statistics: statistics,
		CreatedAt:  p.CreatedAt, UpdatedAt: p.UpdatedAt, DeletedAt: p.DeletedAt,
	}
}

// createdProject is the answer to a project's creation, the only one that shows
// the project's key.
type createdProject struct {
	APIKey  keyView     `json:"api_key"`
	Project projectView `json:"project"`
}

type keyView struct {
	Name      string     `json:"name"`
	Role      roleView   `json:"role"`
	KeyType   string     `json:"key_type"`
	ExpiresAt *time.Time `json:"expires_at"`
	Key       string     `json:"key"`
	ID        event.ID   `json:"uid"`
	UserID    string     `json:"user_id"`
	CreatedAt time.Time  `json:"created_at"`
}

type roleView struct {
	Type    string   `json:"type"`
	Project event.ID `json:"project"`
	App     string   `json:"app"`
}

func newKeyView(k event.APIKey, text string) keyView {
	return keyView{
		Name: k.Name, Role: roleView{Type: "project_admin", Project: k.ProjectID}, KeyType: "project",
		ExpiresAt: k.ExpiresAt, Key: text, ID: k.ID, CreatedAt: k.CreatedAt,
	}
}

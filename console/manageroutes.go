package console

// managePages are the pages of a project by which it is set up, by method and what follows
// the project.
var managePages = map[string]handler{
	"GET /audit": (*Console).auditPage,

	"GET /endpoints/{id}/edit":  (*Console).editEndpoint,
	"POST /endpoints/{id}/edit": (*Console).saveEndpoint,

	"GET /subscriptions":              (*Console).subscriptions,
	"GET /new-subscription":           (*Console).newSubscription,
	"POST /subscriptions":             (*Console).saveSubscription,
	"GET /subscriptions/{id}":         (*Console).editSubscription,
	"POST /subscriptions/{id}":        (*Console).saveSubscription,
	"POST /subscriptions/{id}/delete": (*Console).deleteSubscription,

	"GET /event-types":                 (*Console).eventTypes,
	"POST /event-types":                (*Console).saveEventType,
	"POST /event-types/import":         (*Console).importEventTypes,
	"POST /event-types/{id}":           (*Console).saveEventType,
	"POST /event-types/{id}/deprecate": (*Console).deprecateEventType,

	"GET /sources":              (*Console).sources,
	"GET /new-source":           (*Console).newSource,
	"POST /sources":             (*Console).saveSource,
	"GET /sources/{id}":         (*Console).editSource,
	"POST /sources/{id}":        (*Console).saveSource,
	"POST /sources/{id}/switch": (*Console).switchSource,
	"POST /sources/{id}/delete": (*Console).deleteSource,

	"GET /portal-links":              (*Console).portalLinks,
	"GET /new-portal-link":           (*Console).newPortalLink,
	"POST /portal-links":             (*Console).savePortalLink,
	"GET /portal-links/accent":       (*Console).accentPart,
	"GET /portal-links/{id}":         (*Console).editPortalLink,
	"POST /portal-links/{id}":        (*Console).savePortalLink,
	"GET /portal-links/{id}/logo":    (*Console).portalLinkLogo,
	"POST /portal-links/{id}/show":   (*Console).showPortalLink,
	"POST /portal-links/{id}/token":  (*Console).portalToken,
	"POST /portal-links/{id}/revoke": (*Console).revokePortalLink,

	"GET /keys":              (*Console).keysPage,
	"POST /keys":             (*Console).createKey,
	"POST /keys/{id}/revoke": (*Console).revokeKey,

	"GET /projects":         (*Console).toProjects,
	"POST /projects":        (*Console).createProject,
	"GET /settings":         (*Console).settings,
	"POST /settings":        (*Console).changeSettings,
	"POST /settings/delete": (*Console).deleteProject,

	"GET /replay":  (*Console).replayPreview,
	"POST /replay": (*Console).replayStart,
}

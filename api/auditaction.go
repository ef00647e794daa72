package api

import (
	"net/http"
	"strings"

	"posthaste/event"
)

// routeActions are what requests do, as the audit log calls it, by their method and what
// follows the project in their path. Those that are not here read, or try something out.
var routeActions = map[string]string{
	"POST /projects":                    "project.create",
	"POST /groups":                      "project.create",
	"PUT ":                              "project.update",
	"POST ":                             "project.update",
	"DELETE ":                           "project.delete",
	"POST /endpoints":                   "endpoint.create",
	"PUT /endpoints/{endpointID}":       "endpoint.update",
	"DELETE /endpoints/{endpointID}":    "endpoint.delete",
	"POST /onboard":                     "endpoint.create",
	"POST /endpoints/oauth2/test":       "oauth2.test",
	"POST /endpoints/{endpointID}/test": "endpoint.test",
	"PUT /endpoints/{endpointID}/expire_secret":              "secret.rotate",
	"POST /endpoints/{endpointID}/secrets/{secretID}/reveal": reveal,
	"PUT /endpoints/{endpointID}/secrets/{secretID}/expire":  "secret.expire",
	"PUT /endpoints/{endpointID}/pause":                      "endpoint.status",
	"POST /endpoints/{endpointID}/activate":                  "endpoint.status",

	"POST /subscriptions":                                       "subscription.create",
	"PUT /subscriptions/{subscriptionID}":                       "subscription.update",
	"DELETE /subscriptions/{subscriptionID}":                    "subscription.delete",
	"PUT /subscriptions/{subscriptionID}/toggle_status":         "subscription.update",
	"POST /subscriptions/{subscriptionID}/filters":              "subscription.update",
	"POST /subscriptions/{subscriptionID}/filters/bulk":         "subscription.update",
	"PUT /subscriptions/{subscriptionID}/filters/bulk_update":   "subscription.update",
	"POST /subscriptions/{subscriptionID}/filters/bulk_update":  "subscription.update",
	"PUT /subscriptions/{subscriptionID}/filters/{filterID}":    "subscription.update",
	"DELETE /subscriptions/{subscriptionID}/filters/{filterID}": "subscription.update",

	"POST /event-types":                         "event_type.create",
	"POST /event-types/import":                  "event_type.create",
	"PUT /event-types/{eventTypeID}":            "event_type.update",
	"POST /event-types/{eventTypeID}/deprecate": "event_type.update",

	"PUT /events/{eventID}/replay":                  "event.replay",
	"DELETE /events/{eventID}/content":              "event.erase",
	"POST /events/batchreplay":                      "job.start",
	"PUT /eventdeliveries/{eventDeliveryID}/resend": "delivery.retry",
	"POST /eventdeliveries/forceresend":             "delivery.retry",
	"POST /eventdeliveries/batchretry":              "job.start",
	"PUT /eventdeliveries/batchretry":               "job.start",
	"PUT /jobs/{jobID}/cancel":                      "job.cancel",
	"POST /jobs/{jobID}/cancel":                     "job.cancel",
	"PUT /meta-events/{metaEventID}/resend":         "delivery.retry",

	"POST /keys":               "key.create",
	"DELETE /keys/{keyID}":     "key.revoke",
	"PUT /keys/{keyID}/revoke": "key.revoke",

	"POST /sources":              "source.create",
	"PUT /sources/{sourceID}":    "source.update",
	"POST /sources/{sourceID}":   "source.update",
	"DELETE /sources/{sourceID}": "source.delete",

	"POST /portal-links":                             "portal_link.create",
	"PUT /portal-links/{portalLinkID}":               "portal_link.update",
	"DELETE /portal-links/{portalLinkID}":            "portal_link.revoke",
	"PUT /portal-links/{portalLinkID}/revoke":        "portal_link.revoke",
	"GET /portal-links/{portalLinkID}/refresh_token": "portal_link.token",

	"POST /applications":                                  "application.create",
	"PUT /applications/{appID}":                           "application.update",
	"DELETE /applications/{appID}":                        "application.delete",
	"POST /applications/{appID}/endpoints":                "endpoint.create",
	"PUT /applications/{appID}/endpoints/{endpointID}":    "endpoint.update",
	"DELETE /applications/{appID}/endpoints/{endpointID}": "endpoint.delete",

	"POST /secrets/reseal": "secrets.reseal",
}

// refusedAction is what a request would have done, and to what.
func refusedAction(r *http.Request, pattern string) (string, event.AuditObject) {
	name := actionName(pattern)
	action, known := routeActions[name]
	if !known {
		action = "read"
	}
	var o event.AuditObject
	o.Kind, _, _ = strings.Cut(action, ".")
	for _, in := range pathObjects {
		if !strings.Contains(pattern, "{"+in.param+"}") {
			continue
		}
		o.Kind = in.kind
		o.ID, _ = event.ParseID(r.PathValue(in.param))
		break
	}
	if _, path, _ := strings.Cut(name, " /"); !known && path != "" {
		o.Kind, _, _ = strings.Cut(path, "/")
	}
	return action, o
}

// pathObjects are the ids of paths, the innermost first.
var pathObjects = []struct{ param, kind string }{
	{"filterID", "filter"}, {"deliveryAttemptID", "attempt"}, {"eventDeliveryID", "delivery"}, {"eventID", "event"},
	{"metaEventID", "meta_event"}, {"jobID", "job"}, {"keyID", "key"}, {"sourceID", "source"}, {"portalLinkID", "portal_link"},
	{"subscriptionID", "subscription"}, {"eventTypeID", "event_type"}, {"endpointID", "endpoint"}, {"appID", "application"},
	{"projectID", "project"},
}

// actionName is a route without what stands in front of the objects of a project.
func actionName(pattern string) string {
	method, path, _ := strings.Cut(pattern, " ")
	for _, prefix := range []string{inProject, inGroup, inPortal, "/api/v1"} {
		if rest, found := strings.CutPrefix(path, prefix); found {
			path = rest
			break
		}
	}
	return method + " " + path
}

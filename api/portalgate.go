package api

import (
	"strings"

	"posthaste/event"
)

// portalRules are the routes that a portal grant may use, by their method and what
// follows the project in their path, with a check of the request beside that of the ids
// in its path; nil for none. All other routes are not found. What a handler reads of the
// log is within the grant's reach anyhow, see within; of the catalog, it asks call.sees.
var portalRules = map[string]func(*API, *call) error{
	"GET /endpoints":                                         nil,
	"POST /endpoints":                                        (*API).ownEndpoint,
	"GET /endpoints/{endpointID}":                            nil,
	"PUT /endpoints/{endpointID}":                            nil,
	"DELETE /endpoints/{endpointID}":                         nil,
	"PUT /endpoints/{endpointID}/expire_secret":              nil,
	"POST /endpoints/{endpointID}/secrets/{secretID}/reveal": nil,
	"PUT /endpoints/{endpointID}/secrets/{secretID}/expire":  nil,
	"PUT /endpoints/{endpointID}/pause":                      nil,
	"POST /endpoints/{endpointID}/activate":                  nil,
	"POST /endpoints/{endpointID}/test":                      nil,

	"GET /subscriptions":                                            nil,
	"POST /subscriptions":                                           nil,
	"POST /subscriptions/test_filter":                               nil,
	"POST /subscriptions/test_function":                             nil,
	"GET /subscriptions/{subscriptionID}":                           nil,
	"PUT /subscriptions/{subscriptionID}":                           nil,
	"DELETE /subscriptions/{subscriptionID}":                        nil,
	"PUT /subscriptions/{subscriptionID}/toggle_status":             nil,
	"GET /subscriptions/{subscriptionID}/filters":                   nil,
	"POST /subscriptions/{subscriptionID}/filters":                  nil,
	"POST /subscriptions/{subscriptionID}/filters/bulk":             nil,
	"PUT /subscriptions/{subscriptionID}/filters/bulk_update":       nil,
	"POST /subscriptions/{subscriptionID}/filters/bulk_update":      nil,
	"POST /subscriptions/{subscriptionID}/filters/test/{eventType}": nil,
	"GET /subscriptions/{subscriptionID}/filters/{filterID}":        nil,
	"PUT /subscriptions/{subscriptionID}/filters/{filterID}":        nil,
	"DELETE /subscriptions/{subscriptionID}/filters/{filterID}":     nil,

	"GET /events":                                             nil,
	"GET /events/{eventID}":                                   nil,
	"GET /events/stream":                                      nil,
	"GET /eventdeliveries":                                    nil,
	"GET /eventdeliveries/stream":                             nil,
	"GET /eventdeliveries/countbatchretryevents":              nil,
	"POST /eventdeliveries/batchretry":                        nil,
	"PUT /eventdeliveries/batchretry":                         nil,
	"GET /eventdeliveries/{eventDeliveryID}":                  nil,
	"PUT /eventdeliveries/{eventDeliveryID}/resend":           nil,
	"GET /eventdeliveries/{eventDeliveryID}/deliveryattempts": nil,
	"GET /eventdeliveries/{eventDeliveryID}/deliveryattempts/{deliveryAttemptID}": nil,

	"GET /eventdeliveries/{eventDeliveryID}/deliveryattempts/{deliveryAttemptID}/signature": nil,
	"GET /eventdeliveries/{eventDeliveryID}/curl":                                           nil,

	"GET /jobs/{jobID}":         nil,
	"PUT /jobs/{jobID}/cancel":  nil,
	"POST /jobs/{jobID}/cancel": nil,

	"GET /event-types": nil,
	"GET /portal":      nil,

	"GET /statistics":           nil,
	"GET /statistics/endpoints": nil,
}

// inPortal is where a portal grant finds these routes without naming the project.
const inPortal = "/portal-api"

// portalKey is the name that a route has in portalRules; "" for one that is about
// something else than what is in a project.
func portalKey(pattern string) string {
	method, path, _ := strings.Cut(pattern, " ")
	for _, prefix := range []string{inProject + "/", inPortal + "/"} {
		if rest, found := strings.CutPrefix(path, prefix); found {
			return method + " /" + rest
		}
	}
	return ""
}

// withPortal adds, for every route that a portal grant may use, the same one below
// inPortal.
func withPortal(all []route) []route {
	n := len(all)
	for _, rt := range all[:n] {
		if rt.scope != ofProject {
			continue
		}
		if _, open := portalRules[portalKey(rt.pattern)]; open {
			all = append(all, route{strings.Replace(rt.pattern, inProject, inPortal, 1), ofPortal, rt.serve})
		}
	}
	return all
}

// servePortal serves a portal grant: it finds out whether the route is open to it and
// whether what the path names is within its reach, and lets an API answer that reads
// and writes within this reach only.
func (a *API) servePortal(c *call, rt *route) (reply, error) {
	check, open := portalRules[portalKey(rt.pattern)]
	if !open || rt.scope == ofInstance || rt.scope == ofNobody {
		return reply{}, refused(event.ErrNotFound)
	}
	within := a.within(c)
	if err := within.checkPath(c); err != nil {
		return reply{}, refused(err)
	}
	if check != nil {
		if err := check(within, c); err != nil {
			return reply{}, err
		}
	}
	return rt.serve(within, c)
}

// within is an API that reads and writes no more of the log than a portal grant
// reaches.
func (a *API) within(c *call) *API {
	r := &portalReader{inner: a.o.Reader, reach: newReach(c.snap, &c.grant)}
	limited := *a
	limited.portal, limited.outer = true, a
	limited.o.Reader = r
	limited.o.Work = portalWorker{a.o.Work, r}
	limited.o.Counts = portalCounts{a.o.Counts, r.reach}
	limited.o.Jobs = portalJobs{a.o.Jobs, r.reach}
	limited.o.DeleteContent = nil
	if submit := a.o.Submit; submit != nil {
		limited.o.Submit = r.reach.submit(submit)
	}
	return &limited
}

// checkPath refuses a path that names something outside of the grant's reach, whatever
// the handler makes of it. What lies below a subscription or a delivery, the handler
// looks up there.
func (a *API) checkPath(c *call) error {
	if c.r.PathValue("endpointID") != "" {
		if _, err := c.endpoint(); err != nil {
			return err
		}
	}
	if c.r.PathValue("subscriptionID") != "" {
		if _, err := c.subscription(); err != nil {
			return err
		}
	}
	if c.r.PathValue("eventDeliveryID") != "" {
		if _, err := a.delivery(c); err != nil {
			return err
		}
	}
	return nil
}

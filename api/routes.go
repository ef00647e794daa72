package api

import (
	"net/http"
	"slices"

	"posthaste/event"
)

// route is one method and path, who may use it, and what answers it.
type route struct {
	pattern string
	scope   scope
	serve   func(*API, *call) (reply, error)
}

// scope says what a route is about, and so whose key it takes. What a key must be
// allowed to do, beside, is scopeFor's.
type scope int

const (
	ofProject  scope = iota // the project in its path: that project's key or the instance's
	ofInstance              // the instance: its keys only, but see forProjectKeys
	ofPortal                // what the bearer of a portal token, or an owner's key, may see
	ofNobody                // open: it takes no key
)

const (
	inProject      = "/api/v1/projects/{projectID}"
	inEndpoint     = inProject + "/endpoints/{endpointID}"
	inSubscription = inProject + "/subscriptions/{subscriptionID}"
	inEventType    = inProject + "/event-types/{eventTypeID}"
	inEvent        = inProject + "/events/{eventID}"
	inDelivery     = inProject + "/eventdeliveries/{eventDeliveryID}"
)

// routes are all of them, grouped as the files are; those of the portal come last.
var routes = withPortal(slices.Concat(manageRoutes, workRoutes, accessRoutes, moreRoutes))

// routeHandler runs a route: admits the request, serves it, writes the answer.
type routeHandler struct {
	api   *API
	route route
}

func (h *routeHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rep, err := h.serve(w, r)
	if err == nil && rep.stream != nil {
		rep.stream(w)
		return
	}
	h.api.write(w, rep, err)
}

func (h *routeHandler) serve(w http.ResponseWriter, r *http.Request) (rep reply, err error) {
	requestID := w.Header().Get(requestIDHeader)
	c, err := h.api.admit(r, &h.route)
	if err == nil {
		w.Header().Set(versionHeader, string(c.version))
		rep, err = h.answer(c, requestID)
	}
	return h.api.audited(c, &h.route, requestID, rep, err)
}

// answer runs the route over a catalog whose writes are recorded as the caller's.
func (h *routeHandler) answer(c *call, requestID string) (reply, error) {
	a := h.api
	if c.r.Method != http.MethodGet {
		own := *a
		own.o.Catalog = a.o.Catalog.By(c.who(requestID))
		a = &own
	}
	if err := a.checkSpace(h.route.pattern); err != nil {
		return reply{}, err
	}
	switch {
	case c.grant.Portal:
		return a.servePortal(c, &h.route)
	case h.route.scope == ofInstance && !c.grant.Instance:
		return forProjectKeys[h.route.pattern](a, c)
	}
	return h.route.serve(a, c)
}

// pathID reads an id in the path. One that is not an id names nothing.
func pathID(r *http.Request, name string) (event.ID, error) {
	id, err := event.ParseID(r.PathValue(name))
	if err != nil {
		return event.ID{}, event.ErrNotFound
	}
	return id, nil
}

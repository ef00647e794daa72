package api

import (
	"net/http"
	"slices"
	"strings"

	"posthaste/catalog"
	"posthaste/event"
)

func (a *API) listSubscriptions(c *call) (reply, error) {
	params := c.r.URL.Query()
	q, err := parsePageQuery(params)
	if err != nil {
		return reply{}, err
	}
	endpoints, err := idParams(params, "endpointId")
	if err != nil {
		return reply{}, err
	}
	sources, err := idParams(params, "sourceId")
	if err != nil {
		return reply{}, err
	}
	name, owner := strings.ToLower(params.Get("name")), params.Get("ownerId")
	match := func(s *event.Subscription) bool {
		return (len(endpoints) == 0 || slices.Contains(endpoints, s.EndpointID)) &&
			(len(sources) == 0 || slices.Contains(sources, extraOf(s).SourceID)) &&
			(owner == "" || ownedBy(c.snap.Endpoint(s.EndpointID), owner)) && c.sees(c.snap.Endpoint(s.EndpointID)) &&
			strings.Contains(strings.ToLower(s.Name), name)
	}
	p, err := readPage(q, listing[*event.Subscription]{
		fetch: snapshotFetch(func(r event.Range) []*event.Subscription { return c.snap.Subscriptions(c.project.ID, r, match) }),
		id:    func(s *event.Subscription) event.ID { return s.ID },
		bytes: subscriptionBytes,
	}, a.o.MaxPageBytes)
	if err != nil {
		return reply{}, err
	}
	data, err := p.encode(func(dst []byte, s *event.Subscription) ([]byte, error) {
		return appendObject(dst, a.newSubscriptionView(s, c.snap, c.version))
	})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Subscriptions fetched successfully", data)
}

func (a *API) createSubscription(c *call) (reply, error) {
	body, err := a.readSubscriptionBody(c)
	if err != nil {
		return reply{}, err
	}
	s := event.Subscription{ProjectID: c.project.ID}
	if err := body.applyFor(c, &s); err != nil {
		return reply{}, err
	}
	var created *event.Subscription
	if s.EndpointID.IsZero() && body.AppID != nil && *body.AppID != "" {
		created, err = a.subscribeApplication(c, s, *body.AppID)
	} else if s.EndpointID.IsZero() && s.Name != "" {
		err = event.Invalid("endpoint_id", "is empty; give the id of an endpoint of the project")
	} else {
		created, err = a.o.Catalog.CreateSubscription(s)
	}
	return a.respondSubscription(c, http.StatusCreated, "Subscription created successfully", created, err)
}

// subscribeApplication makes a subscription like s to every endpoint of an application
// that has none, and returns the first. If it fails, those that were made before stay;
// the same request again makes the others.
func (a *API) subscribeApplication(c *call, s event.Subscription, app string) (first *event.Subscription, err error) {
	id, err := event.ParseID(app)
	if err != nil {
		return nil, event.Invalid("app_id", "%s", err)
	}
	if c.snap.Application(c.project.ID, id) == nil {
		return nil, event.Invalid("app_id", "the project has no application with this id; create it first")
	}
	endpoints := 0
	for e := range c.snap.EndpointsOfApp(c.project.ID, id) {
		if endpoints++; len(e.Subscriptions()) > 0 {
			continue
		}
		s.EndpointID = e.ID
		made, err := a.o.Catalog.CreateSubscription(s)
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = made
		}
	}
	switch {
	case endpoints == 0:
		return nil, event.Invalid("app_id", "the application has no endpoint; create one first")
	case first == nil:
		return nil, event.Invalid("app_id", "a subscription for this endpoint already exists: every endpoint of the application has one")
	}
	return first, nil
}

func ownedBy(e *catalog.Endpoint, owner string) bool { return e != nil && e.OwnerID == owner }

func (a *API) getSubscription(c *call) (reply, error) {
	s, err := c.subscription()
	return a.respondSubscription(c, http.StatusOK, "Subscription fetched successfully", s, err)
}

// updateSubscription changes what the body names and leaves the rest.
func (a *API) updateSubscription(c *call) (reply, error) {
	s, err := c.subscription()
	if err != nil {
		return reply{}, err
	}
	body, err := a.readSubscriptionBody(c)
	if err != nil {
		return reply{}, err
	}
	s, err = a.o.Catalog.UpdateSubscription(c.project.ID, s.ID, func(s *event.Subscription) error { return body.applyFor(c, s) })
	return a.respondSubscription(c, http.StatusAccepted, "Subscription updated successfully", s, err)
}

func (a *API) deleteSubscription(c *call) (reply, error) {
	s, err := c.subscription()
	if err != nil {
		return reply{}, err
	}
	if err := a.o.Catalog.DeleteSubscription(c.project.ID, s.ID); err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Subscription deleted successfully", nil)
}

// toggleSubscription does nothing, as in Convoy: a subscription has no state.
func (a *API) toggleSubscription(c *call) (reply, error) {
	if _, err := c.subscription(); err != nil {
		return reply{}, err
	}
	return respond(http.StatusAccepted, "Subscription status updated successfully", struct{}{})
}

// subscriptionBytes is what a subscription's long texts hold.
func subscriptionBytes(s *event.Subscription) int {
	n := len(s.Function)
	for _, t := range s.FilterConfig.EventTypes {
		n += len(t)
	}
	if f := s.FilterConfig.Filter; f != nil {
		n += len(f.Headers) + len(f.Body) + len(f.Query) + len(f.Path)
	}
	return n
}

// subscription is the subscription in the path, if the project has it.
func (c *call) subscription() (*event.Subscription, error) {
	id, err := pathID(c.r, "subscriptionID")
	if err != nil {
		return nil, err
	}
	s := c.snap.Subscription(id)
	if s == nil || s.ProjectID != c.project.ID || !c.sees(c.snap.Endpoint(s.EndpointID)) {
		return nil, event.ErrNotFound
	}
	return s, nil
}

func (a *API) respondSubscription(c *call, code int, message string, s *event.Subscription, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return respond(code, message, a.newSubscriptionView(s, a.o.Catalog.Snapshot(), c.version))
}

package api

import (
	"net/http"
	"slices"
	"strings"

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
	name := strings.ToLower(params.Get("name"))
	match := func(s *event.Subscription) bool {
		return (len(endpoints) == 0 || slices.Contains(endpoints, s.EndpointID)) &&
			strings.Contains(strings.ToLower(s.Name), name)
	}
	p, err := readPage(q, listing[*event.Subscription]{
		fetch: func(r event.Range) ([]*event.Subscription, error) {
			return c.snap.Subscriptions(c.project.ID, r, match), nil
		},
		id:    func(s *event.Subscription) event.ID { return s.ID },
		bytes: subscriptionBytes,
	}, a.o.MaxPageBytes)
	if err != nil {
		return reply{}, err
	}
	data, err := p.encode(func(dst []byte, s *event.Subscription) ([]byte, error) {
		return appendObject(dst, newSubscriptionView(s, c.snap))
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
	if err := body.apply(&s); err != nil {
		return reply{}, err
	}
	created, err := a.o.Catalog.CreateSubscription(s)
	return a.respondSubscription(http.StatusCreated, "Subscription created successfully", created, err)
}

func (a *API) getSubscription(c *call) (reply, error) {
	s, err := c.subscription()
	return a.respondSubscription(http.StatusOK, "Subscription fetched successfully", s, err)
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
	s, err = a.o.Catalog.UpdateSubscription(c.project.ID, s.ID, body.apply)
	return a.respondSubscription(http.StatusAccepted, "Subscription updated successfully", s, err)
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
	if s == nil || s.ProjectID != c.project.ID {
		return nil, event.ErrNotFound
	}
	return s, nil
}

func (a *API) respondSubscription(code int, message string, s *event.Subscription, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return respond(code, message, newSubscriptionView(s, a.o.Catalog.Snapshot()))
}

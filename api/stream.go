package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"posthaste/event"
	"posthaste/live"
)

// Streams are where streams come from. live.Hub is one.
type Streams interface {
	Subscribe(r live.Request) (*live.Subscription, error)
}

// maxStreamRows bounds maxRows, which a stream may ask for.
const maxStreamRows = 1000

// maxPortalStreams is how many streams the bearers of one portal token may have open.
const maxPortalStreams = 8

var errNoStreams = &httpError{http.StatusNotImplemented, "this server has no streams"}

// IsStream reports whether a request is for a stream, which is answered little by little
// and for as long as the client likes.
func IsStream(method, path string) bool {
	path = strings.TrimRight(path, "/")
	return method == http.MethodGet && (strings.HasSuffix(path, "/eventdeliveries/stream") || strings.HasSuffix(path, "/events/stream"))
}

// streamDeliveries answers with deliveries as they are created and change.
func (a *API) streamDeliveries(c *call) (reply, error) {
	return a.openStream(c, (*API).deliveryStreamFilter)
}

// streamEvents answers with events as they are taken in.
func (a *API) streamEvents(c *call) (reply, error) {
	return a.openStream(c, (*API).eventStreamFilter)
}

// openStream begins a stream. filterOf reads what it is to show from the query, now and
// whenever it is looked again whether the caller may see it.
func (a *API) openStream(c *call, filterOf func(*API, *call) (live.Filter, error)) (reply, error) {
	if a.o.Streams == nil {
		return reply{}, errNoStreams
	}
	filter, err := filterOf(a, c)
	if err != nil {
		return reply{}, err
	}
	latest, err := maxRowsOf(c.r.URL.Query())
	if err != nil {
		return reply{}, err
	}
	after := c.r.Header.Get("Last-Event-ID")
	if after == "" {
		after = c.r.URL.Query().Get("lastEventId")
	}
	s := &stream{outer: a.whole(), api: a, call: c, filterOf: filterOf, filter: filter, limited: latest > 0, resumes: after != ""}
	if c.r.Method == http.MethodHead {
		return reply{stream: s.head}, nil
	}
	s.sub, err = a.o.Streams.Subscribe(live.Request{Holder: c.holder(), Most: c.mostStreams(), Filter: filter, After: after, Latest: latest})
	if err != nil {
		return reply{}, refusedStream(err)
	}
	return reply{stream: s.serve}, nil
}

// holder names who holds a stream: the key or token that it was asked for with.
func (c *call) holder() string {
	_, key, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(key)
}

// mostStreams is how many streams a holder may have open; 0: as many as anybody may.
func (c *call) mostStreams() int {
	if c.grant.Portal {
		return maxPortalStreams
	}
	return 0
}

func refusedStream(err error) error {
	switch {
	case errors.Is(err, live.ErrTooManyOfHolder):
		return &httpError{http.StatusTooManyRequests, "too many streams are open with this key; close one of them first"}
	case errors.Is(err, live.ErrTooMany):
		return &httpError{http.StatusServiceUnavailable, "as many streams are open as this server allows (--max-streams); try again later"}
	}
	return err
}

func maxRowsOf(params url.Values) (int, error) {
	text := params.Get("maxRows")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxStreamRows {
		return 0, event.Invalid("maxRows", "want a number from 1 to %d", maxStreamRows)
	}
	return n, nil
}

// whole is the API that a portal's was made of.
func (a *API) whole() *API {
	if a.outer != nil {
		return a.outer
	}
	return a
}

// deliveryStreamFilter reads the filters of a listing of deliveries. Dates and pages mean
// nothing to a stream.
func (a *API) deliveryStreamFilter(c *call) (live.Filter, error) {
	params := c.r.URL.Query()
	f, err := parseDeliveryFilter(params)
	if err == nil {
		err = refuseSearch(params)
	}
	if err != nil {
		return live.Filter{}, err
	}
	out := live.Filter{
		Kind: live.OfDelivery, Project: c.project.ID, Reach: a.streamReach(c, params.Get("ownerId")),
		Endpoints: f.Endpoints, Statuses: f.Statuses, Event: f.EventID, Subscription: f.SubscriptionID,
		Type: f.EventType, Key: f.IdempotencyKey,
	}
	if !f.SourceID.IsZero() {
		out.Sources = []event.ID{f.SourceID}
	}
	return out, nil
}

// eventStreamFilter reads the filters of a listing of events, but for what is looked for in
// their data.
func (a *API) eventStreamFilter(c *call) (live.Filter, error) {
	params := c.r.URL.Query()
	f, err := parseEventFilter(params)
	if err != nil {
		return live.Filter{}, err
	}
	if err := refuseSearch(params); err != nil {
		return live.Filter{}, err
	}
	return live.Filter{
		Kind: live.OfEvent, Project: c.project.ID, Reach: a.streamReach(c, ""),
		Endpoints: f.Endpoints, Type: f.EventType, Key: f.IdempotencyKey, Owner: f.OwnerID, Sources: f.Sources,
	}, nil
}

// refuseSearch refuses to look for a text: what a stream passed over in silence would look
// as if it were asked for.
func refuseSearch(params url.Values) error {
	for _, name := range []string{"query", "q", "body"} {
		if params.Get(name) != "" {
			return event.Invalid(name, "cannot be looked for in a stream, which does not hold the data; filter by type, owner, source, endpoint or idempotency key")
		}
	}
	return nil
}

// streamReach says which endpoints a stream may show: a portal grant's own, and an owner's
// if they are asked for. The catalog is asked each time, so that an endpoint that was just
// made is seen at once. Nil: all.
func (a *API) streamReach(c *call, owner string) func(event.ID) bool {
	if c.r.URL.Query().Get("brokerMessageId") != "" {
		return func(event.ID) bool { return false } // no event came from a broker
	}
	if !c.grant.Portal && owner == "" {
		return nil
	}
	grant, project, catalog := c.grant, c.project.ID, a.o.Catalog
	return func(id event.ID) bool {
		e := catalog.Snapshot().Endpoint(id)
		if e == nil || e.ProjectID != project || owner != "" && e.OwnerID != owner {
			return false
		}
		return !grant.Portal || sees(&grant, e)
	}
}

// readmit finds out whether the caller may still see what the stream shows.
func (s *stream) readmit() error {
	c, err := s.outer.admit(s.call.r, s.call.route)
	if err != nil {
		return err
	}
	s.call = c
	if s.api = s.outer; c.grant.Portal {
		s.api = s.outer.within(c)
	}
	filter, err := s.filterOf(s.api, c)
	if err != nil {
		return fmt.Errorf("the stream's filter: %w", err)
	}
	s.filter = filter
	s.sub.SetFilter(filter)
	return nil
}

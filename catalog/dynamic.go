package catalog

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"posthaste/event"
)

// What a dynamic endpoint gets where nobody says otherwise: as one that is made through
// the API.
const (
	dynamicRateLimit   = 5000
	dynamicRateSeconds = 60
)

// EnsureDynamic returns the endpoint of the project that has d.URL, made if there is
// none. It has a subscription that takes d.EventTypes, if any are given, or else all if
// it is new; and d.Secret, if it is given, among the secrets that sign. A secret that
// it did not have replaces all others at once. Any number of callers at once make one
// endpoint.
//
// Where all is as d wants it and its URL is spelt as it is called, it costs a lookup:
// no lock, no write, no allocation. Errors of the input name the fields url, secret
// and event_types.
func (c *Catalog) EnsureDynamic(project event.ID, d *event.Dynamic) (*Endpoint, error) {
	snap := c.Snapshot()
	if e := snap.dynamic.find(project, d.URL); e != nil && c.isAsked(e, d) {
		return e, nil
	}
	p := snap.stored(project)
	if p == nil {
		return nil, notFound("project", project)
	}
	canonical, err := c.dynamicURL(snap, p, d.URL)
	if err != nil {
		return nil, err
	}
	if e := snap.dynamic.find(project, canonical); e != nil && c.isAsked(e, d) {
		return e, nil
	}
	e, err := c.ensureDynamic(project, canonical, d)
	return e, asDynamicField(err)
}

// dynamicURL is the URL as it is called. One that an endpoint has already is not held
// against what the project says of URLs since.
func (c *Catalog) dynamicURL(s *Snapshot, p *Project, raw string) (string, error) {
	if s.dynamic.find(p.ID, raw) != nil {
		return raw, nil
	}
	return c.canonicalURL("url", raw, p.Config.SSL.EnforceSecureEndpoints)
}

// isAsked reports whether nothing of an endpoint has to change.
func (c *Catalog) isAsked(e *Endpoint, d *event.Dynamic) bool {
	if d.Secret != "" && !c.signsWith(e, d.Secret) {
		return false
	}
	s := e.fromAPI()
	return s != nil && (len(d.EventTypes) == 0 || sameTypes(s.FilterConfig.EventTypes, d.EventTypes))
}

func (c *Catalog) signsWith(e *Endpoint, secret string) bool {
	for i := range e.Secrets {
		if s := &e.Secrets[i]; s.Value == secret && s.DeletedAt == nil && (s.ExpiresAt == nil || live(s, c.now())) {
			return true
		}
	}
	return false
}

// fromAPI is the endpoint's oldest subscription that takes events that were posted to
// the API; nil if there is none.
func (e *Endpoint) fromAPI() *Subscription {
	for _, s := range e.subscriptions {
		if !s.hasSource() {
			return s
		}
	}
	return nil
}

// sameTypes reports whether two lists name the same event types, in whichever order.
func sameTypes(a, b []string) bool {
	if slices.Equal(a, b) {
		return true
	}
	if slices.Contains(b, "*") && isCatchAll(a) {
		return true
	}
	sorted := func(list []string) []string {
		list = slices.Clone(list)
		slices.Sort(list)
		return slices.Compact(list)
	}
	return slices.Equal(sorted(a), sorted(b))
}

// ensureDynamic makes or changes what EnsureDynamic did not find.
func (c *Catalog) ensureDynamic(project event.ID, canonical string, d *event.Dynamic) (*Endpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.Snapshot()
	p := snap.stored(project)
	if p == nil {
		return nil, notFound("project", project)
	}
	w := &dynamicWrite{c: c, p: p, d: d, now: c.timestamp()}
	old := snap.dynamic.find(project, canonical)
	if old == nil {
		old = snap.endpointAt(project, canonical)
	}
	id, err := w.endpoint(old, canonical)
	if err != nil {
		return nil, err
	}
	if err := w.subscription(old, id); err != nil {
		return nil, err
	}
	if len(w.edits) == 0 { // somebody else was faster
		return old, nil
	}
	if err := c.commitLocked("ensure dynamic endpoint", w.edits...); err != nil {
		return nil, err
	}
	return c.Snapshot().endpoints.get(id), nil
}

// endpointAt is the oldest endpoint of a project with a URL, found by looking at all of
// them; nil if there is none.
func (s *Snapshot) endpointAt(project event.ID, url string) (found *Endpoint) {
	lo := &Endpoint{Endpoint: event.Endpoint{ProjectID: project}}
	s.listing.items.Ascend(lo, func(e *Endpoint) bool {
		if e.ProjectID == project && e.URL == url {
			found = e
		}
		return found == nil && e.ProjectID == project
	})
	return found
}

// dynamicWrite is the write of one EnsureDynamic under way.
type dynamicWrite struct {
	c     *Catalog
	p     *Project
	d     *event.Dynamic
	now   time.Time
	edits []edit
}

// endpoint makes the endpoint, or makes old one as it is asked for.
func (w *dynamicWrite) endpoint(old *Endpoint, canonical string) (event.ID, error) {
	if old != nil && old.Dynamic && (w.d.Secret == "" || w.c.signsWith(old, w.d.Secret)) {
		return old.ID, nil
	}
	e, subscriptions, rev := newDynamic(w.p.ID, canonical, event.StampOf(w.now)), []*Subscription(nil), uint64(1)
	if old != nil {
		e, subscriptions, rev = old.Endpoint, old.subscriptions, old.rev+1
		detachEndpoint(&e)
		e.Dynamic, e.UpdatedAt = true, event.StampOf(w.now)
		dropEnded(&e, w.now)
	}
	if err := w.secret(&e, old); err != nil {
		return e.ID, err
	}
	if err := w.c.normalizeEndpoint(&e, w.p, old, w.now); err != nil {
		return e.ID, err
	}
	compiled, err := compileEndpoint(e, subscriptions, rev)
	if err != nil {
		return e.ID, err
	}
	if old == nil {
		w.edits = append(w.edits, created(compiled))
	} else {
		w.edits = append(w.edits, edit{before: old, after: compiled})
	}
	return e.ID, nil
}

// secret makes the secret that is asked for the endpoint's only one, if it has not got
// it; and one up for a new endpoint, if none is asked for.
func (w *dynamicWrite) secret(e *event.Endpoint, old *Endpoint) error {
	value := w.d.Secret
	switch {
	case value == "" && old != nil, value != "" && old != nil && w.c.signsWith(old, value):
		return nil
	case value == "":
		value = newSecretFor(e.SignatureMode)
	}
	if err := checkSecret("secret", value, e.SignatureMode); err != nil {
		return err
	}
	e.Secrets = []event.Secret{newSecretOf(value, w.now)}
	return nil
}

// newDynamic is an endpoint with what nobody asked for.
func newDynamic(project event.ID, canonical string, now event.Stamp) event.Endpoint {
	return event.Endpoint{
		ID: event.NewID(), ProjectID: project, Name: hostName(canonical), URL: canonical, Dynamic: true,
		AdvancedSignatures: true, RateLimit: dynamicRateLimit, RateLimitDuration: dynamicRateSeconds,
		CreatedAt: now, UpdatedAt: now,
	}
}

// hostName is a name for an endpoint by its URL's host.
func hostName(canonical string) string {
	if u, err := url.Parse(canonical); err == nil && u.Host != "" {
		return cutName(u.Host, "")
	}
	return "dynamic endpoint"
}

// subscription makes the endpoint's subscription, or gives the one that old has the
// types that are asked for.
func (w *dynamicWrite) subscription(old *Endpoint, endpoint event.ID) error {
	var before *Subscription
	if old != nil {
		before = old.fromAPI()
	}
	if before != nil && (len(w.d.EventTypes) == 0 || sameTypes(before.FilterConfig.EventTypes, w.d.EventTypes)) {
		return nil
	}
	rev := uint64(1)
	s, noun := event.Subscription{ID: event.NewID(), ProjectID: w.p.ID, EndpointID: endpoint, CreatedAt: event.StampOf(w.now)}, (*event.Subscription)(nil)
	if before != nil {
		s, noun, rev = before.Subscription, &before.Subscription, before.rev+1
		detachSubscription(&s)
	} else {
		s.Name = w.subscriptionName(old)
	}
	s.FilterConfig.EventTypes, s.UpdatedAt = slices.Clone(w.d.EventTypes), event.StampOf(w.now)
	if err := w.c.normalizeSubscriptionAlone(&s, noun, w.now); err != nil {
		return err
	}
	compiled, err := compileSubscription(s, nil, rev)
	if err != nil {
		return err
	}
	if before == nil {
		w.edits = append(w.edits, created(compiled))
	} else {
		w.edits = append(w.edits, edit{before: before, after: compiled})
	}
	return nil
}

func (w *dynamicWrite) subscriptionName(old *Endpoint) string {
	for _, e := range w.edits {
		if made, ok := e.after.(*Endpoint); ok {
			old = made
		}
	}
	return cutName(old.Name, " subscription")
}

// asDynamicField names the field of an event that an error of an endpoint or a
// subscription is about.
func asDynamicField(err error) error {
	if invalid, ok := errors.AsType[*event.InvalidError](err); ok {
		if field, found := strings.CutPrefix(invalid.Field, "filter_config."); found {
			return event.Invalid(field, "%s", invalid.Reason)
		}
	}
	return err
}

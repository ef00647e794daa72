package catalog

import (
	"errors"
	"fmt"
	"slices"

	"posthaste/event"
	"posthaste/internal/seal"
)

// load builds the state from every record of the store.
func load(store Store, box *seal.Box) (*state, error) {
	l := &loader{state: newState(), box: box, endpointReader: endpointReader{box: box}, known: make(knownTypes)}
	if err := store.LoadCatalog(l.record); err != nil {
		return nil, err
	}
	l.fillEndpoints()
	if err := l.attachSubscriptions(); err != nil {
		return nil, err
	}
	l.fillSubscriptions()
	return l.state, l.checkProjects()
}

// loader is a load under way.
type loader struct {
	*state
	box                *seal.Box
	endpointReader     endpointReader
	subscriptionReader subscriptionReader
	known              knownTypes
	allEndpoints       []*Endpoint     // not in the trees yet
	subs               []*Subscription // not in the trees, and not attached to their endpoints yet
}

func (l *loader) record(rec event.CatalogRecord) error {
	if err := l.enter(rec); err != nil {
		return fmt.Errorf("record %q %s: %w", rec.Kind, rec.ID, err)
	}
	return nil
}

func (l *loader) enter(rec event.CatalogRecord) error {
	switch rec.Kind {
	case KindProject:
		return l.enterProject(rec)
	case KindEndpoint:
		return l.enterEndpoint(rec)
	case KindSubscription:
		return l.enterSubscription(rec)
	case KindKey:
		return l.enterKey(rec)
	case KindEventType:
		return l.enterEventType(rec)
	}
	return fmt.Errorf("the kind %q is not known: was it written by a newer program?", rec.Kind)
}

func (l *loader) enterProject(rec event.CatalogRecord) error {
	p, err := decodeProject(l.box, rec.ID, rec.Value)
	if err != nil {
		return err
	}
	if p.ID != rec.ID {
		return foreign(p.ID)
	}
	fillConfig(&p.Config) // an older record has not all of it
	compiled, err := compileProject(p, rec.Rev)
	if err != nil {
		return err
	}
	compiled.insertInto(l.state)
	return nil
}

func (l *loader) enterEndpoint(rec event.CatalogRecord) error {
	e, err := l.endpointReader.read(rec.ID, rec.Value)
	if err != nil {
		return err
	}
	if e.ID != rec.ID {
		return foreign(e.ID)
	}
	if !hasLastingSecret(e.Secrets) {
		return errors.New("the endpoint has no secret that lasts")
	}
	if e.SignatureMode == event.SignStandard {
		if err := checkStandardSecrets(e.Secrets); err != nil {
			return err
		}
	}
	compiled, err := compileEndpoint(e, nil, rec.Rev)
	if err != nil {
		return err
	}
	l.allEndpoints = append(l.allEndpoints, compiled)
	return nil
}

func (l *loader) enterSubscription(rec event.CatalogRecord) error {
	s, err := l.subscriptionReader.read(rec.Value)
	if err != nil {
		return err
	}
	if s.ID != rec.ID {
		return foreign(s.ID)
	}
	compiled, err := compileSubscription(s, l.known, rec.Rev)
	if err != nil {
		return err
	}
	l.subs = append(l.subs, compiled)
	return nil
}

func (l *loader) enterKey(rec event.CatalogRecord) error {
	var k event.APIKey
	if err := decodeJSON(rec.Value, &k); err != nil {
		return err
	}
	if k.ID != rec.ID {
		return foreign(k.ID)
	}
	compiled, err := compileKey(k, rec.Rev)
	if err != nil {
		return err
	}
	compiled.insertInto(l.state)
	return nil
}

func (l *loader) enterEventType(rec event.CatalogRecord) error {
	t := &eventType{rev: rec.Rev}
	if err := decodeJSON(rec.Value, &t.EventType); err != nil {
		return err
	}
	if t.ID != rec.ID {
		return foreign(t.ID)
	}
	if string(t.JSONSchema) == "null" { // as none is written
		t.JSONSchema = nil
	}
	t.insertInto(l.state)
	return nil
}

func foreign(id event.ID) error { return fmt.Errorf("the record holds the object %s", id) }

// fillEndpoints enters the endpoints into their trees.
func (l *loader) fillEndpoints() {
	all := l.allEndpoints
	slices.SortFunc(all, func(a, b *Endpoint) int { return compareID(a.ID, b.ID) })
	l.endpoints.fill(all, func(e *Endpoint) event.ID { return e.ID })
	slices.SortFunc(all, compareListed)
	l.listing.fill(all)
	all = slices.DeleteFunc(all, func(e *Endpoint) bool { return e.OwnerID == "" })
	slices.SortFunc(all, compareOwned)
	l.owners.fill(all)
	l.allEndpoints = nil
}

// fillSubscriptions enters the subscriptions into their trees.
func (l *loader) fillSubscriptions() {
	slices.SortFunc(l.subs, func(a, b *Subscription) int { return compareID(a.ID, b.ID) })
	l.subscriptions.fill(l.subs, func(s *Subscription) event.ID { return s.ID })
	slices.SortFunc(l.subs, compareSubscriptions)
	l.subListing.fill(l.subs)
	l.subs = nil
}

// attachSubscriptions gives every endpoint its subscriptions, oldest first.
// Nobody has seen the endpoints yet, so they are changed in place.
func (l *loader) attachSubscriptions() error {
	slices.SortFunc(l.subs, func(a, b *Subscription) int {
		return comparePairs(a.EndpointID, a.ID, b.EndpointID, b.ID)
	})
	for subs := l.subs; len(subs) > 0; {
		id, n := subs[0].EndpointID, 0
		for n < len(subs) && subs[n].EndpointID == id {
			n++
		}
		e := l.endpoints.get(id)
		if e == nil {
			return fmt.Errorf("subscription %s names endpoint %s, which is not stored", subs[0].ID, id)
		}
		e.subscriptions = slices.Clone(subs[:n])
		subs = subs[n:]
	}
	return nil
}

// checkProjects makes sure that nothing belongs to a project that is not stored.
func (l *loader) checkProjects() error {
	for e := range l.listing.all() {
		if !l.projects.has(e.ProjectID) {
			return fmt.Errorf("endpoint %s names project %s, which is not stored", e.ID, e.ProjectID)
		}
	}
	for s := range l.subListing.all() {
		if !l.projects.has(s.ProjectID) {
			return fmt.Errorf("subscription %s names project %s, which is not stored", s.ID, s.ProjectID)
		}
	}
	for k := range l.keyListing.all() {
		if !l.projects.has(k.ProjectID) {
			return fmt.Errorf("key %s names project %s, which is not stored", k.ID, k.ProjectID)
		}
	}
	for t := range l.eventTypes.all() {
		if !l.projects.has(t.ProjectID) {
			return fmt.Errorf("event type %s names project %s, which is not stored", t.ID, t.ProjectID)
		}
	}
	return nil
}

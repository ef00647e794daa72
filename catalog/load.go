package catalog

import (
	"errors"
	"fmt"
	"slices"

	"github.com/RaduBerinde/btreemap"

	"posthaste/event"
)

// load builds the state from every record of the store.
func load(store Store) (*state, error) {
	l := &loader{state: newState()}
	if err := store.LoadCatalog(l.record); err != nil {
		return nil, err
	}
	if err := l.attachSubscriptions(); err != nil {
		return nil, err
	}
	return l.state, l.checkProjects()
}

// loader is a load under way.
type loader struct {
	*state
	subs []*subscription // not attached to their endpoints yet
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
	}
	return fmt.Errorf("the kind %q is not known: was it written by a newer program?", rec.Kind)
}

func (l *loader) enterProject(rec event.CatalogRecord) error {
	var p event.Project
	if err := decodeJSON(rec.Value, &p); err != nil {
		return err
	}
	if p.ID != rec.ID {
		return foreign(p.ID)
	}
	compiled, err := compileProject(p, rec.Rev)
	if err != nil {
		return err
	}
	compiled.insertInto(l.state)
	return nil
}

func (l *loader) enterEndpoint(rec event.CatalogRecord) error {
	e, err := unpackEndpoint(rec.Value)
	if err != nil {
		return err
	}
	if e.ID != rec.ID {
		return foreign(e.ID)
	}
	if !hasLastingSecret(e.Secrets) {
		return errors.New("the endpoint has no secret that lasts")
	}
	compileEndpoint(e, nil, rec.Rev).insertInto(l.state)
	return nil
}

func (l *loader) enterSubscription(rec event.CatalogRecord) error {
	s, err := unpackSubscription(rec.Value)
	if err != nil {
		return err
	}
	if s.ID != rec.ID {
		return foreign(s.ID)
	}
	stored := &subscription{Subscription: s, rev: rec.Rev}
	stored.list(l.state)
	l.subs = append(l.subs, stored)
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

func foreign(id event.ID) error { return fmt.Errorf("the record holds the object %s", id) }

// attachSubscriptions gives every endpoint its subscriptions, oldest first.
// Nobody has seen the endpoints yet, so they are changed in place.
func (l *loader) attachSubscriptions() error {
	slices.SortFunc(l.subs, func(a, b *subscription) int {
		return comparePairs(a.EndpointID, a.ID, b.EndpointID, b.ID)
	})
	for subs := l.subs; len(subs) > 0; {
		id, n := subs[0].EndpointID, 0
		for n < len(subs) && subs[n].EndpointID == id {
			n++
		}
		_, e, _ := l.endpoints.Get(id)
		if e == nil {
			return fmt.Errorf("subscription %s names endpoint %s, which is not stored", subs[0].ID, id)
		}
		e.subscriptions = make([]*event.Subscription, n)
		for i, s := range subs[:n] {
			e.subscriptions[i] = &s.Subscription
		}
		subs = subs[n:]
	}
	return nil
}

// checkProjects makes sure that nothing belongs to a project that is not stored.
func (l *loader) checkProjects() error {
	for e := range l.listing.Ascend(btreemap.Min[*Endpoint](), btreemap.Max[*Endpoint]()) {
		if !l.projects.Has(e.ProjectID) {
			return fmt.Errorf("endpoint %s names project %s, which is not stored", e.ID, e.ProjectID)
		}
	}
	for s := range l.subListing.Ascend(btreemap.Min[*subscription](), btreemap.Max[*subscription]()) {
		if !l.projects.Has(s.ProjectID) {
			return fmt.Errorf("subscription %s names project %s, which is not stored", s.ID, s.ProjectID)
		}
	}
	for k := range l.keyListing.Ascend(btreemap.Min[*apiKey](), btreemap.Max[*apiKey]()) {
		if !l.projects.Has(k.ProjectID) {
			return fmt.Errorf("key %s names project %s, which is not stored", k.ID, k.ProjectID)
		}
	}
	return nil
}

package catalog

import (
	"fmt"
	"slices"
	"sync"

	"posthaste/event"
	"posthaste/internal/seal"
)

// load builds the state from every record of the store. unsealed are the records whose
// secrets are not sealed under the box's first key.
func load(store Store, box *seal.Box, d *digester) (_ *state, unsealed []resealed, err error) {
	l := &loader{state: newState(), box: box, digest: d, decoders: startDecoders(box)}
	err = store.LoadCatalog(l.record)
	endpoints, subs, earlier := l.decoders.finish()
	if earlier != nil { // what is decoded was read before reading failed
		err = earlier
	}
	if err != nil {
		return nil, nil, err
	}
	if err := attachSubscriptions(endpoints, subs); err != nil {
		return nil, nil, err
	}
	var wg sync.WaitGroup
	wg.Go(func() { l.fillEndpoints(endpoints) })
	l.fillSubscriptions(subs)
	wg.Wait()
	return l.state, l.unsealed, l.checkProjects()
}

// loader is a load under way.
type loader struct {
	*state
	box      *seal.Box
	digest   *digester
	decoders *decoders
	unsealed []resealed
}

func (l *loader) record(rec event.CatalogRecord) error {
	if rec.Kind == KindEndpoint || rec.Kind == KindSubscription {
		if err := l.decoders.add(rec); err != nil {
			return err
		}
	} else if err := l.enter(rec); err != nil {
		return atRecord(&rec, err)
	}
	return l.noteUnsealed(&rec)
}

// noteUnsealed remembers a record whose secrets are to be sealed anew.
func (l *loader) noteUnsealed(rec *event.CatalogRecord) error {
	if l.box == nil {
		return nil
	}
	needs, err := needsSeal(l.box, rec.Kind, rec.Value)
	if err != nil {
		return atRecord(rec, err)
	}
	if needs {
		l.unsealed = append(l.unsealed, resealed{rec.Kind, rec.ID})
	}
	return nil
}

func (l *loader) enter(rec event.CatalogRecord) error {
	switch rec.Kind {
	case KindProject:
		return l.enterProject(rec)
	case KindKey:
		return l.enterKey(rec)
	case KindEventType:
		return l.enterEventType(rec)
	case KindSource:
		return l.enterSource(rec)
	case KindPortalLink:
		return l.enterLink(rec)
	case KindApplication:
		return l.enterApplication(rec)
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

func (l *loader) enterKey(rec event.CatalogRecord) error {
	k, err := decodeKey(rec.Value)
	if err != nil {
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

func (l *loader) enterSource(rec event.CatalogRecord) error {
	s, err := decodeSource(l.box, rec.ID, rec.Value)
	if err != nil {
		return err
	}
	if s.ID != rec.ID {
		return foreign(s.ID)
	}
	compiled, err := compileSource(s, rec.Rev)
	if err != nil {
		return err
	}
	compiled.insertInto(l.state)
	return nil
}

func (l *loader) enterLink(rec event.CatalogRecord) error {
	link, err := decodeLink(l.box, rec.ID, rec.Value)
	if err != nil {
		return err
	}
	if link.ID != rec.ID {
		return foreign(link.ID)
	}
	compiled, err := compileLink(link, l.digest, rec.Rev)
	if err != nil {
		return err
	}
	compiled.insertInto(l.state)
	return nil
}

func (l *loader) enterApplication(rec event.CatalogRecord) error {
	a := &application{rev: rec.Rev}
	if err := decodeJSON(rec.Value, &a.Application); err != nil {
		return err
	}
	if a.ID != rec.ID {
		return foreign(a.ID)
	}
	a.insertInto(l.state)
	return nil
}

// attachSubscriptions gives every endpoint its subscriptions, oldest first. Nobody has
// seen the endpoints yet, so they are changed in place. It sorts both.
func attachSubscriptions(endpoints []*Endpoint, subs []*Subscription) error {
	slices.SortFunc(endpoints, func(a, b *Endpoint) int { return compareID(a.ID, b.ID) })
	slices.SortFunc(subs, func(a, b *Subscription) int {
		return comparePairs(a.EndpointID, a.ID, b.EndpointID, b.ID)
	})
	for len(subs) > 0 {
		id, n := subs[0].EndpointID, 0
		for n < len(subs) && subs[n].EndpointID == id {
			n++
		}
		for len(endpoints) > 0 && lessID(&endpoints[0].ID, &id) {
			endpoints = endpoints[1:]
		}
		if len(endpoints) == 0 || endpoints[0].ID != id {
			return fmt.Errorf("subscription %s names endpoint %s, which is not stored", subs[0].ID, id)
		}
		endpoints[0].subscriptions = slices.Clone(subs[:n])
		subs = subs[n:]
	}
	return nil
}

// fillEndpoints enters endpoints, sorted by id, into their trees.
func (l *loader) fillEndpoints(all []*Endpoint) {
	l.endpoints.fill(all, func(e *Endpoint) event.ID { return e.ID })
	slices.SortFunc(all, compareListed)
	l.listing.fill(all)
	for _, e := range all {
		e.indexRare(l.state)
	}
	all = slices.DeleteFunc(all, func(e *Endpoint) bool { return e.OwnerID == "" })
	slices.SortFunc(all, compareOwned)
	l.owners.fill(all)
}

// fillSubscriptions enters subscriptions into their trees.
func (l *loader) fillSubscriptions(all []*Subscription) {
	slices.SortFunc(all, func(a, b *Subscription) int { return compareID(a.ID, b.ID) })
	l.subscriptions.fill(all, func(s *Subscription) event.ID { return s.ID })
	slices.SortFunc(all, compareSubscriptions)
	l.subListing.fill(all)
	for _, s := range all {
		if s.hasSource() {
			l.subSources.put(s)
		}
	}
}

// checkProjects makes sure that nothing belongs to a project, an application or a
// source that is not stored.
func (l *loader) checkProjects() error {
	var wrong error
	check := func(what string, id, project event.ID) bool {
		if wrong == nil && !l.projects.has(project) {
			wrong = fmt.Errorf("%s %s names project %s, which is not stored", what, id, project)
		}
		return wrong == nil
	}
	l.listing.items.Scan(func(e *Endpoint) bool { return check("endpoint", e.ID, e.ProjectID) })
	l.subListing.items.Scan(func(s *Subscription) bool { return check("subscription", s.ID, s.ProjectID) })
	l.apps.items.Scan(func(e *Endpoint) bool {
		if wrong == nil && l.applications.get(e.ProjectID, *e.AppID) == nil {
			wrong = fmt.Errorf("endpoint %s names application %s, which is not stored", e.ID, *e.AppID)
		}
		return wrong == nil
	})
	l.subSources.items.Scan(func(s *Subscription) bool {
		if src := l.sources.get(s.Extra.SourceID); wrong == nil && (src == nil || src.ProjectID != s.ProjectID) {
			wrong = fmt.Errorf("subscription %s names source %s, which is not stored", s.ID, s.Extra.SourceID)
		}
		return wrong == nil
	})
	l.keyListing.items.Scan(func(k *apiKey) bool { return k.ProjectID.IsZero() || check("key", k.ID, k.ProjectID) })
	l.eventTypes.items.Scan(func(t *eventType) bool { return check("event type", t.ID, t.ProjectID) })
	l.sourceListing.items.Scan(func(b belonging[source]) bool { return check("source", b.id, b.project) })
	l.linkListing.items.Scan(func(b belonging[portalLink]) bool { return check("portal link", b.id, b.project) })
	l.applications.items.Scan(func(b belonging[application]) bool { return check("application", b.id, b.project) })
	return wrong
}

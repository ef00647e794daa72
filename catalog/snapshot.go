package catalog

import (
	"iter"

	"posthaste/event"
)

// Snapshot is the whole catalog at one moment. It never changes, and neither
// does anything that it returns: callers must not write to what they get. Its
// methods may be called from any goroutine and take no lock.
type Snapshot struct {
	trees
}

// lastID sorts behind every id.
var lastID = event.ID{
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
}

// Project is the project with this id, nil if there is none. For the
// event.MetaProject of a project that hears of what happens to it, it is the
// project that stands for these events; no listing has it.
func (s *Snapshot) Project(id event.ID) *Project {
	if p := s.stored(id); p != nil {
		return p
	}
	if m := s.metas.get(id); m != nil && m.project.ID == id {
		return m.project
	}
	return nil
}

// stored is the project with this id; nil if there is none, or if it stands for
// another one's operational events.
func (s *Snapshot) stored(id event.ID) *Project {
	return s.projects.get(id)
}

// Endpoint is the endpoint with this id, of whichever project; nil if there is none.
// For the event.MetaEndpoint of a project it is the one that takes its operational
// events; no listing has it.
func (s *Snapshot) Endpoint(id event.ID) *Endpoint {
	if e := s.endpoints.get(id); e != nil {
		return e
	}
	if m := s.metas.get(id); m != nil && m.endpoint.ID == id {
		return m.endpoint
	}
	return nil
}

// Subscription is the subscription with this id, of whichever project; nil if
// there is none.
func (s *Snapshot) Subscription(id event.ID) *event.Subscription {
	sub := s.subscriptions.get(id)
	if sub == nil {
		return nil
	}
	return &sub.Subscription
}

// SubscriptionsOf lists the subscriptions of an endpoint, oldest first. A caller
// that has the endpoint saves the lookup with Endpoint.Subscriptions.
func (s *Snapshot) SubscriptionsOf(endpoint event.ID) []*Subscription {
	e := s.endpoints.get(endpoint)
	if e == nil {
		return nil
	}
	return e.subscriptions
}

// Counts says how many objects there are.
func (s *Snapshot) Counts() (projects, endpoints, subscriptions int) {
	return s.projects.len(), s.endpoints.len(), s.subscriptions.len()
}

// Owner lists the endpoints of a project that carry an owner id, oldest first.
// The empty owner has none.
func (s *Snapshot) Owner(project event.ID, owner string) iter.Seq[*Endpoint] {
	from := &Endpoint{Endpoint: event.Endpoint{ProjectID: project, OwnerID: owner}}
	to := &Endpoint{Endpoint: event.Endpoint{ProjectID: project, OwnerID: owner, ID: lastID}}
	return func(yield func(*Endpoint) bool) {
		for e := range s.owners.walk(from, to, false) {
			if !yield(e) {
				return
			}
		}
	}
}

// Projects lists projects by id, which is by age.
func (s *Snapshot) Projects(r event.Range) []*Project {
	from, to := bounds(r)
	var out []*Project
	for p := range s.projects.walk(from, to, r.Descending) {
		if len(out) >= r.Limit {
			break
		}
		out = append(out, p)
	}
	return out
}

// Endpoints lists the endpoints of a project by id, which is by age. match
// selects; nil takes all. It reads no further than the range and the limit ask.
func (s *Snapshot) Endpoints(project event.ID, r event.Range, match func(*Endpoint) bool) []*Endpoint {
	from, to := bounds(r)
	lo := &Endpoint{Endpoint: event.Endpoint{ProjectID: project, ID: from}}
	hi := &Endpoint{Endpoint: event.Endpoint{ProjectID: project, ID: to}}
	var out []*Endpoint
	for e := range s.listing.walk(lo, hi, r.Descending) {
		if len(out) >= r.Limit {
			break
		}
		if match == nil || match(e) {
			out = append(out, e)
		}
	}
	return out
}

// Subscriptions lists the subscriptions of a project by id, which is by age.
// match selects; nil takes all.
func (s *Snapshot) Subscriptions(project event.ID, r event.Range, match func(*event.Subscription) bool) []*event.Subscription {
	from, to := bounds(r)
	lo := &Subscription{Subscription: event.Subscription{ProjectID: project, ID: from}}
	hi := &Subscription{Subscription: event.Subscription{ProjectID: project, ID: to}}
	var out []*event.Subscription
	for sub := range s.subListing.walk(lo, hi, r.Descending) {
		if len(out) >= r.Limit {
			break
		}
		if match == nil || match(&sub.Subscription) {
			out = append(out, &sub.Subscription)
		}
	}
	return out
}

// AllSubscriptions lists the subscriptions of a project, oldest first.
func (s *Snapshot) AllSubscriptions(project event.ID) iter.Seq[*Subscription] {
	return func(yield func(*Subscription) bool) {
		lo := &Subscription{Subscription: event.Subscription{ProjectID: project}}
		hi := &Subscription{Subscription: event.Subscription{ProjectID: project, ID: lastID}}
		s.subListing.walk(lo, hi, false)(yield)
	}
}

// SubscriptionsOfSource lists the subscriptions that take a source's requests, oldest
// first.
func (s *Snapshot) SubscriptionsOfSource(project, source event.ID) iter.Seq[*Subscription] {
	return func(yield func(*Subscription) bool) {
		extra := &event.SubscriptionExtra{SourceID: source}
		lo := &Subscription{Subscription: event.Subscription{ProjectID: project, Extra: extra}}
		hi := &Subscription{Subscription: event.Subscription{ProjectID: project, ID: lastID, Extra: extra}}
		s.subSources.walk(lo, hi, false)(yield)
	}
}

// bounds are the ids that a range starts and ends at, open ends filled in.
func bounds(r event.Range) (from, to event.ID) {
	from, to = r.From, r.To
	if to.IsZero() {
		to = lastID
	}
	return from, to
}

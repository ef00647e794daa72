package catalog

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"strings"

	"posthaste/event"
)

// trees are the indexes of the catalog. An item of a set costs eight bytes, one of
// those by id 24; a persistent radix tree costs 420.
type trees struct {
	projects      byID[Project]
	metas         byID[meta] // by the id of the meta project and by that of the meta endpoint
	endpoints     byID[Endpoint]
	listing       tree[*Endpoint] // by project, id
	owners        tree[*Endpoint] // by project, owner, id; only those with an owner
	apps          tree[*Endpoint] // by project, application, id; only those with an application
	dynamic       dynamicIndex    // by project and URL; only those that are dynamic
	subscriptions byID[Subscription]
	subListing    tree[*Subscription] // by project, id
	subSources    tree[*Subscription] // by project, source, id; only those with a source
	keys          tree[masked]
	keyListing    tree[*apiKey]    // by project, id
	eventTypes    tree[*eventType] // by project, id
	typeNames     tree[*eventType] // by project, name
	sources       byID[source]
	sourceListing listing[source]
	sourceMasks   tree[maskedSource]
	links         byID[portalLink]
	linkListing   listing[portalLink]
	linkMasks     tree[maskedLink]
	applications  listing[application]
}

// masked is a key beside its mask id.
type masked struct {
	mask mask
	key  *apiKey
}

// state is the writers' own copy of the trees, and which of them differ from the
// published ones. Snapshots get clones, so that nothing of what a reader holds is
// ever written.
type state struct {
	trees
	changed changes
}

type changes struct{ projects, endpoints, subscriptions, keys, eventTypes, sources, links, applications bool }

func newState() *state {
	return &state{trees: trees{
		projects:      newByID[Project](),
		metas:         newByID[meta](),
		endpoints:     newByID[Endpoint](),
		listing:       newTree(compareListed),
		owners:        newTree(compareOwned),
		apps:          newTree(compareGrouped),
		dynamic:       newDynamicIndex(),
		subscriptions: newByID[Subscription](),
		subListing:    newTree(compareSubscriptions),
		subSources:    newTree(compareSubscribed),
		keys:          newTree(compareMasks),
		keyListing:    newTree(compareKeys),
		eventTypes:    newTree(compareEventTypes),
		typeNames:     newTree(compareTypeNames),
		sources:       newByID[source](),
		sourceListing: newListing[source](),
		sourceMasks:   newTree(compareSourceMasks),
		links:         newByID[portalLink](),
		linkListing:   newListing[portalLink](),
		linkMasks:     newTree(compareLinkMasks),
		applications:  newListing[application](),
	}}
}

// publish makes a snapshot of the state. Trees that did not change are taken
// from prev, which is nil for the first snapshot.
func (s *state) publish(prev *Snapshot) *Snapshot {
	next := &Snapshot{}
	if prev != nil {
		next.trees = prev.trees
	}
	if prev == nil || s.changed.projects {
		next.projects = s.projects.copy()
		next.metas = s.metas.copy()
	}
	if prev == nil || s.changed.endpoints {
		next.endpoints = s.endpoints.copy()
		next.listing = s.listing.copy()
		next.owners = s.owners.copy()
		next.apps = s.apps.copy()
		next.dynamic = s.dynamic.copy()
	}
	if prev == nil || s.changed.subscriptions {
		next.subscriptions = s.subscriptions.copy()
		next.subListing = s.subListing.copy()
		next.subSources = s.subSources.copy()
	}
	if prev == nil || s.changed.keys {
		next.keys = s.keys.copy()
		next.keyListing = s.keyListing.copy()
	}
	if prev == nil || s.changed.eventTypes {
		next.eventTypes = s.eventTypes.copy()
		next.typeNames = s.typeNames.copy()
	}
	if prev == nil || s.changed.sources {
		next.sources = s.sources.copy()
		next.sourceListing = s.sourceListing.copy()
		next.sourceMasks = s.sourceMasks.copy()
	}
	if prev == nil || s.changed.links {
		next.links = s.links.copy()
		next.linkListing = s.linkListing.copy()
		next.linkMasks = s.linkMasks.copy()
	}
	if prev == nil || s.changed.applications {
		next.applications = s.applications.copy()
	}
	s.changed = changes{}
	return next
}

// compareID orders ids as their bytes do, eight at a time.
func compareID(a, b event.ID) int {
	if c := cmp.Compare(binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(b[:8])); c != 0 {
		return c
	}
	return cmp.Compare(binary.BigEndian.Uint64(a[8:]), binary.BigEndian.Uint64(b[8:]))
}

func lessID(a, b *event.ID) bool {
	x, y := binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(b[:8])
	return x < y || x == y && binary.BigEndian.Uint64(a[8:]) < binary.BigEndian.Uint64(b[8:])
}

func comparePairs(a1, a2, b1, b2 event.ID) int {
	if c := compareID(a1, b1); c != 0 {
		return c
	}
	return compareID(a2, b2)
}

func compareListed(a, b *Endpoint) int {
	return comparePairs(a.ProjectID, a.ID, b.ProjectID, b.ID)
}

func compareOwned(a, b *Endpoint) int {
	if c := compareID(a.ProjectID, b.ProjectID); c != 0 {
		return c
	}
	if c := strings.Compare(a.OwnerID, b.OwnerID); c != 0 {
		return c
	}
	return compareID(a.ID, b.ID)
}

func compareSubscriptions(a, b *Subscription) int {
	return comparePairs(a.ProjectID, a.ID, b.ProjectID, b.ID)
}

// compareSubscribed orders subscriptions that have a source.
func compareSubscribed(a, b *Subscription) int {
	if c := comparePairs(a.ProjectID, a.Extra.SourceID, b.ProjectID, b.Extra.SourceID); c != 0 {
		return c
	}
	return compareID(a.ID, b.ID)
}

func compareMasks(a, b masked) int { return bytes.Compare(a.mask[:], b.mask[:]) }

func compareKeys(a, b *apiKey) int {
	return comparePairs(a.ProjectID, a.ID, b.ProjectID, b.ID)
}

func compareEventTypes(a, b *eventType) int {
	return comparePairs(a.ProjectID, a.ID, b.ProjectID, b.ID)
}

func compareTypeNames(a, b *eventType) int {
	if c := compareID(a.ProjectID, b.ProjectID); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

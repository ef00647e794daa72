package catalog

import (
	"time"

	"posthaste/event"
	"posthaste/internal/seal"
	"posthaste/sig"
)

// SignerAt is Signer at a given time.
func SignerAt(e *Endpoint, p *Project, now time.Time) *sig.Signer { return e.signerAt(p, now) }

// StandardAt is Standard at a given time.
func StandardAt(e *Endpoint, now time.Time) *sig.Standard { return e.standardAt(now) }

// Collide enters the endpoint into the index of dynamic endpoints under the hash of
// another URL too, as if both had one hash, in a copy of the snapshot, and finds
// endpoints of both URLs there.
func Collide(s *Snapshot, a, b *Endpoint) (foundA, foundB *Endpoint) {
	index := s.dynamic.copy()
	hash := hashDynamic(a.ProjectID, a.URL)
	index.put(hash, b)
	return index.findHash(hash, a.ProjectID, a.URL), index.findHash(hash, b.ProjectID, b.URL)
}

// DynamicDisagreement says where the index of dynamic endpoints does not have what it
// should; "" for nowhere.
func DynamicDisagreement(s *Snapshot, project event.ID) string {
	want := make(map[*Endpoint]bool)
	for _, e := range s.Endpoints(project, event.Range{Limit: 1 << 30}, nil) {
		if e.Dynamic {
			want[e] = true
		}
	}
	for entry := range s.dynamic.all() {
		for _, e := range entry.endpoints {
			if !want[e] || entry.hash != hashDynamic(e.ProjectID, e.URL) {
				return "endpoint " + e.ID.String() + " is not dynamic, old, or in another's place"
			}
			delete(want, e)
		}
	}
	if len(want) > 0 {
		return "a dynamic endpoint is not in the index"
	}
	return ""
}

// RecordOf is the first revision of a noun, as it is stored; a nil box leaves its
// secrets in clear.
func RecordOf(box *seal.Box, kind byte, id event.ID, noun any) event.CatalogRecord {
	value, err := encodeNoun(box, noun)
	if err != nil {
		panic(err)
	}
	return event.CatalogRecord{Kind: kind, ID: id, Rev: 1, Value: value}
}

func encodeNoun(box *seal.Box, noun any) ([]byte, error) {
	switch n := noun.(type) {
	case *event.Project:
		return (&Project{Project: *n}).encode(box)
	case *event.Endpoint:
		return packEndpoint(box, n)
	case *event.Subscription:
		return packSubscription(n)
	case *event.Source:
		return encodeSource(box, n)
	case *event.PortalLink:
		return encodeLink(box, n)
	case *event.APIKey:
		return encodeKey(n)
	}
	return encodeJSON(noun)
}

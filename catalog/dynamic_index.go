package catalog

import (
	"cmp"
	"slices"

	"github.com/cespare/xxhash/v2"

	"posthaste/event"
)

// dynamicHash is an entry of the index of dynamic endpoints: those whose project and
// URL have this hash, oldest first. It is nearly always one; endpoints that share a
// hash by chance, or a URL because one of them was given it later, are several.
type dynamicHash struct {
	hash      uint64
	endpoints []*Endpoint // replaced, never changed in place
}

func compareDynamic(a, b dynamicHash) int { return cmp.Compare(a.hash, b.hash) }

func hashDynamic(project event.ID, url string) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write(project[:])
	_, _ = d.WriteString(url)
	return d.Sum64()
}

// dynamicIndex is the endpoints that are found by project and URL.
type dynamicIndex struct{ tree[dynamicHash] }

func newDynamicIndex() dynamicIndex { return dynamicIndex{newTree(compareDynamic)} }

func (t dynamicIndex) copy() dynamicIndex { return dynamicIndex{t.tree.copy()} }

// find is the oldest endpoint of the project with this URL; nil if there is none. It
// does not allocate.
func (t dynamicIndex) find(project event.ID, url string) *Endpoint {
	return t.findHash(hashDynamic(project, url), project, url)
}

func (t dynamicIndex) findHash(hash uint64, project event.ID, url string) *Endpoint {
	found, _ := t.get(dynamicHash{hash: hash})
	for _, e := range found.endpoints {
		if e.ProjectID == project && e.URL == url {
			return e
		}
	}
	return nil
}

func (t dynamicIndex) put(hash uint64, e *Endpoint) {
	found, _ := t.get(dynamicHash{hash: hash})
	at, there := slices.BinarySearchFunc(found.endpoints, e.ID, compareEndpointID)
	list := slices.Clone(found.endpoints)
	if there {
		list[at] = e
	} else {
		list = slices.Clip(slices.Insert(list, at, e))
	}
	t.tree.put(dynamicHash{hash, list})
}

func (t dynamicIndex) remove(hash uint64, id event.ID) {
	found, _ := t.get(dynamicHash{hash: hash})
	at, there := slices.BinarySearchFunc(found.endpoints, id, compareEndpointID)
	switch {
	case !there:
	case len(found.endpoints) == 1:
		t.tree.remove(dynamicHash{hash: hash})
	default:
		t.tree.put(dynamicHash{hash, slices.Concat(found.endpoints[:at], found.endpoints[at+1:])})
	}
}

func compareEndpointID(e *Endpoint, id event.ID) int { return compareID(e.ID, id) }

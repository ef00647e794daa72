package catalog

import (
	"iter"

	"posthaste/event"
)

// listing is a tree of what belongs to projects, by project and id.
type listing[T any] struct{ tree[belonging[T]] }

type belonging[T any] struct {
	project, id event.ID
	value       *T
}

func newListing[T any]() listing[T] {
	return listing[T]{newTree(func(a, b belonging[T]) int { return comparePairs(a.project, a.id, b.project, b.id) })}
}

func (t listing[T]) copy() listing[T] { return listing[T]{t.tree.copy()} }

func (t listing[T]) put(project, id event.ID, value *T) {
	t.tree.put(belonging[T]{project, id, value})
}

func (t listing[T]) remove(project, id event.ID) {
	t.tree.remove(belonging[T]{project: project, id: id})
}

// get is the project's value with this id; nil if there is none.
func (t listing[T]) get(project, id event.ID) *T {
	found, _ := t.tree.get(belonging[T]{project: project, id: id})
	return found.value
}

// of passes the values of a project, oldest first.
func (t listing[T]) of(project event.ID) iter.Seq[*T] { return t.within(project, event.Range{}) }

// within passes the values of a project within a range; its limit is for the caller.
func (t listing[T]) within(project event.ID, r event.Range) iter.Seq[*T] {
	from, to := bounds(r)
	return func(yield func(*T) bool) {
		lo, hi := belonging[T]{project: project, id: from}, belonging[T]{project: project, id: to}
		for item := range t.tree.walk(lo, hi, r.Descending) {
			if !yield(item.value) {
				return
			}
		}
	}
}

// selected is the nouns of what seq passes and match selects, at most limit. A nil
// match selects all.
func selected[T, N any](seq iter.Seq[*T], limit int, noun func(*T) *N, match func(*N) bool) []*N {
	var out []*N
	for value := range seq {
		if len(out) >= limit {
			break
		}
		if n := noun(value); match == nil || match(n) {
			out = append(out, n)
		}
	}
	return out
}

package catalog

import (
	"iter"

	"github.com/tidwall/btree"

	"posthaste/event"
)

// degree makes tree nodes of up to 127 items: at a million items a lookup passes
// three nodes, and a write copies three.
const degree = 64

// tree is an ordered set: a copy-on-write B-tree. Its writer works on its own copy;
// readers get others, which are never written to.
type tree[T any] struct {
	items *btree.BTreeG[T]
	order func(a, b T) int
}

func newTree[T any](order func(a, b T) int) tree[T] {
	return newTreeBy(order, func(a, b T) bool { return order(a, b) < 0 })
}

// newTreeBy is newTree with a faster way to say whether an item is in front of
// another.
func newTreeBy[T any](order func(a, b T) int, less func(a, b T) bool) tree[T] {
	// No locks: the catalog has one for its writers, and readers need none.
	return tree[T]{btree.NewBTreeGOptions(less, btree.Options{Degree: degree, NoLocks: true}), order}
}

// copy is the tree as it is now. It costs nothing until the tree is written to again.
func (t tree[T]) copy() tree[T] { return tree[T]{t.items.Copy(), t.order} }

func (t tree[T]) len() int { return t.items.Len() }

// put enters an item, in place of the one that has its place in the order.
func (t tree[T]) put(item T) { t.items.Set(item) }

// remove removes the item that has the place of this one.
func (t tree[T]) remove(item T) { t.items.Delete(item) }

// get finds the item that has the place of this one.
func (t tree[T]) get(item T) (T, bool) { return t.items.Get(item) }

// walk passes the items from lo to hi, both inclusive, or from hi to lo.
func (t tree[T]) walk(lo, hi T, descending bool) iter.Seq[T] {
	return func(yield func(T) bool) {
		if descending {
			t.items.Descend(hi, func(item T) bool { return t.order(item, lo) >= 0 && yield(item) })
			return
		}
		t.items.Ascend(lo, func(item T) bool { return t.order(item, hi) <= 0 && yield(item) })
	}
}

// all passes all items in order.
func (t tree[T]) all() iter.Seq[T] {
	return func(yield func(T) bool) { t.items.Scan(yield) }
}

// fill enters what is sorted into an empty tree, every other item first. In order,
// each node would be left half empty when it is split; the second half fills them
// up, which saves a twentieth of the memory of a catalog that was just loaded.
func (t tree[T]) fill(sorted []T) {
	for i := 0; i < len(sorted); i += 2 {
		t.items.Load(sorted[i])
	}
	var near btree.PathHint // each goes beside the one before
	for i := 1; i < len(sorted); i += 2 {
		t.items.SetHint(sorted[i], &near)
	}
}

// byID is a tree of what has an id, which is kept beside it so that a lookup touches
// the nodes of the tree only.
type byID[T any] struct{ tree[identified[T]] }

type identified[T any] struct {
	id    event.ID
	value *T
}

func newByID[T any]() byID[T] {
	order := func(a, b identified[T]) int { return compareID(a.id, b.id) }
	less := func(a, b identified[T]) bool { return lessID(&a.id, &b.id) } // a third off a lookup
	return byID[T]{newTreeBy(order, less)}
}

func (t byID[T]) copy() byID[T] { return byID[T]{t.tree.copy()} }

func (t byID[T]) put(id event.ID, value *T) { t.tree.put(identified[T]{id, value}) }

func (t byID[T]) remove(id event.ID) { t.tree.remove(identified[T]{id: id}) }

// get is the value with this id; nil if there is none.
func (t byID[T]) get(id event.ID) *T {
	found, _ := t.tree.get(identified[T]{id: id})
	return found.value
}

func (t byID[T]) has(id event.ID) bool { return t.get(id) != nil }

func (t byID[T]) fill(sorted []*T, id func(*T) event.ID) {
	items := make([]identified[T], len(sorted))
	for i, value := range sorted {
		items[i] = identified[T]{id(value), value}
	}
	t.tree.fill(items)
}

// walk passes the values whose ids are from lo to hi, both inclusive.
func (t byID[T]) walk(lo, hi event.ID, descending bool) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for item := range t.tree.walk(identified[T]{id: lo}, identified[T]{id: hi}, descending) {
			if !yield(item.value) {
				return
			}
		}
	}
}

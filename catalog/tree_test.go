package catalog

import (
	"cmp"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"posthaste/event"
)

// pair is ordered by its key.
type pair struct{ key, value int }

func comparePair(a, b pair) int { return cmp.Compare(a.key, b.key) }

// A tree is a sorted map, and a copy of it stays as it was.
func TestTreeModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.IntRange(0, 3000)
		tree, model := newTree(comparePair), make(map[int]int)
		sorted := slices.Sorted(slices.Values(rapid.SliceOfNDistinct(number, 0, 2000, rapid.ID[int]).Draw(t, "loaded")))
		items := make([]pair, len(sorted))
		for i, key := range sorted {
			items[i] = pair{key, -key}
			model[key] = -key
		}
		tree.fill(items)
		var copies []tree2model
		for range rapid.IntRange(0, 300).Draw(t, "steps") {
			switch key := number.Draw(t, "key"); rapid.IntRange(0, 9).Draw(t, "op") {
			case 0:
				copies = append(copies, tree2model{tree.copy(), maps.Clone(model)})
			case 1, 2, 3:
				tree.remove(pair{key: key})
				delete(model, key)
			default:
				tree.put(pair{key, key})
				model[key] = key
			}
		}
		for _, c := range append(copies, tree2model{tree, model}) {
			c.check(t, number.Draw(t, "lo"), number.Draw(t, "hi"))
		}
	})
}

type tree2model struct {
	tree  tree[pair]
	model map[int]int
}

func (c *tree2model) check(t *rapid.T, lo, hi int) {
	var all, within []pair
	for _, key := range slices.Sorted(maps.Keys(c.model)) {
		p := pair{key, c.model[key]}
		all = append(all, p)
		if lo <= key && key <= hi {
			within = append(within, p)
		}
		if got, found := c.tree.get(pair{key: key}); !found || got != p {
			t.Fatalf("key %d: %v, %v", key, got, found)
		}
	}
	if got := slices.Collect(c.tree.all()); !slices.Equal(got, all) || c.tree.len() != len(all) {
		t.Fatalf("%d of %d items", len(got), len(all))
	}
	if got := slices.Collect(c.tree.walk(pair{key: lo}, pair{key: hi}, false)); !slices.Equal(got, within) {
		t.Fatalf("from %d to %d: %v, want %v", lo, hi, got, within)
	}
	slices.Reverse(within)
	if got := slices.Collect(c.tree.walk(pair{key: lo}, pair{key: hi}, true)); !slices.Equal(got, within) {
		t.Fatalf("from %d down to %d: %v, want %v", hi, lo, got, within)
	}
	if _, found := c.tree.get(pair{key: -1}); found {
		t.Fatal("a key is there that never was")
	}
}

func TestLessIDAgreesWithCompareID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a, b event.ID
		copy(a[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "a"))
		copy(b[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "b"))
		copy(b[:], a[:rapid.IntRange(0, 16).Draw(t, "common")])
		if lessID(&a, &b) != (a.Compare(b) < 0) || (compareID(a, b) < 0) != (a.Compare(b) < 0) || (compareID(a, b) == 0) != (a == b) {
			t.Fatalf("%s and %s", a, b)
		}
	})
}

//go:build !race

package sig

import "testing"

// checkAllocs fails when f allocates. Its twin for race builds, where sync.Pool
// drops what it holds at random, only runs f.
func checkAllocs(t *testing.T, what any, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%v: %v allocations", what, n)
	}
}

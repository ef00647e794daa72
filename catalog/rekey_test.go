package catalog_test

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/internal/seal"
)

// TestRekey: records are written anew under a new key while the catalog is in use, and open
// without the older key from then on, not before.
func TestRekey(t *testing.T) {
	w := sealedWorld(t, "k1")
	plant(t, w)
	before := contents(w.Catalog)
	left, err := w.Rekey(newBox(t, "k2", "k1"))
	must(t, err)
	if n, key := w.Unsealed(); n != left || left == 0 || key != "k2" {
		t.Errorf("%d records are left of %d, under %s", n, left, key)
	}
	o := options(w)
	o.Seal = newBox(t, "k2")
	var unknown *seal.UnknownKeyError
	if _, err := catalog.Open(w.store, o); !errors.As(err, &unknown) {
		t.Errorf("the new key alone, too early: %v", err)
	}
	// In the middle: the next process has both keys and goes on.
	if got := contents(w.openSealed(t, "k2", "k1")); !reflect.DeepEqual(before, got) {
		t.Error("with both keys the catalog is another one")
	}
	n, err := w.Reseal(t.Context())
	if err != nil || n == 0 || n > left {
		t.Errorf("%d records of %d, %v", n, left, err)
	}
	if left, _ := w.Unsealed(); left != 0 {
		t.Errorf("%d records are left", left)
	}
	if got := contents(w.openSealed(t, "k2")); !reflect.DeepEqual(before, got) {
		t.Error("under the new key alone the catalog is another one")
	}
	if left, err := w.Rekey(newBox(t, "k2")); left != 0 || err != nil {
		t.Errorf("the older key taken away: %d, %v", left, err)
	}
}

// TestRekeyRefuses a file without a key that is needed, and goes on with those it had.
func TestRekeyRefuses(t *testing.T) {
	w := sealedWorld(t, "k1")
	e := w.endpoint(t, "a")
	another, err := seal.Open([]seal.Key{{ID: "k2"}, {ID: "k1"}})
	must(t, err)
	for name, box := range map[string]*seal.Box{"it is missing": newBox(t, "k2"), "it is another one": another} {
		var invalid *event.InvalidError
		if _, err := w.Rekey(box); !errors.As(err, &invalid) || !strings.Contains(err.Error(), `"k1"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = w.Rekey(newBox(t, "k2", "k1"))
	must(t, err)
	if _, err := w.Rekey(newBox(t, "k3", "k2")); err == nil {
		t.Error("k1 is still needed, and was let go")
	}
	_, err = w.UpdateEndpoint(w.project.ID, e.ID, func(e *event.Endpoint) error { e.Name = "b"; return nil })
	must(t, err)
	if _, err := w.Reseal(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := setup(t).Rekey(newBox(t, "k1")); err == nil {
		t.Error("a catalog in clear took a key")
	}
}

// TestRekeyAmongWriters: objects that are made, changed and deleted meanwhile are under the
// new key in the end, or gone.
func TestRekeyAmongWriters(t *testing.T) {
	w := sealedWorld(t, "k1")
	for range 1200 {
		w.endpoint(t, "e")
	}
	all := w.Snapshot().Endpoints(w.project.ID, event.Range{Limit: 5000}, nil)
	_, err := w.Rekey(newBox(t, "k2", "k1"))
	must(t, err)
	var writers sync.WaitGroup
	for part := range 3 {
		writers.Go(func() {
			for i := part; i < len(all); i += 3 {
				var err error
				switch part {
				case 0:
					err = w.DeleteEndpoint(w.project.ID, all[i].ID)
				case 1:
					_, err = w.UpdateEndpoint(w.project.ID, all[i].ID, func(e *event.Endpoint) error { e.Name = "changed"; return nil })
				case 2:
					_, err = w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "new", URL: "https://example.com/n"})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	_, err = w.Reseal(t.Context())
	writers.Wait()
	must(t, err)
	before := contents(w.Catalog)
	if got := contents(w.openSealed(t, "k2")); !reflect.DeepEqual(before, got) {
		t.Error("under the new key alone the catalog is another one")
	}
}

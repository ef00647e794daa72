package catalog_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/catalog/catalogtest"
	"posthaste/event"
	"posthaste/internal/seal"
)

// world is a catalog with one project, over a store and a clock of its own.
type world struct {
	*catalog.Catalog
	store   *catalogtest.Store
	clock   *clock
	project *catalog.Project
	key     string
}

// clock is a clock that moves when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func setup(t testing.TB) *world {
	t.Helper()
	w := &world{store: catalogtest.New(), clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	w.Catalog = w.open(t)
	p, _, text, err := w.CreateProject(event.Project{Name: "shop"})
	must(t, err)
	w.project, w.key = p, text
	return w
}

// open opens another catalog over the world's store.
func (w *world) open(t testing.TB) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Open(w.store, options(w))
	must(t, err)
	return c
}

// options are catalogtest's with the world's clock, and a URL policy that
// lowers case and refuses one host.
func options(w *world) catalog.Options {
	o := catalogtest.Options()
	o.Now = w.clock.Now
	policy := o.URLPolicy
	o.URLPolicy = func(raw string, enforceTLS bool) (string, error) {
		if strings.Contains(raw, "//refused") {
			return "", errors.New("refused by policy")
		}
		return policy(strings.ToLower(raw), enforceTLS)
	}
	return o
}

func (w *world) endpoint(t testing.TB, name string) *catalog.Endpoint {
	t.Helper()
	e, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: name, URL: "https://example.com/" + name})
	must(t, err)
	return e
}

func (w *world) subscription(t testing.TB, e *catalog.Endpoint, types ...string) *event.Subscription {
	t.Helper()
	s, err := w.CreateSubscription(event.Subscription{
		Name: "sub", ProjectID: w.project.ID, EndpointID: e.ID, FilterConfig: event.FilterConfig{EventTypes: types},
	})
	must(t, err)
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantInvalid asserts that err refuses the field; "" that there is no error.
func wantInvalid(t testing.TB, err error, field string) {
	t.Helper()
	if field == "" {
		must(t, err)
		return
	}
	var invalid *event.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("error %v, want one that refuses %q", err, field)
	}
	if invalid.Field != field || strings.TrimSpace(invalid.Reason) == "" {
		t.Fatalf("error refuses %q (%s), want %q", invalid.Field, invalid.Reason, field)
	}
}

func wantIs(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("error %v, want %v", err, target)
	}
}

func ids[T any](list []T, id func(T) event.ID) string {
	var b strings.Builder
	for _, x := range list {
		fmt.Fprintf(&b, "%s ", id(x))
	}
	return b.String()
}

// newBox seals under the first key and opens under all; the keys' bytes derive from
// their ids.
func newBox(t testing.TB, ids ...string) *seal.Box {
	t.Helper()
	keys := make([]seal.Key, len(ids))
	for i, id := range ids {
		keys[i] = seal.Key{ID: id, Bytes: sha256.Sum256([]byte(id))}
	}
	box, err := seal.Open(keys)
	must(t, err)
	return box
}

package catalog

import (
	"slices"
	"sync"

	"posthaste/event"
)

// Change is one object that a write created, changed or deleted. The snapshot
// already shows it when a watcher hears of it.
type Change struct {
	Kind      byte     // one of the Kind constants
	ID        event.ID // of the object
	ProjectID event.ID // of its project; the same as ID for a project
	Deleted   bool

	// Before and After are an endpoint's values: nil before it was created, after it
	// was deleted, and for other objects.
	Before, After *Endpoint
}

// Watch calls fn for every change that is committed from now on, in commit
// order, from the goroutine that writes and while other writers wait. So fn must
// not block and must not write to the catalog; it may read it. cancel ends the
// calls; one that is already running may still finish. It is safe to call twice.
func (c *Catalog) Watch(fn func(Change)) (cancel func()) {
	w := &watcher{fn: fn}
	c.watchers.add(w)
	return func() { c.watchers.remove(w) }
}

type watcher struct{ fn func(Change) }

// watchers is the list of those who listen, in the order in which they came.
type watchers struct {
	mu   sync.Mutex // guards list; never held while a watcher is called
	list []*watcher // replaced, never changed in place
}

func (ws *watchers) add(w *watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.list = append(slices.Clip(ws.list), w)
}

func (ws *watchers) remove(w *watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if i := slices.Index(ws.list, w); i >= 0 {
		ws.list = slices.Concat(ws.list[:i], ws.list[i+1:])
	}
}

func (ws *watchers) current() []*watcher {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.list
}

func (ws *watchers) tell(edits []edit) {
	list := ws.current()
	for i := range edits {
		change := edits[i].change()
		for _, w := range list {
			w.fn(change)
		}
	}
}

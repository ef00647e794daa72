package catalog

import (
	"errors"
	"fmt"

	"posthaste/event"
)

// resealBatch is how many records one write of Reseal holds at the most.
const resealBatch = 500

// ErrNoSeal is what Reseal says when the catalog was opened without Options.Seal.
var ErrNoSeal = errors.New("catalog: there is no key to seal with")

// Reseal rewrites every record whose secrets are in clear or sealed under another
// key than the first, and says how many these were: after it, an older key is not
// needed for this store any more. It goes on in batches, between which other writers
// have their turn; a second call does what a failed one left. Watchers are not told,
// since nothing changes but the record.
func (c *Catalog) Reseal() (n int, err error) {
	if c.box == nil {
		return 0, ErrNoSeal
	}
	var old []resealed
	err = c.store.LoadCatalog(func(rec event.CatalogRecord) error {
		needs, err := needsSeal(c.box, rec.Kind, rec.Value)
		if err != nil {
			return fmt.Errorf("record %q %s: %w", rec.Kind, rec.ID, err)
		}
		if needs {
			old = append(old, resealed{rec.Kind, rec.ID})
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("catalog: reseal: %w", err)
	}
	for len(old) > 0 {
		batch := old[:min(resealBatch, len(old))]
		written, err := c.reseal(batch)
		n += written
		if err != nil {
			return n, err
		}
		old = old[len(batch):]
	}
	return n, nil
}

// resealed names a record.
type resealed struct {
	kind byte
	id   event.ID
}

// reseal writes the objects that are still there.
func (c *Catalog) reseal(batch []resealed) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var edits []edit
	for _, r := range batch {
		if o := c.Snapshot().again(r); o.after != nil {
			edits = append(edits, o)
		}
	}
	if len(edits) == 0 {
		return 0, nil
	}
	return len(edits), c.writeLocked("reseal", edits)
}

// again is the edit that writes an object as it is.
func (s *Snapshot) again(r resealed) (e edit) {
	switch r.kind {
	case KindProject:
		if p := s.stored(r.id); p != nil {
			e = edit{before: p, after: p.again()}
		}
	case KindEndpoint:
		if old := s.endpoints.get(r.id); old != nil {
			e = edit{before: old, after: old.again()}
		}
	case KindPortalLink:
		if old := s.links.get(r.id); old != nil {
			next := *old
			next.rev++
			e = edit{before: old, after: &next}
		}
	case KindSource:
		if old := s.sources.get(r.id); old != nil {
			next := *old
			next.rev++
			e = edit{before: old, after: &next}
		}
	}
	return e
}

func (p *Project) again() *Project {
	next := *p
	next.rev++
	return &next
}

func (e *Endpoint) again() *Endpoint {
	next := e.withSubscriptions(e.subscriptions)
	next.rev++
	return next
}

package catalog

import (
	"context"
	"errors"

	"posthaste/event"
	"posthaste/internal/seal"
)

// resealBatch is how many records one write of Reseal holds at the most.
const resealBatch = 500

// ErrNoSeal is what Reseal says when the catalog was opened without Options.Seal.
var ErrNoSeal = errors.New("catalog: there is no key to seal with")

// Reseal rewrites every record that Open found with its secrets in clear or sealed under
// another key than the first, and says how many these were: after it, an older key is not
// needed for this store any more. It goes on in batches, between which other writers
// have their turn; a second call does what a failed one left. Watchers are not told,
// since nothing changes but the record. The end of ctx leaves the rest to the next call,
// of this process or another.
func (c *Catalog) Reseal(ctx context.Context) (n int, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		written, more, err := c.resealSome()
		n += written
		if err != nil || !more {
			return n, err
		}
	}
}

// Rekey makes another box the one that seals, and says how many records Reseal has to
// write anew for it; 0 if its first key is the one that seals already. The box must open
// all that is in the store: its keys must have those of the box before that are still
// needed, or it is refused as event.InvalidError and nothing changes. Any goroutine may
// call it, also while Reseal runs.
func (c *Catalog) Rekey(box *seal.Box) (left int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.mu.box
	if old == nil {
		return 0, ErrNoSeal
	}
	needed := []string{old.KeyID()}
	if len(c.mu.unsealed) > 0 {
		needed = old.KeyIDs()
	}
	for _, id := range needed {
		if !box.Opens(old, id) {
			return 0, event.Invalid("", "the key file has not the key %q, or another one of this name, and secrets are sealed under it; put it back below the new key", id)
		}
	}
	c.mu.box = box
	if box.KeyID() != old.KeyID() {
		c.mu.unsealed = c.mu.state.withSecrets()
	}
	return len(c.mu.unsealed), nil
}

// Unsealed is how many records Reseal has still to look at, and the id of the key that
// seals.
func (c *Catalog) Unsealed() (left int, keyID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.box != nil {
		keyID = c.mu.box.KeyID()
	}
	return len(c.mu.unsealed), keyID
}

// withSecrets lists the objects whose records have a secret part.
func (s *state) withSecrets() []resealed {
	list := make([]resealed, 0, s.endpoints.len())
	for p := range s.projects.walk(event.ID{}, lastID, false) {
		if p.Config.MetaEvent.Secret != "" {
			list = append(list, resealed{KindProject, p.ID})
		}
	}
	s.listing.items.Scan(func(e *Endpoint) bool { list = append(list, resealed{KindEndpoint, e.ID}); return true })
	s.sourceListing.items.Scan(func(b belonging[source]) bool { list = append(list, resealed{KindSource, b.id}); return true })
	s.linkListing.items.Scan(func(b belonging[portalLink]) bool { list = append(list, resealed{KindPortalLink, b.id}); return true })
	return list
}

// resealed names a record.
type resealed struct {
	kind byte
	id   event.ID
}

// resealSome writes the next objects that are still there, and says whether there are
// more.
func (c *Catalog) resealSome() (n int, more bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.box == nil {
		return 0, false, ErrNoSeal
	}
	batch := c.mu.unsealed[:min(resealBatch, len(c.mu.unsealed))]
	var edits []edit
	for _, r := range batch {
		if o := c.Snapshot().again(r); o.after != nil {
			edits = append(edits, o)
		}
	}
	if len(edits) > 0 {
		if err := c.writeLocked("reseal", edits); err != nil {
			return 0, false, err
		}
	}
	if c.mu.unsealed = c.mu.unsealed[len(batch):]; len(c.mu.unsealed) == 0 {
		c.mu.unsealed = nil
	}
	return len(edits), c.mu.unsealed != nil, nil
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

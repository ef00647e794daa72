package catalog

import (
	"errors"

	"posthaste/event"
)

// resealBatch is how many records one write of Reseal holds at the most.
const resealBatch = 500

// ErrNoSeal is what Reseal says when the catalog was opened without Options.Seal.
var ErrNoSeal = errors.New("catalog: there is no key to seal with")

// Reseal rewrites every record that Open found with its secrets in clear or sealed under
// another key than the first, and says how many these were: after it, an older key is not
// needed for this store any more. It goes on in batches, between which other writers
// have their turn; a second call does what a failed one left. Watchers are not told,
// since nothing changes but the record.
func (c *Catalog) Reseal() (n int, err error) {
	if c.box == nil {
		return 0, ErrNoSeal
	}
	for {
		written, more, err := c.resealSome()
		n += written
		if err != nil || !more {
			return n, err
		}
	}
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

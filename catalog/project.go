package catalog

import (
	"fmt"
	"math"
	"slices"

	"posthaste/event"
	"posthaste/sig"
)

// Project is a project, compiled. It never changes: an update makes another one,
// so two pointers are equal only if nothing of the project differs.
type Project struct {
	event.Project
	versions []sig.Version // of the signature header
	rev      uint64
}

func compileProject(p event.Project, rev uint64) (*Project, error) {
	c := &Project{Project: p, rev: rev, versions: make([]sig.Version, len(p.Config.Signature.Versions))}
	for i, v := range p.Config.Signature.Versions {
		c.versions[i] = sig.Version{Hash: v.Hash, Encoding: v.Encoding}
		if err := sig.CheckVersion(c.versions[i]); err != nil {
			return nil, fmt.Errorf("project %s: signature version %d: %w", p.ID, i+1, err)
		}
	}
	return c, nil
}

func (p *Project) ref() Change      { return Change{Kind: KindProject, ID: p.ID, ProjectID: p.ID} }
func (p *Project) revision() uint64 { return p.rev }
func (p *Project) noun() any        { return &p.Project }

func (p *Project) insertInto(s *state) {
	s.projects.ReplaceOrInsert(p.ID, p)
	s.changed.projects = true
}

func (p *Project) removeFrom(s *state) {
	s.projects.Delete(p.ID)
	s.changed.projects = true
}

// CreateProject makes a project and, in the same write, its first API key. The
// key's text is returned here and never again. Fields of the configuration that
// are zero get their defaults; an id that is zero is made.
func (c *Catalog) CreateProject(p event.Project) (*Project, event.APIKey, string, error) {
	now := c.timestamp()
	p.ID = newID(p.ID)
	p.CreatedAt, p.UpdatedAt, p.DeletedAt = now, now, nil
	if err := normalizeProject(&p, now); err != nil {
		return nil, event.APIKey{}, "", err
	}
	compiled, err := compileProject(p, 1)
	if err != nil {
		return nil, event.APIKey{}, "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key, text := c.newKeyLocked(p.ID, cutName(p.Name, " key"), nil)
	if err := c.commitLocked("create project", created(compiled), created(key)); err != nil {
		return nil, event.APIKey{}, "", err
	}
	return compiled, key.APIKey, text, nil
}

// UpdateProject lets change edit a copy of the project, and writes it. An error
// of change is returned as it is, and nothing is written. change cannot alter
// the id, the type and the creation time. It runs while other writers wait.
func (c *Catalog) UpdateProject(id event.ID, change func(*event.Project) error) (*Project, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.Snapshot().Project(id)
	if old == nil {
		return nil, notFound("project", id)
	}
	p := old.Project
	p.Config.Signature.Versions = slices.Clone(p.Config.Signature.Versions)
	if err := change(&p); err != nil {
		return nil, err
	}
	now := c.timestamp()
	p.ID, p.Type, p.CreatedAt, p.UpdatedAt = old.ID, old.Type, old.CreatedAt, now
	if err := normalizeProject(&p, now); err != nil {
		return nil, err
	}
	compiled, err := compileProject(p, old.rev+1)
	if err != nil {
		return nil, err
	}
	if err := c.commitLocked("update project", edit{before: old, after: compiled}); err != nil {
		return nil, err
	}
	return compiled, nil
}

// deleteBatch is how many records one write of DeleteProject holds at the most.
const deleteBatch = 1000

// DeleteProject deletes a project and all that it contains, in several writes:
// its keys first, so that nobody acts on what is left, the project itself last.
// A crash in between leaves a smaller project, which can be deleted again. Other
// writers wait until all is gone.
func (c *Catalog) DeleteProject(id event.ID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.Snapshot()
	p := snap.Project(id)
	if p == nil {
		return notFound("project", id)
	}
	for batch := range slices.Chunk(contents(snap, p), deleteBatch) {
		if err := c.commitLocked("delete project", batch...); err != nil {
			return err
		}
	}
	return nil
}

// contents lists the deletion of everything in a project, in an order in which
// every prefix leaves a catalog that can be loaded.
func contents(s *Snapshot, p *Project) []edit {
	var edits []edit
	all := event.Range{Limit: math.MaxInt}
	for k := range walk(s.keyListing, keyProbe(p.ID, event.ID{}), keyProbe(p.ID, lastID), false) {
		edits = append(edits, deleted(k))
	}
	for _, e := range s.Endpoints(p.ID, all, nil) {
		edits = append(edits, deletions(s, e)...)
	}
	return append(edits, deleted(p))
}

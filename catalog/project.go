package catalog

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"posthaste/breaker"
	"posthaste/event"
	"posthaste/retry"
	"posthaste/sig"
)

// Project is a project, compiled. It never changes: an update makes another one,
// so two pointers are equal only if nothing of the project differs.
type Project struct {
	event.Project
	Retry   *retry.Policy  // for the endpoints that have none of their own
	Breaker breaker.Config // of its endpoints

	versions []sig.Version // of the signature header
	meta     *meta         // nil: the project does not hear of what happens to it
	isMeta   bool
	rev      uint64
}

// compileProject makes a Project of a valid noun. An error is an event.InvalidError
// that names a field.
func compileProject(p event.Project, rev uint64) (*Project, error) {
	c := &Project{Project: p, rev: rev, versions: versionsOf(&p.Config.Signature)}
	for i, v := range c.versions {
		if err := sig.CheckVersion(v); err != nil {
			return nil, event.Invalid(fmt.Sprintf("config.signature.versions[%d]", i), "%s; hash is one of %s, encoding is hex or base64",
				err, strings.Join(sig.Hashes(), " "))
		}
	}
	var err error
	if c.Retry, err = retry.Compile(p.Config.Strategy); err != nil {
		return nil, within("config.strategy", err)
	}
	if c.Breaker, err = breaker.Compile(p.Config.CircuitBreaker); err != nil {
		return nil, within("config.circuit_breaker", err)
	}
	if p.Config.MetaEvent.IsEnabled {
		c.meta = compileMeta(c)
	}
	return c, nil
}

func versionsOf(c *event.SignatureConfig) []sig.Version {
	out := make([]sig.Version, len(c.Versions))
	for i, v := range c.Versions {
		out[i] = sig.Version{Hash: v.Hash, Encoding: v.Encoding}
	}
	return out
}

func (p *Project) ref() Change      { return Change{Kind: KindProject, ID: p.ID, ProjectID: p.ID} }
func (p *Project) revision() uint64 { return p.rev }

func (p *Project) insertInto(s *state) {
	s.projects.put(p.ID, p)
	if p.meta != nil {
		p.meta.insertInto(s)
	}
	s.changed.projects = true
}

func (p *Project) removeFrom(s *state) {
	s.projects.remove(p.ID)
	if p.meta != nil {
		p.meta.removeFrom(s)
	}
	s.changed.projects = true
}

// CreateProject makes a project and, in the same write, its first API key, which may do
// everything in it, and the event type "*". The key's text is returned here and never
// again. Fields of the configuration that are zero get their defaults; an id that is
// zero is made.
func (c *Catalog) CreateProject(p event.Project) (*Project, event.APIKey, string, error) {
	return c.CreateProjectWithKey(p, event.APIKey{Scopes: event.ScopeAll})
}

// CreateProjectWithKey is CreateProject with a first key of limits: of k it takes the
// scopes, the addresses and the end, as CreateKey does.
func (c *Catalog) CreateProjectWithKey(p event.Project, k event.APIKey) (*Project, event.APIKey, string, error) {
	now := c.timestamp()
	p.ID = newID(p.ID)
	p.CreatedAt, p.UpdatedAt, p.DeletedAt = now, now, nil
	detachProject(&p)
	if err := c.normalizeProject(&p, nil, now); err != nil {
		return nil, event.APIKey{}, "", err
	}
	compiled, err := compileProject(p, 1)
	if err != nil {
		return nil, event.APIKey{}, "", err
	}
	first := event.APIKey{
		ProjectID: p.ID, Name: cutName(p.Name, " key"),
		Scopes: k.Scopes, AllowFrom: slices.Clone(k.AllowFrom), ExpiresAt: k.ExpiresAt,
	}
	if err := normalizeKey(&first); err != nil {
		return nil, event.APIKey{}, "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key, text, err := c.newKeyLocked(first)
	if err != nil {
		return nil, event.APIKey{}, "", err
	}
	if err := c.commitLocked("create project", created(compiled), created(key), created(anyEventType(p.ID, now))); err != nil {
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
	old := c.Snapshot().stored(id)
	if old == nil {
		return nil, notFound("project", id)
	}
	p := old.Project
	detachProject(&p)
	if err := change(&p); err != nil {
		return nil, err
	}
	detachProject(&p) // from what change put there
	now := c.timestamp()
	p.ID, p.Type, p.CreatedAt, p.UpdatedAt = old.ID, old.Type, old.CreatedAt, now
	if err := c.normalizeProject(&p, old, now); err != nil {
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
// its keys and portal links first, so that nobody acts on what is left, the project itself last.
// A crash in between leaves a smaller project, which can be deleted again. Other
// writers wait until all is gone. The audit log has it when the first write is durable.
func (c *Catalog) DeleteProject(id event.ID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.Snapshot()
	p := snap.stored(id)
	if p == nil {
		return notFound("project", id)
	}
	all := contents(snap, p)
	done := c.trail("delete project", all)
	for first := 0; first < len(all); first += deleteBatch {
		batch, trail := all[first:min(first+deleteBatch, len(all))], []event.Audit(nil)
		switch {
		case first+len(batch) == len(all):
			trail = done
		case first == 0:
			begun := done[0]
			begun.Outcome = event.AuditBegun
			trail = []event.Audit{begun}
		}
		if err := c.commitTrailLocked("delete project", trail, batch); err != nil {
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
	for k := range s.keyListing.walk(keyProbe(p.ID, event.ID{}), keyProbe(p.ID, lastID), false) {
		edits = append(edits, deleted(k))
	}
	for l := range s.linkListing.of(p.ID) {
		edits = append(edits, deleted(l))
	}
	for t := range s.eventTypes.walk(eventTypeProbe(p.ID, event.ID{}), eventTypeProbe(p.ID, lastID), false) {
		edits = append(edits, deleted(t))
	}
	for _, e := range s.Endpoints(p.ID, all, nil) {
		edits = append(edits, deletions(e)...)
	}
	for src := range s.sourceListing.of(p.ID) {
		edits = append(edits, deleted(src))
	}
	for a := range s.applications.of(p.ID) {
		edits = append(edits, deleted(a))
	}
	return append(edits, deleted(p))
}

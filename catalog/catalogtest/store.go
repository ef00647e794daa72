// Package catalogtest has a catalog store that lives in memory, and a catalog
// over it that takes every URL: for the tests of all packages that need a catalog.
package catalogtest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"posthaste/catalog"
	"posthaste/event"
)

// InstanceKey is the instance key of the catalogs that Open opens.
const InstanceKey = "catalogtest-instance-key"

// Store keeps catalog records in memory. It is safe for any goroutine.
type Store struct {
	mu      sync.Mutex
	records map[recordKey]event.CatalogRecord // guarded by mu
	trail   []event.Audit                     // guarded by mu
	fail    error                             // guarded by mu
}

type recordKey struct {
	kind byte
	id   event.ID
}

var _ catalog.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store { return &Store{records: make(map[recordKey]event.CatalogRecord)} }

// Fail makes every write from now on fail with err, and write nothing; nil ends it.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// Len is how many records the store holds.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.records)
}

// LoadCatalog calls fn for every record, by kind and id.
func (s *Store) LoadCatalog(fn func(event.CatalogRecord) error) error {
	for _, rec := range s.sorted() {
		if err := fn(rec); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) sorted() []event.CatalogRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	recs := make([]event.CatalogRecord, 0, len(s.records))
	for _, rec := range s.records {
		recs = append(recs, rec)
	}
	slices.SortFunc(recs, func(a, b event.CatalogRecord) int {
		if a.Kind != b.Kind {
			return int(a.Kind) - int(b.Kind)
		}
		return a.ID.Compare(b.ID)
	})
	return recs
}

// CASCatalog writes all records or, with event.ErrConflict, none.
func (s *Store) CASCatalog(recs []event.CatalogRecord, trail ...event.Audit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	for _, rec := range recs {
		if have := s.records[recordKey{rec.Kind, rec.ID}].Rev; have != rec.Rev-1 {
			return fmt.Errorf("record %q %s has revision %d, not %d: %w", rec.Kind, rec.ID, have, rec.Rev-1, event.ErrConflict)
		}
	}
	for _, rec := range recs {
		if rec.Value == nil {
			delete(s.records, recordKey{rec.Kind, rec.ID})
			continue
		}
		rec.Value = slices.Clone(rec.Value)
		s.records[recordKey{rec.Kind, rec.ID}] = rec
	}
	s.noteLocked(trail)
	return nil
}

func (s *Store) noteLocked(trail []event.Audit) {
	for _, a := range trail {
		a.ID = event.NewID()
		s.trail = append(s.trail, a)
	}
}

// Audit puts records into the audit log.
func (s *Store) Audit(trail ...event.Audit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.noteLocked(trail)
	return nil
}

// Audits lists the audit log, of a project or of all.
func (s *Store) Audits(project event.ID, r event.Range, f event.AuditFilter) (rows []event.Audit, scan event.Scan, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.trail)
	if r.Descending {
		slices.Reverse(all)
	}
	for _, a := range all {
		within := a.ID.Compare(r.From) >= 0 && (r.To.IsZero() || a.ID.Compare(r.To) <= 0)
		if !within || !project.IsZero() && a.ProjectID != project || len(rows) == r.Limit {
			continue
		}
		if scan.Looked++; f.Selects(&a) {
			rows = append(rows, a)
		}
	}
	return rows, scan, nil
}

// TakeTrail is the audit log since the last call, oldest first.
func (s *Store) TakeTrail() []event.Audit {
	s.mu.Lock()
	defer s.mu.Unlock()
	trail := s.trail
	s.trail = nil
	return trail
}

// Options are those that Open uses: every URL passes, except that http is
// refused where https is asked for.
func Options() catalog.Options {
	return catalog.Options{
		Pepper:      []byte("catalogtest pepper of 32 bytes.."),
		InstanceKey: InstanceKey,
		URLPolicy:   anyURL,
	}
}

func anyURL(raw string, enforceTLS bool) (string, error) {
	if enforceTLS && (len(raw) < 8 || raw[:8] != "https://") {
		return "", event.Invalid("url", "must be https")
	}
	return raw, nil
}

// Open opens an empty catalog in memory.
func Open(t testing.TB) *catalog.Catalog { return OpenStore(t, New()) }

// OpenStore opens the catalog of a store, as a restart does.
func OpenStore(t testing.TB, s *Store) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Open(s, Options())
	if err != nil {
		t.Fatalf("open the catalog: %v", err)
	}
	return c
}

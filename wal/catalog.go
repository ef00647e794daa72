package wal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// LoadCatalog calls fn with every record of the catalog, ordered by kind and id.
// The record's value is fn's only until fn returns. Meanwhile the block cache keeps
// nothing: it would be filled with what its caller has in memory from then on, which
// with a million idle endpoints is 64 MiB of their resident memory.
func (l *Log) LoadCatalog(fn func(event.CatalogRecord) error) (err error) {
	defer l.takeCache()()
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindCatalog}, UpperBound: []byte{kindCatalog + 1}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for valid := it.First(); valid; valid = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return l.named(err)
		}
		r, err := open(it.Key(), value)
		if err != nil {
			return err
		}
		rec := event.CatalogRecord{Kind: it.Key()[1]}
		copy(rec.ID[:], it.Key()[2:])
		rec.Rev = binary.LittleEndian.Uint64(r.take8())
		rec.Value = r.b
		if err := r.done(); err != nil {
			return err
		}
		if err := fn(rec); err != nil {
			return err
		}
	}
	return l.named(it.Error())
}

// CASCatalog writes all records or none, and returns when they are durable. A
// record's Rev is its new revision: the stored one must be one less, and there
// must be none for revision 1; otherwise it is event.ErrConflict. A nil Value
// deletes. What the audit log says of it, trail, is written with it or not at all.
func (l *Log) CASCatalog(recs []event.CatalogRecord, trail ...event.Audit) error {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.gate.RUnlock()
	l.catalog.Lock()
	defer l.catalog.Unlock()
	b := l.db.NewBatch()
	defer b.Close()
	for i := range recs {
		if err := l.addCatalog(b, &recs[i]); err != nil {
			return err
		}
	}
	if err := l.addTrail(b, trail); err != nil {
		return err
	}
	return l.commitNow(b)
}

func (l *Log) addCatalog(b *pebble.Batch, rec *event.CatalogRecord) error {
	key := appendCatalogKey(nil, rec.Kind, rec.ID)
	rev, err := l.revision(key)
	if err != nil {
		return err
	}
	if rev+1 != rec.Rev {
		return fmt.Errorf("%c %s has revision %d, not %d: %w", rec.Kind, rec.ID, rev, rec.Rev-1, event.ErrConflict)
	}
	if rec.Value == nil {
		return b.Delete(key, nil)
	}
	value := binary.LittleEndian.AppendUint64(make([]byte, recordHeaderLen), rec.Rev)
	value = append(value, rec.Value...)
	seal(value, key)
	return b.Set(key, value, nil)
}

// revision is the stored revision of a record, 0 if there is none.
func (l *Log) revision(key []byte) (uint64, error) {
	value, closer, err := l.get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer closer.Close()
	r, err := open(key, value)
	if err != nil {
		return 0, err
	}
	rev := binary.LittleEndian.Uint64(r.take8())
	return rev, r.done()
}

func (r *reader) take8() []byte {
	if f := r.take(8); f != nil {
		return f
	}
	return make([]byte, 8)
}

// CompactCatalog rewrites the catalog's tables, so that what was overwritten in them
// is gone: a secret that was in clear, say. Files that the store has given up may
// hold it for as long as the disk does not use their blocks again.
func (l *Log) CompactCatalog() error {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.gate.RUnlock()
	return l.db.Compact(context.Background(), []byte{kindCatalog}, []byte{kindCatalog + 1}, false)
}

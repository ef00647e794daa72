package wal

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/sstable/blob"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/sstable/colblk"
)

// tables reads every block of every table and value file that the store refers to, and
// checks the checksums, then the order of the levels.
func (r *verifier) tables() error {
	levels, err := r.l.db.SSTables()
	if err != nil {
		return err
	}
	c, total, done, count := r.check("tables"), int64(0), int64(0), 0
	for _, tables := range levels {
		for _, t := range tables {
			total += int64(t.Size)
		}
	}
	for level, tables := range levels {
		for i := range tables {
			if err := r.ctx.Err(); err != nil {
				return err
			}
			r.v.Progress("tables", done, total)
			r.table(c, level, &tables[i])
			done += int64(tables[i].Size)
			count++
		}
	}
	if err := r.valueFiles(); err != nil {
		return err
	}
	if c.found == 0 && !r.values {
		if err := r.l.db.CheckLevels(nil); err != nil {
			c.find(Broken, "the tables contradict each other: %v; %s", oneLine(err), restore)
		}
	}
	c.end("%d with %s: all checksums are right", count, sizeText(total))
	return nil
}

// table checks one table.
func (r *verifier) table(c *check, level int, t *pebble.SSTableInfo) {
	name := fmt.Sprintf("%06d.sst", uint64(t.BackingSSTNum))
	err := r.readable(name, func(f objstorage.Readable) (io.Closer, error) {
		table, err := sstable.NewReader(context.Background(), f, r.l.pebbleOptions().MakeReaderOptions())
		if err != nil {
			return nil, err
		}
		if err = table.ValidateBlockChecksums(); err == nil {
			err = inBounds(table, t)
		}
		return table, err
	})
	if err != nil {
		r.broken = append(r.broken, span{bytes.Clone(t.Smallest.UserKey), append(bytes.Clone(t.Largest.UserKey), 0)})
		c.find(Broken, "%s of level %d: %v; it holds records from %s to %s: %s", name, level, oneLine(err), placeOf(t.Smallest.UserKey), placeOf(t.Largest.UserKey), restore)
	}
}

// inBounds checks that a table holds the keys that the manifest says.
func inBounds(table *sstable.Reader, t *pebble.SSTableInfo) (err error) {
	it, err := table.NewIter(sstable.NoTransforms, nil, nil, sstable.DebugHandlesBlobContext)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := it.Close(); err == nil {
			err = cerr
		}
	}()
	first := it.First()
	if first == nil {
		return it.Error()
	}
	if c := bytes.Compare(first.K.UserKey, t.Smallest.UserKey); c < 0 || c > 0 && t.Smallest.Kind() != pebble.InternalKeyKindRangeDelete {
		return fmt.Errorf("its first key is %x and should be %x: it is another table", first.K.UserKey, t.Smallest.UserKey)
	}
	last := it.Last()
	if last == nil {
		return it.Error()
	}
	if c := bytes.Compare(last.K.UserKey, t.Largest.UserKey); c > 0 || c < 0 && t.Largest.Kind() != pebble.InternalKeyKindRangeDelete {
		return fmt.Errorf("its last key is %x and should be %x: it is another table", last.K.UserKey, t.Largest.UserKey)
	}
	return nil
}

// valueFiles checks the files that hold values apart from the tables.
func (r *verifier) valueFiles() error {
	c, total, done, count := r.check("value files"), int64(0), int64(0), 0
	files := &r.l.db.DebugCurrentVersion().BlobFiles
	for f := range files.All() {
		total += int64(f.Physical.Size)
	}
	for f := range files.All() {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		r.v.Progress("value files", done, total)
		name := fmt.Sprintf("%06d.blob", uint64(f.Physical.FileNum))
		if err := r.valueFile(name, f.Physical.Size); err != nil {
			r.values = true
			c.find(Broken, "%s: %v; the records whose values it holds are named below: %s", name, oneLine(err), restore)
		}
		done += int64(f.Physical.Size)
		count++
	}
	c.end("%d with %s: all checksums are right", count, sizeText(total))
	return nil
}

// The index of a value file: a block of two columns behind a header of its own, the
// second of which has the offset of every block and the end of the last.
const (
	valueIndexHeader  = 4
	valueIndexOffsets = 1
)

func (r *verifier) valueFile(name string, size uint64) error {
	return r.readable(name, func(f objstorage.Readable) (io.Closer, error) {
		if f.Size() != int64(size) {
			return nil, fmt.Errorf("it has %d bytes and should have %d", f.Size(), size)
		}
		ctx := context.Background()
		file, err := blob.NewFileReader(ctx, f, blob.FileReaderOptions{})
		if err != nil {
			return nil, err
		}
		index, err := file.ReadIndexBlock(ctx, block.NoReadEnv, nil)
		if err != nil {
			return file, err
		}
		defer index.Release()
		var decoder colblk.BlockDecoder
		decoder.Init(index.BlockData(), valueIndexHeader)
		n := decoder.Rows()
		offsets := colblk.DecodeColumn(&decoder, valueIndexOffsets, n+1, colblk.DataTypeUint, colblk.DecodeUnsafeUints)
		for i := range n {
			at := offsets.At(i)
			b, err := file.ReadValueBlock(ctx, block.NoReadEnv, nil, block.Handle{Offset: at, Length: offsets.At(i+1) - at - block.TrailerLen})
			if err != nil {
				return file, err
			}
			b.Release()
		}
		return file, nil
	})
}

// readable opens a file for fn, which returns what has taken it over; nil if nothing has.
func (r *verifier) readable(name string, fn func(objstorage.Readable) (io.Closer, error)) (err error) {
	file, err := r.v.FS.Open(r.v.FS.PathJoin(r.v.Dir, name))
	if err != nil {
		return err
	}
	f, err := sstable.NewSimpleReadable(file)
	if err != nil {
		_ = file.Close()
		return err
	}
	defer func() {
		if p := recover(); p != nil { // a reader was led astray by what it read
			err = fmt.Errorf("cannot be read: %v", p)
		}
	}()
	owner, err := fn(f)
	if owner == nil {
		_ = f.Close()
		return err
	}
	if cerr := owner.Close(); err == nil {
		err = cerr
	}
	return err
}

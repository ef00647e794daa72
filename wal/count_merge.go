package wal

import (
	"bytes"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/stats"
)

// Rows of counts are written as what is added to them, and added up when the store
// reads or rewrites them. Each addend has a header of its own, as a record has.

// appendAddend appends a row of counts as a record of its key.
func appendAddend(dst, key, row []byte) []byte {
	n := len(dst)
	dst = append(append(dst, make([]byte, recordHeaderLen)...), row...)
	seal(dst[n:], key)
	return dst
}

// countMerger adds rows of counts. It goes by the name of Pebble's own, which stores
// older than the counts were made with and which no record of theirs was merged by:
// Pebble refuses a store whose merger has another name.
var countMerger = &pebble.Merger{
	Name: pebble.DefaultMerger.Name,
	Merge: func(key, value []byte) (pebble.ValueMerger, error) {
		if len(key) == 0 || key[0] != kindCounts {
			return nil, &CorruptError{bytes.Clone(key), "a row of this kind is never merged"}
		}
		m := &countSum{key: bytes.Clone(key)}
		return m, m.add(value)
	},
}

// countSum is a sum that is being made. A damaged addend makes it fail.
type countSum struct {
	key []byte
	row stats.Row
}

func (m *countSum) add(value []byte) error {
	r, err := open(m.key, value)
	if err != nil {
		return err
	}
	row, err := stats.ParseRow(r.b)
	if err != nil {
		return &CorruptError{m.key, err.Error()}
	}
	m.row.AddRow(row)
	return nil
}

// MergeNewer adds a later addend. The order does not matter.
func (m *countSum) MergeNewer(value []byte) error { return m.add(value) }

// MergeOlder adds an earlier one.
func (m *countSum) MergeOlder(value []byte) error { return m.add(value) }

// Finish is the sum.
func (m *countSum) Finish(bool) ([]byte, io.Closer, error) {
	return appendAddend(nil, m.key, stats.AppendRow(nil, m.row)), nil, nil
}

func readCounts(key, value []byte) (stats.Row, error) {
	r, err := open(key, value)
	if err != nil {
		return nil, err
	}
	row, err := stats.ParseRow(r.b)
	if err != nil {
		return nil, fmt.Errorf("counts: %w", &CorruptError{bytes.Clone(key), err.Error()})
	}
	return row, nil
}

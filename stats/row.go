package stats

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
)

// Slot is the cell of one slot of a row.
type Slot struct {
	At   int // which, from 0
	Cell Cell
}

// Row is the cells of a series in a stretch of time, by rising slot.
//
//	+---------+--------+------------------------------------------+
//	| slot    | counts | counts times                             |
//	| uvarint | uvarint| field, less the one before: uvarint      |
//	|         |        | number: varint                           |   ... and the next slot
//	+---------+--------+------------------------------------------+
type Row []Slot

// maxSlot bounds the slot of a row that is read.
const maxSlot = 1 << 10

var errRow = errors.New("not a row of counts")

// Add adds a cell to a slot.
func (r *Row) Add(at int, c Cell) {
	i, found := slices.BinarySearchFunc(*r, at, func(s Slot, at int) int { return cmp.Compare(s.At, at) })
	if !found {
		*r = slices.Insert(*r, i, Slot{At: at})
	}
	(*r)[i].Cell.AddCell(c)
}

// AddRow adds all of another row.
func (r *Row) AddRow(o Row) {
	for _, s := range o {
		r.Add(s.At, s.Cell)
	}
}

// AppendRow appends a row as it is stored, without what is zero.
func AppendRow(dst []byte, r Row) []byte {
	for i := range r {
		c := r[i].Cell
		c.Trim()
		if len(c) > 0 {
			dst = appendCell(binary.AppendUvarint(dst, uint64(r[i].At)), c)
		}
	}
	return dst
}

func appendCell(dst []byte, c Cell) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(c)))
	before := Field(0)
	for _, n := range c {
		dst = binary.AppendUvarint(dst, uint64(n.Field-before))
		dst = binary.AppendVarint(dst, n.N)
		before = n.Field
	}
	return dst
}

// ParseRow reads what AppendRow wrote. Slots may come in any order, and more than once.
func ParseRow(b []byte) (Row, error) {
	var r Row
	for len(b) > 0 {
		at, rest, err := uvarint(b, maxSlot)
		if err != nil {
			return nil, err
		}
		c, rest, err := parseCell(rest)
		if err != nil {
			return nil, err
		}
		if n := len(r); n == 0 || r[n-1].At < int(at) {
			r = append(r, Slot{int(at), c})
		} else {
			r.Add(int(at), c)
		}
		b = rest
	}
	return r, nil
}

func parseCell(b []byte) (Cell, []byte, error) {
	count, b, err := uvarint(b, uint64(len(b))/2)
	if err != nil {
		return nil, nil, err
	}
	c := make(Cell, 0, count)
	var field uint64
	for i := range count {
		var step uint64
		if step, b, err = uvarint(b, uint64(maxField)); err != nil {
			return nil, nil, err
		}
		field += step
		n, size := binary.Varint(b)
		if size <= 0 || field > uint64(maxField) || i > 0 && step == 0 {
			return nil, nil, errRow
		}
		c, b = append(c, Count{Field(field), n}), b[size:]
	}
	return c, b, nil
}

// uvarint reads a number up to a limit.
func uvarint(b []byte, limit uint64) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 || v > limit {
		return 0, nil, errRow
	}
	return v, b[n:], nil
}

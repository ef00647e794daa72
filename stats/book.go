package stats

import (
	"encoding/binary"
	"time"

	"posthaste/event"
)

// Page is whose counts a book has and of which minute since the Unix epoch.
type Page struct {
	Series
	Minute uint32
}

// Book is what was counted, by series and minute. Its zero value is empty. It is not safe
// for concurrent use.
type Book struct {
	cells map[Page]*Cell
	spare []*Cell

	last     Page // of lastCell, which saves most of the look-ups of a project's
	lastCell *Cell
}

// Settled is a change of a delivery's state, and the attempt that led to it if there was
// one.
type Settled struct {
	Project, Endpoint event.ID
	Type              string // of the event
	Created           uint64 // of the delivery, in ms since the Unix epoch
	Was, Is           event.Status

	Attempt bool // there was one
	First   bool // it was the first
	Result  Field
	Ended   uint64 // ms since the Unix epoch
	Took    time.Duration
}

const minuteMillis = 60_000

// Len is how many pages the book has.
func (b *Book) Len() int { return len(b.cells) }

// Created counts a delivery of an event of this type that is in a state from now on.
func (b *Book) Created(d *event.Delivery, typ string) {
	for _, c := range b.trio(d.ProjectID, d.EndpointID, typ, minuteOf(d.ID.Time())) {
		c.Add(StatusField(d.Status), 1)
	}
}

// Settle counts a change of a delivery's state.
func (b *Book) Settle(s *Settled) {
	first := s.First && s.Is == event.Success
	created, ended := minuteOf(s.Created), minuteOf(s.Ended)
	var t trio
	if s.Was != s.Is || first {
		t = b.trio(s.Project, s.Endpoint, s.Type, created)
		for _, c := range t {
			c.settle(s, first)
		}
	}
	if !s.Attempt {
		return
	}
	if t[0] == nil || created != ended {
		t = b.trio(s.Project, s.Endpoint, s.Type, ended)
	}
	for _, c := range t {
		c.attempt(s)
	}
}

func minuteOf(ms uint64) uint32 { return uint32(ms / minuteMillis) }

func (c *Cell) settle(s *Settled, first bool) {
	if s.Was != s.Is {
		c.Add(StatusField(s.Was), -1)
		c.Add(StatusField(s.Is), 1)
	}
	if first {
		c.Add(FieldFirst, 1)
	}
}

func (c *Cell) attempt(s *Settled) {
	c.Add(s.Result, 1)
	if s.Result >= fieldCode {
		c.Add(LatencyField(LatencyBucket(s.Took)), 1)
		c.Add(FieldTime, s.Took.Milliseconds())
	}
}

// trio is the cells of a minute that something counts for: the project's, the endpoint's
// and the type's. The three are different.
type trio [3]*Cell

func (b *Book) trio(project, endpoint event.ID, typ string, minute uint32) trio {
	if len(typ) > MaxTypeBytes {
		typ = ""
	}
	return trio{
		b.cell(Page{Series{Project: project}, minute}),
		b.cell(Page{Series{Project: project, Dim: OfEndpoint, Endpoint: endpoint}, minute}),
		b.cell(Page{Series{Project: project, Dim: OfType, Type: typ}, minute}),
	}
}

func (b *Book) cell(p Page) *Cell {
	if p.Dim == OfProject && b.lastCell != nil && p == b.last {
		return b.lastCell
	}
	c := b.cells[p]
	if c == nil {
		c = b.newCell()
		if b.cells == nil {
			b.cells = make(map[Page]*Cell)
		}
		b.cells[p] = c
	}
	if p.Dim == OfProject {
		b.last, b.lastCell = p, c
	}
	return c
}

func (b *Book) newCell() *Cell {
	if n := len(b.spare); n > 0 {
		c := b.spare[n-1]
		b.spare = b.spare[:n-1]
		return c
	}
	return new(Cell)
}

// Each calls f for each page. Its cell may be used until the book changes.
func (b *Book) Each(f func(p *Page, c Cell)) {
	for p, c := range b.cells {
		f(&p, *c)
	}
}

// Page is one page's counts, nil if there are none.
func (b *Book) Page(p Page) Cell {
	if c := b.cells[p]; c != nil {
		return *c
	}
	return nil
}

// AddBook adds all of another book, and keeps nothing of it.
func (b *Book) AddBook(o *Book) {
	for p, c := range o.cells {
		b.cell(p).AddCell(*c)
	}
}

// maxSpare is how many cells an empty book keeps for the next.
const maxSpare = 256

// Reset empties the book.
func (b *Book) Reset() {
	for _, c := range b.cells {
		if len(b.spare) == maxSpare {
			break
		}
		*c = (*c)[:0]
		b.spare = append(b.spare, c)
	}
	if len(b.cells) > 16*maxSpare {
		b.cells = nil
	}
	clear(b.cells)
	b.last, b.lastCell = Page{}, nil
}

// AppendBook appends a book as it is stored until its counts are in rows: for each page
//
//	+---------+-----------+----------+--------------+---------+----------------+
//	| project | dimension | length   | endpoint or  | minute  | cell, as in a  |
//	| 16      | 1         | uvarint  | type         | uvarint | Row            |
//	+---------+-----------+----------+--------------+---------+----------------+
func AppendBook(dst []byte, b *Book) []byte {
	for p, c := range b.cells {
		c.Trim()
		if len(*c) == 0 {
			continue
		}
		dst = append(append(dst, p.Project[:]...), byte(p.Dim))
		dst = p.AppendOf(binary.AppendUvarint(dst, uint64(p.ofLen())))
		dst = appendCell(binary.AppendUvarint(dst, uint64(p.Minute)), *c)
	}
	return dst
}

// ParseBook adds what AppendBook wrote to the book. After an error some of it may be
// in it.
func (b *Book) ParseBook(text []byte) error {
	for len(text) > 0 {
		var p Page
		if len(text) < len(p.Project)+1 {
			return errRow
		}
		text = text[copy(p.Project[:], text):]
		p.Dim = Dim(text[0])
		length, rest, err := uvarint(text[1:], MaxTypeBytes)
		if err != nil || length > uint64(len(rest)) || !p.ParseOf(rest[:length]) {
			return errRow
		}
		minute, rest, err := uvarint(rest[length:], 1<<32-1)
		if err != nil {
			return err
		}
		c, rest, err := parseCell(rest)
		if err != nil {
			return err
		}
		p.Minute = uint32(minute)
		b.cell(p).AddCell(c)
		text = rest
	}
	return nil
}

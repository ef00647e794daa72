package wal

import (
	"bytes"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
	"posthaste/stats"
)

// Counts reads the counts of these series: of each a cell for each step of the span. One
// that is named again is answered once. What was counted longer ago than a level is kept
// is found in steps of a coarser level only. It sees all that is durable.
func (l *Log) Counts(series []stats.Series, span stats.Span) ([]stats.SeriesCells, error) {
	r, err := newCountReader(span)
	if err != nil {
		return nil, err
	}
	for i := range series {
		r.placeOf(&series[i])
	}
	known := func(s *stats.Series) bool { _, known := r.place[*s]; return known }
	err = r.read(l, known, func(it *pebble.Iterator, stretch uint32) error {
		for i := range r.all {
			if err := r.readOne(it, stretch, &r.all[i].Series); err != nil {
				return err
			}
		}
		return nil
	})
	return r.all, err
}

// CountsOf reads the counts of all series of a dimension of a project that have some,
// in no order. It costs about 2 µs for each series and stretch of the span.
func (l *Log) CountsOf(project event.ID, dim stats.Dim, span stats.Span) ([]stats.SeriesCells, error) {
	r, err := newCountReader(span)
	if err != nil {
		return nil, err
	}
	like := stats.Series{Project: project, Dim: dim}
	err = r.read(l, func(s *stats.Series) bool { return s.Project == project && s.Dim == dim }, func(it *pebble.Iterator, stretch uint32) error {
		return r.readAll(it, stretch, like)
	})
	return r.all, err
}

// countReader adds up one call's counts.
type countReader struct {
	span  stats.Span
	level int
	place map[stats.Series]int // in all
	all   []stats.SeriesCells
}

func newCountReader(span stats.Span) (*countReader, error) {
	if err := span.Check(); err != nil {
		return nil, err
	}
	age := time.Duration(max(0, time.Now().UnixMilli()-int64(span.From))) * time.Millisecond
	return &countReader{span: span, level: stats.LevelFor(span.Step, age), place: make(map[stats.Series]int)}, nil
}

// read adds what waits to be stored of the series that are wanted, and the stored rows
// stretch by stretch.
func (r *countReader) read(l *Log, wanted func(*stats.Series) bool, rows func(it *pebble.Iterator, stretch uint32) error) error {
	if r.span.Steps() == 0 {
		return nil
	}
	l.counter.folding.RLock()
	defer l.counter.folding.RUnlock()
	r.addPending(&l.counter, wanted)
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindCounts, byte(r.level)}, UpperBound: []byte{kindCounts, byte(r.level) + 1}})
	if err != nil {
		return err
	}
	level := stats.Levels[r.level]
	first, _ := level.Place(r.span.Begin())
	last, _ := level.Place(r.span.To - 1)
	for stretch := first; stretch <= last && err == nil; stretch++ {
		err = rows(it, stretch)
	}
	return errors.Join(err, it.Error(), it.Close())
}

func (r *countReader) addPending(c *counter, wanted func(*stats.Series) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending.Each(func(p *stats.Page, cell stats.Cell) {
		if wanted(&p.Series) {
			r.add(&p.Series, uint64(p.Minute)*uint64(time.Minute.Milliseconds()), cell)
		}
	})
}

// readOne adds the row of a series in a stretch, if it has one.
func (r *countReader) readOne(it *pebble.Iterator, stretch uint32, s *stats.Series) error {
	key := appendCountsKey(nil, r.level, stretch, s)
	if !it.SeekGE(key) || !bytes.Equal(it.Key(), key) {
		return nil
	}
	return r.addRow(it, stretch, s)
}

// readAll adds the rows of a stretch, of the series that are of like's project and
// dimension.
func (r *countReader) readAll(it *pebble.Iterator, stretch uint32, like stats.Series) error {
	key := appendCountsKey(nil, r.level, stretch, &like)[:countsPrefixLen]
	for valid := it.SeekGE(key); valid && bytes.HasPrefix(it.Key(), key); valid = it.Next() {
		s := like
		if !s.ParseOf(it.Key()[countsPrefixLen:]) {
			return &CorruptError{bytesClone(it.Key()), "not a series of counts"}
		}
		if err := r.addRow(it, stretch, &s); err != nil {
			return err
		}
	}
	return nil
}

// addRow adds the row at which the iterator stands.
func (r *countReader) addRow(it *pebble.Iterator, stretch uint32, s *stats.Series) error {
	row, err := readCounts(it.Key(), it.Value())
	if err != nil {
		return err
	}
	for _, slot := range row {
		r.add(s, stats.Levels[r.level].Start(stretch, slot.At), slot.Cell)
	}
	return nil
}

// add adds a cell of a time to the step that has it.
func (r *countReader) add(s *stats.Series, at uint64, cell stats.Cell) {
	step, within := r.span.Index(at)
	if !within {
		return
	}
	r.all[r.placeOf(s)].Cells[step].AddCell(cell)
}

// placeOf is where a series is, or will be from now on.
func (r *countReader) placeOf(s *stats.Series) int {
	i, known := r.place[*s]
	if !known {
		i = len(r.all)
		r.place[*s] = i
		r.all = append(r.all, stats.SeriesCells{Series: *s, Cells: make([]stats.Cell, r.span.Steps())})
	}
	return i
}

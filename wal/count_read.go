package wal

import (
	"bytes"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
	"posthaste/stats"
)

// Counts reads the counts of one series: a cell for each step of the span. What was
// counted longer ago than a level is kept is found in steps of a coarser level only. It
// sees all that is durable.
func (l *Log) Counts(series stats.Series, span stats.Span) ([]stats.Cell, error) {
	all, err := l.countsOf(span, series.Project, series.Dim, &series)
	if err != nil {
		return nil, err
	}
	if len(all) == 1 {
		return all[0].Cells, nil
	}
	return make([]stats.Cell, span.Steps()), nil
}

// CountsOf reads the counts of all series of a dimension of a project that have some,
// in no order. It costs about 2 µs for each series and stretch of the span.
func (l *Log) CountsOf(project event.ID, dim stats.Dim, span stats.Span) ([]stats.SeriesCells, error) {
	return l.countsOf(span, project, dim, nil)
}

// countReader adds up one call's counts.
type countReader struct {
	span  stats.Span
	level int
	only  *stats.Series // nil: all
	place map[stats.Series]int
	all   []stats.SeriesCells
}

func (l *Log) countsOf(span stats.Span, project event.ID, dim stats.Dim, only *stats.Series) ([]stats.SeriesCells, error) {
	if err := span.Check(); err != nil || span.Steps() == 0 {
		return nil, err
	}
	age := time.Duration(max(0, time.Now().UnixMilli()-int64(span.From))) * time.Millisecond
	r := &countReader{span: span, level: stats.LevelFor(span.Step, age), only: only, place: make(map[stats.Series]int)}
	l.counter.folding.RLock()
	defer l.counter.folding.RUnlock()
	r.addPending(&l.counter, project, dim)
	err := r.readRows(l, project, dim)
	return r.all, err
}

func (r *countReader) addPending(c *counter, project event.ID, dim stats.Dim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending.Each(func(p *stats.Page, cell stats.Cell) {
		if p.Project == project && p.Dim == dim && (r.only == nil || p.Series == *r.only) {
			r.add(&p.Series, uint64(p.Minute)*uint64(time.Minute.Milliseconds()), cell)
		}
	})
}

func (r *countReader) readRows(l *Log, project event.ID, dim stats.Dim) error {
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindCounts, byte(r.level)}, UpperBound: []byte{kindCounts, byte(r.level) + 1}})
	if err != nil {
		return err
	}
	level := stats.Levels[r.level]
	first, _ := level.Place(r.span.Begin())
	last, _ := level.Place(r.span.To - 1)
	for stretch := first; stretch <= last && err == nil; stretch++ {
		err = r.readStretch(it, stretch, stats.Series{Project: project, Dim: dim})
	}
	return errors.Join(err, it.Error(), it.Close())
}

// readStretch adds the rows of a stretch, of the series that are of like's project and
// dimension.
func (r *countReader) readStretch(it *pebble.Iterator, stretch uint32, like stats.Series) error {
	key := appendCountsKey(nil, r.level, stretch, &stats.Series{Project: like.Project, Dim: like.Dim})[:countsPrefixLen]
	if r.only != nil {
		key = appendCountsKey(nil, r.level, stretch, r.only)
	}
	for valid := it.SeekGE(key); valid && bytes.HasPrefix(it.Key(), key); valid = it.Next() {
		s := like
		if !s.ParseOf(it.Key()[countsPrefixLen:]) {
			return &CorruptError{bytesClone(it.Key()), "not a series of counts"}
		}
		if r.only != nil && s != *r.only {
			return nil // a longer type
		}
		row, err := readCounts(it.Key(), it.Value())
		if err != nil {
			return err
		}
		for _, slot := range row {
			r.add(&s, stats.Levels[r.level].Start(stretch, slot.At), slot.Cell)
		}
	}
	return nil
}

// add adds a cell of a time to the step that has it.
func (r *countReader) add(s *stats.Series, at uint64, cell stats.Cell) {
	step, within := r.span.Index(at)
	if !within {
		return
	}
	i, known := r.place[*s]
	if !known {
		i = len(r.all)
		r.place[*s] = i
		r.all = append(r.all, stats.SeriesCells{Series: *s, Cells: make([]stats.Cell, r.span.Steps())})
	}
	r.all[i].Cells[step].AddCell(cell)
}

package api

import (
	"posthaste/event"
	"posthaste/stats"
)

// Counts reads what happened in slots of time. Any goroutine may call it. What is asked
// for has passed stats.Span.Check.
type Counts interface {
	// Counts reads these series, each once and with a cell for each step of the span.
	Counts(series []stats.Series, span stats.Span) ([]stats.SeriesCells, error)
	// CountsOf reads all series of a dimension of a project that have some counts.
	CountsOf(project event.ID, dim stats.Dim, span stats.Span) ([]stats.SeriesCells, error)
}

// noCounts has nothing.
type noCounts struct{}

func (noCounts) Counts(series []stats.Series, span stats.Span) ([]stats.SeriesCells, error) {
	all := make([]stats.SeriesCells, len(series))
	for i := range all {
		all[i] = stats.SeriesCells{Series: series[i], Cells: make([]stats.Cell, span.Steps())}
	}
	return all, nil
}

func (noCounts) CountsOf(event.ID, stats.Dim, stats.Span) ([]stats.SeriesCells, error) {
	return nil, nil
}

// portalCounts are Counts for a portal grant: a project's are the sum of those of the
// endpoints within reach. Event types are not told apart by endpoint, so it has none.
type portalCounts struct {
	inner Counts
	reach *reach
}

func (p portalCounts) Counts(series []stats.Series, span stats.Span) ([]stats.SeriesCells, error) {
	for i := range series {
		s := &series[i]
		switch {
		case s.Project != p.reach.grant.ProjectID || s.Dim == stats.OfType:
			return nil, event.ErrNotFound
		case s.Dim == stats.OfProject:
			if len(series) != 1 {
				return nil, event.ErrNotFound
			}
			return p.sum(*s, span)
		case !p.reach.has(s.Endpoint):
			return nil, event.ErrNotFound
		}
	}
	return p.inner.Counts(series, span)
}

// sum is the project's series.
func (p portalCounts) sum(project stats.Series, span stats.Span) ([]stats.SeriesCells, error) {
	all, err := p.CountsOf(project.Project, stats.OfEndpoint, span)
	if err != nil {
		return nil, err
	}
	sum := make([]stats.Cell, span.Steps())
	for i := range all {
		for step, cell := range all[i].Cells {
			sum[step].AddCell(cell)
		}
	}
	return []stats.SeriesCells{{Series: project, Cells: sum}}, nil
}

func (p portalCounts) CountsOf(project event.ID, dim stats.Dim, span stats.Span) ([]stats.SeriesCells, error) {
	if project != p.reach.grant.ProjectID || dim != stats.OfEndpoint {
		return nil, event.ErrNotFound
	}
	var within []stats.Series
	for _, id := range p.reach.endpoints() {
		within = append(within, stats.Series{Project: project, Dim: dim, Endpoint: id})
	}
	return p.inner.Counts(within, span)
}

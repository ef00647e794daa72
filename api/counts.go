package api

import (
	"posthaste/event"
	"posthaste/stats"
)

// Counts reads what happened in slots of time. Any goroutine may call it. What is asked
// for has passed stats.Span.Check.
type Counts interface {
	// Counts reads one series, a cell for each step of the span.
	Counts(series stats.Series, span stats.Span) ([]stats.Cell, error)
	// CountsOf reads all series of a dimension of a project that have some counts.
	CountsOf(project event.ID, dim stats.Dim, span stats.Span) ([]stats.SeriesCells, error)
}

// noCounts has nothing.
type noCounts struct{}

func (noCounts) Counts(_ stats.Series, span stats.Span) ([]stats.Cell, error) {
	return make([]stats.Cell, span.Steps()), nil
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

func (p portalCounts) Counts(series stats.Series, span stats.Span) ([]stats.Cell, error) {
	switch {
	case series.Project != p.reach.grant.ProjectID || series.Dim == stats.OfType:
		return nil, event.ErrNotFound
	case series.Dim == stats.OfEndpoint:
		if !p.reach.has(series.Endpoint) {
			return nil, event.ErrNotFound
		}
		return p.inner.Counts(series, span)
	}
	sum := make([]stats.Cell, span.Steps())
	for _, id := range p.reach.endpoints() {
		cells, err := p.inner.Counts(stats.Series{Project: series.Project, Dim: stats.OfEndpoint, Endpoint: id}, span)
		if err != nil {
			return nil, err
		}
		for i := range cells {
			sum[i].AddCell(cells[i])
		}
	}
	return sum, nil
}

func (p portalCounts) CountsOf(project event.ID, dim stats.Dim, span stats.Span) ([]stats.SeriesCells, error) {
	if project != p.reach.grant.ProjectID || dim != stats.OfEndpoint {
		return nil, event.ErrNotFound
	}
	var all []stats.SeriesCells
	for _, id := range p.reach.endpoints() {
		s := stats.Series{Project: project, Dim: dim, Endpoint: id}
		cells, err := p.inner.Counts(s, span)
		if err != nil {
			return nil, err
		}
		all = append(all, stats.SeriesCells{Series: s, Cells: cells})
	}
	return all, nil
}

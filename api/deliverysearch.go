package api

import (
	"posthaste/event"
	"posthaste/search"
)

const (
	searchedRows  = 256      // deliveries that are read at a time
	searchedBytes = 32 << 20 // of data and answers that are looked through for a page
)

// deliverySearch is a listing of the deliveries that a query finds, see package search.
type deliverySearch struct {
	reader  Reader
	project event.ID
	filter  event.DeliveryFilter
	query   *search.Query
	budget  int // deliveries to look at
	bytes   int // of data and answers to look through; what is left of them
}

// searchView is what pagination has, beside Convoy's members, of a search.
type searchView struct {
	Terms  []search.Term `json:"terms"`
	Looked int           `json:"looked"` // rows that were read for this page: deliveries, and events on the way
}

// deliveriesThat are the deliveries that a filter selects and, unless that is "", a query
// finds. A search may cost as much as so many pages.
func (a *API) deliveriesThat(c *call, filter event.DeliveryFilter, query string, pages int) (listing[event.Delivery], *deliverySearch, error) {
	all := a.deliveryListing(c, filter)
	if query == "" {
		return all, nil, nil
	}
	q, err := search.Parse(query)
	if err != nil {
		return all, nil, err
	}
	s := &deliverySearch{reader: a.o.Reader, project: c.project.ID, filter: filter, query: q, budget: pages * a.o.MaxSearchRows, bytes: pages * searchedBytes}
	all.scan, all.budget = s.scan, a.o.MaxSearchRows
	return all, s, nil
}

// scan reads on until it has found enough, or has looked at enough.
func (s *deliverySearch) scan(r event.Range) (out []event.Delivery, all event.Scan, err error) {
	want := r.Limit
	for {
		r.Limit = searchedRows
		found, scan, err := s.reader.Deliveries(s.project, r, s.filter)
		if err != nil {
			return nil, all, err
		}
		all.Looked += max(scan.Looked, len(found))
		for _, d := range found {
			fits, read, err := s.query.Fits(s.reader, &d)
			if err != nil {
				return nil, all, err
			}
			s.bytes -= read
			if fits {
				out = append(out, d)
			}
			if len(out) == want {
				return out, all, nil
			}
			if s.bytes < 0 {
				all.Next = beyond(d.ID, r.Descending)
				return out, all, nil
			}
		}
		switch {
		case !scan.Next.IsZero():
			all.Next = scan.Next
			return out, all, nil
		case len(found) < searchedRows:
			return out, all, nil
		}
		onward := beyond(found[len(found)-1].ID, r.Descending)
		if r.Descending {
			r.To = onward
		} else {
			r.From = onward
		}
		if all.Looked >= min(r.Budget, s.budget) {
			all.Next = onward
			return out, all, nil
		}
	}
}

// beyond is where a listing goes on after a row.
func beyond(id event.ID, descending bool) event.ID {
	if descending {
		return previous(id)
	}
	return next(id)
}

package api

import (
	"bytes"
	"encoding/json"
	"errors"

	"posthaste/event"
)

const (
	searchedRows  = 256      // deliveries that are read at a time
	searchedBytes = 32 << 20 // of data and answers that are looked through for a page
)

// deliverySearch looks for what a query says: a text in the event's data and idempotency
// key, in why a delivery ended and in what its failed attempts got, without regard to the
// case of ASCII letters; and operators, see operatorTerm.
type deliverySearch struct {
	reader  Reader
	project event.ID
	filter  event.DeliveryFilter
	terms   []deliveryTerm
	budget  int // deliveries to look at for a page
	bytes   int // that were looked through
}

// searchView is what pagination has, beside Convoy's members, of a search.
type searchView struct {
	Terms  []deliveryTerm `json:"terms"`
	Looked int            `json:"looked"` // rows that were read for this page: deliveries, and events on the way
}

var errSearchInBatch = event.Invalid("query", "a text is looked for in listings only: list the deliveries, and name those that are to be sent in ids")

func (a *API) deliverySearch(c *call, filter event.DeliveryFilter, text string) (*deliverySearch, error) {
	if len(text) > maxQueryBytes {
		return nil, event.Invalid("query", "has %d bytes; look for at most %d", len(text), maxQueryBytes)
	}
	terms, err := parseTerms(text)
	if err != nil {
		return nil, err
	}
	return &deliverySearch{reader: a.o.Reader, project: c.project.ID, filter: filter, terms: terms, budget: a.o.MaxSearchRows}, nil
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
			fits, err := s.fits(&d)
			if err != nil {
				return nil, all, err
			}
			if fits {
				out = append(out, d)
			}
			if len(out) == want {
				return out, all, nil
			}
			if s.bytes > searchedBytes {
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

// fits reports whether a delivery is what every term asks for.
func (s *deliverySearch) fits(d *event.Delivery) (bool, error) {
	looked := searchedDelivery{Delivery: d, search: s}
	for _, t := range s.terms {
		fits, err := t.fits(&looked)
		if err != nil || fits == t.not {
			return false, err
		}
	}
	return true, nil
}

// searchedDelivery is a delivery with what terms have read of it so far.
type searchedDelivery struct {
	*event.Delivery
	search   *deliverySearch
	of       *event.Event // nil until it is read, and if it is gone
	tries    []event.Attempt
	read     bool // the event
	readThem bool // the attempts
	decoded  any
}

// event is the delivery's event; nil if it is gone.
func (d *searchedDelivery) event() (*event.Event, error) {
	if d.read {
		return d.of, nil
	}
	e, err := d.search.reader.Event(d.search.project, d.EventID)
	switch {
	case errors.Is(err, event.ErrNotFound):
		d.read = true
		return nil, nil
	case err != nil:
		return nil, err
	}
	d.of, d.read = e, true
	d.search.bytes += len(e.Data)
	return e, nil
}

func (d *searchedDelivery) attempts() ([]event.Attempt, error) {
	if d.readThem {
		return d.tries, nil
	}
	attempts, err := d.search.reader.Attempts(d.search.project, d.ID)
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return nil, err
	}
	d.tries, d.readThem = attempts, true
	for i := range attempts {
		d.search.bytes += len(attempts[i].ResponseBody) + len(attempts[i].ResponseHeaders) + len(attempts[i].RequestHeaders)
	}
	return attempts, nil
}

// data is the event's data, decoded; nil if that is no JSON.
func (d *searchedDelivery) data() any {
	if d.decoded == nil && d.of != nil {
		dec := json.NewDecoder(bytes.NewReader(d.of.Data))
		dec.UseNumber()
		_ = dec.Decode(&d.decoded) // what is no JSON has no members
	}
	return d.decoded
}

// hasText reports whether a text is in what a delivery carries, or in what came of it.
func (d *searchedDelivery) hasText(text []byte) (bool, error) {
	if contains([]byte(d.Reason), text) {
		return true, nil
	}
	e, err := d.event()
	if err != nil {
		return false, err
	}
	if e != nil && (contains([]byte(e.IdempotencyKey), text) || contains(e.Data, text)) {
		return true, nil
	}
	if d.Status == event.Success && d.Attempts <= 1 {
		return false, nil // no attempt failed
	}
	attempts, err := d.attempts()
	for i := range attempts {
		if a := &attempts[i]; !a.Succeeded() && (contains([]byte(a.Error), text) || contains(a.ResponseBody, text)) {
			return true, nil
		}
	}
	return false, err
}

// contains looks for a text in lower case.
func contains(in, text []byte) bool { return bytes.Contains(bytes.ToLower(in), text) }

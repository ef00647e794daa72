package api

import (
	"context"

	"posthaste/event"
)

// What bounds a count: a job counts on.
const (
	maxCount       = 10_000 // rows that are counted
	countFetchRows = 512    // at a time
	countCosts     = 5      // budgets of a page that may be spent on it, beside its own
	countPages     = 1 + countCosts
)

// countView is how many rows of a selection a job would take up, exactly if Complete,
// and at least so many if not.
type countView struct {
	Num      int  `json:"num"`
	Complete bool `json:"complete"`
}

// count counts the rows within a span that take up work, out of the first maxCount and
// as far as the budget goes.
func (l listing[T]) count(ctx context.Context, within span, takes func(T) bool) (countView, error) {
	read, looked, n := 0, 0, 0
	for w := (walk{within, false}); !w.empty(); {
		if ctx.Err() != nil { // the server began to stop
			return countView{}, event.ErrClosed
		}
		want := min(countFetchRows, maxCount+1-read)
		rows, scan, err := l.read(w, want, l.left(looked, countCosts*l.budget/shownCosts))
		if err != nil {
			return countView{}, err
		}
		looked += scan.Looked
		for _, row := range rows {
			if read++; read > maxCount {
				return countView{Num: n}, nil
			}
			if takes(row) {
				n++
			}
		}
		if !scan.Next.IsZero() {
			return countView{Num: n}, nil
		}
		if len(rows) < want {
			break
		}
		w = w.beyond(l.id(rows[len(rows)-1]))
	}
	return countView{n, true}, nil
}

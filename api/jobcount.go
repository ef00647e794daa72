package api

import (
	"context"

	"posthaste/event"
)

// maxCount bounds how far a selection is counted. A job counts on.
const maxCount = 10_000

// countView is how many rows of a selection a job would take up; More says that there
// are rows beyond those that were looked at.
type countView struct {
	Num  int  `json:"num"`
	More bool `json:"more"`
}

// count counts the rows within a span that take up work, out of the first maxCount.
func (l listing[T]) count(ctx context.Context, within span, takes func(T) bool) (countView, error) {
	read, n := 0, 0
	for w := (walk{within, false}); !w.empty(); {
		if ctx.Err() != nil { // the server began to stop
			return countView{}, event.ErrClosed
		}
		rows, err := l.fetch(w.rangeOf(false, min(fetchRows, maxCount+1-read)))
		if err != nil {
			return countView{}, err
		}
		for _, row := range rows {
			if read++; read > maxCount {
				return countView{n, true}, nil
			}
			if takes(row) {
				n++
			}
		}
		if len(rows) < fetchRows {
			break
		}
		w = w.beyond(l.id(rows[len(rows)-1]))
	}
	return countView{Num: n}, nil
}

package browsertest

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// report is what the suite found, for the table at its end.
type report struct {
	errors, violations, accessibility, overflows atomic.Int64
	visits, rules                                atomic.Int64

	mu   sync.Mutex
	rows []cost
}

// cost is what a page takes.
type cost struct {
	name           string
	first, later   int // bytes over the wire with nothing kept, and with all assets kept
	script         int // bytes of scripts, of first
	paint, repaint time.Duration
}

func (r *report) add(c cost) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, c)
}

func (r *report) print(w io.Writer, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.rows) > 0 {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(t, "page\tfirst load\tscripts\tlater\tfirst paint\tlater\t\n")
		for _, c := range r.rows {
			fmt.Fprintf(t, "%s\t%.1f kB\t%.1f kB\t%.1f kB\t%d ms\t%d ms\t\n", c.name, kB(c.first), kB(c.script), kB(c.later), c.paint.Milliseconds(), c.repaint.Milliseconds())
		}
		t.Flush()
	}
	fmt.Fprintf(w, "%d looks at pages (page, width, theme), %d axe rules passed or failed there; console errors %d, policy violations %d, axe violations %d, sideways overflows %d; %.0f s\n",
		r.visits.Load(), r.rules.Load(), r.errors.Load(), r.violations.Load(), r.accessibility.Load(), r.overflows.Load(), took.Seconds())
}

func kB(n int) float64 { return float64(n) / 1000 }

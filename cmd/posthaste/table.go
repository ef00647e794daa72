package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// tableRows is how many rows are laid out together: a listing of any length is shown
// while it is read.
const tableRows = 500

// table is lines of aligned columns. Close it.
type table struct {
	w    *tabwriter.Writer
	rows int
}

func newTable(out io.Writer, titles ...string) *table {
	t := &table{w: tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)}
	t.line(titles)
	return t
}

func (t *table) row(cells ...string) error {
	for i, c := range cells {
		if cells[i] = clean(c); c == "" {
			cells[i] = "-"
		}
	}
	t.line(cells)
	if t.rows++; t.rows%tableRows == 0 {
		return t.w.Flush()
	}
	return nil
}

func (t *table) line(cells []string) { fmt.Fprintln(t.w, strings.Join(cells, "\t")) }

func (t *table) close() error { return t.w.Flush() }

// field is a line of what is shown of one object.
type field struct{ name, text string }

// showFields writes names and values in two columns; what is empty is left out.
func showFields(out io.Writer, fields []field) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, f := range fields {
		if f.text != "" {
			fmt.Fprintf(w, "%s\t%s\n", f.name, clean(f.text))
		}
	}
	return w.Flush()
}

// at shows a time, in the session's zone and to the millisecond.
func (s *session) at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if s.location == time.UTC {
		return t.UTC().Format("2006-01-02 15:04:05.000Z")
	}
	return t.In(s.location).Format("2006-01-02 15:04:05.000")
}

// atIf is at for a time that may not be.
func (s *session) atIf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return s.at(*t)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

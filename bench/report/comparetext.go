package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// textRuns is how many reports have a column of their own in text; of more of
// them median and spread are shown.
const textRuns = 3

// WriteText writes the comparison for people, at most 110 columns wide.
func (c *Comparison) WriteText(w io.Writer) error {
	var out bytes.Buffer
	for i, r := range c.Reports {
		writeLines(&out, fmt.Sprintf("run %-7d%s", i+1, plain(r.headline())), strings.Repeat(" ", 11))
	}
	if len(c.Reports) > 0 {
		writeLines(&out, "machine    "+plain(c.Reports[0].Machine.String()), strings.Repeat(" ", 11))
	}
	out.WriteByte('\n')
	runs := len(c.Reports)
	if runs > textRuns {
		runs = 0
	}
	t := &textTable{columns: c.columns(runs)}
	for i := range c.Rows {
		t.row(c.Rows[i].cells(runs)...)
	}
	if err := t.write(&out); err != nil {
		return err
	}
	for _, note := range c.Notes {
		writeLines(&out, "\nnote: "+plain(note), "      ")
	}
	writeLines(&out, "\n"+plain(c.Verdict().String()), "")
	_, err := w.Write(out.Bytes())
	return err
}

// headline is when and with what a report was made.
func (r *Report) headline() string {
	return strings.Trim(r.occasion()+": "+r.Command, ": ")
}

// columns of text and Markdown alike, with one for each of so many runs.
func (c *Comparison) columns(runs int) []column {
	columns := []column{{title: "scenario", most: 16}, {title: "figure", most: 28}, {title: "target", most: 20}}
	for i := range runs {
		columns = append(columns, column{title: fmt.Sprintf("run %d", i+1), right: true, most: 12})
	}
	return append(columns, column{title: "median", right: true}, column{title: "spread", most: 24}, column{title: "met", most: 9})
}

// cells of a row, in the order of columns.
func (row *ComparedRow) cells(runs int) []string {
	cells := []string{"", row.label(), row.Asked}
	if row.First {
		cells[0] = row.Scenario
	}
	for _, cell := range row.Cells[:runs] {
		cells = append(cells, cell.text(row))
	}
	spread, met := none, ""
	if len(row.Cells) > 1 {
		spread = formatSpread(row.Min, row.Max, row.Unit)
	}
	if row.Of > 0 {
		met = fmt.Sprintf("%d/%d", row.Met, row.Of)
	}
	return append(cells, Short(row.Median, row.Unit), spread, met)
}

// label is what the figure is, and the unit if its numbers do not carry it.
func (row *ComparedRow) label() string {
	switch {
	case brief(row.Unit):
		return row.Figure
	case row.Figure == "value":
		return row.Unit
	case strings.HasSuffix(row.Unit, "/s"):
		return row.Figure
	}
	return row.Figure + ", " + row.Unit
}

// text is the value, with more digits where rounding would show a miss as a hit.
func (c ComparedCell) text(row *ComparedRow) string {
	if !c.There {
		return none
	}
	text := Short(c.Value, row.Unit)
	if c.Asked && !c.Met && row.Target != 0 && text == Short(row.Target, row.Unit) {
		return exactly(c.Value, row.Target)
	}
	return text
}

// WriteMarkdown writes the comparison as a table in Markdown, for documents.
func (c *Comparison) WriteMarkdown(w io.Writer) error {
	var out bytes.Buffer
	line := func(cells []string) { fmt.Fprintf(&out, "| %s |\n", strings.Join(cells, " | ")) }
	var titles, rule []string
	for _, col := range c.columns(len(c.Reports)) {
		titles = append(titles, col.title)
		rule = append(rule, map[bool]string{true: "---:", false: "---"}[col.right])
	}
	line(titles)
	line(rule)
	for i := range c.Rows {
		cells := c.Rows[i].cells(len(c.Reports))
		for j := range cells {
			cells[j] = markdownText(cells[j])
		}
		line(cells)
	}
	fmt.Fprintf(&out, "\n%s\n", markdownText(c.Verdict().String()))
	_, err := w.Write(out.Bytes())
	return err
}

// markdownText keeps text from being taken for markup.
func markdownText(text string) string {
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(plain(text))
	var out strings.Builder
	for _, r := range text {
		if strings.ContainsRune("\\`*[]|~", r) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}

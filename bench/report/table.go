package report

import (
	"cmp"
	"io"
	"strings"
	"unicode/utf8"
)

// textWidth is the most columns that text takes.
const textWidth = 110

// column is one of a text table.
type column struct {
	title string
	right bool // aligned, as numbers are
	most  int  // characters of a cell; longer ones are cut. 0: 20
}

// textTable aligns cells. A row may be a line of its own that no column bounds.
type textTable struct {
	columns []column
	rows    [][]string // of one cell: a line
}

func (t *textTable) row(cells ...string) { t.rows = append(t.rows, cells) }

// line adds text beneath a row, indented and broken where it is too long.
func (t *textTable) line(indent int, text string) {
	for _, l := range wrap(plain(text), textWidth-indent) {
		t.rows = append(t.rows, []string{strings.Repeat(" ", indent) + l})
	}
}

// write prints the head and the rows.
func (t *textTable) write(w io.Writer) error {
	widths := make([]int, len(t.columns))
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
		widths[i] = utf8.RuneCountInString(c.title)
	}
	for _, cells := range t.rows {
		for i := range cells {
			if len(cells) > 1 {
				cells[i] = cut(plain(cells[i]), cmp.Or(t.columns[i].most, 20))
				widths[i] = max(widths[i], utf8.RuneCountInString(cells[i]))
			}
		}
	}
	narrow(widths)
	var out strings.Builder
	for _, cells := range append([][]string{titles}, t.rows...) {
		if len(cells) == 1 && len(titles) != 1 {
			out.WriteString(cells[0] + "\n")
			continue
		}
		var line strings.Builder
		for i, cell := range cells {
			cell = cut(cell, widths[i])
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if t.columns[i].right {
				line.WriteString(pad + cell + "  ")
			} else {
				line.WriteString(cell + pad + "  ")
			}
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// narrow takes from the widest columns until all fit.
func narrow(widths []int) {
	for {
		total, widest := -2, 0
		for i, w := range widths {
			total += w + 2
			if w > widths[widest] {
				widest = i
			}
		}
		if total <= textWidth || widths[widest] <= 1 {
			return
		}
		widths[widest]--
	}
}

// cut shortens text to so many characters.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:max(most, 1)-1]) + "…"
}

// wrap breaks text at spaces into lines of at most width characters.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		for utf8.RuneCountInString(word) > width {
			if line != "" {
				lines, line = append(lines, line), ""
			}
			r := []rune(word)
			lines, word = append(lines, string(r[:width])), string(r[width:])
		}
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

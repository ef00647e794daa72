package console

import "strings"

// diffLine is a line of two texts compared: in both, only in the first, or only in the
// second.
type diffLine struct {
	Op   string // " ", "-" or "+"
	Text string
}

// maxDiffLines bounds the lines of each text: what it costs grows with their product.
const maxDiffLines = 1000

// diff compares two texts line by line, by their longest common subsequence.
func diff(a, b string) []diffLine {
	x, y := lines(a), lines(b)
	common := lengths(x, y)
	var out []diffLine
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			out = append(out, diffLine{" ", x[i]})
			i, j = i+1, j+1
		case j == len(y) || i < len(x) && common[i+1][j] >= common[i][j+1]:
			out = append(out, diffLine{"-", x[i]})
			i++
		default:
			out = append(out, diffLine{"+", y[j]})
			j++
		}
	}
	return out
}

func lines(text string) []string {
	all := strings.SplitN(text, "\n", maxDiffLines+1)
	if len(all) > maxDiffLines {
		all[maxDiffLines] = "… the rest is not compared"
	}
	return all
}

// lengths are those of the longest common subsequences of the ends of x and y.
func lengths(x, y []string) [][]int {
	t := make([][]int, len(x)+1)
	for i := range t {
		t[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				t[i][j] = t[i+1][j+1] + 1
			} else {
				t[i][j] = max(t[i+1][j], t[i][j+1])
			}
		}
	}
	return t
}

// changed counts the lines that are not in both.
func changed(d []diffLine) (n int) {
	for _, l := range d {
		if l.Op != " " {
			n++
		}
	}
	return n
}

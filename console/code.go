package console

import (
	"bytes"
	"encoding/json"
	"html/template"
	"regexp"
	"strings"
)

// maxShown is how much of a text is shown; the rest can be downloaded.
const maxShown = 64 << 10

// prettyLines is JSON, indented in the order in which it was sent, each line in an
// element so that the style sheet can number them, each token in one of its class. What
// is not JSON is shown as it is. Everything in it is escaped.
func prettyLines(text string) template.HTML {
	var indented bytes.Buffer
	if len(text) > maxShown || text == "" || json.Indent(&indented, []byte(text), "", "  ") != nil {
		return rawLines(text)
	}
	var b strings.Builder
	lines := strings.Split(indented.String(), "\n")
	folds := foldsOf(lines)
	for i, line := range lines {
		if folds[i] > 0 {
			b.WriteString("<details open><summary>")
		}
		b.WriteString(`<span class="l">`)
		writeTokens(&b, line)
		b.WriteString("\n</span>")
		if folds[i] > 0 {
			b.WriteString("</summary>")
		}
		if folds[i] < 0 {
			b.WriteString("</details>")
		}
	}
	return template.HTML(b.String())
}

// leastFold is how many lines an object or array has that can be folded.
const leastFold = 5

// foldsOf marks the lines of indented JSON where a fold begins, 1, and ends, -1. The
// outermost object is none.
func foldsOf(lines []string) []int {
	folds := make([]int, len(lines))
	var open []int
	for i, line := range lines {
		switch text := strings.TrimSpace(line); {
		case strings.HasSuffix(text, "{") || strings.HasSuffix(text, "["):
			open = append(open, i)
		case strings.HasPrefix(text, "}") || strings.HasPrefix(text, "]"):
			from := open[len(open)-1]
			if open = open[:len(open)-1]; len(open) > 0 && i-from >= leastFold {
				folds[from], folds[i] = 1, -1
			}
		}
	}
	return folds
}

// rawLines is a text as it is, up to maxShown.
func rawLines(text string) template.HTML {
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "")
	}
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.ReplaceAll(template.HTMLEscapeString(line), "\r", "&#13;") // else a browser makes it a line break
		b.WriteString(`<span class="l">` + line + "\n</span>")
	}
	return template.HTML(b.String())
}

// token finds names, texts, numbers and words of JSON.
var token = regexp.MustCompile(`"(?:[^"\\]|\\.)*"\s*:?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null`)

func writeTokens(b *strings.Builder, line string) {
	end := 0
	for _, m := range token.FindAllStringIndex(line, -1) {
		b.WriteString(template.HTMLEscapeString(line[end:m[0]]))
		text := line[m[0]:m[1]]
		b.WriteString(`<span class="` + tokenClass(text) + `">` + template.HTMLEscapeString(text) + `</span>`)
		end = m[1]
	}
	b.WriteString(template.HTMLEscapeString(line[end:]))
}

func tokenClass(text string) string {
	switch {
	case strings.HasSuffix(text, ":"):
		return "k"
	case text[0] == '"':
		return "s"
	case text == "true" || text == "false" || text == "null":
		return "b"
	}
	return "n"
}

package main

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean is a text as a terminal may be shown it: what it could obey, and what it could
// not draw, is written as an escape. Names, answers and webhooks are written by others.
func clean(text string) string {
	if !strings.ContainsFunc(text, unfit) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(text[0])|0x100, 16)[1:])
		case unfit(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
		text = text[size:]
	}
	return b.String()
}

// cleanLines is clean for a text that may have several lines.
func cleanLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = clean(line)
	}
	return strings.Join(lines, "\n")
}

func unfit(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }

// short is a clean text of at most so many characters.
func short(text string, limit int) string {
	text = clean(text)
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit-1]) + "…"
}

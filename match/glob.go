package match

import (
	"strings"
	"unicode/utf8"
)

// checkGlob says what is wrong with a glob, "" for nothing.
func checkGlob(glob string) (reason string) {
	for i := 0; i < len(glob); {
		if glob[i] != '[' {
			i++
			continue
		}
		size := classSize(glob[i:])
		if size == 0 {
			return "has a [ without its ]: write [[] for the character itself"
		}
		i += size
	}
	return ""
}

// globMatches reports whether the glob, a good one, stands for the whole text.
// When something after a star does not fit, the star takes one more character;
// only the last star has to, so that the work is at most len(glob) x len(text).
func globMatches(glob, text string) bool {
	star, restart := -1, 0 // where the last star is, and where what follows it began to match
	g, t := 0, 0
	for t < len(text) {
		if g < len(glob) && glob[g] == '*' {
			star, restart = g, t
			g++
			continue
		}
		if gSize, tSize, ok := globOne(glob[g:], text[t:]); ok {
			g, t = g+gSize, t+tSize
			continue
		}
		if star < 0 {
			return false
		}
		_, size := utf8.DecodeRuneInString(text[restart:])
		restart += size
		g, t = star+1, restart
	}
	return strings.Trim(glob[g:], "*") == ""
}

// globOne matches the first character of text, which has one, with what the
// glob starts with, which is not a star.
func globOne(glob, text string) (globSize, textSize int, ok bool) {
	if glob == "" {
		return 0, 0, false
	}
	r, size := utf8.DecodeRuneInString(text)
	switch glob[0] {
	case '?':
		return 1, size, true
	case '[':
		n := classSize(glob)
		return n, size, classHas(glob[1:n-1], r)
	}
	return 1, 1, glob[0] == text[0]
}

// classSize is the length of the class that glob starts with, 0 if it does not
// end. A ] that comes first is a member.
func classSize(glob string) int {
	first := 1
	if first < len(glob) && (glob[first] == '!' || glob[first] == '^') {
		first++
	}
	if first >= len(glob) {
		return 0
	}
	end := strings.IndexByte(glob[first+1:], ']')
	if end < 0 {
		return 0
	}
	return first + 1 + end + 1
}

// classHas reports whether a character is in a class, given without its brackets.
func classHas(class string, r rune) bool {
	not := class[0] == '!' || class[0] == '^'
	if not {
		class = class[1:]
	}
	for class != "" {
		low, size := utf8.DecodeRuneInString(class)
		class = class[size:]
		high := low
		if len(class) > 1 && class[0] == '-' {
			high, size = utf8.DecodeRuneInString(class[1:])
			class = class[1+size:]
		}
		if low <= r && r <= high {
			return !not
		}
	}
	return not
}

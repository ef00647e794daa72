package jsonscan

import (
	"encoding/binary"
	"math/bits"
)

// The functions of this file scan one token of src. They return the offset
// after it, or -1 if it is not what it should be: who wants to know where and
// why asks stringError or numberError, which look again.

// space skips white space from offset i on.
func space(src []byte, i int) int {
	for i < len(src) && (src[i] == ' ' || src[i] == '\n' || src[i] == '\t' || src[i] == '\r') {
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stops marks, in the high bit of each byte of x, the bytes that end the plain
// part of a string: control characters, '"' and '\'. Bytes above the lowest
// marked one may be marked wrongly, as borrows run upwards; only the lowest
// counts. (Hacker's Delight, 2nd ed., 6-1.)
func stops(x uint64) uint64 {
	quote := x ^ ones*'"'
	slash := x ^ ones*'\\'
	return ((x-ones*' ')&^x | (quote-ones)&^quote | (slash-ones)&^slash) & highs
}

// plainEnd is the offset of the first byte from i on that is not a plain byte
// of a string. It takes eight bytes at a time; BenchmarkString compares it with
// a table of 256 entries, which is slower at every length, twice from 6 bytes on.
func plainEnd(src []byte, i int) int {
	for i+8 <= len(src) {
		if m := stops(binary.LittleEndian.Uint64(src[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	for i < len(src) && src[i] >= ' ' && src[i] != '"' && src[i] != '\\' {
		i++
	}
	return i
}

// text scans the rest of a string whose opening quote is before i.
func text(src []byte, i int) int {
	for {
		i = plainEnd(src, i)
		if i >= len(src) || src[i] < ' ' {
			return -1
		}
		if src[i] == '"' {
			return i + 1
		}
		if i = escape(src, i); i < 0 {
			return -1
		}
	}
}

// escape scans one escape sequence, whose backslash is at i.
func escape(src []byte, i int) int {
	if i+1 >= len(src) {
		return -1
	}
	switch src[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if _, ok := hex4(src, i+2); ok {
			return i + 6
		}
	}
	return -1
}

// hex4 reads four hexadecimal digits at i.
func hex4(src []byte, i int) (rune, bool) {
	if i+4 > len(src) {
		return 0, false
	}
	var r rune
	for _, c := range src[i : i+4] {
		d := hexDigit(c)
		if d < 0 {
			return 0, false
		}
		r = r<<4 | d
	}
	return r, true
}

func hexDigit(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return -1
}

// stringError explains why text refused the string that begins after i.
func stringError(src []byte, i int) *SyntaxError {
	for {
		i = plainEnd(src, i)
		if i >= len(src) {
			return mismatch(src, i, "'\"' at the end of a string")
		}
		if src[i] < ' ' {
			return mismatch(src, i, "an escape for a control character in a string")
		}
		end := escape(src, i)
		if end < 0 {
			return escapeError(src, i)
		}
		i = end
	}
}

func escapeError(src []byte, i int) *SyntaxError {
	if i+1 >= len(src) || src[i+1] != 'u' {
		return mismatch(src, i+1, `one of "\/bfnrtu after '\' in a string`)
	}
	i += 2
	for i < len(src) && hexDigit(src[i]) >= 0 {
		i++
	}
	return mismatch(src, i, `four hexadecimal digits after '\u' in a string`)
}

// number scans a number that starts at i with '-' or a digit.
func number(src []byte, i int) int {
	if src[i] == '-' {
		i++
	}
	if i < len(src) && src[i] == '0' {
		i++
	} else if i = digits(src, i); i < 0 {
		return -1
	}
	if i < len(src) && src[i] == '.' {
		if i = digits(src, i+1); i < 0 {
			return -1
		}
	}
	if i < len(src) && src[i]|0x20 == 'e' {
		return digits(src, sign(src, i+1))
	}
	return i
}

// digits scans one digit or more.
func digits(src []byte, i int) int {
	start := i
	for i < len(src) && src[i]-'0' <= 9 {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

func sign(src []byte, i int) int {
	if i < len(src) && (src[i] == '+' || src[i] == '-') {
		i++
	}
	return i
}

// numberError explains why number refused the number at i. Its only fault can
// be a part that has no digit.
func numberError(src []byte, i int) *SyntaxError {
	for i < len(src) {
		if src[i]-'0' <= 9 {
			i++
			continue
		}
		next := i + 1
		if src[i]|0x20 == 'e' {
			next = sign(src, next)
		}
		if next >= len(src) || src[next]-'0' > 9 {
			return mismatch(src, next, "a digit in a number")
		}
		i = next
	}
	return mismatch(src, i, "a digit in a number")
}

// word scans want, one of the three words of JSON, at i.
func word(src []byte, i int, want string) int {
	if len(src)-i >= len(want) && string(src[i:i+len(want)]) == want {
		return i + len(want)
	}
	return -1
}

func wordError(src []byte, i int, want string) *SyntaxError {
	n := 0
	for n < len(want) && i+n < len(src) && src[i+n] == want[n] {
		n++
	}
	return mismatch(src, i+n, want)
}

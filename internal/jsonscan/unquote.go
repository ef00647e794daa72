package jsonscan

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Unquote appends to dst the text that a JSON string stands for. src is the
// string with its quotes and nothing around it. Invalid UTF-8 and surrogates
// without a partner become U+FFFD each, as in encoding/json. A src that is not
// a JSON string is a *SyntaxError, and dst is returned as it was.
func Unquote(dst, src []byte) ([]byte, error) {
	if len(src) == 0 || src[0] != '"' {
		return dst, mismatch(src, 0, "'\"', a string")
	}
	end := text(src, 1)
	if end < 0 {
		return dst, stringError(src, 1)
	}
	if end != len(src) {
		return dst, mismatch(src, end, "nothing after the string")
	}
	inside := src[1 : end-1]
	for i := 0; i < len(inside); {
		switch c := inside[i]; {
		case c == '\\':
			dst, i = unescape(dst, inside, i)
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, size := utf8.DecodeRune(inside[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
		}
	}
	return dst, nil
}

// unescape appends what the escape sequence at i stands for. It is known to be
// well-formed.
func unescape(dst, inside []byte, i int) (out []byte, next int) {
	switch c := inside[i+1]; c {
	case 'b':
		return append(dst, '\b'), i + 2
	case 'f':
		return append(dst, '\f'), i + 2
	case 'n':
		return append(dst, '\n'), i + 2
	case 'r':
		return append(dst, '\r'), i + 2
	case 't':
		return append(dst, '\t'), i + 2
	case 'u':
		r, size := escapedRune(inside[i:])
		return utf8.AppendRune(dst, r), i + size
	default:
		return append(dst, c), i + 2
	}
}

// escapedRune reads the \uXXXX that s starts with, and the second one of a
// surrogate pair.
func escapedRune(s []byte) (r rune, size int) {
	r, _ = hex4(s, 2)
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		low, _ := hex4(s, 8)
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// Quote appends text to dst as a JSON string with its quotes. Invalid UTF-8
// becomes U+FFFD.
func Quote(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ':
			const digits = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', digits[r>>4], digits[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

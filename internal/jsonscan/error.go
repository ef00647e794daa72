package jsonscan

import "fmt"

// SyntaxError says where a document stops being JSON, and what would have been
// right there.
type SyntaxError struct {
	Offset int    // bytes before the offending one; the document's length at its end
	Msg    string // what was expected, and what was found; quotes at most one byte of the document
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("offset %d: %s", e.Offset, e.Msg) }

// mismatch is the error for a wrong byte at offset i.
func mismatch(src []byte, i int, want string) *SyntaxError {
	if i >= len(src) {
		return &SyntaxError{Offset: len(src), Msg: "want " + want + ", found the end"}
	}
	return &SyntaxError{Offset: i, Msg: fmt.Sprintf("want %s, found %s", want, quoteByte(src[i]))}
}

func quoteByte(c byte) string {
	if c < ' ' || c > '~' {
		return fmt.Sprintf("byte 0x%02x", c)
	}
	return "'" + string(rune(c)) + "'"
}

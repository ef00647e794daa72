package transform

import (
	"errors"
	"fmt"
)

// ErrClosed is what Run and Check return after Close.
var ErrClosed = errors.New("transform: closed")

// Kind says in one word why a function failed.
type Kind string

// The kinds of an Error.
const (
	KindSyntax    Kind = "syntax"    // it does not compile, or has no function transform
	KindException Kind = "exception" // it threw
	KindTimeout   Kind = "timeout"
	KindMemory    Kind = "memory"
	KindResult    Kind = "result" // what it returned is not JSON, or is too large
)

// Error is a function's failure. Any other error of Run is a failure of the
// machinery, and no fault of the function's.
type Error struct {
	Kind    Kind
	Message string // starts with line:column where they are known, at most 1 KiB
}

func (e *Error) Error() string { return string(e.Kind) + ": " + e.Message }

// maxMessageBytes bounds an Error's message.
const maxMessageBytes = 1 << 10

func fail(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: cut(fmt.Sprintf(format, args...), maxMessageBytes)}
}

// cut shortens a text to at most limit bytes.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const mark = "..."
	return text[:max(limit-len(mark), 0)] + mark
}

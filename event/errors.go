package event

import (
	"errors"
	"fmt"
	"time"
)

// One sentinel per decision that a caller makes.
var (
	ErrBadID      = errors.New("not an id: want 26 characters of Crockford base 32")
	ErrNotFound   = errors.New("not found")
	ErrConflict   = errors.New("changed meanwhile")
	ErrClosed     = errors.New("stopped")
	ErrOverloaded = errors.New("too much work waiting")
)

// InvalidError is bad input: which field, and what to do about it.
type InvalidError struct {
	Field  string // as the request names it; "" for the request as a whole
	Reason string // a sentence without the field's name
	Cause  error  // what errors.Is and errors.As find behind it; may be nil
}

func (e *InvalidError) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return e.Field + ": " + e.Reason
}

// Unwrap is the cause.
func (e *InvalidError) Unwrap() error { return e.Cause }

// Invalid builds an InvalidError.
func Invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// BlockedError is about a URL that leads to where nothing may be sent.
type BlockedError struct {
	Host   string // and port, as the URL has them
	Reason string // a sentence for the person who wrote the URL
}

func (e *BlockedError) Error() string { return e.Reason }

// OverloadError is ErrOverloaded with the time after which to try again.
type OverloadError struct {
	What  string
	After time.Duration
}

func (e *OverloadError) Error() string { return fmt.Sprintf("%s: try again in %s", e.What, e.After) }

// Is makes errors.Is(err, ErrOverloaded) true.
func (e *OverloadError) Is(target error) bool { return target == ErrOverloaded }

// FullError is ErrOverloaded because there is no space left: nothing new is taken before
// there is.
type FullError struct {
	Reason string // a sentence for the caller: what is full, how much is free, what to do
	After  time.Duration
}

// DiskFull is what machines know a FullError by: "reason" of an answer.
const DiskFull = "disk_full"

func (e *FullError) Error() string { return e.Reason }

// Is makes errors.Is(err, ErrOverloaded) true.
func (e *FullError) Is(target error) bool { return target == ErrOverloaded }

// StateError is ErrConflict because of the state that an object is in: what is
// asked for cannot be done now.
type StateError struct {
	Reason string // a sentence for the caller
}

func (e *StateError) Error() string { return e.Reason }

// Is makes errors.Is(err, ErrConflict) true.
func (e *StateError) Is(target error) bool { return target == ErrConflict }

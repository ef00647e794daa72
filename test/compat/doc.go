// Package compat drives every operation of Convoy's public API against the real binary
// and holds the answers to Convoy's own description of them: operations.json has the
// operations and their codes, schemas.json the shapes. Run it with `make compat`, which
// prints a summary and, of an operation that does not conform, what was wrong.
package compat

package sender

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"posthaste/event"
)

const (
	maxInterimAnswers = 100
	// maxRecordedHeaderBytes of an answer's headers are recorded.
	maxRecordedHeaderBytes = 8 << 10
)

// What can be wrong with an answer.
var (
	errNotHTTP      = errors.New("the answer does not begin with HTTP/")
	errStatus       = errors.New("the answer's status is not a number from 100 to 999")
	errHeadTooLarge = errors.New("the answer's head is larger than 16 KiB")
	errInterim      = errors.New("more than 100 interim answers")
	errNoAnswer     = errors.New("the connection was closed before an answer came")
	errHalfAnswer   = errors.New("the connection was closed in the middle of the answer")
)

// readAnswer reads one answer. keep says that the connection is in step after it.
func (x *exchange) readAnswer(c *conn) (keep bool, err error) {
	if err := x.readHead(c); err != nil {
		return false, err
	}
	a := x.attempt
	whole, err := x.readBody()
	if err != nil {
		return false, err
	}
	a.StatusCode = x.head.StatusCode()
	keep = whole && a.StatusCode != http.StatusSwitchingProtocols && !x.head.ConnectionClose() &&
		x.in.Buffered() == 0
	return keep, nil
}

// readHead reads the head of the final answer and records its headers.
func (x *exchange) readHead(c *conn) error {
	x.head.DisableNormalizing()
	for range maxInterimAnswers {
		head, err := x.peekHead(c)
		if err != nil {
			return err
		}
		if !hasStatus(head) {
			return errStatus
		}
		recordHeaders(x.attempt, head)
		if err := x.head.Read(x.in); err != nil {
			return headFault(err)
		}
		if code := x.head.StatusCode(); code < 100 || code > 199 || code == http.StatusSwitchingProtocols {
			return nil
		}
	}
	return errInterim
}

// peekHead waits until a whole head is in the reader, and leaves it there. The
// head is valid until the next read.
func (x *exchange) peekHead(c *conn) ([]byte, error) {
	need, searched := 1, 0
	for {
		b, err := x.in.Peek(need)
		if err == nil {
			b, _ = x.in.Peek(x.in.Buffered())
			x.noteFirstByte()
		}
		if !beginsAnswer(b) {
			return nil, errNotHTTP
		}
		if n := headEnd(b, searched); n > 0 {
			return b[:n], nil
		}
		if err == bufio.ErrBufferFull && x.in == x.small {
			x.widen(c)
			continue
		}
		if err != nil {
			return nil, headError(err, len(b))
		}
		searched, need = max(0, len(b)-3), len(b)+1
	}
}

// widen goes on with a reader that has room for a large head.
func (x *exchange) widen(c *conn) {
	b, _ := x.small.Peek(x.small.Buffered())
	x.in = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(b)), c), maxHeadBytes)
}

func headError(err error, got int) error {
	switch {
	case err == bufio.ErrBufferFull:
		return errHeadTooLarge
	case err == io.EOF && got == 0:
		return errNoAnswer
	case err == io.EOF:
		return errHalfAnswer
	}
	return err
}

// headFault is what fasthttp says of a head that it was given whole, without the text of
// the head.
func headFault(err error) error {
	what, _, _ := strings.Cut(err.Error(), ": buffer size=")
	return errors.New("the answer's head cannot be read: " + strings.TrimPrefix(what, "error when reading response headers: "))
}

// beginsAnswer reports whether b is, so far, the beginning of an answer. Without
// it, a peer that greets in another protocol would be waited for until the end.
func beginsAnswer(b []byte) bool {
	const proto = "HTTP/"
	n := min(len(b), len(proto))
	return string(b[:n]) == proto[:n]
}

// hasStatus reports whether the status is one of three digits (RFC 9112, section
// 4). fasthttp takes fewer, and reads 000 as 200.
func hasStatus(head []byte) bool {
	_, rest, _ := bytes.Cut(head, []byte(" "))
	if len(rest) < 4 || rest[0] == '0' || rest[3] != ' ' && rest[3] != '\r' && rest[3] != '\n' {
		return false
	}
	for _, d := range rest[:3] {
		if d < '0' || d > '9' {
			return false
		}
	}
	return true
}

// headEnd is the length of the head in b, empty line included, 0 if it is not
// whole. What is before from has been searched.
func headEnd(b []byte, from int) int {
	for {
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			return 0
		}
		from += i + 1
		rest := b[from:]
		switch {
		case len(rest) > 0 && rest[0] == '\n':
			return from + 1
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return from + 2
		}
	}
}

// recordHeaders keeps the lines between the status line and the empty one.
func recordHeaders(a *event.Attempt, head []byte) {
	lines := head[bytes.IndexByte(head, '\n')+1:]
	lines = bytes.TrimSuffix(bytes.TrimSuffix(lines, []byte("\n")), []byte("\r"))
	if len(lines) > maxRecordedHeaderBytes {
		lines = lines[:bytes.LastIndexByte(lines[:maxRecordedHeaderBytes], '\n')+1]
	}
	a.ResponseHeaders = append(a.ResponseHeaders[:0], lines...)
}

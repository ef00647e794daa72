package sender

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
)

// drainBytes is how much of an answer's body beyond what is recorded is read, so
// that the connection can be used again. A longer one costs the connection.
const drainBytes = 64 << 10

var (
	errTrailers  = errors.New("the answer's trailers are larger than 16 KiB")
	errChunkLine = errors.New("a chunk of the answer's body begins with a line of more than 4 KiB")
)

// readBody records the beginning of the answer's body. whole says that nothing
// of the answer is left on the connection. Once what is recorded is full, the
// answer is taken as it is: the rest changes nothing.
func (x *exchange) readBody() (whole bool, err error) {
	switch n := x.head.ContentLength(); {
	case bodyless(x.head.StatusCode()):
		return true, nil
	case n >= 0:
		return x.readFixed(n)
	case n == -1:
		return x.readChunked()
	default:
		_, err := x.readStream(x.in)
		return false, err // it ends with the connection
	}
}

func bodyless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified || status == http.StatusSwitchingProtocols
}

// readFixed reads a body of a known length.
func (x *exchange) readFixed(n int) (whole bool, err error) {
	a := x.attempt
	kept := min(n, x.keep)
	body := slices.Grow(a.ResponseBody[:0], kept)[:kept]
	got, err := io.ReadFull(x.in, body)
	a.ResponseBody = body[:got]
	if err != nil {
		return false, bodyError(err)
	}
	if n == kept {
		return true, nil
	}
	a.BodyCut = true
	if n-kept > drainBytes {
		return false, nil
	}
	_, err = x.in.Discard(n - kept)
	return err == nil, nil
}

// readChunked reads a body in chunks, and the trailers. A Content-Length beside
// the chunks is a peer to be careful with: its connection is not used again.
func (x *exchange) readChunked() (whole bool, err error) {
	ended, err := x.readStream(httputil.NewChunkedReader(x.in))
	if err != nil || !ended {
		return false, err
	}
	if err := x.skipTrailers(); err != nil {
		return false, err
	}
	return !hasField(x.attempt.ResponseHeaders, "Content-Length"), nil
}

// readStream reads a body whose end r knows. ended says that it was reached.
func (x *exchange) readStream(r io.Reader) (ended bool, err error) {
	a := x.attempt
	for len(a.ResponseBody) < x.keep {
		body := slices.Grow(a.ResponseBody, min(512, x.keep-len(a.ResponseBody)))
		n, err := r.Read(body[len(body):min(cap(body), x.keep)])
		a.ResponseBody = body[:len(body)+n]
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, bodyError(err)
		}
	}
	n, err := io.CopyN(io.Discard, r, drainBytes)
	a.BodyCut = n > 0
	return err == io.EOF, nil
}

// skipTrailers reads what follows the last chunk, the empty line included.
func (x *exchange) skipTrailers() error {
	for read := 0; read < maxHeadBytes; {
		line, err := x.in.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return bodyError(err)
		}
		if len(line) <= 2 && len(bytes.TrimRight(line, "\r\n")) == 0 {
			return nil
		}
		read += len(line)
	}
	return errTrailers
}

func bodyError(err error) error {
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return errHalfAnswer
	case errors.Is(err, httputil.ErrLineTooLong):
		return errChunkLine
	}
	return err
}

// hasField reports whether there is a header of this name among lines. Of lines
// that were cut, it may be among the missing ones.
func hasField(lines []byte, name string) bool {
	if len(lines) > maxRecordedHeaderBytes-512 {
		return true
	}
	for line := range bytes.Lines(lines) {
		field, _, _ := bytes.Cut(line, []byte(":"))
		if strings.EqualFold(string(bytes.TrimSpace(field)), name) {
			return true
		}
	}
	return false
}

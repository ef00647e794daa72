package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	// maxLineBytes bounds one line: a server takes no larger request by default.
	maxLineBytes  = 16 << 20
	lineReadBytes = 256 << 10
)

// fileLine is one line of a file that is not blank.
type fileLine struct {
	number  int // from 1, blank lines counted
	text    []byte
	tooLong bool // text is not there
}

// lineReader reads the lines of a file or a stream, unpacking what is gzip or zstd.
type lineReader struct {
	r      *bufio.Reader
	number int
	close  func()
}

// openLines opens a file; "-" is stdin, which is not closed.
func openLines(name string, stdin io.Reader) (*lineReader, error) {
	if name == "-" {
		return newLineReader(stdin, func() {})
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return newLineReader(f, func() { f.Close() })
}

func newLineReader(from io.Reader, done func()) (*lineReader, error) {
	packed := bufio.NewReaderSize(from, lineReadBytes)
	magic, err := packed.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		done()
		return nil, err
	}
	l := &lineReader{r: packed, close: done}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(packed)
		if err != nil {
			done()
			return nil, err
		}
		l.r = bufio.NewReaderSize(z, lineReadBytes)
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1))
		if err != nil {
			done()
			return nil, err
		}
		l.r, l.close = bufio.NewReaderSize(z, lineReadBytes), func() { z.Close(); done() }
	}
	return l, nil
}

// next is the next line that is not blank; io.EOF after the last. The text is the
// caller's.
func (l *lineReader) next() (fileLine, error) {
	for {
		text, tooLong, err := l.read()
		if err != nil && !errors.Is(err, io.EOF) {
			return fileLine{}, fmt.Errorf("line %d: %w", l.number+1, err)
		}
		if err != nil && len(text) == 0 && !tooLong {
			return fileLine{}, io.EOF
		}
		l.number++
		if text = bytes.TrimSpace(text); len(text) > 0 || tooLong {
			return fileLine{l.number, text, tooLong}, nil
		}
	}
}

// read reads up to the end of a line. Of one that is too long it keeps nothing.
func (l *lineReader) read() (text []byte, tooLong bool, err error) {
	for {
		part, err := l.r.ReadSlice('\n')
		if len(text)+len(part) > maxLineBytes+1 {
			text, tooLong = nil, true
		}
		if !tooLong {
			text = append(text, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, tooLong, err
		}
	}
}

// countLines is how many lines of a file are not blank.
func countLines(name string) (n int, err error) {
	l, err := openLines(name, nil)
	if err != nil {
		return 0, err
	}
	defer l.close()
	for {
		if _, err := l.next(); err != nil {
			if errors.Is(err, io.EOF) {
				return n, nil
			}
			return n, err
		}
		n++
	}
}

package bench

import (
	"bytes"
	"sync"
)

// tailBytes is how much of a child's output is kept for an error message.
const tailBytes = 8 << 10

// tail keeps the end of what is written to it.
type tail struct {
	mu struct {
		sync.Mutex
		buf []byte
	}
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.buf = append(t.mu.buf, p...)
	if over := len(t.mu.buf) - tailBytes; over > 0 {
		t.mu.buf = append(t.mu.buf[:0], t.mu.buf[over:]...)
	}
	return len(p), nil
}

// String is the end of the output, from the beginning of a line.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := bytes.TrimSpace(t.mu.buf)
	if len(t.mu.buf) == tailBytes {
		if _, rest, ok := bytes.Cut(text, []byte("\n")); ok {
			text = rest
		}
	}
	return string(text)
}

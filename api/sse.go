package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// errStreamGone is that a client did not take what was written in time, or has gone.
var errStreamGone = errors.New("the client of a stream is gone")

// sseWriter writes server-sent events. What it is given waits until flush.
type sseWriter struct {
	w    http.ResponseWriter
	ctrl *http.ResponseController
	buf  []byte
}

// maxKeptPiece is the largest buffer that a stream keeps for its next piece.
const maxKeptPiece = 256 << 10

// newSSEWriter writes the head of the answer.
func newSSEWriter(w http.ResponseWriter) sseWriter {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	return sseWriter{w: w, ctrl: http.NewResponseController(w)}
}

// event adds a message. Its data is one line: JSON has no line's end outside of its texts'
// escapes.
func (s *sseWriter) event(name, id string, data any) {
	text, ok := data.(json.RawMessage)
	if !ok {
		var err error
		if text, err = marshal(data); err != nil {
			panic("BUG: a stream's own message cannot be encoded: " + err.Error())
		}
	}
	s.buf = append(append(s.buf, "event: "...), name...)
	if id != "" {
		s.buf = append(append(s.buf, "\nid: "...), id...)
	}
	s.buf = append(s.buf, "\ndata: "...)
	s.buf = append(append(s.buf, text...), '\n', '\n')
}

// id tells the client how far it has seen everything, without a message.
func (s *sseWriter) id(id string) {
	s.buf = append(append(append(s.buf, "id: "...), id...), '\n', '\n')
}

func (s *sseWriter) comment(text string) {
	s.buf = append(append(append(s.buf, ": "...), text...), '\n')
}

func (s *sseWriter) retry(d time.Duration) {
	s.buf = append(strconv.AppendInt(append(s.buf, "retry: "...), d.Milliseconds(), 10), '\n', '\n')
}

func (s *sseWriter) empty() bool { return len(s.buf) == 0 }

// flush sends what was added.
func (s *sseWriter) flush() error {
	if err := s.ctrl.SetWriteDeadline(time.Now().Add(streamWrite)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("%w: %w", errStreamGone, err)
	}
	_, err := s.w.Write(s.buf)
	if s.buf = s.buf[:0]; cap(s.buf) > maxKeptPiece {
		s.buf = nil
	}
	if err == nil {
		err = s.ctrl.Flush()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errStreamGone, err)
	}
	return nil
}

// close leaves the connection to what comes next.
func (s *sseWriter) close() { _ = s.ctrl.SetWriteDeadline(time.Time{}) }

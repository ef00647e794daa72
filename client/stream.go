package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// quiet is how long a stream may say nothing, not even that it is there: the server does
// every 15 s.
const quiet = 45 * time.Second

// ErrQuiet is that a stream said nothing for too long: the connection is dead.
var ErrQuiet = errors.New("the stream says nothing any more")

// StreamMessage is one message of a stream.
type StreamMessage struct {
	Name string          // delivery, event, open, reset, dropped, batch or end
	ID   string          // to go on behind it; "" if it has none of its own
	Data json.RawMessage // as the API documents it
}

// Stream is an answer that goes on. One goroutine reads it.
type Stream struct {
	body   io.ReadCloser
	lines  *bufio.Scanner
	cancel context.CancelCauseFunc
	ctx    context.Context
	alive  *time.Timer
	last   string
}

// Stream opens a stream. lastID goes on behind the message with this id; "" begins with the
// present. A refusal is an *Error. Whoever opens it closes it.
func (c *Client) Stream(ctx context.Context, r Request, lastID string) (*Stream, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &Stream{ctx: ctx, cancel: cancel, last: lastID}
	s.alive = time.AfterFunc(c.o.Timeout, func() { cancel(ErrQuiet) })
	if err := s.open(c, r); err != nil {
		s.alive.Stop()
		cancel(nil)
		return nil, err
	}
	return s, nil
}

func (s *Stream) open(c *Client, r Request) error {
	req, err := c.build(s.ctx, r, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	if s.last != "" {
		req.Header.Set("Last-Event-ID", s.last)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return s.because(err)
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode != http.StatusOK || kind != "text/event-stream" {
		defer resp.Body.Close()
		text, err := io.ReadAll(io.LimitReader(resp.Body, c.o.MaxAnswerBytes))
		if err != nil {
			return s.because(err)
		}
		if _, err = read(resp, text); err == nil {
			err = fmt.Errorf("%w: it is no stream", ErrAnswer)
		}
		return err
	}
	s.body, s.lines = resp.Body, bufio.NewScanner(resp.Body)
	s.lines.Buffer(nil, int(min(c.o.MaxAnswerBytes, 64<<20)))
	return nil
}

// because is why reading ended.
func (s *Stream) because(err error) error {
	if cause := context.Cause(s.ctx); errors.Is(cause, ErrQuiet) {
		return ErrQuiet
	}
	return err
}

// LastID is the id from which another stream goes on without a gap.
func (s *Stream) LastID() string { return s.last }

// Next waits for the next message. io.EOF is the stream's end.
func (s *Stream) Next() (StreamMessage, error) {
	var m StreamMessage
	for s.lines.Scan() {
		s.alive.Reset(quiet)
		line := s.lines.Bytes()
		if len(line) == 0 {
			if m.Name != "" {
				return m, nil
			}
			m = StreamMessage{}
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "event":
			m.Name = string(value)
		case "id":
			m.ID = string(value)
			s.last = m.ID
		case "data":
			m.Data = append(m.Data, value...)
		}
	}
	if err := s.lines.Err(); err != nil {
		return m, s.because(err)
	}
	return m, io.EOF
}

// Close ends it. It is safe to call twice.
func (s *Stream) Close() error {
	s.alive.Stop()
	s.cancel(nil)
	return s.body.Close()
}

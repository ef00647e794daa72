package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Bounds of a file of payloads.
const (
	maxPayloadBytes     = 1 << 20   // of one, with its sequence number
	maxPayloadLine      = 2 << 20   // of one line
	maxPayloadFile      = 256 << 20 // of all payloads together
	maxPayloadEvents    = 100_000
	maxPayloadEventType = 256 // bytes; more would hide the sequence number, see seqWithin
)

// realPayload is an event of a file, ready to be stamped.
type realPayload struct {
	eventType []byte // a JSON string
	data      []byte // its own members behind "seq" and "sent"
}

// payloadSet is the events of a file.
type payloadSet struct {
	events []realPayload
	bytes  int64 // of all data
}

// openPayloads reads a file of events to post. An error names the file, and the
// line if it is about one.
func openPayloads(path string) (*payloadSet, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("payloads: %w", err)
	}
	defer f.Close()
	set, err := readPayloads(f)
	if err != nil {
		return nil, fmt.Errorf("payloads: %s: %w", path, err)
	}
	return set, nil
}

// readPayloads reads one event a line: {"event_type","data"}, in which data is an
// object, or any other object, which is data itself. Empty lines are passed over.
func readPayloads(r io.Reader) (*payloadSet, error) {
	set := new(payloadSet)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxPayloadLine)
	n := 0
	for lines.Scan() {
		n++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := set.add(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("line %d: longer than %d bytes", n+1, maxPayloadLine)
	} else if err != nil {
		return nil, fmt.Errorf("line %d: %w", n+1, err)
	}
	if len(set.events) == 0 {
		return nil, errors.New("no events in the file")
	}
	return set, nil
}

// add takes one line.
func (s *payloadSet) add(line []byte) error {
	name, data, err := splitEvent(line)
	if err != nil {
		return err
	}
	p := realPayload{eventType: name, data: withStamp(data)}
	s.bytes += int64(len(p.data))
	switch {
	case len(name) > maxPayloadEventType:
		return fmt.Errorf("event_type has %d bytes, must be at most %d", len(name), maxPayloadEventType)
	case len(p.data) > maxPayloadBytes:
		return fmt.Errorf("data has %d bytes with its sequence number, must be at most %d", len(p.data), maxPayloadBytes)
	case s.bytes > maxPayloadFile:
		return fmt.Errorf("more than %d bytes of data up to here", maxPayloadFile)
	case len(s.events) == maxPayloadEvents:
		return fmt.Errorf("more than %d events", maxPayloadEvents)
	}
	s.events = append(s.events, p)
	return nil
}

// splitEvent finds the event type, a JSON string, and the data, a JSON object, of a
// line. Both are copies.
func splitEvent(line []byte) (name, data []byte, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		return nil, nil, err
	}
	name, data = members["event_type"], members["data"]
	if name == nil || data == nil {
		return []byte(`"` + eventType + `"`), bytes.Clone(line), nil
	}
	var text string
	if json.Unmarshal(name, &text) != nil || text == "" {
		return nil, nil, fmt.Errorf("event_type is %.40s, must be a string that is not empty", name)
	}
	if data[0] != '{' {
		return nil, nil, errors.New("data is not an object, which alone can take a sequence number")
	}
	return name, data, nil
}

// withStamp puts the two numbers in front of an object's own members, which stay as
// they are.
func withStamp(object []byte) []byte {
	rest := bytes.TrimLeft(object[1:], " \t\r\n")
	out := make([]byte, 0, len(stampMembers)+1+len(rest))
	out = append(out, stampMembers...)
	if rest[0] != '}' {
		out = append(out, ',')
	}
	return append(out, rest...)
}

package bench

import (
	"bufio"
	"bytes"
	_ "embed" // the sample set
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// maxSampleBytes bounds one line of a sample file.
const maxSampleBytes = 4 << 20

//go:embed samples.ndjson
var sampleFile []byte

// Sample is an event to post. Data is one JSON value, byte for byte as it stands
// in the file.
type Sample struct {
	EventType string          `json:"event_type"`
	Data      json.RawMessage `json:"data"`
}

// Samples is the set that comes with the program: made-up events with the texts
// that careless software changes (number forms, Unicode, escapes, white space).
var Samples = sync.OnceValues(func() ([]Sample, error) {
	return ReadSamples(bytes.NewReader(sampleFile))
})

// ReadSamples reads events, one {"event_type","data"} a line. Empty lines are
// passed over; an error names the line.
func ReadSamples(r io.Reader) ([]Sample, error) {
	var samples []Sample
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxSampleBytes)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var s Sample
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if s.EventType == "" || len(s.Data) == 0 || string(s.Data) == "null" {
			return nil, fmt.Errorf("line %d: event_type or data is missing", n)
		}
		samples = append(samples, s)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("after line %d: %w", len(samples), err)
	}
	if len(samples) == 0 {
		return nil, errors.New("no events in the file")
	}
	return samples, nil
}

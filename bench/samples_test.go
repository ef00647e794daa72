package bench

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// A sample set without these would not catch software that parses data and
// prints it again.
func TestSamplesAreAwkward(t *testing.T) {
	samples, err := Samples()
	if err != nil {
		t.Fatal(err)
	}
	if len(samples) < 24 {
		t.Errorf("%d samples, want at least 24", len(samples))
	}
	var all bytes.Buffer
	types := make(map[string]bool)
	changed := 0
	for _, s := range samples {
		if types[s.EventType] {
			t.Errorf("event type %s is there twice", s.EventType)
		}
		types[s.EventType] = true
		all.Write(s.Data)
		var v any
		if err := json.Unmarshal(s.Data, &v); err != nil {
			t.Errorf("%s: %v", s.EventType, err)
		}
		if again, _ := json.Marshal(v); !bytes.Equal(again, s.Data) {
			changed++
		}
	}
	for _, want := range []string{"1.10", "1e3", "9007199254740993", "0.0000012", "-0.0", "山田", "🐙", `\u00e9`, `\/`, `\u2028`, "<p>", "  ", "\t"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("no sample contains %q", want)
		}
	}
	if changed < len(samples)/2 {
		t.Errorf("printing again changes only %d of %d samples", changed, len(samples))
	}
}

func TestReadSamples(t *testing.T) {
	got, err := ReadSamples(strings.NewReader("\n{\"event_type\":\"a\",\"data\": { \"x\" : 1.10 } }\n\n{\"data\":[ ],\"event_type\":\"b\"}"))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || string(got[0].Data) != `{ "x" : 1.10 }` || string(got[1].Data) != `[ ]` || got[1].EventType != "b" {
		t.Errorf("read %q", got)
	}
	bad := map[string]string{
		"":                                     "no events",
		"\n \n":                                "no events",
		"{\"event_type\":\"a\"}":               "line 1",
		"\n{\"data\":1}":                       "line 2",
		"{\"event_type\":\"a\",\"data\":":      "line 1",
		"{\"event_type\":\"a\",\"data\":null}": "line 1",
		strings.Repeat("x", maxSampleBytes+1):  "too long",
	}
	for text, want := range bad {
		if _, err := ReadSamples(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v does not say %q", text, err, want)
		}
	}
}

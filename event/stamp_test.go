package event

import (
	"encoding/json"
	"testing"
	"time"
)

func TestStampIsItsTime(t *testing.T) {
	for name, at := range map[string]time.Time{
		"none":      {},
		"now":       time.Now().UTC().Round(0),
		"a moment":  time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC),
		"long ago":  time.Date(1700, 1, 1, 0, 0, 0, 1, time.UTC),
		"far ahead": time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		s := StampOf(at)
		if s.Time() != at {
			t.Errorf("%s: %s became %s", name, at, s.Time())
		}
		got, err := json.Marshal(s)
		if want, _ := json.Marshal(at); err != nil || string(got) != string(want) {
			t.Errorf("%s: written as %s, %v; want %s", name, got, err, want)
		}
	}
	if local := time.Now().Local(); StampOf(local) != StampOf(local.UTC()) {
		t.Error("the time zone makes a difference")
	}
}

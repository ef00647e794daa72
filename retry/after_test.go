package retry

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAfter(t *testing.T) {
	now := time.Date(1994, 11, 6, 8, 49, 7, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"0":                              0,
		"120":                            2 * time.Minute,
		" 120\t":                         2 * time.Minute,
		"007":                            7 * time.Second,
		"2592000":                        maxAfter,
		"2592001":                        maxAfter,
		"99999999999999999999999999":     maxAfter,
		strings.Repeat("9", 1<<16):       maxAfter,
		strings.Repeat("0", 99) + "1":    time.Second,
		"Sun, 06 Nov 1994 08:49:37 GMT":  30 * time.Second,
		"Sunday, 06-Nov-94 08:49:37 GMT": 30 * time.Second,
		"Sun Nov  6 08:49:37 1994":       30 * time.Second,
		"Sun, 06 Nov 1994 08:49:07 GMT":  0,
		"Sat, 05 Nov 1994 08:49:37 GMT":  0,
		"Mon, 01 Jan 0001 00:00:00 GMT":  0,
		"Fri, 31 Dec 9999 23:59:59 GMT":  maxAfter,
	} {
		if got, ok := After(value, now); !ok || got != want {
			t.Errorf("%.40q: %s, %v, want %s", value, got, ok, want)
		}
	}
	for _, value := range []string{
		"", " ", "-1", "+5", "1.5", "1e3", "0x10", "5s", "5 6", "1,2", "soon", "١٢",
		"Sun, 06 Nov 1994 08:49:37 PST", "Sun, 06 Nov 1994 08:49:37", "Sunday, 06-Nov-94 08:49:37 EST",
		"Sun, 32 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z",
	} {
		if got, ok := After(value, now); ok || got != 0 {
			t.Errorf("%q: %s, %v, want no time", value, got, ok)
		}
	}
}

func TestAfterReadsAnyDateItIsGiven(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 1, time.FixedZone("", 3600))
	rapid.Check(t, func(t *rapid.T) {
		at := now.Add(time.Duration(rapid.Int64Range(-1e16, 1e16).Draw(t, "ns"))).UTC().Truncate(time.Second)
		form := rapid.SampledFrom(dateForms[:]).Draw(t, "form")
		got, ok := After(at.Format(form), now)
		if want := min(max(at.Sub(now), 0), maxAfter); !ok || got != want {
			t.Fatalf("%s: %s, %v, want %s", at.Format(form), got, ok, want)
		}
	})
}

func TestAfterTakesWhateverComes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		if got, ok := After(value, time.Unix(1e9, 0)); got < 0 || got > maxAfter || !ok && got != 0 {
			t.Fatalf("%s, %v", got, ok)
		}
	})
}

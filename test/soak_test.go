package test

import (
	"os"
	"testing"
	"time"
)

// soak is for how long a test that has a long version may run, from the variable SOAK, such
// as 10m; 0 without it: then there is only the short version.
func soak(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("SOAK")
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatalf("SOAK=%q: want a time such as 10m", text)
	}
	return d
}

// soaking chooses between the short and the long version's figure.
func soaking[T any](t *testing.T, short, long T) T {
	t.Helper()
	if soak(t) > 0 {
		return long
	}
	return short
}

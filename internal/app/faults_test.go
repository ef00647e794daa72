package app

import (
	"testing"
	"time"
)

func TestAFaultThatRecursIsToldNowAndThen(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	var r recurring
	for i, s := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {0, 0}, {time.Second, 0}, {9 * time.Second, 3}, {time.Second, 0}, {time.Hour, 2}, {time.Hour, 1}} {
		now = now.Add(s.after)
		if got := r.again(now); got != s.want {
			t.Errorf("fault %d: %d, want %d", i, got, s.want)
		}
	}
}

func TestConnectionBound(t *testing.T) {
	a := &App{o: validOptions()} // 8192 connections and 4096 attempts
	for limit, want := range map[uint64]int{unlimited: 8192, 1 << 20: 8192, 8192 + 4096 + 1024: 8192, 8192 + 4096 + 1023: 3327, 1024: 256, 20: 16} {
		if got := a.connectionBound(limit); got != want {
			t.Errorf("%d files: %d connections, want %d", limit, got, want)
		}
	}
}

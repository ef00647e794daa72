package app

import (
	"testing"
	"time"

	"posthaste/event"
	"posthaste/wal"
)

func TestNothingIsRemovedByAClockThatWasJustSetAhead(t *testing.T) {
	const gap = 1000 * time.Hour
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	c := caution{gap: gap}
	for i, s := range []struct {
		after, by time.Duration // since the last look, and of the clock since the first
		want      bool
	}{
		{time.Minute, 0, true},
		{time.Minute, 59 * time.Minute, true},
		{time.Minute, 48 * time.Hour, false},
		{59 * time.Minute, 48 * time.Hour, false},
		{time.Minute, 48 * time.Hour, true},
		{time.Minute, 48*time.Hour - time.Second, true},
		{time.Minute, 8760 * time.Hour, false},
		{time.Minute, 8760*time.Hour - time.Second, false},
		{time.Minute, 0, true},
		{time.Minute, -48 * time.Hour, true},
	} {
		now = now.Add(s.after)
		if got := c.trusts(gap+s.by, now); got != s.want {
			t.Errorf("look %d, the clock is %s ahead: %v, want %v", i, s.by, got, s.want)
		}
	}
}

func TestKeepOf(t *testing.T) {
	server := wal.Keep{Payload: 7 * 24 * time.Hour, History: 30 * 24 * time.Hour, Keys: 24 * time.Hour}
	for name, c := range map[string]struct {
		config event.ProjectConfig
		want   wal.Keep
	}{
		"says nothing": {event.ProjectConfig{}, server},
		"payload": {
			event.ProjectConfig{Retention: event.RetentionConfig{Payload: 3600}},
			wal.Keep{Payload: time.Hour, History: server.History, Keys: server.Keys},
		},
		"payload beyond the server's history": {
			event.ProjectConfig{Retention: event.RetentionConfig{Payload: 90 * 86400}},
			wal.Keep{Payload: 90 * 24 * time.Hour, History: 90 * 24 * time.Hour, Keys: server.Keys},
		},
		"all": {
			event.ProjectConfig{IdempotencyWindow: 60, Retention: event.RetentionConfig{Payload: 3600, History: 7200, MaxBytes: 5}},
			wal.Keep{Payload: time.Hour, History: 2 * time.Hour, Keys: time.Minute, MaxBytes: 5},
		},
	} {
		if got := keepOf(server, &c.config); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

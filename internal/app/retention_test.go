package app

import (
	"testing"
	"time"

	"posthaste/event"
	"posthaste/wal"
)

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

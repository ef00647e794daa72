// Package wal is the log that posthaste stands on: events, the deliveries they
// owe, the attempts made, the timers of those that wait, and the catalog's
// records, in one Pebble store.
//
// Writers add to the group that is being built; one committer applies a group
// as one atomic batch, and one fsync makes all of it durable. What is committed
// is then handed on, in commit order, to the Sink: the log feeds the engine.
//
// FORMAT.md draws every key and record. This package alone imports pebble.
package wal

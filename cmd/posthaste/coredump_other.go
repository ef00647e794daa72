//go:build !linux

package main

// forbidCoreDumps does nothing here: what it does is Linux' own.
func forbidCoreDumps() error { return nil }

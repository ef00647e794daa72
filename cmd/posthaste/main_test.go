package main

import (
	"testing"

	"go.uber.org/goleak"
)

// Packages that the server is made of start goroutines when they are loaded.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }

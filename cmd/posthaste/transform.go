package main

import (
	"os"

	"posthaste/internal/app"
)

// transformCommand is the name of TransformCmd on the command line.
const transformCommand = "transform-worker"

// TransformCmd is a process that runs subscriptions' functions, away from the
// server: whatever they do, it costs that process only.
type TransformCmd struct{}

// Run ends when the server closes its input.
func (*TransformCmd) Run() error { return app.RunTransforms(os.Stdin, os.Stdout) }

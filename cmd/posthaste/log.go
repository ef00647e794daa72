package main

import (
	"errors"

	"github.com/alecthomas/kong"

	"posthaste/internal/app"
)

var errNegativeLimit = errors.New("--limit must be 0 or more")

// logCmd looks into a data directory. It writes nothing there.
type logCmd struct {
	Dump logDumpCmd `cmd:"" help:"Print the records of the log, oldest first."`
}

// logDumpCmd prints records for a person or, with --json, for a program.
type logDumpCmd struct {
	Data  string `env:"POSTHASTE_DATA" default:"./data" placeholder:"DIR" help:"Data directory (${default}). No server may have it open."`
	Limit int    `default:"0" placeholder:"N" help:"Print at most so many records; 0 for all of them."`
	JSON  bool   `name:"json" help:"One JSON object a line."`
}

// Validate checks the limit. The parser calls it.
func (c *logDumpCmd) Validate() error {
	if c.Limit < 0 {
		return errNegativeLimit
	}
	return nil
}

// Run prints the records.
func (c *logDumpCmd) Run(ctx *kong.Context) error {
	return app.Dump(ctx.Stdout, c.Data, app.DumpOptions{Limit: c.Limit, JSON: c.JSON})
}

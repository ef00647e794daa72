// Command posthaste is the webhook delivery engine, and what goes with it: a
// demonstration, a benchmark, a look into the log.
//
// This package is the only one that reads flags and the environment and that
// ends the process. Every sub-command has a file of its own.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"posthaste/internal/app"
)

// The exit codes. The last is EX_IOERR of sysexits.h: storage failed, and a
// service manager must not start the server again before somebody has looked.
const (
	exitOK      = 0
	exitError   = 1
	exitUsage   = 2
	exitStorage = 74
)

// cli is the command line.
type cli struct {
	Serve     serveCmd     `cmd:"" help:"Run the server."`
	Demo      DemoCmd      `cmd:"" help:"Show deliveries, and a receiver that fails and recovers, on this machine, without any setup."`
	Bench     BenchCmd     `cmd:"" help:"Measure this machine against the baselines and print a report."`
	BenchRole BenchRoleCmd `cmd:"" hidden:"" help:"One process of a benchmark, started by bench."`
	Transform TransformCmd `cmd:"" name:"transform-worker" hidden:"" help:"A process that runs subscriptions' functions, started by serve."`
	Config    configCmd    `cmd:"" help:"Check or print the configuration that serve would use."`
	Secrets   secretsCmd   `cmd:"" help:"Change the keys under which secrets are stored."`
	Log       logCmd       `cmd:"" help:"Look into the data directory of a stopped server."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
}

// usageError is a mistake of whoever wrote the command line, the environment or
// the configuration file.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// loggedError is an error that the log shows already.
type loggedError struct{ error }

func (e loggedError) Unwrap() error { return e.error }

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main without the exit.
func run(args []string, stdout, stderr io.Writer) int {
	parser, err := newParser(&cli{}, stdout, stderr)
	if err != nil {
		return report(stderr, err)
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		return report(stderr, usageError{err})
	}
	return report(stderr, ctx.Run())
}

func newParser(c *cli, stdout, stderr io.Writer) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("posthaste"),
		kong.Description("A webhook delivery engine in one binary.\n\n"+
			"A setting of serve is a flag, an environment variable or a key of the file given with --config, in this order."),
		kong.Writers(stdout, stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
}

// report prints err, unless it is shown already, and says how to exit.
func report(stderr io.Writer, err error) int {
	var usage usageError
	var logged loggedError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "posthaste: %v\nposthaste --help tells what there is.\n", err)
		return exitUsage
	case !errors.As(err, &logged):
		fmt.Fprintf(stderr, "posthaste: %v\n", err)
	}
	if errors.Is(err, app.ErrStorage) {
		return exitStorage
	}
	return exitError
}

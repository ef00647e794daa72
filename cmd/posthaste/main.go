// Command posthaste is the webhook delivery engine, a client of its API, and what goes
// with them: a demonstration, a benchmark, a look into the log.
//
// This package is the only one that reads flags and the environment and that
// ends the process. Every sub-command has a file of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"posthaste/bench"
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
	Send   sendCmd   `cmd:"" group:"use" help:"Send an event, or a file of them." example:"posthaste send --endpoint 01KAM4Z8V1V6W3J7C2Q9RZB5XN --type order.paid '{\"n\":1}'" another:"posthaste send --owner acme --type order.paid --file orders.ndjson.gz --idempotency line-hash"`
	Listen listenCmd `cmd:"" group:"use" help:"Receive webhooks on this machine, verify and print them." example:"posthaste listen --create --body" another:"posthaste listen --secret s3cret --status 500,500,200"`
	Replay replayCmd `cmd:"" group:"use" help:"Send events again that were accepted before." example:"posthaste replay --since 2h --type order.paid"`

	Project      projectCmd      `cmd:"" group:"manage" help:"Projects."`
	Endpoint     endpointCmd     `cmd:"" group:"manage" help:"Endpoints: where events are delivered to."`
	Subscription subscriptionCmd `cmd:"" group:"manage" help:"Subscriptions: which events an endpoint gets."`
	Event        eventCmd        `cmd:"" group:"manage" help:"Events: what was sent."`
	Delivery     deliveryCmd     `cmd:"" group:"manage" help:"Deliveries: what events owe to endpoints, and what was tried."`
	Key          keyCmd          `cmd:"" group:"manage" help:"API keys."`
	Source       sourceCmd       `cmd:"" group:"manage" help:"Sources: URLs where webhooks of others come in."`
	PortalLink   portalLinkCmd   `cmd:"" group:"manage" help:"Portal links: an owner's people look after their endpoints."`
	EventType    eventTypeCmd    `cmd:"" group:"manage" help:"The catalogue of event types."`
	Job          jobCmd          `cmd:"" group:"manage" help:"Jobs: batch retries and replays."`

	Serve     serveCmd     `cmd:"" group:"run" help:"Run the server."`
	Config    configCmd    `cmd:"" group:"run" help:"Check or print the configuration that serve would use."`
	Secrets   secretsCmd   `cmd:"" group:"run" help:"Change the keys under which secrets are stored."`
	Log       logCmd       `cmd:"" group:"run" help:"Look into the data directory of a stopped server."`
	Doctor    doctorCmd    `cmd:"" group:"run" help:"Say whether the data directory of a stopped server is whole, and what to do if not." example:"posthaste doctor --data /var/lib/posthaste"`
	Demo      DemoCmd      `cmd:"" group:"run" help:"Show deliveries, and a receiver that fails and recovers, on this machine, without any setup."`
	Bench     BenchCmd     `cmd:"" group:"run" help:"Measure this machine against the baselines and print a report." example:"posthaste bench --scenario single,latency --repeat 5" another:"posthaste bench --target http://127.0.0.1:5005 --project 01KAM4Z8V1V6W3J7C2Q9RZB5XN --key CO.key --scenario single,fanout"`
	BenchShow benchShowCmd `cmd:"" name:"bench-report" group:"run" help:"Show reports of bench again: one in full, several side by side." example:"posthaste bench-report first.json second.json third.json --html bench.html"`
	BenchRole BenchRoleCmd `cmd:"" group:"about" hidden:"" help:"One process of a benchmark, started by bench."`
	Transform TransformCmd `cmd:"" name:"transform-worker" group:"about" hidden:"" help:"A process that runs subscriptions' functions, started by serve."`

	Completion completionCmd `cmd:"" group:"about" help:"Print a script that completes this program's command line." example:"source <(posthaste completion bash)"`
	Complete   completeCmd   `cmd:"" group:"about" hidden:"" help:"What may come next, for the scripts of completion."`
	Version    versionCmd    `cmd:"" group:"about" help:"Print the version."`
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
	return newInvocation(stdout, stderr).run(args)
}

// run does what the arguments say and returns the exit code.
func (i *invocation) run(args []string) int {
	defer i.close()
	parser, err := newParser(&cli{}, i.stdout, i.stderr)
	if err != nil {
		return report(i.stderr, err)
	}
	ctx, err := parser.Parse(afterCommand(args))
	if err != nil {
		return report(i.stderr, usageError{err})
	}
	err = ctx.Run(i)
	if i.ctx != nil && i.ctx.Err() != nil && errors.Is(err, context.Canceled) && !errors.Is(err, errInterrupted) {
		err = errInterrupted
	}
	return report(i.stderr, err)
}

func newParser(c *cli, stdout, stderr io.Writer) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("posthaste"),
		kong.Description("A webhook delivery engine in one binary.\n\n"+
			"A setting of serve is a flag, an environment variable or a key of the file given with --config, in this order. "+
			"Commands that ask a server find it by --server or POSTHASTE_SERVER and show their key by POSTHASTE_KEY."),
		kong.Writers(stdout, stderr),
		kong.ExplicitGroups(helpGroups),
		kong.Vars{"scenarios": strings.Join(bench.ScenarioNames(), ",")},
		kong.PostBuild(shapeHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
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
		fmt.Fprintf(stderr, "posthaste: %s\n", cleanLines(err.Error()))
		if unread := (*kong.ParseError)(nil); errors.As(err, &unread) {
			fmt.Fprintln(stderr, "posthaste --help tells what there is.")
		}
		return exitUsage
	case !errors.As(err, &logged):
		fmt.Fprintf(stderr, "posthaste: %s\n", cleanLines(err.Error()))
		if hint := advice(err); hint != "" {
			fmt.Fprintln(stderr, hint)
		}
	}
	if errors.Is(err, app.ErrStorage) {
		return exitStorage
	}
	return exitError
}

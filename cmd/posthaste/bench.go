package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"posthaste/bench"
	benchreport "posthaste/bench/report"
)

// benchRoleCommand is the hidden sub-command that BenchRoleCmd is.
const benchRoleCommand = "bench-role"

// BenchCmd measures a server against baselines taken in the same run.
type BenchCmd struct {
	Scenario []string      `group:"measure" enum:"${scenarios}" placeholder:"NAME" help:"What to measure (all)."`
	List     bool          `group:"measure" help:"Print what can be measured, and end."`
	Repeat   int           `group:"measure" placeholder:"N" help:"Repeats; each is the baseline and then the scenario (3)."`
	Duration time.Duration `group:"measure" placeholder:"TIME" help:"Length of a measured phase (8s)."`
	Warmup   time.Duration `group:"measure" placeholder:"TIME" help:"Length of the warm-up before it (2s)."`
	Tail     time.Duration `group:"measure" placeholder:"TIME" help:"How long to wait for deliveries after the last request (60s)."`
	Quick    bool          `group:"measure" help:"One repeat of a second: shows that it works, not how fast it is."`

	Connections      int `group:"load" placeholder:"N" help:"Connections of the generator (128)."`
	BatchConnections int `group:"load" placeholder:"N" help:"Connections of the generator in batch and fanout (16)."`
	BatchSize        int `group:"load" placeholder:"N" help:"Events of a batch request (100)."`
	Endpoints        int `group:"load" placeholder:"N" help:"Endpoints (16)."`
	Fanout           int `group:"load" placeholder:"N" help:"Endpoints that one event goes to in fanout (100)."`
	Rate             int `group:"load" placeholder:"N" help:"Events a second in latency (half of what single reaches)."`
	NoisyEndpoints   int `group:"load" placeholder:"N" help:"Endpoints of noisy (100)."`
	IdleEndpoints    int `group:"load" placeholder:"N" help:"Endpoints with nothing to do, in idle (1000000)."`
	Stored           int `group:"load" placeholder:"N" help:"Deliveries that are stored, in growth (10000000)."`

	Size     []int  `group:"load" placeholder:"BYTES" help:"Size of an event's data (1024), or several, separated by commas, that events take turns with."`
	Payloads string `group:"load" type:"existingfile" placeholder:"FILE" help:"Post the events of this file instead, one JSON object a line: {\"event_type\",\"data\"} or data alone."`

	Fail bench.Mix `group:"load" placeholder:"MIX" help:"Per cents of the endpoints that misbehave while single, batch and fanout are measured, such as 500=5,hang=5,trickle=2,reset=1,429=2; deliveries to the others are counted (none)."`

	Owed   int    `group:"load" placeholder:"N" help:"Deliveries owed to one endpoint in outage and restart (5000000)."`
	Outage string `group:"load" placeholder:"KIND" help:"How that endpoint is down: 500, refused or hang (500)."`

	DataRoot string `type:"existingdir" placeholder:"DIR" help:"Where the server's data directory is made and removed again (the system's temporary directory)."`

	Target         string   `group:"target" placeholder:"URL" help:"Measure the Convoy-compatible server at this URL instead of starting one."`
	Project        string   `group:"target" placeholder:"ID" help:"The project that gets the endpoints and events."`
	Key            string   `group:"target" placeholder:"KEY" help:"An API key of the project."`
	Header         []string `group:"target" sep:"none" placeholder:"NAME:VALUE" help:"A header of every request to it. Repeatable."`
	ReceiverHost   string   `group:"target" placeholder:"HOST" help:"Address or name by which it reaches the receiver (127.0.0.1)."`
	ReceiverListen string   `group:"target" placeholder:"IP" help:"Address on which the receiver listens (--receiver-host, or all addresses if that is a name)."`

	CPUProfile string `name:"cpuprofile" group:"report" placeholder:"FILE" help:"Write a CPU profile of the server in the last measured phase."`
	JSON       bool   `name:"json" group:"report" help:"Print the report as JSON."`

	benchFiles
}

// Help says what the scenarios are.
func (*BenchCmd) Help() string {
	var text strings.Builder
	text.WriteString("Generator, receivers and server are processes of their own on this machine. Scenarios, in the order in which they run:\n\n")
	_ = writeScenarios(&text, "    ") // a builder never fails
	fmt.Fprintf(&text, "\nWith --target %s are measured at another server: what is made there is deleted at the end.", strings.Join(bench.TargetScenarios(), ", "))
	return text.String()
}

// writeScenarios writes a line for each scenario.
func writeScenarios(w io.Writer, indent string) error {
	for _, name := range bench.ScenarioNames() {
		if _, err := fmt.Fprintf(w, "%s%-10s %s\n", indent, name, bench.ScenarioAbout(name)); err != nil {
			return err
		}
	}
	return nil
}

// Run measures and prints the report. What was lost or forged is an error; a
// target that is missed is not.
func (c *BenchCmd) Run(cli *kong.Context) error {
	if c.List {
		return writeScenarios(cli.Stdout, "")
	}
	if err := c.check(); err != nil {
		return err
	}
	ctx, stop := untilSignal()
	defer stop()
	launcher, err := newLauncher()
	if err != nil {
		return err
	}
	report, err := bench.Run(ctx, c.options(launcher))
	if report != nil {
		report.Version, report.Command = benchVersion(), benchCommand(cli.Args)
		err = errors.Join(err, c.write(report))
	}
	if report == nil || len(report.Scenarios) == 0 {
		return errors.Join(err, printNotes(cli, report))
	}
	if c.JSON {
		return errors.Join(err, report.WriteJSON(cli.Stdout))
	}
	return errors.Join(err, report.WriteText(cli.Stdout))
}

func (c *BenchCmd) options(launcher bench.Launcher) bench.Options {
	o := bench.Options{
		Launcher:         launcher,
		Scenarios:        c.Scenario,
		Repeat:           c.Repeat,
		Duration:         c.Duration,
		Warmup:           c.Warmup,
		TailLimit:        c.Tail,
		Connections:      c.Connections,
		BatchConnections: c.BatchConnections,
		BatchSize:        c.BatchSize,
		Endpoints:        c.Endpoints,
		Fanout:           c.Fanout,
		Rate:             c.Rate,
		Owed:             c.Owed,
		Outage:           c.Outage,
		NoisyEndpoints:   c.NoisyEndpoints,
		Fail:             c.Fail,
		Payloads:         c.Payloads,
		IdleEndpoints:    c.IdleEndpoints,
		Stored:           c.Stored,
		DataRoot:         c.DataRoot,
		Target:           c.Target,
		Project:          c.Project,
		Key:              c.Key,
		Headers:          c.Header,
		ReceiverHost:     c.ReceiverHost,
		ReceiverListen:   c.ReceiverListen,
		CPUProfile:       c.CPUProfile,
		Quick:            c.Quick,
		Progress:         os.Stderr,
	}
	if len(c.Size) == 1 {
		o.PayloadBytes = c.Size[0]
	} else {
		o.Sizes = c.Size
	}
	return o
}

// printNotes says why nothing was measured.
func printNotes(cli *kong.Context, report *benchreport.Report) error {
	if report == nil {
		return nil
	}
	for _, note := range report.Notes {
		if _, err := fmt.Fprintln(cli.Stdout, "note:", note); err != nil {
			return err
		}
	}
	return nil
}

// BenchRoleCmd is one process of a measurement. Only bench starts it.
type BenchRoleCmd struct {
	Role string `arg:"" enum:"receiver,generator,nullpipe" help:"What the process is: ${enum}."`
}

// Run plays the role until stdin ends.
func (c *BenchRoleCmd) Run() error {
	ctx, stop := untilSignal()
	defer stop()
	return bench.RunRole(ctx, c.Role, os.Stdin, os.Stdout)
}

// newLauncher says how this program starts itself.
func newLauncher() (bench.Launcher, error) {
	binary, err := os.Executable()
	if err != nil {
		return bench.Launcher{}, fmt.Errorf("find the program: %w", err)
	}
	return bench.Launcher{Binary: binary, Role: []string{benchRoleCommand}, Serve: []string{"serve"}}, nil
}

// untilSignal is done when the process is told to stop.
func untilSignal() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

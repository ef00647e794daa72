package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
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
	Scenario []string      `placeholder:"NAME" help:"What to measure: single, batch, fanout, latency, noisy, ratelimit, space, idle, growth, outage, restart (all)."`
	Repeat   int           `placeholder:"N" help:"Repeats; each is the baseline and then the scenario (3)."`
	Duration time.Duration `placeholder:"TIME" help:"Length of a measured phase (8s)."`
	Warmup   time.Duration `placeholder:"TIME" help:"Length of the warm-up before it (2s)."`
	Tail     time.Duration `placeholder:"TIME" help:"How long to wait for deliveries after the last request (60s)."`
	Quick    bool          `help:"One repeat of a second: shows that it works, not how fast it is."`

	Connections      int `placeholder:"N" help:"Connections of the generator (128)."`
	BatchConnections int `placeholder:"N" help:"Connections of the generator in batch (16)."`
	BatchSize        int `placeholder:"N" help:"Events of a batch request (100)."`
	Endpoints        int `placeholder:"N" help:"Endpoints (16)."`
	Size             int `placeholder:"BYTES" help:"Size of an event's data (1024)."`

	IdleEndpoints int `placeholder:"N" help:"Endpoints with nothing to do, in idle (1000000)."`
	Stored        int `placeholder:"N" help:"Deliveries that are stored, in growth (10000000)."`

	DataRoot string `type:"existingdir" placeholder:"DIR" help:"Where the server's data directory is made and removed again (the system's temporary directory)."`

	Target       string `placeholder:"URL" help:"Measure the Convoy-compatible server at this URL instead of starting one."`
	Project      string `placeholder:"ID" help:"With --target: the project that gets the endpoints and events."`
	Key          string `placeholder:"KEY" help:"With --target: an API key of the project."`
	ReceiverHost string `placeholder:"IP" help:"Address the receiver listens on and is called by (127.0.0.1)."`

	CPUProfile string `name:"cpuprofile" placeholder:"FILE" help:"Write a CPU profile of the server in the last measured phase."`
	JSON       bool   `name:"json" help:"Print the report as JSON."`
}

// Run measures and prints the report. What was lost or forged is an error; a
// target that is missed is not.
func (c *BenchCmd) Run(cli *kong.Context) error {
	ctx, stop := untilSignal()
	defer stop()
	launcher, err := newLauncher()
	if err != nil {
		return err
	}
	report, err := bench.Run(ctx, c.options(launcher))
	if report == nil || len(report.Scenarios) == 0 {
		return errors.Join(err, printNotes(cli, report))
	}
	if c.JSON {
		return errors.Join(err, report.WriteJSON(cli.Stdout))
	}
	return errors.Join(err, report.WriteText(cli.Stdout))
}

func (c *BenchCmd) options(launcher bench.Launcher) bench.Options {
	return bench.Options{
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
		PayloadBytes:     c.Size,
		IdleEndpoints:    c.IdleEndpoints,
		Stored:           c.Stored,
		DataRoot:         c.DataRoot,
		Target:           c.Target,
		Project:          c.Project,
		Key:              c.Key,
		ReceiverHost:     c.ReceiverHost,
		CPUProfile:       c.CPUProfile,
		Quick:            c.Quick,
		Progress:         os.Stderr,
	}
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

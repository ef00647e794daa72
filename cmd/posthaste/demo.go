package main

import (
	"fmt"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"posthaste/bench"
)

// DemoCmd shows the main job on this machine, with nothing else installed.
type DemoCmd struct {
	Count    int           `default:"2000" placeholder:"N" help:"Events to post (${default})."`
	Payloads string        `type:"existingfile" placeholder:"FILE" help:"Post the events of this file, one {\"event_type\",\"data\"} a line, instead of the sample set."`
	FailFor  time.Duration `default:"3s" placeholder:"TIME" help:"How long one of the four endpoints answers 500 (${default})."`
	Timeout  time.Duration `default:"60s" placeholder:"TIME" help:"When to give up (${default})."`
	DataRoot string        `type:"existingdir" placeholder:"DIR" help:"Where the data directory is made and removed again (the system's temporary directory)."`
	Keep     bool          `help:"Leave it running, with a shop whose deliveries come and fail, for a look around in the console until Ctrl-C."`
}

// Run starts a server and receivers, posts events and prints what arrived. An
// event that is lost, unsigned or changed is an error.
func (c *DemoCmd) Run(cli *kong.Context) error {
	ctx, stop := untilSignal()
	defer stop()
	launcher, err := newLauncher()
	if err != nil {
		return err
	}
	samples, err := c.samples()
	if err != nil {
		return err
	}
	_, err = bench.Demo(ctx, bench.DemoOptions{
		Launcher: launcher,
		Samples:  samples,
		Count:    c.Count,
		FailFor:  c.FailFor,
		Timeout:  c.Timeout,
		Keep:     c.Keep,
		DataRoot: c.DataRoot,
		Out:      cli.Stdout,
		Progress: os.Stderr,
	})
	return err
}

// samples reads the file of --payloads; nil stands for the sample set.
func (c *DemoCmd) samples() ([]bench.Sample, error) {
	if c.Payloads == "" {
		return nil, nil
	}
	f, err := os.Open(c.Payloads)
	if err != nil {
		return nil, fmt.Errorf("--payloads: %w", err)
	}
	defer f.Close()
	samples, err := bench.ReadSamples(f)
	if err != nil {
		return nil, fmt.Errorf("--payloads %s: %w", c.Payloads, err)
	}
	return samples, nil
}

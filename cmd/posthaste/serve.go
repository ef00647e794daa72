package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/rs/zerolog"

	"posthaste/internal/app"
)

// serveCmd runs the server until a signal or a failed disk ends it.
type serveCmd struct{ settings }

// Run opens the keys, then the server.
func (c *serveCmd) Run(ctx *kong.Context) error {
	setProcs()
	log, err := newLogger(os.Stderr, c.LogLevel, c.LogFormat)
	if err != nil {
		return err
	}
	if !c.CoreDumps {
		if err := forbidCoreDumps(); err != nil {
			log.Warn().Err(err).Msg("core dumps, which would hold secrets, cannot be turned off")
		}
	}
	keys, err := openSecrets(c.Data, os.Getenv(rootKeyVariable))
	if err != nil {
		return err
	}
	if keys.generated {
		// On stdout and never in the log, which is kept and shipped around.
		fmt.Fprintf(ctx.Stdout, "Instance key, shown this once and kept in %s/%s:\n%s\n", c.Data, instanceKeyFile, keys.instanceKey)
	}
	if err := c.serve(keys, log); err != nil {
		log.Error().Err(err).Msg("posthaste ends")
		return loggedError{err}
	}
	log.Info().Msg("stopped")
	return nil
}

// serve runs the server and returns when it has stopped.
func (c *serveCmd) serve(keys secrets, log zerolog.Logger) error {
	signals := make(chan os.Signal, 3)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	fatal := make(chan error, 1)

	o := c.options()
	o.InstanceKey, o.Pepper, o.SecretKeys = keys.instanceKey, keys.pepper, keys.secretKeys
	if err := c.files(&o); err != nil {
		return err
	}
	o.ReadSecretKeys = func() ([]byte, error) {
		text, err := readKeyFile(filepath.Join(c.Data, secretKeysFile))
		return []byte(text), err
	}
	o.Version, _ = buildVersion()
	o.Logger = log
	o.OnFatal = func(err error) { fatal <- err } // at most once, by its contract
	if o.Durability == app.DurabilityRelaxed {
		log.Warn().Msg("durability is relaxed: a power cut may lose events that were acknowledged in the last moments")
	}
	a, err := app.New(o)
	if err != nil {
		return err
	}
	r := runner{server: a, signals: signals, hangups: hangups, fatal: fatal, timeout: o.ShutdownTimeout, log: log}
	r.ready = func() {
		log.Info().Str("version", o.Version).Str("data", o.DataDir).Str("api", a.Addr()).Str("admin", a.AdminAddr()).Str("console", a.ConsoleAddr()).Msg("serving")
	}
	return r.run()
}

// files reads what settings name files for, and finds this program, which runs
// subscriptions' functions as processes of their own.
func (c *serveCmd) files(o *app.Options) (err error) {
	if c.CAFile != "" {
		if o.ExtraCAs, err = os.ReadFile(c.CAFile); err != nil {
			return fmt.Errorf("--ca-file: %w", err)
		}
	}
	if c.EgressProxyAuthFile != "" {
		if o.EgressProxyAuth, err = readKeyFile(c.EgressProxyAuthFile); err != nil {
			return fmt.Errorf("--egress-proxy-auth-file: %w", err)
		}
	}
	self := "/proc/self/exe" // this very program, also after its file was replaced
	if _, err := os.Stat(self); err != nil {
		if self, err = os.Executable(); err != nil {
			return fmt.Errorf("find this program's own file: %w", err)
		}
	}
	o.TransformCommand = []string{self, transformCommand}
	return nil
}

// server is what a runner runs.
type server interface {
	Start(ctx context.Context) error // returns when it serves; the end of ctx gives up
	Stop(ctx context.Context) error  // returns when it has stopped; the end of ctx cuts attempts short
	Reload() error                   // reads again what can be read again; may be called between the two
}

// runner starts a server, waits for a reason to stop it and stops it.
//
// The first signal stops it gracefully, the second cuts attempts short, the
// third leaves at once. SIGHUP has it read again what can be. A failure of the store stops it without grace: what
// attempts end with could not be recorded.
type runner struct {
	server  server
	signals <-chan os.Signal
	hangups <-chan os.Signal
	fatal   <-chan error
	timeout time.Duration
	ready   func()
	log     zerolog.Logger
}

// errAbandoned: the process ends while the server is still at work. Nothing that
// was acknowledged is lost; attempts on their way are made again.
var errAbandoned = errors.New("left at once, as asked by a further signal")

func (r *runner) run() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	started := make(chan error, 1)
	go func() { started <- r.server.Start(ctx) }()
	select {
	case err := <-started:
		if err != nil {
			return err
		}
	case s := <-r.signals:
		r.log.Info().Stringer("signal", s).Msg("stopping before the start is complete")
		return r.giveUp(cancel, started)
	case err := <-r.fatal: // the start waits for the store, and would for good
		return storageFailure(err)
	}
	r.ready()
	for {
		select {
		case <-r.hangups:
			go r.reload() // a store that has failed may keep it for good
		case s := <-r.signals:
			r.log.Info().Stringer("signal", s).Stringer("timeout", r.timeout).Msg("stopping: no new events, attempts on their way may end")
			return r.stop(r.timeout, nil)
		case err := <-r.fatal:
			return r.stop(0, storageFailure(err))
		}
	}
}

func (r *runner) reload() {
	if err := r.server.Reload(); err != nil {
		r.log.Error().Err(err).Msg("SIGHUP: nothing has changed")
	}
}

// giveUp ends a start that is under way. The start may have succeeded just
// before, so what runs is stopped; an interrupted start is not an error.
func (r *runner) giveUp(cancel context.CancelFunc, started <-chan error) error {
	cancel()
	select {
	case err := <-started:
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		return r.stop(0, nil)
	case <-r.signals:
		return errAbandoned
	case err := <-r.fatal:
		return storageFailure(err)
	}
}

// stop stops the server: gracefully until the timeout or the next signal, then
// without grace. A failure of the store, before or meanwhile, may leave somebody
// waiting for it for good: then the stop has failurePatience, and no more.
func (r *runner) stop(timeout time.Duration, failure error) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- r.server.Stop(ctx) }()
	var patience <-chan time.Time
	if failure != nil {
		patience = time.After(failurePatience)
	}
	for cut := false; ; {
		select {
		case err := <-stopped:
			return errors.Join(failure, err)
		case s := <-r.signals:
			if cut {
				return errors.Join(failure, errAbandoned)
			}
			r.log.Warn().Stringer("signal", s).Msg("second signal: attempts on their way are cut short and will be made again")
			cut = true
			cancel()
		case err := <-r.fatal:
			failure = storageFailure(err)
			cancel()
			patience = time.After(failurePatience)
		case <-patience:
			return errors.Join(failure, errStuck)
		}
	}
}

// failurePatience is how long a stop may take once the store has failed.
const failurePatience = 5 * time.Second

var errStuck = errors.New("the rest did not stop, and was left")

func storageFailure(err error) error { return fmt.Errorf("%w: %w", app.ErrStorage, err) }

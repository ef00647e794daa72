package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"posthaste/catalog"
	"posthaste/engine"
	"posthaste/internal/lifecycle"
	"posthaste/internal/netguard"
	"posthaste/internal/seal"
	"posthaste/internal/steady"
	"posthaste/jobs"
	"posthaste/live"
	"posthaste/oauth"
	"posthaste/sender"
	"posthaste/transform"
	"posthaste/wal"
)

// App is one server.
type App struct {
	o     Options
	log   zerolog.Logger
	m     *meters
	group *lifecycle.Group

	// Set by the stages as they start, in this order.
	admin     *adminServer
	wal       *wal.Log
	catalog   *catalog.Catalog
	sender    *sender.Sender
	functions *transform.Runner // nil: no functions
	engine    *engine.Engine
	jobs      *jobs.Runner
	api       *apiServer
	// management is the API beside the intake, as its listener and the console serve it.
	management http.Handler
	console    *consoleServer // nil: no console
	live       *live.Hub

	disk       *disk
	challenges chan challenge // that keepNotes writes
	blocks     *blocks
	sealing    sealing

	faults struct{ accept, attempt recurring }

	started     time.Time     // when New was called
	clock       *steady.Clock // the log's, of the machine's
	clockGap    time.Duration // of the machine's clocks when the process began
	awaitsClock atomic.Bool   // the start waits until the machine's clock is set

	ready   atomic.Bool // takes events
	fatal   sync.Once
	failure atomic.Pointer[error]
}

// New checks the options and builds a server that does nothing yet.
func New(o Options) (*App, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	a := &App{o: o, log: o.Logger, m: newMeters(o.Version), disk: newDisk(max(0, o.DiskReserve)), challenges: make(chan challenge, maxChallenges), blocks: newBlocks(), started: time.Now(), clock: steady.New()}
	a.sealing.wake = make(chan struct{}, 1)
	a.clockGap = a.clock.Gap()
	a.m.watchClock(a.clock)
	a.live = live.New(live.Options{MaxStreams: o.MaxStreams, Flush: func() error { return a.wal.Flush() }})
	a.m.watchStreams(a.live)
	a.group = lifecycle.NewGroup(a.observe)
	// Stop runs in the reverse order, which is the order of the data:
	// intake ─► engine and its attempts ─► log. Health is answered to the last.
	a.group.Add("admin listener", lifecycle.NewFunc(a.startAdmin, a.stopAdmin))
	a.group.Add("log", lifecycle.NewFunc(a.startLog, a.stopLog))
	a.group.Add("clock", lifecycle.NewFunc(a.awaitClock, nil))
	a.group.Add("engine", lifecycle.NewFunc(a.startEngine, a.stopEngine))
	a.group.Add("disk", lifecycle.NewLoop("disk", a.watchDisk))
	a.group.Add("batch jobs", lifecycle.NewFunc(a.startWork, a.stopWork))
	a.group.Add("clock watch", lifecycle.NewLoop("clock watch", a.watchClock))
	a.group.Add("retention", lifecycle.NewLoop("retention", a.retain))
	a.group.Add("sealing", lifecycle.NewLoop("sealing", a.keepSealed))
	a.group.Add("notes", lifecycle.NewLoop("notes", a.keepNotes))
	a.group.Add("API listener", lifecycle.NewFunc(a.startAPI, a.stopAPI))
	a.group.Add("console listener", lifecycle.NewFunc(a.startConsole, a.stopConsole))
	a.group.Add("streams", lifecycle.NewFunc(nil, a.stopStreams))
	return a, nil
}

// stopStreams tells all who listen that it is over: nothing else waits for them.
func (a *App) stopStreams(context.Context) error {
	a.live.Close()
	return nil
}

// slowStep is how long a stage may take to start or stop before it is worth a
// line in the log.
const slowStep = time.Second

func (a *App) observe(s lifecycle.Step) {
	line := a.log.Debug()
	if s.Took > slowStep {
		line = a.log.Info()
	}
	line.Str("stage", s.Stage).Stringer("took", s.Took).Err(s.Err).Msg(s.Verb)
}

// Start opens the log, recovers what was owed, and serves. When it fails,
// nothing is left running. An error that is ErrStorage came of the log.
func (a *App) Start(ctx context.Context) error {
	if err := a.group.Start(ctx); err != nil {
		return err
	}
	a.ready.Store(true)
	return nil
}

// Stop takes no more events, lets the attempts on their way end, writes their
// outcomes and closes the log. When ctx ends, attempts are cut short; they are
// made again after the next start. After a failure of the store it returns that at
// once: there is nothing left that could be written.
func (a *App) Stop(ctx context.Context) error {
	a.ready.Store(false)
	if err := a.failure.Load(); err != nil {
		return *err
	}
	// A stage whose time is over has been told so, and must still be waited for:
	// the log may not close under it.
	err := a.group.Stop(ctx)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = a.group.Stop(context.Background())
	}
	return err
}

// Addr is the API's address, once started.
func (a *App) Addr() string { return a.api.listener.Addr().String() }

// AdminAddr is the admin listener's address, once started.
func (a *App) AdminAddr() string { return a.admin.listener.Addr().String() }

func (a *App) startLog(context.Context) (err error) {
	a.wal, err = wal.Open(wal.Options{
		Dir:           a.o.DataDir + "/log",
		Partitions:    a.o.Partitions,
		Relaxed:       a.o.Durability == DurabilityRelaxed,
		CacheBytes:    a.o.CacheBytes,
		MemTableBytes: uint64(a.o.MemtableBytes),
		CreatedBy:     "posthaste " + a.o.Version,
		Logger:        a.log,
		Sink:          &sink{a},
		Tail:          a.live,
		OnFatal:       a.storageFailed,
		Observe:       a.committed,
		BallastBytes:  max(0, a.o.DiskBallast),
		OnRefused:     a.diskRefused,
		Clock:         a.clock,
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, a.explained(err))
	}
	a.m.watchLog(a.wal)
	a.m.watchDisk(a.disk)
	return nil
}

func (a *App) stopLog(context.Context) error {
	if err := a.wal.Close(); err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return nil
}

// storageFailed is called by the log when a write or an fsync failed. What was
// not acknowledged by now never will be. It does not return, as the log asks:
// the process is to end, and everything that waits for the log waits until then.
func (a *App) storageFailed(err error) {
	err = fmt.Errorf("%w: %w", ErrStorage, a.explained(err))
	a.failure.CompareAndSwap(nil, &err)
	a.ready.Store(false)
	a.fatal.Do(func() { a.o.OnFatal(err) })
	select {}
}

func (a *App) startEngine(ctx context.Context) (err error) {
	guard := a.guard()
	if err = a.openCatalog(ctx, guard); err != nil {
		return err
	}
	trust, err := a.trust()
	if err != nil {
		return err
	}
	a.startFunctions()
	a.sender = sender.New(sender.Options{
		TLSConfig:            trust,
		Guard:                guard,
		Dial:                 netguard.DialerOptions{Proxy: a.o.proxy()},
		UserAgent:            "posthaste/" + a.o.Version,
		MaxResponseBodyBytes: a.o.ResponseBodyBytes,
		MaxConnsPerEndpoint:  a.o.EndpointConcurrency,
	})
	a.engine, err = engine.New(engine.Options{
		Store:       a.wal,
		Catalog:     a.catalog,
		Sender:      a.sender,
		NewPool:     newPool,
		MaxInFlight: a.o.MaxInFlight,
		EndpointCap: a.o.EndpointConcurrency,
		Window:      a.o.EndpointWindow,
		QueueBytes:  a.o.QueueBytes,
		Transform:   a.transformer(),
		Hooks:       a.hooks(),
		Logger:      a.log,
	})
	if err == nil {
		a.lookAtDisk(time.Now()) // before the first attempt
		err = a.engine.Start(ctx)
	}
	if err != nil {
		a.sender.Close()
		a.stopFunctions()
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	a.m.watchEngine(a.engine, a.sender)
	return nil
}

func newPool(size int, run func(*engine.Shard)) (engine.Pool, error) {
	return sender.NewPool(size, run)
}

func (a *App) openCatalog(ctx context.Context, guard *netguard.Policy) error {
	keys, err := seal.ParseKeyFile(a.o.SecretKeys)
	if err != nil {
		return err
	}
	box, err := seal.Open(keys)
	if err != nil {
		return err
	}
	a.catalog, err = catalog.Open(a.wal, catalog.Options{
		Pepper:      a.o.Pepper,
		InstanceKey: a.o.InstanceKey,
		URLPolicy:   urlPolicy(guard),
		CheckOAuth2: oauth.Check,
		Seal:        box,
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	a.m.watchCatalog(a.catalog)
	if err := a.resealAtStart(ctx, keys); err != nil {
		return err
	}
	return a.recordRun("server.start")
}

// trust is what https endpoints are trusted by; nil is the system's roots.
func (a *App) trust() (*tls.Config, error) {
	if len(a.o.ExtraCAs) == 0 {
		return nil, nil
	}
	roots, err := sender.RootsWith(a.o.ExtraCAs)
	if err != nil {
		return nil, fmt.Errorf("--ca-file: %w", err)
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, nil
}

func (a *App) stopEngine(ctx context.Context) error {
	err := a.engine.Stop(ctx)
	a.sender.Close()
	a.stopFunctions()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return nil
}

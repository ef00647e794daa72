package bench

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/klauspost/compress/zstd"

	"posthaste/bench/report"
)

// spaceFillLimit bounds the time in which a store is filled.
const spaceFillLimit = 2 * time.Minute

// filledStore is a store that was filled, and what it takes.
type filledStore struct {
	phase   *Phase
	live    diskUse // before the server was stopped
	use     diskUse // at the end
	settled bool    // nothing changed any more
	debt    float64 // bytes that the server says are left to compact
	hasDebt bool
	took    time.Duration // to settle, the restart included
	zstd    float64       // what zstd makes of the payloads, as a share of their size
}

// fill posts one kind of payload to a server of its own, and sees what its files
// take when it has come to rest. What was filled may come with an error: events
// were lost.
func (r *runner) fill(ctx context.Context, size spaceSize, kind spaceKind, label string) (_ *filledStore, err error) {
	l, err := r.newLeg(ctx)
	if err != nil {
		return nil, err
	}
	defer l.end(&err)
	dir, err := os.MkdirTemp(r.DataRoot, "data-*")
	if err != nil {
		return nil, err
	}
	l.undo = append(l.undo, func() error { return os.RemoveAll(dir) })
	server, err := r.StartServer(ctx, dir)
	if err != nil {
		return nil, err
	}
	l.undo = append(l.undo, func() error { return server.Stop() }) // of whichever runs then
	load, err := l.furnish(ctx, server, ModeBatch)
	if err != nil {
		return nil, err
	}
	kind.adjust(&load)
	if err := load.open(); err != nil {
		return nil, err
	}
	f := &filledStore{}
	if f.zstd, err = compressed(&load, zstd.SpeedFastest); err != nil {
		return nil, err
	}
	if f.phase, err = l.fill(ctx, load, size.bytes, label); err != nil {
		return nil, err
	}
	if err := f.phase.Check(); err != nil {
		return f, err
	}
	if err := size.awaitRecorded(ctx, server.AdminURL, f.phase.Receipts.Published); err != nil {
		return nil, err
	}
	task := r.progress.Start(label+" settles, bytes", 0)
	if err := f.rest(ctx, r, size, &server, task.Set); err != nil {
		task.Finish("")
		return f, err
	}
	task.Finish(fmt.Sprintf("%.3f bytes on disk for each of payload", f.per(f.use.Total())))
	return f, nil
}

// furnish makes a project with its endpoints in a server that is empty.
func (l *leg) furnish(ctx context.Context, server *Server, mode Mode) (load Load, err error) {
	l.rig.server = server.child.pid()
	root := NewClient(server.URL, server.RootKey)
	defer root.Close()
	load = l.r.load(mode, server.URL)
	if load.Project, load.Key, err = root.CreateProject(ctx, "bench"); err != nil {
		return load, err
	}
	client := NewClient(server.URL, load.Key)
	defer client.Close()
	load.Endpoints, err = l.createEndpoints(ctx, client, load.Project)
	return load, err
}

// fill posts so many bytes of payload and waits for their deliveries.
func (l *leg) fill(ctx context.Context, load Load, bytes int, label string) (*Phase, error) {
	gen, err := l.r.startRole(ctx, RoleGenerator, roleConfig{Load: &load})
	if err != nil {
		return nil, err
	}
	l.undo = append(l.undo, gen.stop)
	l.rig.generator = gen
	burst := Burst{First: measuredFirst, Max: max(bytes/load.meanBytes(), 1), For: spaceFillLimit}
	task := l.r.progress.Start(label, burst.Max)
	p, err := l.rig.phase(ctx, burst, l.r.TailLimit, task.Set)
	if err != nil {
		task.Finish("")
		return nil, err
	}
	task.Set(p.Receipts.Delivered)
	task.Finish(fmt.Sprintf("%d delivered in %.2f s, %.0f/s", p.Receipts.Delivered, p.Seconds(), p.Rate()))
	return p, nil
}

// rest lets the store come to rest as it would with any user: left alone, and
// through a clean stop and a start, which writes what is only in the log into
// tables. server is then the one that runs.
func (f *filledStore) rest(ctx context.Context, r *runner, size spaceSize, server **Server, watch func(bytes int)) error {
	start, dir := time.Now(), (*server).DataDir
	var err error
	if f.live, _, err = size.settle(ctx, dir, watch); err != nil {
		return err
	}
	if err := (*server).Stop(); err != nil {
		return err
	}
	next, err := r.StartServer(ctx, dir)
	if err != nil {
		return err
	}
	*server = next
	if f.use, f.settled, err = size.settle(ctx, dir, watch); err != nil {
		return err
	}
	f.took = time.Since(start)
	f.debt, f.hasDebt, err = adminMetric(ctx, next.AdminURL, "posthaste_pebble_compaction_debt_bytes")
	return err
}

// per is bytes on disk for each byte of payload.
func (f *filledStore) per(bytes int64) float64 {
	return float64(bytes) / float64(max(f.phase.Burst.PayloadBytes, 1))
}

// known reports whether the store was looked at in the end.
func (f *filledStore) known() bool { return f.use.Total() > 0 }

// run is the repeat of the row.
func (f *filledStore) run() report.Run {
	p := f.phase
	run := newRun(&Phase{}, p)
	run.Value, run.Ratio = f.per(f.use.Total()), f.per(f.use.Total())
	run.BaselineValue = float64(p.Burst.PayloadBytes)
	return run
}

// tell adds the figures of one kind.
func (f *filledStore) tell(kind string, to *medians) {
	if !f.known() {
		return
	}
	to.add(kind, f.per(f.use.Total()), bytesPerByte)
	to.add(kind+" without logs", f.per(f.use.Total()-f.use.Logs), bytesPerByte)
	to.add(kind+" before the restart", f.per(f.live.Total()), bytesPerByte)
	to.add(kind+" compressed by zstd alone", f.zstd, bytesPerByte)
	to.add(kind+" tables", float64(f.use.Tables), "bytes")
	to.add(kind+" blob files", float64(f.use.Blobs), "bytes")
	to.add(kind+" logs", float64(f.use.Logs), "bytes")
	to.add(kind+" logs before the restart", float64(f.live.Logs), "bytes")
	to.add(kind+" other files", float64(f.use.Other), "bytes")
	to.add(kind+" time to settle", f.took.Seconds(), "s")
	if f.hasDebt {
		to.add(kind+" left to compact", f.debt, "bytes")
	}
	if !f.settled {
		to.add(kind+" still changing at the end", 1, "repeats")
	}
}

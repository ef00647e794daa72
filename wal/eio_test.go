package wal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"posthaste/event"
	"posthaste/wal/waltest"
)

// failOpVariable makes the test program run a log on a disk of which one operation
// fails with EIO: "12 once" is the twelfth write alone, "12 on" all from there on.
const failOpVariable = "WAL_TEST_FAIL_OP"

// How the program ends then. The first is a server's code, see OnFatal; 2 is a panic
// that nobody caught.
const (
	exitFinal    = failExitCode
	exitSurvived = 0
	exitRefused  = 10 // Open returned an error
	exitBroken   = 11 // a promise was broken
	exitNoFault  = 12 // there are not so many operations
)

// failedRun is a log whose disk fails, and those who use it.
type failedRun struct {
	disk   *waltest.Disk
	nth    int64
	on     bool
	failed chan waltest.Op // the operations that failed
	fatal  chan error      // what OnFatal was told; the goroutine that told it is kept

	mu    sync.Mutex // guards what is below
	acked []event.Event
	revs  uint64 // of the catalog's record
}

// patience is how long a run may take before it counts as one that hangs.
const patience = 2 * time.Minute

func failOp(spec string) {
	r := &failedRun{disk: waltest.NewDisk(), failed: make(chan waltest.Op, 1<<16), fatal: make(chan error, 64)}
	var how string
	if _, err := fmt.Sscan(spec, &r.nth, &how); err != nil {
		panic(err)
	}
	r.on = how == "on"
	time.AfterFunc(patience, func() {
		buf := make([]byte, 1<<20)
		panic(fmt.Sprintf("it hangs: %s", buf[:runtime.Stack(buf, true)]))
	})
	r.disk.Before(func(op waltest.Op) error {
		if op.Write && (op.N == r.nth || r.on && op.N > r.nth) {
			r.failed <- op
			return syscall.EIO
		}
		return nil
	})
	code, err := r.run()
	op := waltest.Op{Path: "/none"}
	select {
	case op = <-r.failed:
	default:
		if code == exitSurvived {
			code = exitNoFault
		}
	}
	fmt.Printf("%s\t%s\t%v\n", op.File(), op.What(), err)
	os.Exit(code)
}

// run works until all is done or the log has failed, and checks what is left then.
func (r *failedRun) run() (int, error) {
	o := testOptions(r.disk.FS())
	o.MemTableBytes, o.tablePatience = 24<<10, 300*time.Millisecond
	o.OnFatal = func(err error) {
		r.fatal <- err
		select {} // as a server does, until the process ends
	}
	code, err := r.work(o)
	r.disk.Before(nil)
	for _, percent := range []int{100, 0} { // the disk as it is, and after a power cut on top
		o.FS = r.disk.PowerCut(1, percent).FS()
		if verr := r.verify(o); verr != nil {
			return exitBroken, fmt.Errorf("with %d%% of what was not synced: %w (after: %v)", percent, verr, err)
		}
	}
	return code, err
}

func (r *failedRun) work(o Options) (int, error) {
	var l *Log
	err, ended := r.do(func() (err error) { l, err = Open(o); return err })
	if ended {
		return exitFinal, err
	}
	if err != nil {
		return exitRefused, err
	}
	err, ended = r.do(func() error { return r.use(l) })
	closing := !ended && err == nil
	if closing {
		err, ended = r.do(l.Close)
	}
	switch {
	case ended:
		return r.refused(l, err)
	case closing && errors.Is(err, syscall.EIO): // who closes learns it
		return exitFinal, err
	case err != nil:
		return exitBroken, fmt.Errorf("an error, and OnFatal was not told: %w", err)
	}
	return exitSurvived, nil
}

// do returns f's error, or what OnFatal was told if that came first.
func (r *failedRun) do(f func() error) (err error, ended bool) {
	result := make(chan error, 1)
	go func() { result <- f() }()
	select {
	case err = <-result:
	case err = <-r.fatal:
		r.fatal <- err
		select { // what was decided before may still be on its way
		case <-result:
		case <-time.After(100 * time.Millisecond):
		}
		return err, true
	}
	if err == nil {
		return nil, false
	}
	select { // a writer may hear of it before the owner
	case fatal := <-r.fatal:
		r.fatal <- fatal
		return fatal, true
	case <-time.After(2 * time.Second):
		return err, false
	}
}

// refused checks that a log that has failed takes nothing any more.
func (r *failedRun) refused(l *Log, cause error) (int, error) {
	if !errors.Is(cause, syscall.EIO) && !strings.Contains(cause.Error(), syscall.EIO.Error()) {
		return exitBroken, fmt.Errorf("OnFatal was told %w", cause)
	}
	s := attempted(event.Delivery{ID: event.DeliveryID(goldenClock, 1, 1)}, event.Success)
	for name, f := range map[string]func() error{
		"Append":  func() error { return l.Append(context.Background(), []event.Submission{post(idOf(1), "x", idOf(2))}) },
		"Settle":  func() error { return l.Settle(&s) },
		"SetMark": func() error { return l.SetMark(event.Mark{Watermark: 1}) },
		"Flush":   l.Flush,
	} {
		result := make(chan error, 1)
		go func() { result <- f() }()
		select {
		case err := <-result:
			if err == nil {
				return exitBroken, fmt.Errorf("%s succeeded after the failure", name)
			}
		case <-time.After(10 * time.Second):
			return exitBroken, fmt.Errorf("%s hangs after the failure", name)
		}
	}
	return exitFinal, cause
}

// use does a bit of everything, with flushes and compactions on the way.
func (r *failedRun) use(l *Log) error {
	if _, err := tryRecover(l); err != nil {
		return err
	}
	var open []event.Delivery
	for i := range 36 {
		subs := []event.Submission{post(idOf(1), fmt.Sprintf("%d %0900d", i, i), idOf(2), idOf(3))}
		subs[0].Event.IdempotencyKey = fmt.Sprint(i)
		if err := l.Append(context.Background(), subs); err != nil {
			return err
		}
		r.mu.Lock()
		r.acked = append(r.acked, subs[0].Event)
		r.mu.Unlock()
		open = append(open, subs[0].Event.Owed...)
		for len(open) > 3 {
			s := attempted(open[0], []event.Status{event.Success, event.Retry, event.Failure}[i%3])
			if err := l.Settle(&s); err != nil {
				return err
			}
			open = open[1:]
		}
		if i%6 == 5 {
			if err := r.useMore(l, i, open[0].ID.Time()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *failedRun) useMore(l *Log, i int, mark uint64) error {
	if err := l.SetMark(event.Mark{Watermark: mark, Health: []event.Health{{Endpoint: idOf(2), Failures: i % 2}}}); err != nil {
		return err
	}
	if err := l.Flush(); err != nil {
		return err
	}
	if err := l.CASCatalog([]event.CatalogRecord{rec('p', 1, r.revs+1, fmt.Sprint(i))}); err != nil {
		return err
	}
	r.mu.Lock()
	r.revs++
	r.mu.Unlock()
	if i == 17 {
		l.endStretches()
		poke(l.index)
		return l.db.Flush()
	}
	return l.PutJob(job(1, uint64(i), event.JobRunning))
}

// verify: what was acknowledged is there.
func (r *failedRun) verify(o Options) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	o.OnFatal = func(err error) { panic(err) }
	l, err := Open(o)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	found, err := tryRecover(l)
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	again, err := foundAgain(l, found)
	if err != nil {
		return err
	}
	for i := range r.acked {
		want := &r.acked[i]
		got, err := l.Event(want.ProjectID, want.ID)
		if err != nil {
			return fmt.Errorf("acknowledged event %d: %w", i, err)
		}
		if err := sameEvent(got, want); err != nil {
			return err
		}
		for k := range want.Owed {
			d, err := l.Delivery(want.ProjectID, want.Owed[k].ID)
			if err != nil || d.Status.Owed() != again[d.ID] {
				return fmt.Errorf("delivery %s is %s, found by recovery: %v: %w", d.ID, d.Status, again[d.ID], err)
			}
		}
	}
	rev, err := l.revision(appendCatalogKey(nil, 'p', idOf(1)))
	if err != nil || rev < r.revs {
		return fmt.Errorf("the catalog's record has revision %d, %d was acknowledged: %w", rev, r.revs, err)
	}
	return l.Close()
}

// endings counts how runs ended, by the file whose operation failed.
type endings struct {
	mu    sync.Mutex
	count map[string]int
	over  bool // the last run had no fault any more
}

// TestEveryWriteThatFails fails each write, creation, sync, renaming and removal of a
// log's disk with EIO, alone and with all that follow, in a process of its own, and
// looks how that ends: the process goes on, or it ends with a server's code for a
// failed store. Never is anything acknowledged that is lost afterwards, and never
// afterwards is anything acknowledged.
func TestEveryWriteThatFails(t *testing.T) {
	every := int64(1)
	if testing.Short() {
		every = 9
	}
	e := &endings{count: map[string]int{}}
	var wg sync.WaitGroup
	slots := make(chan bool, 2)
	for n := int64(1); !e.ended(); n += every {
		slots <- true
		wg.Go(func() {
			defer func() { <-slots }()
			for _, how := range []string{"once", "on"} {
				e.run(t, fmt.Sprint(n, " ", how))
			}
		})
	}
	wg.Wait()
	for _, what := range slices.Sorted(maps.Keys(e.count)) {
		t.Logf("%4d %s", e.count[what], what)
	}
	wanted := []string{"log, once: final", "table, on: final"}
	if !testing.Short() {
		wanted = append(wanted, "table, once: survived", "manifest, once: final", "marker, once: final")
	}
	for _, must := range wanted {
		if e.count[must] == 0 {
			t.Errorf("too little happened: %v", e.count)
		}
	}
}

func (e *endings) ended() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.over
}

func (e *endings) run(t *testing.T, spec string) {
	self, err := os.Executable()
	if err != nil {
		t.Error(err)
		return
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), failOpVariable+"="+spec)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	_ = c.Run()
	file, told, _ := strings.Cut(strings.TrimSpace(out.String()), "\t")
	e.mu.Lock()
	defer e.mu.Unlock()
	var how string
	switch code := c.ProcessState.ExitCode(); code {
	case exitNoFault:
		e.over = true
		return
	case exitSurvived:
		how = "survived"
	case exitFinal:
		how = "final"
	case exitRefused:
		how = "refused to open"
	default:
		t.Errorf("write %s: code %d: %s %s\n%.3000s", spec, code, file, told, errs.String())
		return
	}
	e.count[file+", "+spec[strings.IndexByte(spec, ' ')+1:]+": "+how]++
}

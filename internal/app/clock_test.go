package app

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"posthaste/event"
	"posthaste/internal/steady"
	"posthaste/wal"
)

// wrongClock is a clock of this machine that a test sets.
type wrongClock struct{ off atomic.Int64 }

func (w *wrongClock) set(by time.Duration) { w.off.Add(int64(by)) }

func (w *wrongClock) clock() *steady.Clock {
	began := time.Now()
	return steady.Of(func() (wall, mono int64) {
		now := time.Now()
		return now.UnixNano() + w.off.Load(), int64(now.Sub(began))
	})
}

// lines is a log that a test reads while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

// clocked is a server on a folder, whose machine's clock a test sets.
type clocked struct {
	t   *testing.T
	app *App
	wrongClock
	log lines
}

func newClocked(t *testing.T, dir string, change func(*Options)) *clocked {
	c := &clocked{t: t}
	o := validOptions()
	o.DataDir, o.Listen, o.AdminListen = dir, "127.0.0.1:0", "127.0.0.1:0"
	o.Logger = zerolog.New(&c.log)
	o.OnFatal = func(err error) { panic(err) }
	change(&o)
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	a.clock = c.clock()
	a.clockGap = a.clock.Gap()
	c.app = a
	return c
}

func (c *clocked) stop() {
	c.t.Helper()
	if err := c.app.Stop(context.Background()); err != nil {
		c.t.Error(err)
	}
}

func (c *clocked) eventually(what string, check func() bool) {
	c.t.Helper()
	for end := time.Now().Add(30 * time.Second); !check(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("not within 30 s: %s; the log:\n%s", what, &c.log.text)
		}
	}
}

// futureStore makes a store in dir whose newest event is of the time that a clock so far ahead
// says.
func futureStore(t *testing.T, dir string, ahead time.Duration) {
	t.Helper()
	var w wrongClock
	w.set(ahead)
	l, err := wal.Open(wal.Options{Dir: dir + "/log", Clock: w.clock(), Sink: noSink{}})
	if err != nil {
		t.Fatal(err)
	}
	everything := func(uint16) bool { return true }
	if err := l.Recover(everything, func(event.Behind) {}, func(event.Timer) {}, func(event.Health) {}); err != nil {
		t.Fatal(err)
	}
	subs := []event.Submission{{Event: event.Event{ProjectID: event.NewID(), Type: "t", Data: []byte(`{}`), ReceivedAt: time.Now()}}}
	if err := l.Append(t.Context(), subs); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

type noSink struct{}

func (noSink) Committed([][]event.Submission) {}
func (noSink) Waiting([]event.Timer)          {}

// A machine that does not know the time serves nothing until it is told.
func TestAStartWaitsWhileTheClockIsFarBehind(t *testing.T) {
	dir := t.TempDir()
	futureStore(t, dir, 49*time.Hour)
	c := newClocked(t, dir, func(*Options) {})
	started := make(chan error, 1)
	go func() { started <- c.app.Start(t.Context()) }()
	c.eventually("the start waits", c.app.awaitsClock.Load)

	resp, err := http.Get("http://" + c.app.AdminAddr() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "clock") {
		t.Errorf("readyz: %d %s", resp.StatusCode, text)
	}
	c.set(24 * time.Hour) // 25 h are left
	select {
	case err := <-started:
		t.Fatalf("it started: %v", err)
	case <-time.After(2 * clockEvery):
	}
	c.set(2 * time.Hour)
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"--ignore-clock", "the machine's clock was set: starting"} {
		if !c.log.has(want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	c.stop()
}

func TestAStartThatWaitsForTheClockCanBeGivenUp(t *testing.T) {
	dir := t.TempDir()
	futureStore(t, dir, 49*time.Hour)
	c := newClocked(t, dir, func(*Options) {})
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan error, 1)
	go func() { started <- c.app.Start(ctx) }()
	c.eventually("the start waits", c.app.awaitsClock.Load)
	cancel()
	if err := <-started; err == nil {
		t.Error("it started")
	}
	c.stop()
}

func TestTheOperatorMayIgnoreTheClock(t *testing.T) {
	dir := t.TempDir()
	futureStore(t, dir, 1000*24*time.Hour)
	c := newClocked(t, dir, func(o *Options) { o.IgnoreClock = true })
	if err := c.app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.app.awaitsClock.Load() || c.log.has("nothing is served") {
		t.Error("it waited")
	}
	c.stop()
}

// A clock that is less than a day behind does not hold a start up.
func TestAClockThatIsHoursBehind(t *testing.T) {
	dir := t.TempDir()
	futureStore(t, dir, 23*time.Hour)
	c := newClocked(t, dir, func(*Options) {})
	if err := c.app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ahead := c.app.clock.Ahead(); ahead < 22*time.Hour || ahead > 24*time.Hour {
		t.Errorf("ids are dated %s ahead, want 23h", ahead)
	}
	c.stop()
}

func TestAClockThatIsSetIsNoticed(t *testing.T) {
	c := newClocked(t, t.TempDir(), func(*Options) {})
	if err := c.app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, s := range []struct {
		by   time.Duration
		says string
	}{{time.Hour, "was set ahead"}, {-25 * time.Hour, "was set back"}, {-3 * time.Second, ""}, {-3 * time.Second, "by\":\"-6"}} {
		before := c.app.m.clockJumps.Get()
		c.set(s.by)
		if s.says == "" {
			continue
		}
		c.eventually(s.by.String()+" is counted", func() bool { return c.app.m.clockJumps.Get() == before+1 })
		c.eventually(s.by.String()+" is logged", func() bool { return c.log.has(s.says) })
		if i == 0 && c.app.clock.Ahead() != 0 {
			t.Errorf("it is ahead of a clock that was set ahead, by %s", c.app.clock.Ahead())
		}
	}
	if ahead := c.app.clock.Ahead(); ahead < 25*time.Hour-time.Minute || ahead > 25*time.Hour+time.Minute {
		t.Errorf("the log's clock is %s ahead, want 25h", ahead)
	}
	c.stop()
}

// A server that is stopped before its listener has served anybody stops.
func TestStoppedRightAfterTheStart(t *testing.T) {
	for range 5 {
		c := newClocked(t, t.TempDir(), func(*Options) {})
		if err := c.app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.stop()
	}
}

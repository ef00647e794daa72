package bench

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// plainEvery is how often a task prints a line where there is no terminal.
const plainEvery = 2 * time.Second

// Progress shows how far tasks are: bars on a terminal, a line now and then
// elsewhere, nothing on a nil writer.
type Progress struct {
	out  io.Writer
	bars *mpb.Progress // nil if out is not a terminal
}

// NewProgress shows progress on out. Close it.
func NewProgress(out io.Writer) *Progress {
	if out == nil {
		out = io.Discard
	}
	p := &Progress{out: out}
	if f, ok := out.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		p.bars = mpb.New(mpb.WithOutput(f), mpb.WithWidth(32))
	}
	return p
}

// Close waits until the last state of every bar is on the screen. Tasks that are
// not finished are given up first, by their owners.
func (p *Progress) Close() {
	if p.bars != nil {
		p.bars.Wait()
	}
}

// Say prints a line, above the bars where there are any.
func (p *Progress) Say(line string) {
	if p.bars != nil {
		_, _ = p.bars.Write([]byte(line + "\n"))
		return
	}
	fmt.Fprintln(p.out, line)
}

// Task is one thing in progress. Any goroutine may call it.
type Task struct {
	label string
	out   io.Writer
	bar   *mpb.Bar // nil if plain
	start time.Time

	mu struct {
		sync.Mutex
		done    int
		printed time.Time
	}
}

// Start begins a task of about total steps.
func (p *Progress) Start(label string, total int) *Task {
	t := &Task{label: label, out: p.out, start: time.Now()}
	t.mu.printed = t.start
	if p.bars != nil {
		t.bar = p.bars.AddBar(int64(total),
			mpb.PrependDecorators(decor.Name(label, decor.WC{W: 28, C: decor.DindentRight})),
			mpb.AppendDecorators(decor.CurrentNoUnit("%9d "), decor.AverageSpeed(0, "%.0f/s", decor.WC{W: 9})))
	}
	return t
}

// Set says how many steps are done.
func (t *Task) Set(done int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.done = done
	if t.bar != nil {
		t.bar.SetCurrent(int64(done))
		return
	}
	if now := time.Now(); now.Sub(t.mu.printed) >= plainEvery {
		t.mu.printed = now
		fmt.Fprintf(t.out, "%s: %d after %.0f s\n", t.label, done, now.Sub(t.start).Seconds())
	}
}

// Finish ends the task with a result in a few words; an empty one means that it
// was given up. Only the first call counts.
func (t *Task) Finish(result string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.bar != nil && result == "":
		t.bar.Abort(false)
	case t.bar != nil:
		t.bar.SetTotal(int64(t.mu.done), true)
	case result != "":
		fmt.Fprintf(t.out, "%s: %s\n", t.label, result)
	}
}

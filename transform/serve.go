package transform

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

const (
	memoryPoll = 2 * time.Millisecond
	// interruptGrace is how long a script may go on after it was interrupted,
	// which it sees between two instructions, before the process ends instead.
	interruptGrace = 100 * time.Millisecond
)

// Serve is a child's life: it answers the calls of the Runner that started it,
// over its standard input and output, until the input ends or a call cannot be
// stopped. The process is to end when it returns, at once, since such a call goes
// on running; an error is one of the machinery, for the command to print. Serve
// changes settings of the whole process: its time zone, signals and memory limits.
func Serve(in io.Reader, out io.Writer) error {
	time.Local = time.UTC
	signal.Ignore(os.Interrupt, syscall.SIGTERM) // the parent decides when it is over
	runtime.GOMAXPROCS(min(2, runtime.GOMAXPROCS(0)))

	c := &child{out: out}
	r := bufio.NewReader(in)
	if _, err := readFrame(r, &c.limits, 0); err != nil {
		return ignoreEnd(err)
	}
	var err error
	if c.memory, err = newMemory(c.limits.MemoryBytes); err != nil {
		return err
	}
	calls := make(chan call)
	go readCalls(r, c.limits.BodyBytes, calls)
	for call := range calls {
		if call.err != nil {
			return ignoreEnd(call.err)
		}
		if err := c.serve(call, calls); err != nil {
			return ignoreEnd(err)
		}
	}
	return nil
}

// ignoreEnd makes nothing of an end that is in order.
func ignoreEnd(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) || err == errLast {
		return nil
	}
	return err
}

// call is a frame from the parent, or the error that ended them.
type call struct {
	request
	payload []byte
	err     error
}

// readCalls hands the frames over until there are no more. It does not wait for
// the end of a call, so that the parent's going is noticed during one.
func readCalls(r io.Reader, maxBody int, calls chan<- call) {
	defer close(calls)
	for {
		var c call
		c.payload, c.err = readFrame(r, &c.request, maxBody)
		calls <- c
		if c.err != nil {
			return
		}
	}
}

// child is the state of Serve's goroutine.
type child struct {
	out      io.Writer
	limits   limits
	memory   *memory
	programs programs // of the call's goroutine, while there is one
}

// outcome is what a call comes to.
type outcome struct {
	answer
	result []byte
}

// serve runs one call on a goroutine of its own and watches it.
func (c *child) serve(call call, calls <-chan call) error {
	c.memory.settle()
	s := newScript(time.Unix(0, call.NowNanos).UTC(), call.Seed)
	done := make(chan outcome, 1)
	go func() { done <- c.run(s, &call) }()

	poll := time.NewTicker(memoryPoll)
	defer poll.Stop()
	end := time.NewTimer(time.Duration(c.limits.TimeoutNanos))
	defer end.Stop()
	var interrupted Kind
	for {
		select {
		case o := <-done:
			// What a greedy script leaves behind might be charged to the next.
			o.Last = o.Kind == KindMemory
			return c.reply(o)
		case <-end.C:
			if interrupted != "" {
				return c.giveUp(interrupted)
			}
			interrupted = KindTimeout
			s.interrupt(interrupted)
			end.Reset(interruptGrace)
		case <-poll.C:
			live, total := c.memory.read()
			if total > c.memory.hard {
				return c.giveUp(KindMemory)
			}
			if live > c.memory.soft && interrupted == "" {
				interrupted = KindMemory
				s.interrupt(interrupted)
				end.Reset(interruptGrace)
			}
		case <-calls: // the end: the parent waits for its answer before it sends another call
			return io.EOF
		}
	}
}

// errLast ends Serve after an answer that said so.
var errLast = errors.New("transform: the last answer")

// reply answers the call.
func (c *child) reply(o outcome) error {
	if err := writeFrame(c.out, &o.answer, o.result); err != nil {
		return err
	}
	if o.Last {
		return errLast
	}
	return nil
}

// giveUp answers for a call that does not end.
func (c *child) giveUp(kind Kind) error {
	o := failed(interruption(kind), nil)
	o.Last = true
	return c.reply(o)
}

// run makes the call. The log is the script's until it returns.
func (c *child) run(s *script, call *call) (o outcome) {
	defer func() {
		if r := recover(); r != nil {
			o = failed(panicked(r), s.log.lines)
		}
	}()
	program, bad := c.programs.get(call.Function)
	if bad != nil {
		return failed(bad, nil)
	}
	if call.CheckOnly {
		return outcome{}
	}
	result, err := s.run(program, call.payload, c.limits.BodyBytes)
	var own *Error
	if errors.As(err, &own) {
		return failed(own, s.log.lines)
	}
	return outcome{answer: answer{Log: s.log.lines}, result: result}
}

func failed(e *Error, log []string) outcome {
	return outcome{answer: answer{Kind: e.Kind, Message: e.Message, Log: log}}
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"posthaste/client"
)

const (
	// keptRefusals bounds the refusals that are remembered, shownRefusals those that are
	// shown to people.
	keptRefusals  = 10_000
	shownRefusals = 50
)

// sendOutcome is what became of a file's events so far. Any goroutine may use it.
type sendOutcome struct {
	start time.Time

	mu sync.Mutex // guards what follows
	sendCounts
	refusals []lineRefusal
	pending  map[int]bool // first lines of batches that are not settled
	read     int          // the last line that was read
}

// sendCounts is what is counted.
type sendCounts struct {
	Accepted   int `json:"accepted"`
	Duplicates int `json:"duplicates"`
	Refused    int `json:"refused"`
}

// lineRefusal says why a line was refused.
type lineRefusal struct {
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// add counts the outcomes of a batch and returns how many lines are done.
func (o *sendOutcome) add(batch []queued, outcomes []client.Outcome) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, out := range outcomes {
		switch {
		case !out.Accepted:
			o.refuseLocked(batch[i].line, out.Message)
		case strings.HasPrefix(out.Message, "Duplicate"):
			o.Duplicates++
		default:
			o.Accepted++
		}
	}
	return o.doneLocked()
}

func (o *sendOutcome) refuse(line int, message string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refuseLocked(line, message)
	return o.doneLocked()
}

func (o *sendOutcome) refuseLocked(line int, message string) {
	if o.Refused++; len(o.refusals) < keptRefusals {
		o.refusals = append(o.refusals, lineRefusal{line, message})
	}
}

func (o *sendOutcome) doneLocked() int { return o.Accepted + o.Duplicates + o.Refused }

// any reports whether the server ever answered for an event.
func (o *sendOutcome) any() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.Accepted+o.Duplicates > 0
}

// sending and settled say which batches are on their way, by their first lines.
func (o *sendOutcome) sending(line int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pending == nil {
		o.pending = map[int]bool{}
	}
	o.pending[line] = true
}

func (o *sendOutcome) settled(line int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.pending, line)
}

func (o *sendOutcome) reached(line int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.read = max(o.read, line)
}

// open is the first line that may not have been sent.
func (o *sendOutcome) open() int {
	first := o.read
	for line := range o.pending {
		first = min(first, line)
	}
	return max(first, 1)
}

// short is the outcome in a few words.
func (o *sendOutcome) short(stopped error) string {
	if stopped != nil {
		return "stopped"
	}
	return "all lines"
}

// report prints the outcome, and returns the error that the command ends with. All who
// send have ended.
func (o *sendOutcome) report(s *session, stopped error, keyed bool) error {
	slices.SortFunc(o.refusals, func(a, b lineRefusal) int { return a.Line - b.Line })
	if err := o.print(s); err != nil {
		return err
	}
	switch {
	case stopped != nil:
		if errors.Is(stopped, context.Canceled) {
			stopped = errInterrupted
		}
		return fmt.Errorf("%w\n%s", stopped, o.resume(keyed))
	case o.Refused > 0:
		return refusedError(o.Refused)
	}
	return nil
}

// resume says how to go on after a stop. All who send have ended.
func (o *sendOutcome) resume(keyed bool) string {
	if keyed {
		return "Send the same file again in the same way: what was accepted is not accepted twice."
	}
	if o.doneLocked() == 0 {
		return "No line is known to be accepted."
	}
	return fmt.Sprintf("Every line before %d was answered; later ones may have been accepted. With --idempotency line-hash the file could be sent again as a whole.", o.open())
}

func (o *sendOutcome) print(s *session) error {
	if s.remote.JSON {
		text, err := json.Marshal(struct {
			sendCounts
			Refusals []lineRefusal `json:"refusals"`
		}{o.sendCounts, append([]lineRefusal{}, o.refusals...)})
		if err != nil {
			return err
		}
		return s.print(text)
	}
	for i, r := range o.refusals {
		if i == shownRefusals {
			if err := s.say("... and %d more; --json lists them", o.Refused-shownRefusals); err != nil {
				return err
			}
			break
		}
		if err := s.say("line %d: %s", r.Line, clean(r.Message)); err != nil {
			return err
		}
	}
	took := time.Since(o.start)
	_, err := fmt.Fprintf(s.stdout, "%d accepted, %d duplicates, %d refused in %s (%.0f/s)\n",
		o.Accepted, o.Duplicates, o.Refused, took.Round(time.Millisecond), float64(o.doneLocked())/max(took.Seconds(), 0.001))
	return err
}

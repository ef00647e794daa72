package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"posthaste/bench"
	"posthaste/client"
)

// maxBatchBytes bounds a request that has more than one event.
const maxBatchBytes = 4 << 20

// queued is an event of a file on its way.
type queued struct {
	line int
	body []byte // the request's, on one line
}

// sendFile posts the events of a file and prints what became of them.
func (c *sendCmd) sendFile(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	f := &fileSender{in: in, to: c.to(), keyed: c.Idempotency == "line-hash", batch: c.Batch, pace: newPacer(c.Rate)}
	if c.Type != "" {
		f.envelope = c.envelope(member{"broadcast", c.Broadcast})
	}
	if f.to == client.ToDynamic {
		f.batch = 1 // a batch has no such events
	}
	total := 0
	if c.File != "-" && isTerminal(s.stderr) {
		total, _ = countLines(c.File) // for the bar alone
	}
	lines, err := openLines(c.File, s.stdin)
	if err != nil {
		return usageError{fmt.Errorf("--file: %w", err)}
	}
	defer lines.close()
	progress := bench.NewProgress(s.stderr)
	f.task = progress.Start("sent", total)
	f.outcome.start = time.Now()
	stopped := f.run(s.ctx, lines, c.Concurrency)
	f.task.Finish(f.outcome.short(stopped))
	progress.Close()
	return f.outcome.report(s, stopped, f.keyed)
}

// fileSender posts a file's events, batch by batch.
type fileSender struct {
	in       client.Scope
	to       string
	envelope *eventEnvelope // nil: lines are whole events
	keyed    bool           // each event gets a key of its line
	batch    int
	pace     *pacer
	gate     gate
	task     *bench.Task
	outcome  sendOutcome
}

// run reads lines in one goroutine and posts them in others. It returns when all have
// ended: with the first thing that kept it from going on.
func (f *fileSender) run(ctx context.Context, lines *lineReader, workers int) error {
	group, ctx := errgroup.WithContext(ctx)
	batches := make(chan []queued)
	group.Go(func() error {
		defer close(batches)
		return f.read(ctx, lines, batches)
	})
	for range workers {
		group.Go(func() error {
			for batch := range batches {
				if err := f.post(ctx, batch); err != nil {
					return err
				}
				f.outcome.settled(batch[0].line)
			}
			return nil
		})
	}
	return group.Wait()
}

// read makes batches of the lines.
func (f *fileSender) read(ctx context.Context, lines *lineReader, batches chan<- []queued) error {
	var batch []queued
	size := 0
	for {
		line, err := lines.next()
		f.outcome.reached(line.number)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		end := err != nil
		var body []byte
		if !end {
			if body, err = f.body(line); err != nil {
				f.refuse(line.number, err)
				continue
			}
		}
		if len(batch) > 0 && (end || len(batch) == f.batch || size+len(body) > maxBatchBytes) {
			if err := f.dispatch(ctx, batch, batches); err != nil {
				return err
			}
			batch, size = nil, 0
		}
		if end {
			return nil
		}
		if len(batch) == 0 {
			f.outcome.sending(line.number)
		}
		batch, size = append(batch, queued{line.number, body}), size+len(body)
	}
}

func (f *fileSender) dispatch(ctx context.Context, batch []queued, batches chan<- []queued) error {
	if err := f.pace.wait(ctx, len(batch)); err != nil {
		return err
	}
	select {
	case batches <- batch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// body is the request of a line, or says why the line is none.
func (f *fileSender) body(line fileLine) ([]byte, error) {
	switch {
	case line.tooLong:
		return nil, fmt.Errorf("longer than %d bytes", maxLineBytes)
	case !json.Valid(line.text):
		var v json.RawMessage
		return nil, fmt.Errorf("no JSON: %w", json.Unmarshal(line.text, &v))
	}
	key := ""
	if f.keyed {
		var head []byte
		if f.envelope != nil {
			head = f.envelope.head
		}
		key = lineKey(head, line.number, line.text)
	}
	switch {
	case f.envelope != nil:
		return f.envelope.event(line.text, key), nil
	case line.text[0] != '{':
		return nil, errors.New("no event: want an object with event_type, data and endpoint_id or owner_id; give --type if lines are data")
	case key != "":
		return withKey(line.text, key), nil
	}
	return line.text, nil
}

// post posts a batch until each of its events is accepted or refused. An error ends the
// whole file.
func (f *fileSender) post(ctx context.Context, batch []queued) error {
	outcomes, err := f.submit(ctx, batch)
	switch {
	case err == nil:
		f.record(batch, outcomes)
		return nil
	case !aboutContent(err):
		return fmt.Errorf("lines %d to %d: %w", batch[0].line, batch[len(batch)-1].line, err)
	case len(batch) == 1:
		f.refuse(batch[0].line, err)
		return nil
	}
	half := len(batch) / 2 // the request was refused as a whole: find out for whose sake
	if err := f.post(ctx, batch[:half]); err != nil {
		return err
	}
	return f.post(ctx, batch[half:])
}

// aboutContent reports whether a request was refused for what is in it.
func aboutContent(err error) bool {
	var refused *client.Error
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Status {
	case 400, 409, 413, 422:
		return true
	}
	return false
}

// once sends a batch a single time.
func (f *fileSender) once(ctx context.Context, batch []queued) ([]client.Outcome, error) {
	if f.to == client.ToDynamic {
		_, out, err := f.in.Post(ctx, f.to, batch[0].body, false)
		return []client.Outcome{out}, err
	}
	var lines bytes.Buffer
	for _, q := range batch {
		lines.Write(q.body)
		lines.WriteByte('\n')
	}
	return f.in.PostBatch(ctx, lines.Bytes(), len(batch))
}

func (f *fileSender) record(batch []queued, outcomes []client.Outcome) {
	f.task.Set(f.outcome.add(batch, outcomes))
}

func (f *fileSender) refuse(line int, err error) {
	f.task.Set(f.outcome.refuse(line, err.Error()))
}

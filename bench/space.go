package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posthaste/bench/report"
)

// The targets of space: bytes on disk for each byte of payload.
const (
	spaceTargetRandom = 1.25
	spaceTargetJSON   = 0.5
)

const bytesPerByte = "bytes/byte"

// spaceSize is how much space posts, of each kind of payload.
type spaceSize struct {
	bytes int // of payload
	settling
}

const spacePayload = 1024

func (r *runner) spaceSize() spaceSize {
	if r.Quick {
		return spaceSize{10e6, settling{quiet: 250 * time.Millisecond, limit: 3 * time.Second}}
	}
	return spaceSize{1e9, settling{quiet: 5 * time.Second, limit: 2 * time.Minute}}
}

// space measures what events take on disk with their deliveries and attempts, for
// random text and for ordinary JSON, and for a file of payloads if there is one. It is
// not repeated: bytes, unlike times, come out the same.
func (r *runner) space(ctx context.Context) (*report.Scenario, error) {
	once := *r
	once.Repeat = 1
	return once.spaceOf(ctx, once.spaceSize())
}

func (r *runner) spaceOf(ctx context.Context, size spaceSize) (*report.Scenario, error) {
	row := &report.Scenario{
		Name: "space", Unit: bytesPerByte, Baseline: "payload_bytes",
		Title: fmt.Sprintf("%.0f MB of %d byte payloads of each kind, all delivered and recorded; blocks of all files, once the server was stopped and started and they had not changed for %s",
			float64(size.bytes)/1e6, spacePayload, size.quiet),
	}
	figures := newMedians()
	var errs []error
	for i := 1; i <= r.Repeat && ctx.Err() == nil; i++ {
		if err := r.spaceRepeat(ctx, size, i, row, figures); err != nil {
			errs = append(errs, fmt.Errorf("repeat %d: %w", i, err))
		}
	}
	if len(errs) == 0 {
		errs = append(errs, ctx.Err())
	}
	if len(row.Runs) == 0 {
		return nil, errors.Join(errs...)
	}
	row.AtMost(spaceRandom.name, row.Value, bytesPerByte, spaceTargetRandom)
	if json, ok := figures.of(spaceJSON.name); ok {
		row.AtMost(spaceJSON.name, json, bytesPerByte, spaceTargetJSON)
	}
	figures.note(row)
	return row, errors.Join(errs...)
}

// spaceKind is one kind of payload.
type spaceKind struct {
	name   string
	adjust func(*Load)
}

var (
	spaceRandom = spaceKind{"incompressible", func(l *Load) { l.generate(PayloadIncompressible) }}
	spaceJSON   = spaceKind{"json", func(l *Load) { l.generate(PayloadJSON) }}
	spaceFile   = spaceKind{"payloads file", func(*Load) {}}
)

// generate has a payload of its own made for each event, all of one size.
func (l *Load) generate(kind PayloadKind) {
	l.Kind, l.Fresh, l.PayloadBytes, l.Sizes, l.Payloads = kind, true, spacePayload, nil, ""
}

// spaceRepeat fills one store after the other. The incompressible one is the run.
func (r *runner) spaceRepeat(ctx context.Context, size spaceSize, repeat int, row *report.Scenario, figures *medians) error {
	kinds := []spaceKind{spaceRandom, spaceJSON}
	if r.Payloads != "" {
		kinds = append(kinds, spaceFile)
	}
	for _, kind := range kinds {
		label := fmt.Sprintf("space %d/%d %s", repeat, r.Repeat, kind.name)
		f, err := r.fill(ctx, size, kind, label)
		if f != nil {
			f.tell(kind.name, figures)
		}
		switch {
		case f == nil:
		case kind.name == spaceRandom.name && f.known():
			row.Add(f.run())
		default:
			addCounts(row, f.phase)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
	}
	return nil
}

// addCounts adds to a row what was delivered beside its runs.
func addCounts(row *report.Scenario, p *Phase) {
	row.Published += p.Receipts.Published
	row.Lost += p.Receipts.Lost
	row.Duplicates += p.Receipts.Duplicates
	row.Verified += p.Receipts.Verified
}

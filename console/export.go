package console

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"posthaste/client"
)

// Bounds of an export: so many deliveries, for so long, and so many exports at once.
const (
	maxExported = 10_000
	exportTime  = 2 * time.Minute
	exportBatch = 500
	maxExports  = 2
)

// export streams the filtered list of deliveries, the newest first, as CSV or as a line of
// JSON for each. It ends with a line that says so where there is more than it takes.
func (c *Console) export(w http.ResponseWriter, r *http.Request, v *visit) {
	select {
	case c.exports <- struct{}{}:
		defer func() { <-c.exports }()
	default:
		c.failed(w, r, c.page(r, v, "deliveries", "Export"), &client.Error{Status: http.StatusTooManyRequests, Message: "Others are exporting at the moment. Try again in a minute."})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), exportTime)
	defer cancel()
	conn := http.NewResponseController(w)
	_ = conn.SetWriteDeadline(time.Now().Add(exportTime)) // a recorder in a test has none
	defer func() { _ = conn.SetWriteDeadline(time.Time{}) }()
	f := filterOf(r, c.o.Now())
	format := choiceOf(r.URL.Query().Get("format"), "ndjson", "csv")
	next, rows, err := v.exportPage(ctx, &f, "")
	if err != nil {
		c.failed(w, r, c.page(r, v, "deliveries", "Export"), err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", map[string]string{"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}[format])
	h.Set("Content-Disposition", `attachment; filename="deliveries-`+c.o.Now().UTC().Format("20060102-1504")+"."+format+`"`)
	h.Set("Cache-Control", "no-store")
	out := newExporter(w, format)
	for n := len(rows); ; n += len(rows) {
		if out.rows(rows) != nil || conn.Flush() != nil && ctx.Err() != nil {
			return // the reader has gone
		}
		switch {
		case next == "":
			return
		case n >= maxExported:
			out.end("there are more: an export has at most " + number(maxExported) + " deliveries. Choose a shorter time")
			return
		}
		if next, rows, err = v.exportPage(ctx, &f, next); err != nil {
			out.end("the export broke off: " + refusalText(err))
			return
		}
	}
}

// choiceOf is a text if it is one of these, else the first.
func choiceOf(text string, values ...string) string {
	for _, v := range values {
		if text == v {
			return v
		}
	}
	return values[0]
}

// exportPage reads some rows, and where the list goes on; "" at its end.
func (v *visit) exportPage(ctx context.Context, f *filter, cursor string) (next string, rows []json.RawMessage, err error) {
	q := f.api()
	q.Set("perPage", strconv.Itoa(exportBatch))
	if cursor != "" {
		q.Set("next_page_cursor", cursor)
		q.Set("direction", "next")
	}
	rows, paging, err := list[json.RawMessage](ctx, v, "/eventdeliveries", q)
	if err == nil && paging.HasNextPage {
		next = paging.NextPageCursor
	}
	return next, rows, err
}

// exporter writes deliveries in one of the formats.
type exporter struct {
	lines *bufio.Writer
	table *csv.Writer // nil for lines of JSON
}

var exportColumns = []string{"id", "created_at", "status", "event_type", "endpoint_id", "endpoint", "url", "attempts", "latency_ms", "event_id", "idempotency_key", "reason"}

func newExporter(w io.Writer, format string) *exporter {
	e := &exporter{lines: bufio.NewWriter(w)}
	if format == "csv" {
		e.table = csv.NewWriter(e.lines)
		_ = e.table.Write(exportColumns) // into the buffer: an error comes at Flush
	}
	return e
}

func (e *exporter) rows(rows []json.RawMessage) error {
	for _, raw := range rows {
		if e.table == nil {
			_, _ = e.lines.Write(append(raw, '\n')) // likewise
			continue
		}
		var d delivery
		if err := json.Unmarshal(raw, &d); err != nil {
			return err
		}
		latency := ""
		if d.LatencySeconds > 0 {
			latency = strconv.FormatFloat(d.LatencySeconds*1000, 'f', 0, 64)
		}
		_ = e.table.Write([]string{
			d.ID, d.CreatedAt.UTC().Format(time.RFC3339Nano), d.Status, cellText(d.EventType), d.EndpointID, cellText(d.EndpointName()), cellText(d.TargetURL),
			strconv.Itoa(d.Metadata.NumTrials), latency, d.EventID, cellText(d.IdempotencyKey), cellText(d.Description),
		})
	}
	return e.flush()
}

// end writes a last line that says why there is no more.
func (e *exporter) end(text string) {
	if e.table != nil {
		_ = e.table.Write([]string{"# " + text})
	} else if line, err := json.Marshal(map[string]string{"note": text}); err == nil {
		_, _ = e.lines.Write(append(line, '\n'))
	}
	_ = e.flush() // the reader may have gone
}

func (e *exporter) flush() error {
	if e.table != nil {
		e.table.Flush()
	}
	return e.lines.Flush()
}

// cellText is a text of a stranger's as a cell of a table: one that a spreadsheet would
// take for a formula is marked as a text.
func cellText(text string) string {
	if text != "" && (text[0] == '=' || text[0] == '+' || text[0] == '-' || text[0] == '@' || text[0] == '\t' || text[0] == '\r') {
		return "'" + text
	}
	return text
}

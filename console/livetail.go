package console

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"posthaste/client"
)

// What a page that is live gets.
const (
	tailRows  = 20               // of each batch, of which there are two a second
	tailWrite = 5 * time.Second  // to take a batch
	tailLook  = 2 * time.Second  // between two looks whether who reads is still signed in
	tailBeat  = 15 * time.Second // between two signs of life
	maxTails  = 2                // of a session
)

// tailed is a list that can be live.
type tailed struct {
	nav      string // the page's
	path     string // of the API's stream
	message  string // what the stream calls the news of a row
	template string // of a row
	read     func(ctx context.Context, v *visit, data json.RawMessage) (tailRow, error)
}

// tailRow is a row and the id of what it shows.
type tailRow struct {
	id   string
	what any
}

var (
	tailedDeliveries = tailed{"deliveries", "/eventdeliveries/stream", "delivery", "delivery-row", readDelivery}
	tailedEvents     = tailed{"events", "/events/stream", "event", "event-row", readEvent}
)

// tail is a page's stream: rows of a list, as server-sent events.
type tail struct {
	tailed
	c    *Console
	v    *visit
	p    page
	w    http.ResponseWriter
	ctrl *http.ResponseController
	rows []tailRow  // of the batch that is being read, the newest first
	mu   sync.Mutex // guards writing: the reader of the stream and the beat
}

// deliveriesStream adds to the list of deliveries, with the same filters.
func (c *Console) deliveriesStream(w http.ResponseWriter, r *http.Request, v *visit) {
	f := filterOf(r, c.o.Now())
	c.stream(w, r, v, tailedDeliveries, f.api())
}

// eventsStream adds to the list of events, with the same filters.
func (c *Console) eventsStream(w http.ResponseWriter, r *http.Request, v *visit) {
	f := eventFilterOf(r, c.o.Now())
	c.stream(w, r, v, tailedEvents, f.api())
}

func readDelivery(_ context.Context, _ *visit, data json.RawMessage) (tailRow, error) {
	var d delivery
	err := json.Unmarshal(data, &d)
	return tailRow{d.ID, d}, err
}

// readEvent asks for the data, which a stream of events does not have. A batch has few rows.
func readEvent(ctx context.Context, v *visit, data json.RawMessage) (tailRow, error) {
	var e eventRow
	if err := json.Unmarshal(data, &e); err != nil {
		return tailRow{}, err
	}
	if whole, err := get[eventRow](ctx, v, "/events/"+url.PathEscape(e.ID)); err == nil { // else it is gone already
		e.Data, e.Raw, e.ContentDeleted = whole.Data, whole.Raw, whole.ContentDeleted
	}
	return tailRow{e.ID, e}, nil
}

// stream shows a list live. A stream begins with the present, so dates mean nothing to it.
func (c *Console) stream(w http.ResponseWriter, r *http.Request, v *visit, of tailed, q url.Values) {
	if !c.sessions.enterStream(v.session) {
		http.Error(w, "Two pages of this session are live already. Switch one of them off first.", http.StatusTooManyRequests)
		return
	}
	defer c.sessions.leaveStream(v.session)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	q.Del("startDate")
	q.Del("endDate")
	q.Set("maxRows", strconv.Itoa(tailRows))
	s, err := v.backend.Stream(ctx, client.Request{Method: http.MethodGet, Path: v.api + of.path, Query: q}, r.Header.Get("Last-Event-ID"))
	if err != nil {
		code := codeOf(err)
		if code == 0 {
			code = http.StatusBadGateway
		}
		http.Error(w, refusalText(err), code)
		return
	}
	defer s.Close()
	t := &tail{tailed: of, c: c, v: v, p: c.page(r, v, of.nav, ""), w: w, ctrl: http.NewResponseController(w)}
	defer func() { _ = t.ctrl.SetWriteDeadline(time.Time{}) }()
	if t.begin() != nil {
		return
	}
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watching.Go(func() { t.watch(ctx, cancel, v.session) })
	t.run(ctx, s)
}

func (t *tail) begin() error {
	_ = t.ctrl.SetReadDeadline(time.Time{}) // the server's is for the request
	h := t.w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	return t.write([]byte("retry: 2000\n\n"))
}

// watch ends the stream of somebody who signed out, and shows a silent one that it is
// there.
func (t *tail) watch(ctx context.Context, cancel context.CancelFunc, n *session) {
	look, beat := time.NewTicker(tailLook), time.NewTicker(tailBeat)
	defer look.Stop()
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			if !t.c.sessions.lives(n) {
				_ = t.write([]byte("event: end\ndata: {\"code\":401,\"message\":\"You are signed out.\"}\n\n"))
				cancel()
				return
			}
		case <-beat.C:
			if t.write([]byte(": beat\n\n")) != nil {
				cancel()
				return
			}
		}
	}
}

// run passes on what the API's stream says until either end goes.
func (t *tail) run(ctx context.Context, s *client.Stream) {
	for {
		m, err := s.Next()
		if err != nil {
			return
		}
		switch m.Name {
		case t.message:
			err = t.add(ctx, m.Data)
		case "batch":
			if err = t.batch(s.LastID()); err == nil {
				err = t.pass(m, "")
			}
		default:
			err = t.pass(m, s.LastID())
		}
		if err != nil {
			return
		}
	}
}

// add takes up a row. Of what comes twice in a batch the later row is shown.
func (t *tail) add(ctx context.Context, data json.RawMessage) error {
	row, err := t.read(ctx, t.v, data)
	if err != nil {
		return err
	}
	t.rows = slices.DeleteFunc(t.rows, func(other tailRow) bool { return other.id == row.id })
	t.rows = slices.Insert(t.rows, 0, row)
	return nil
}

// batch writes the rows of a batch as one message.
func (t *tail) batch(id string) error {
	if len(t.rows) == 0 {
		return nil
	}
	var b bytes.Buffer
	t.c.renders <- struct{}{}
	for _, row := range t.rows {
		if err := t.c.templates.ExecuteTemplate(&b, t.template, map[string]any{"P": t.p, "R": row.what, "New": true}); err != nil {
			<-t.c.renders
			t.c.o.Logger.Error().Err(err).Msg("a live row could not be made")
			return err
		}
	}
	<-t.c.renders
	t.rows = t.rows[:0]
	out := fmt.Appendf(nil, "id: %s\n", id)
	for line := range strings.Lines(strings.TrimSpace(b.String())) {
		out = fmt.Appendf(out, "data: %s\n", strings.TrimRight(line, "\r\n"))
	}
	return t.write(append(out, '\n'))
}

// pass passes a message on.
func (t *tail) pass(m client.StreamMessage, id string) error {
	out := fmt.Appendf(nil, "event: %s\n", m.Name)
	if id != "" {
		out = fmt.Appendf(out, "id: %s\n", id)
	}
	return t.write(fmt.Appendf(out, "data: %s\n\n", m.Data))
}

func (t *tail) write(text []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.ctrl.SetWriteDeadline(time.Now().Add(tailWrite))
	if _, err := t.w.Write(text); err != nil {
		return err
	}
	return t.ctrl.Flush()
}

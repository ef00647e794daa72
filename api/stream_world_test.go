package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"posthaste/catalog/catalogtest"
	"posthaste/event"
	"posthaste/live"
)

// streamWorld is a world with streams, in a bubble of its own.
type streamWorld struct {
	*portalWorld
	hub *live.Hub
}

func inStreamWorld(t *testing.T, o live.Options, test func(t *testing.T, w *streamWorld)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &streamWorld{portalWorld: newPortalWorld(t), hub: live.New(o)}
		w.api.o.Streams = w.hub
		defer w.hub.Close()
		test(t, w)
	})
}

// sent is a message of a stream.
type sent struct{ name, id, data string }

// into decodes a message's data.
func (m sent) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(m.data), v); err != nil {
		t.Fatalf("%s: %v", m.data, err)
	}
}

// listener is a client of a stream.
type listener struct {
	t      *testing.T
	cancel context.CancelFunc
	done   chan struct{} // closed when the server has ended it

	mu     sync.Mutex
	code   int
	header http.Header
	text   bytes.Buffer
	broken error // of the writes to come
}

func (l *listener) Header() http.Header  { return l.header }
func (l *listener) WriteHeader(code int) { l.code = code }
func (l *listener) FlushError() error    { return nil }

func (l *listener) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return 0, l.broken
	}
	return l.text.Write(p)
}

// listen opens a stream and leaves it open.
func (w *streamWorld) listen(path, key string, headers ...string) *listener {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := httptest.NewRequest("GET", path, nil).WithContext(ctx)
	r.Header.Set("Authorization", "Bearer "+key)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	l := &listener{t: w.t, cancel: cancel, done: make(chan struct{}), header: make(http.Header)}
	go func() {
		defer close(l.done)
		w.api.ServeHTTP(l, r)
	}()
	synctest.Wait()
	return l
}

// leave is a client that goes.
func (l *listener) leave() {
	l.cancel()
	<-l.done
}

// got are the messages since the last call, without those that say only an id.
func (l *listener) got() []sent {
	synctest.Wait()
	l.mu.Lock()
	text := l.text.String()
	l.text.Reset()
	l.mu.Unlock()
	var all []sent
	for _, block := range strings.Split(text, "\n\n") {
		var m sent
		for _, line := range strings.Split(block, "\n") {
			if v, ok := strings.CutPrefix(line, "event: "); ok {
				m.name = v
			} else if v, ok := strings.CutPrefix(line, "id: "); ok {
				m.id = v
			} else if v, ok := strings.CutPrefix(line, "data: "); ok {
				m.data = v
			}
		}
		if m.name != "" {
			all = append(all, m)
		}
	}
	return all
}

// raw is the text since the last call.
func (l *listener) raw() string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

// names are what messages are called, for comparisons.
func names(all []sent) string {
	var out []string
	for _, m := range all {
		out = append(out, m.name)
	}
	return strings.Join(out, " ")
}

// outcome is a change of a delivery of one of the parties.
func (w *streamWorld) outcome(p party, status event.Status) event.Outcome {
	e := &event.Event{ID: p["eventID"], ProjectID: w.project, Type: "own.created", IdempotencyKey: "k", Headers: []event.Header{{Name: "X-One", Value: "1"}}}
	return event.Outcome{
		Delivery: event.Delivery{ID: p["eventDeliveryID"], EventID: e.ID, ProjectID: w.project, EndpointID: p["endpointID"], Status: status, Attempts: 2},
		Type:     e.Type, Event: e,
		Tried: event.Tried{Number: 2, StatusCode: 503, Class: event.ClassStatus, Duration: 1500000, StartedAt: epoch},
	}
}

func (w *streamWorld) tell(outcomes ...event.Outcome) { w.hub.Durable(nil, outcomes) }

const root = catalogtest.InstanceKey

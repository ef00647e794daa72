package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"sync"
)

// witness notes under which ids events and deliveries arrive: each keeps its own,
// whatever becomes of the server between two attempts.
type witness struct {
	mu       sync.Mutex
	event    map[int64]string // by the number in the body
	delivery map[string]string
	attempts map[string]int // by delivery
}

func newWitness() *witness {
	return &witness{event: make(map[int64]string), delivery: make(map[string]string), attempts: make(map[string]int)}
}

// note notes a request, and says what is wrong with its ids.
func (w *witness) note(r *http.Request, body []byte) string {
	var b struct{ N int64 }
	if err := json.Unmarshal(body, &b); err != nil {
		return err.Error()
	}
	event, delivery := r.Header.Get("X-Convoy-Event-ID"), r.Header.Get("X-Convoy-EventDelivery-ID")
	if event == "" || delivery == "" {
		return fmt.Sprintf("no ids: %v", r.Header)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attempts[delivery]++
	owed := fmt.Sprint(r.URL.Path, " ", b.N)
	if was, known := w.event[b.N]; known && was != event {
		return fmt.Sprintf("event %d came as %s and as %s", b.N, was, event)
	}
	if was, known := w.delivery[owed]; known && was != delivery {
		return fmt.Sprintf("event %d came to %s as delivery %s and as %s", b.N, r.URL.Path, was, delivery)
	}
	w.event[b.N], w.delivery[owed] = event, delivery
	return ""
}

// events are those that arrived, by their id.
func (w *witness) events() map[string]int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make(map[string]int64, len(w.event))
	for n, id := range w.event {
		out[id] = n
	}
	return out
}

func (w *witness) eventOf(n int64) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.event[n]
}

// tries is how many attempts of each delivery have arrived.
func (w *witness) tries() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.attempts)
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"posthaste/receiver"
)

const (
	maxHookBytes    = 32 << 20
	maxForwardBytes = 1 << 20 // of an answer that is passed back
	forwardTimeout  = time.Minute
)

// hookHandler takes webhooks, prints them and answers as it was told to.
type hookHandler struct {
	session  *session
	cmd      *listenCmd
	verifier *receiver.Verifier // nil: there is nothing to verify with
	forward  *http.Client
	full     chan struct{} // closed when --count is reached

	mu       sync.Mutex // guards what follows, and lines of output
	taken    int
	unproved int // not verified, though there is something to verify with
	ended    bool
}

// hook is one webhook and what is to be said of it.
type hook struct {
	at      time.Time
	request *http.Request
	body    []byte
	problem error // why it is not verified; nil if it is
	status  int
	note    string // of forwarding
}

func (h *hookHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k := &hook{at: h.session.now(), request: r}
	var err error
	if k.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxHookBytes)); err != nil {
		http.Error(w, "the body could not be read", http.StatusBadRequest)
		return
	}
	k.problem = h.verify(r.Header, k.body)
	number := h.number()
	if number == 0 {
		http.Error(w, "posthaste listen has had enough", http.StatusServiceUnavailable)
		return
	}
	if h.cmd.Delay > 0 && pause(r.Context(), h.cmd.Delay) != nil {
		k.note = "the sender did not wait"
	}
	k.status = h.cmd.Status[(number-1)%len(h.cmd.Status)]
	var answer []byte
	if h.cmd.Forward != "" {
		answer = h.pass(w, k)
	}
	w.WriteHeader(k.status)
	_, _ = w.Write(answer) // the sender may have gone
	h.settle(k)
}

var errNoSecret = errors.New("there is no --secret to verify with")

func (h *hookHandler) verify(header http.Header, body []byte) error {
	if h.verifier == nil {
		return errNoSecret
	}
	return h.verifier.Verify(header, body)
}

// number counts a webhook; 0 if there were enough.
func (h *hookHandler) number() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cmd.Count > 0 && h.taken == h.cmd.Count {
		return 0
	}
	h.taken++
	return h.taken
}

// settle prints a webhook that was answered.
func (h *hookHandler) settle(k *hook) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if k.problem != nil && h.verifier != nil {
		h.unproved++
	}
	_ = h.print(k) // of a pipe that is closed there is nobody to tell
	if h.taken == h.cmd.Count && !h.ended {
		h.ended = true
		close(h.full)
	}
}

// pass sends the webhook on and returns the body to answer. It sets the status and the
// answer's type.
func (h *hookHandler) pass(w http.ResponseWriter, k *hook) []byte {
	r, err := http.NewRequestWithContext(k.request.Context(), k.request.Method, h.cmd.Forward, bytes.NewReader(k.body))
	if err == nil {
		r.Header = k.request.Header.Clone()
		for _, name := range []string{"Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Te", "Trailer", "Accept-Encoding"} {
			r.Header.Del(name)
		}
		var resp *http.Response
		if resp, err = h.forward.Do(r); err == nil {
			defer resp.Body.Close()
			body, _ := io.ReadAll(io.LimitReader(resp.Body, maxForwardBytes))
			k.status, k.note = resp.StatusCode, "forwarded"
			for _, name := range []string{"Content-Type", "Retry-After"} {
				if v := resp.Header.Get(name); v != "" {
					w.Header().Set(name, v)
				}
			}
			return body
		}
	}
	k.status, k.note = http.StatusBadGateway, "not forwarded: "+err.Error()
	return nil
}

// verdict is an error if a webhook could not be verified.
func (h *hookHandler) verdict() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.unproved > 0 {
		return fmt.Errorf("%d of %d webhooks were not verified", h.unproved, h.taken)
	}
	return nil
}

// telling are headers that say what a webhook is.
func telling(name string) bool {
	switch name {
	case "Webhook-Id", "X-Convoy-Event-Id", "X-Convoy-Eventdelivery-Id", "X-Convoy-Idempotency-Key":
		return true
	}
	return strings.HasSuffix(name, "Event-Type")
}

package test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// receiver takes deliveries, verifies each, and counts them by their body.
type receiver struct {
	*httptest.Server
	secret string

	mu       sync.Mutex
	got      map[string]int // body to how often it came
	requests []*http.Request
	bad      []string                              // what was wrong with a delivery
	answer   func(n int, r *http.Request) int      // status of the n-th request; nil: 200
	expect   func(path string, body []byte) string // what is wrong with a body; nil: nothing
	witness  *witness                              // of the ids; nil: none
	changed  chan struct{}
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{secret: "endpoint-secret", got: make(map[string]int), changed: make(chan struct{}, 1)}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) serve(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender was killed while it sent
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, req)
	if wrong := r.check(req, body); wrong != "" {
		r.bad = append(r.bad, wrong)
	}
	code := http.StatusOK
	if r.answer != nil {
		code = r.answer(len(r.requests), req)
	}
	if code/100 == 2 {
		r.got[string(body)]++
	}
	w.WriteHeader(code)
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

func (r *receiver) check(req *http.Request, body []byte) string {
	if r.expect != nil {
		if wrong := r.expect(req.URL.Path, body); wrong != "" {
			return wrong
		}
	}
	if r.witness != nil {
		if wrong := r.witness.note(req, body); wrong != "" {
			return wrong
		}
	}
	return verify(req.Header.Get("X-Convoy-Signature"), r.secret, body)
}

// verify checks an advanced SHA-256 signature in hex.
func verify(header, secret string, body []byte) string {
	parts := strings.Split(header, ",")
	ts, ok := strings.CutPrefix(parts[0], "t=")
	if !ok {
		return fmt.Sprintf("signature %q has no timestamp", header)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(ts + ","))
	mac.Write(body)
	want := hex.EncodeToString(mac.Sum(nil))
	for _, p := range parts[1:] {
		if _, sig, _ := strings.Cut(p, "="); sig == want {
			return ""
		}
	}
	return fmt.Sprintf("signature %q does not match a body of %d bytes", header, len(body))
}

func (r *receiver) count(body []byte) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got[string(bytes.TrimSpace(body))]
}

func (r *receiver) wrong() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bad
}

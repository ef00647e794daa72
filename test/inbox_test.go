package test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	receiving "posthaste/receiver"
)

// quiet is for servers whose clients break connections on purpose.
var quiet = log.New(io.Discard, "", 0)

// inbox is a receiver that keeps what comes, and answers as it is told.
type inbox struct {
	*httptest.Server

	mu     sync.Mutex
	got    []arrival
	answer func(w http.ResponseWriter, a arrival) // nil: 200
}

// arrival is one request that came.
type arrival struct {
	n      int // from 1
	at     time.Time
	path   string
	header http.Header
	body   string
	gone   <-chan struct{} // closed when nobody waits for the answer any more
}

func newInbox(t *testing.T) *inbox {
	in := &inbox{}
	in.Server = httptest.NewServer(in)
	t.Cleanup(in.Close)
	return in
}

// newSecureInbox is an inbox that speaks TLS.
func newSecureInbox(t *testing.T, config *tls.Config) *inbox {
	in := &inbox{}
	in.Server = httptest.NewUnstartedServer(in)
	in.Config.ErrorLog = quiet
	in.TLS = config
	in.StartTLS()
	t.Cleanup(in.Close)
	return in
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender was killed while it sent
	}
	in.mu.Lock()
	a := arrival{len(in.got) + 1, at, r.URL.Path, r.Header, string(body), r.Context().Done()}
	in.got = append(in.got, a)
	answer := in.answer
	in.mu.Unlock()
	if answer != nil {
		answer(w, a)
	}
}

// reply sets how requests are answered from now on. It is called from any goroutine,
// and may block.
func (in *inbox) reply(answer func(w http.ResponseWriter, a arrival)) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.answer = answer
}

// status answers every request with this status.
func status(code int) func(http.ResponseWriter, arrival) {
	return func(w http.ResponseWriter, _ arrival) { w.WriteHeader(code) }
}

// script answers the first requests with these statuses, and the rest with the last.
func script(codes ...int) func(http.ResponseWriter, arrival) {
	var mu sync.Mutex
	return func(w http.ResponseWriter, _ arrival) {
		mu.Lock()
		defer mu.Unlock()
		w.WriteHeader(codes[0])
		if len(codes) > 1 {
			codes = codes[1:]
		}
	}
}

// arrivals are all that came, in order.
func (in *inbox) arrivals() []arrival {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.got[:len(in.got):len(in.got)]
}

// await waits until n requests have come, and returns all.
func (in *inbox) await(t *testing.T, n int) (all []arrival) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d requests arrive", n), func() bool {
		all = in.arrivals()
		return len(all) >= n
	})
	return all
}

// bodies counts the bodies that came.
func (in *inbox) bodies() map[string]int {
	count := make(map[string]int)
	for _, a := range in.arrivals() {
		count[a.body]++
	}
	return count
}

// verify is what package receiver says of the request.
func (a *arrival) verify(t *testing.T, o receiving.Options) error {
	t.Helper()
	v, err := receiving.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return v.Verify(a.header, []byte(a.body))
}

// convoySecret accepts Convoy's default signature by one secret.
func convoySecret(secret string) receiving.Options {
	return receiving.Options{Convoy: &receiving.Convoy{Secrets: []string{secret}}}
}

// standardSecret accepts Standard Webhooks by one secret.
func standardSecret(secret string) receiving.Options {
	return receiving.Options{Standard: &receiving.Standard{Secrets: []string{secret}}}
}

// signatures counts those of a version in the default signature header.
func (a *arrival) signatures(version string) int {
	return strings.Count(a.header.Get("X-Convoy-Signature"), ","+version+"=")
}

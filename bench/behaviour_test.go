package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// caller posts events as a sender does that gives up after a while.
type caller struct {
	client *http.Client
	url    string
}

func newCaller(t *testing.T, r *Receiver, endpoint string, patience time.Duration) *caller {
	t.Helper()
	c := &caller{
		client: &http.Client{Transport: &http.Transport{}, Timeout: patience},
		url:    "http://" + r.Addr() + "/e/" + endpoint,
	}
	t.Cleanup(c.client.CloseIdleConnections)
	return c
}

func (c *caller) post(seq uint64) (*http.Response, error) {
	body := appendPayload(nil, 200, seq)
	stampPayload(body, seq, time.Now().UnixNano())
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp, err
}

func behave(t *testing.T, r *Receiver, from, to int, b Behaviour) {
	t.Helper()
	if err := r.Behave(from, to, b); err != nil {
		t.Fatal(err)
	}
}

// awaitHeld waits until so many requests are withheld an answer.
func awaitHeld(t *testing.T, r *Receiver, n int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); r.held.count() != n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d requests are withheld an answer, want %d", r.held.count(), n)
		}
	}
}

// Whatever the endpoint does, the request is no receipt, it is counted as what
// it was, and the endpoint's neighbours are well.
func TestMisbehaviour(t *testing.T) {
	isTimeout := func(err error) bool {
		var timeout interface{ Timeout() bool }
		return errors.As(err, &timeout) && timeout.Timeout()
	}
	cases := []struct {
		b          Behaviour
		status     int
		retryAfter string
		fails      func(error) bool // nil: it is answered
	}{
		{b: BehaveFail, status: 500},
		{b: BehaveBusy, status: 429, retryAfter: "1"},
		{b: BehaveReset, fails: func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }},
		{b: BehaveHang, fails: isTimeout},
		{b: BehaveTrickle, fails: isTimeout},
	}
	for _, c := range cases {
		t.Run(string(c.b), func(t *testing.T) {
			t.Parallel()
			r := startTestReceiver(t)
			r.Begin(0, 10)
			behave(t, r, 1, 2, c.b)
			patience := 10 * time.Second
			if c.fails != nil && c.b != BehaveReset {
				patience = 3 * time.Second
			}
			resp, err := newCaller(t, r, "1", patience).post(1)
			switch {
			case c.fails != nil && (err == nil || !c.fails(err)):
				t.Errorf("got %v", err)
			case c.fails == nil && (err != nil || resp.StatusCode != c.status || resp.Header.Get("Retry-After") != c.retryAfter):
				t.Errorf("got %+v, %v", resp, err)
			}
			for seq, endpoint := range []string{"0", "2"} {
				if resp, err := newCaller(t, r, endpoint, 10*time.Second).post(uint64(seq)); err != nil || resp.StatusCode != 200 {
					t.Errorf("endpoint %s: %+v, %v", endpoint, resp, err)
				}
			}
			awaitHeld(t, r, 0) // the sender has given up
			if got := r.Receipts(2); len(got.Misbehaved) != 1 || got.Misbehaved[c.b] != 1 || got.Delivered != 2 || got.Duplicates+got.Strays != 0 {
				t.Errorf("receipts %+v", got)
			}
			behave(t, r, 1, 2, BehaveWell)
			if resp, err := newCaller(t, r, "1", 10*time.Second).post(2); err != nil || resp.StatusCode != 200 {
				t.Errorf("well again: %+v, %v", resp, err)
			}
			r.Begin(0, 10)
			if got := r.Receipts(0); len(got.Misbehaved) != 0 {
				t.Errorf("the next phase begins with %+v", got)
			}
		})
	}
}

func TestBehaveRefuses(t *testing.T) {
	r := startTestReceiver(t)
	for _, err := range []error{r.Behave(0, 1, "sulk"), r.Behave(-1, 1, BehaveFail), r.Behave(0, maxEndpoints+1, BehaveFail), r.Behave(2, 1, BehaveFail)} {
		if err == nil {
			t.Error("accepted")
		}
	}
	if err := r.Behave(0, 1, "sulk"); !strings.Contains(err.Error(), `"sulk" is not one of 500, hang, trickle, reset, 429`) {
		t.Error(err)
	}
}

// hold has n patient senders wait for endpoint 3 and returns what becomes of
// them.
func hold(t *testing.T, r *Receiver, b Behaviour, n int) (ended func() []error) {
	t.Helper()
	r.Begin(0, 10)
	behave(t, r, 3, 4, b)
	var senders sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		c := newCaller(t, r, "3", time.Minute)
		senders.Go(func() { _, errs[i] = c.post(uint64(i)) })
	}
	awaitHeld(t, r, n)
	return func() []error { senders.Wait(); return errs }
}

func wantErrors(t *testing.T, errs []error) {
	t.Helper()
	for i, err := range errs {
		if err == nil {
			t.Errorf("sender %d was answered", i)
		}
	}
}

// A request that waits ends when the endpoint is told to behave in another way,
// and not when others are.
func TestWithheldAnswersEndByHealing(t *testing.T) {
	for _, b := range []Behaviour{BehaveHang, BehaveTrickle} {
		t.Run(string(b), func(t *testing.T) {
			t.Parallel()
			r := startTestReceiver(t)
			ended := hold(t, r, b, 3)
			behave(t, r, 0, 3, BehaveWell)
			behave(t, r, 4, 9, BehaveWell)
			if r.held.count() != 3 {
				t.Errorf("%d are left", r.held.count())
			}
			behave(t, r, 0, maxEndpoints, BehaveWell)
			wantErrors(t, ended())
			awaitHeld(t, r, 0)
			if got := r.Receipts(0); got.Misbehaved[b] != 3 || got.Strays != 0 {
				t.Errorf("receipts %+v", got)
			}
		})
	}
}

// Closing waits for the handlers, which the leak check of the package confirms.
func TestWithheldAnswersEndByClosing(t *testing.T) {
	for _, b := range []Behaviour{BehaveHang, BehaveTrickle} {
		t.Run(string(b), func(t *testing.T) {
			r, err := StartReceiver("127.0.0.1", goldenSecret, 1)
			if err != nil {
				t.Fatal(err)
			}
			ended := hold(t, r, b, 3)
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			wantErrors(t, ended())
			awaitHeld(t, r, 0)
		})
	}
}

// A sender that never gives up is given up on.
func TestWithheldAnswersEndByThemselves(t *testing.T) {
	for _, b := range []Behaviour{BehaveHang, BehaveTrickle} {
		t.Run(string(b), func(t *testing.T) {
			t.Parallel()
			r := startTestReceiver(t)
			r.holdLimit = 30 * time.Millisecond
			r.Begin(0, 10)
			behave(t, r, 0, 1, b)
			if _, err := newCaller(t, r, "0", time.Minute).post(0); err == nil {
				t.Error("it was answered")
			}
			awaitHeld(t, r, 0)
		})
	}
}

// What trickles is an answer that would be taken, were it whole.
func TestTrickleAnswerIsValid(t *testing.T) {
	if time.Duration(len(trickleAnswer))*trickleGap <= holdLimit {
		t.Errorf("%d bytes arrive within the hold limit", len(trickleAnswer))
	}
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(trickleAnswer)), nil)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
}

package oauth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"posthaste/event"
)

// bubble runs a test in virtual time. Everything in it is closed before it ends.
func bubble(t *testing.T, s *server, f func(t *testing.T, tokens *Tokens), change ...func(*Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		tokens := open(t, s, change...)
		f(t, tokens)
	})
}

func slow(d time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestOneFlightForAll(t *testing.T) {
	s := &server{answer: numbered, delay: slow(time.Second)}
	bubble(t, s, func(t *testing.T, tokens *Tokens) {
		key, cfg := event.NewID(), secretConfig()
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { want(t, tokens, key, cfg, "Bearer t1") })
		}
		wg.Wait()
		want(t, tokens, key, secretConfig(), "Bearer t1") // the same settings at another address
		want(t, tokens, event.NewID(), cfg, "Bearer t2")  // another endpoint has its own
		if n := s.calls(); n != 2 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestRefreshAhead: from 80% of its life on, a token is replaced while it serves.
func TestRefreshAhead(t *testing.T) {
	s := &server{answer: numbered, delay: slow(3 * time.Second)}
	bubble(t, s, func(t *testing.T, tokens *Tokens) {
		key, cfg := event.NewID(), secretConfig()
		want(t, tokens, key, cfg, "Bearer t1")
		time.Sleep(2876 * time.Second) // 2879 after it was asked for
		want(t, tokens, key, cfg, "Bearer t1")
		if n := s.calls(); n != 1 {
			t.Fatalf("%d requests before 80%% of its life", n)
		}
		time.Sleep(time.Second)
		began := time.Now()
		for range 10 {
			want(t, tokens, key, cfg, "Bearer t1")
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("waited %s for a token that was there", waited)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		want(t, tokens, key, cfg, "Bearer t2")
		if n := s.calls(); n != 2 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestExpired: nobody asked while the token could have been replaced ahead.
func TestExpired(t *testing.T) {
	s := &server{answer: numbered}
	bubble(t, s, func(t *testing.T, tokens *Tokens) {
		key, cfg := event.NewID(), secretConfig()
		want(t, tokens, key, cfg, "Bearer t1")
		time.Sleep(3595 * time.Second) // five seconds before its end it is not used any more
		want(t, tokens, key, cfg, "Bearer t2")
	})
}

// TestFailedRefresh: the old token serves as long as it lives.
func TestFailedRefresh(t *testing.T) {
	s := &server{answer: func(n int, c call) (int, string) {
		if n > 1 {
			return 503, "down"
		}
		return numbered(n, c)
	}}
	bubble(t, s, func(t *testing.T, tokens *Tokens) {
		key, cfg := event.NewID(), secretConfig()
		want(t, tokens, key, cfg, "Bearer t1")
		time.Sleep(2880 * time.Second)
		for range 700 {
			want(t, tokens, key, cfg, "Bearer t1")
			time.Sleep(time.Second)
		}
		time.Sleep(20 * time.Second)
		fails(t, tokens, key, cfg, "answered 503")
		// 1+2+4+8+16 seconds, then every 30 of the remaining.
		if n := s.calls(); n < 20 || n > 30 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestFailuresAreNotHammered: 1, 2, 4, 8, 16, 30, 30 seconds between requests,
// however often somebody asks; a success ends the row.
func TestFailuresAreNotHammered(t *testing.T) {
	down := true
	s := &server{answer: func(n int, c call) (int, string) {
		if down {
			return 500, ""
		}
		return numbered(n, c)
	}}
	bubble(t, s, func(t *testing.T, tokens *Tokens) {
		key, cfg := event.NewID(), secretConfig()
		began := time.Now()
		var at []time.Duration
		for len(at) < 8 {
			before := s.calls()
			fails(t, tokens, key, cfg, "answered 500")
			if s.calls() > before {
				at = append(at, time.Since(began))
			}
			time.Sleep(100 * time.Millisecond)
		}
		got := fmt.Sprint(at)
		if got != "[0s 1s 3s 7s 15s 31s 1m1s 1m31s]" {
			t.Errorf("requests at %s", got)
		}
		down = false
		time.Sleep(30 * time.Second)
		want(t, tokens, key, cfg, "Bearer t9")
		down = true
		tokens.Drop(key, "Bearer t9")
		fails(t, tokens, key, cfg, "answered 500")
		time.Sleep(time.Second)
		down = false
		want(t, tokens, key, cfg, "Bearer t11")
	})
}

func TestCallerGivesUpAndTheFlightGoesOn(t *testing.T) {
	s := &server{answer: numbered, delay: slow(8 * time.Second)}
	bubble(t, s, func(t *testing.T, tokens *Tokens) {
		key, cfg := event.NewID(), secretConfig()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		began := time.Now()
		if _, err := tokens.Token(ctx, key, cfg); err != errNotInTime || time.Since(began) != 5*time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		want(t, tokens, key, cfg, "Bearer t1")
		if waited := time.Since(began); waited != 8*time.Second || s.calls() != 1 {
			t.Errorf("%d requests, after %s", s.calls(), waited)
		}
	})
}

func TestSilentTokenEndpoint(t *testing.T) {
	s := &server{answer: numbered, delay: slow(time.Hour)}
	bubble(t, s, func(t *testing.T, tokens *Tokens) {
		began := time.Now()
		fails(t, tokens, event.NewID(), secretConfig(), "did not answer in time")
		if took := time.Since(began); took != DefaultTimeout {
			t.Errorf("took %s", took)
		}
	})
}

func TestNewSettingsNewToken(t *testing.T) {
	s := &server{answer: numbered}
	bubble(t, s, func(t *testing.T, tokens *Tokens) {
		key := event.NewID()
		changes := []func(*event.OAuth2Auth){
			func(c *event.OAuth2Auth) {},
			func(c *event.OAuth2Auth) { c.Scope = "all" },
			func(c *event.OAuth2Auth) { c.ClientSecret = "other" },
			func(c *event.OAuth2Auth) { c.FieldMapping = &event.OAuth2Fields{TokenType: "kind"} },
		}
		for i, change := range changes {
			cfg := secretConfig()
			change(cfg)
			want(t, tokens, key, cfg, fmt.Sprintf("Bearer t%d", i+1))
			again := *cfg
			want(t, tokens, key, &again, fmt.Sprintf("Bearer t%d", i+1))
		}
		if n := tokens.Count(); n != 1 {
			t.Errorf("%d are kept", n)
		}
	})
}

func TestDrop(t *testing.T) {
	s := &server{answer: numbered}
	bubble(t, s, func(t *testing.T, tokens *Tokens) {
		key, cfg := event.NewID(), secretConfig()
		want(t, tokens, key, cfg, "Bearer t1")
		tokens.Drop(key, "Bearer t0") // another one was refused
		tokens.Drop(event.NewID(), "Bearer t1")
		want(t, tokens, key, cfg, "Bearer t1")
		tokens.Drop(key, "Bearer t1")
		tokens.Drop(key, "Bearer t1")
		want(t, tokens, key, cfg, "Bearer t2")

		// An endpoint that refuses every token does not cost a request each time.
		var at []time.Duration
		began, last := time.Now(), 2
		for time.Since(began) < 100*time.Second {
			header, err := tokens.Token(context.Background(), key, cfg)
			if err != nil {
				t.Fatal(err)
			}
			if n := s.calls(); n > last {
				at, last = append(at, time.Since(began)), n
			}
			tokens.Drop(key, header)
			time.Sleep(100 * time.Millisecond)
		}
		for i := 1; i < len(at); i++ {
			if gap, want := at[i]-at[i-1], backoff(i+1); gap < want || gap > want+200*time.Millisecond {
				t.Errorf("token %d came %s after the one before, want %s", i, gap, want)
			}
		}
		if len(at) < 6 || len(at) > 8 {
			t.Errorf("requests at %v", at)
		}

		// A token that was good for a while is dropped at once again.
		time.Sleep(2 * time.Minute)
		header, _ := tokens.Token(context.Background(), key, cfg)
		before := s.calls()
		tokens.Drop(key, header)
		if _, err := tokens.Token(context.Background(), key, cfg); err != nil || s.calls() != before+1 {
			t.Errorf("%d requests, error %v", s.calls()-before, err)
		}
	})
}

func TestBounds(t *testing.T) {
	s := &server{answer: numbered, delay: slow(time.Second)}
	bubble(t, s, func(t *testing.T, tokens *Tokens) {
		cfg := secretConfig()
		var wg sync.WaitGroup
		var busy, got int
		var mu sync.Mutex
		for range 10 {
			wg.Go(func() {
				_, err := tokens.Token(context.Background(), event.NewID(), cfg)
				mu.Lock()
				defer mu.Unlock()
				if errors.Is(err, ErrBusy) {
					busy++
				} else if err == nil {
					got++
				}
			})
		}
		wg.Wait()
		if busy != 7 || got != 3 {
			t.Errorf("%d got one, %d did not", got, busy)
		}
		for range 20 {
			if _, err := tokens.Token(context.Background(), event.NewID(), cfg); err != nil {
				t.Error(err)
			}
		}
		if n := tokens.Count(); n > 5 {
			t.Errorf("%d are kept", n)
		}
		tokens.Sweep(time.Now().Add(50 * time.Minute))
		if n := tokens.Count(); n == 0 {
			t.Error("swept too soon")
		}
		tokens.Sweep(time.Now().Add(61 * time.Minute))
		if n := tokens.Count(); n != 0 {
			t.Errorf("%d are kept after an hour of rest", n)
		}
	}, func(o *Options) { o.MaxFlights, o.MaxTokens = 3, 5 })
}

// TestTokensThatEndedAreForgotten, but not that the last request failed.
func TestTokensThatEndedAreForgotten(t *testing.T) {
	s := &server{answer: numbered}
	bubble(t, s, func(t *testing.T, tokens *Tokens) {
		want(t, tokens, event.NewID(), secretConfig(), "Bearer t1")
		lives := time.Duration(0)
		for ; tokens.Count() > 0; lives += time.Minute {
			time.Sleep(time.Minute)
			tokens.Sweep(time.Now())
		}
		if lives < 50*time.Minute || lives > time.Hour {
			t.Errorf("a token of an hour was forgotten after %v", lives)
		}
		s.answer = func(int, call) (int, string) { return 500, "" }
		if _, err := tokens.Token(context.Background(), event.NewID(), secretConfig()); err == nil {
			t.Fatal("it did not fail")
		}
		time.Sleep(2 * time.Hour)
		tokens.Sweep(time.Now())
		if tokens.Count() != 1 {
			t.Error("what failed is forgotten")
		}
	}, func(o *Options) { o.Idle = 3 * time.Hour })
}

func TestEvictionTakesTheOneThatRests(t *testing.T) {
	s := &server{answer: numbered}
	bubble(t, s, func(t *testing.T, tokens *Tokens) {
		cfg, busy := secretConfig(), event.NewID()
		want(t, tokens, busy, cfg, "Bearer t1")
		for range 100 {
			time.Sleep(time.Second)
			want(t, tokens, busy, cfg, "Bearer t1")
			time.Sleep(time.Second)
			if _, err := tokens.Token(context.Background(), event.NewID(), cfg); err != nil {
				t.Fatal(err)
			}
		}
	}, func(o *Options) { o.MaxTokens = 4 })
}

func TestClose(t *testing.T) {
	s := &server{answer: numbered, delay: slow(time.Hour)}
	bubble(t, s, func(t *testing.T, tokens *Tokens) {
		done := make(chan error)
		go func() {
			_, err := tokens.Token(context.Background(), event.NewID(), secretConfig())
			done <- err
		}()
		tested := make(chan error)
		go func() {
			_, err := tokens.Test(context.Background(), secretConfig())
			tested <- err
		}()
		synctest.Wait()
		began := time.Now()
		tokens.Close()
		tokens.Close()
		if err := <-done; err != event.ErrClosed {
			t.Errorf("the caller that waited got %v", err)
		}
		if err := <-tested; err == nil {
			t.Error("the test went well")
		}
		if time.Since(began) != 0 {
			t.Errorf("Close took %s", time.Since(began))
		}
		if _, err := tokens.Token(context.Background(), event.NewID(), secretConfig()); err != event.ErrClosed {
			t.Errorf("after Close: %v", err)
		}
	}, func(o *Options) { o.Timeout = 2 * time.Hour })
}

// TestPanicInTransport: it costs the token, and neither the process nor the entry.
func TestPanicInTransport(t *testing.T) {
	s := &server{answer: func(n int, c call) (int, string) {
		if n == 1 {
			panic("s3cret")
		}
		return numbered(n, c)
	}}
	bubble(t, s, func(t *testing.T, tokens *Tokens) {
		key := event.NewID()
		fails(t, tokens, key, secretConfig(), "BUG")
		time.Sleep(time.Second)
		want(t, tokens, key, secretConfig(), "Bearer t2")
	})
}

func TestTokenThatIsThereAllocatesNothing(t *testing.T) {
	s := &server{answer: numbered}
	tokens, key, cfg := open(t, s), event.NewID(), secretConfig()
	want(t, tokens, key, cfg, "Bearer t1")
	n := testing.AllocsPerRun(100, func() {
		if _, err := tokens.Token(context.Background(), key, cfg); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

package netguard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

var someAddr = netip.MustParseAddr("192.0.2.1")

// scriptedDNS answers every name the same way and counts how often it is asked.
type scriptedDNS struct {
	mu    sync.Mutex
	asked int
	delay time.Duration
	err   error
}

func (s *scriptedDNS) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	s.mu.Lock()
	s.asked++
	delay, err := s.delay, s.err
	s.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return []netip.Addr{someAddr}, nil
}

func (s *scriptedDNS) wantAsked(t *testing.T, n int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked != n {
		t.Fatalf("asked %d times, want %d", s.asked, n)
	}
}

func TestAnswersAreKeptForTheirTime(t *testing.T) {
	noHost := &net.DNSError{Err: "no such host", IsNotFound: true}
	cases := []struct {
		name string
		err  error
		ttl  time.Duration
	}{
		{"found", nil, positiveTTL},
		{"not found", noHost, negativeTTL},
		{"a fault of this machine", fmt.Errorf("socket: %w", syscall.EMFILE), 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dns := &scriptedDNS{err: c.err}
				r := newResolver(dns.lookup, 10)
				ask := func() {
					t.Helper()
					if _, err := r.resolve(t.Context(), "a.example"); !errors.Is(err, c.err) {
						t.Fatalf("err = %v, want %v", err, c.err)
					}
				}
				ask()
				dns.wantAsked(t, 1)
				if c.ttl > 0 {
					time.Sleep(c.ttl - 1)
					ask()
					dns.wantAsked(t, 1)
					time.Sleep(time.Nanosecond)
				}
				ask()
				dns.wantAsked(t, 2)
			})
		})
	}
}

func TestManyWhoAskTogetherCauseOneLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := &scriptedDNS{delay: time.Second}
		r := newResolver(dns.lookup, 10)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				addrs, err := r.resolve(t.Context(), "a.example")
				if err != nil || len(addrs) != 1 || addrs[0] != someAddr {
					t.Errorf("%v, %v", addrs, err)
				}
			})
		}
		wg.Wait()
		dns.wantAsked(t, 1)
	})
}

func TestOneWhoGivesUpEarlySpoilsNothingForTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := &scriptedDNS{delay: time.Second}
		r := newResolver(dns.lookup, 10)
		hasty, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := r.resolve(hasty, "a.example"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the hasty one got %v", err)
			}
		})
		synctest.Wait() // the hasty one asks
		wg.Go(func() {
			if _, err := r.resolve(t.Context(), "a.example"); err != nil {
				t.Errorf("the patient one got %v", err)
			}
		})
		wg.Wait()
		dns.wantAsked(t, 2)
	})
}

func TestWaitingForAnothersLookupEndsWithTheCtx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := &scriptedDNS{delay: time.Minute}
		r := newResolver(dns.lookup, 10)
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = r.resolve(t.Context(), "a.example") })
		synctest.Wait()
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := r.resolve(hasty, "a.example"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("err = %v", err)
		}
		if took := time.Since(began); took != time.Second {
			t.Fatalf("took %v", took)
		}
		wg.Wait()
	})
}

func TestASilentNameServerIsRememberedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := &scriptedDNS{delay: time.Hour}
		r := newResolver(dns.lookup, 10)
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), DefaultMaxDialTime)
			if _, err := r.resolve(ctx, "a.example"); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("err = %v", err)
			}
			cancel()
		}
		dns.wantAsked(t, 1)
	})
}

func TestNamesRememberedAreBounded(t *testing.T) {
	dns := &scriptedDNS{}
	r := newResolver(dns.lookup, 10)
	for i := range 100 {
		if _, err := r.resolve(t.Context(), fmt.Sprint(i, ".example")); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.hosts) != 10 {
		t.Fatalf("%d names remembered, want 10", len(r.hosts))
	}
}

func TestAPanicInLookupReleasesThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		r := newResolver(func(context.Context, string) ([]netip.Addr, error) {
			if calls++; calls == 1 {
				time.Sleep(time.Second)
				panic("boom")
			}
			return []netip.Addr{someAddr}, nil
		}, 10)
		var wg sync.WaitGroup
		wg.Go(func() {
			defer func() { _ = recover() }()
			_, _ = r.resolve(t.Context(), "a.example")
		})
		synctest.Wait()
		if _, err := r.resolve(t.Context(), "a.example"); err != nil || calls != 2 {
			t.Fatalf("%v after %d calls", err, calls)
		}
		wg.Wait()
	})
}

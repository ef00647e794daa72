package sender

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"posthaste/event"
	"posthaste/internal/netguard"
)

// lag is what each part is held up by. A part may take longer on a busy machine, never
// less.
const lag = 5 * time.Millisecond

// slowNames resolves all names to this machine, and takes its time.
func slowNames(o *Options) {
	o.Dial = netguard.DialerOptions{Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
		time.Sleep(lag)
		if strings.HasPrefix(host, "missing") {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}}
}

// named is the receiver's URL with a name for its address.
func named(r *receiver) string { return strings.Replace(r.url, "127.0.0.1", "posthaste.example", 1) }

// slowly answers after a while, and ends its answer after another one.
func slowly(c net.Conn, _ request, _ int) bool {
	time.Sleep(lag)
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
	time.Sleep(lag)
	_, err := io.WriteString(c, "k")
	return err == nil
}

// timings checks that an attempt took at least a lag for some parts, and nothing for others.
func timings(t *testing.T, a *event.Attempt, long, none []string) {
	t.Helper()
	took := map[string]time.Duration{
		"token": a.Timing.Token, "lookup": a.Timing.Lookup, "connect": a.Timing.Connect,
		"handshake": a.Timing.Handshake, "wait": a.Timing.Wait, "rest": a.Timing.Rest(a.Duration),
	}
	for _, part := range long {
		if took[part] < lag {
			t.Errorf("%s took %s, want %s at least: %+v", part, took[part], lag, a.Timing)
		}
	}
	for _, part := range none {
		if took[part] != 0 {
			t.Errorf("%s took %s, want 0: %+v", part, took[part], a.Timing)
		}
	}
}

func TestTiming(t *testing.T) {
	var o Options
	slowNames(&o)
	w := newWorld(t, o)
	ep := w.endpoint(named(newReceiver(t, slowly)))
	first := w.attempt(ep, newEvent("{}"))
	expect(t, first, event.ClassNone, 200)
	timings(t, first, []string{"lookup", "wait"}, []string{"token", "handshake"})
	if first.Timing.Connect == 0 {
		t.Error("connecting took no time")
	}
	again := w.attempt(ep, newEvent("{}"))
	timings(t, again, []string{"wait"}, []string{"token", "lookup", "connect", "handshake"})
	for _, a := range []*event.Attempt{first, again} { // the first byte may be looked at late, the last is not there before
		if rest := a.Timing.Rest(a.Duration); rest <= 0 || a.Timing.Wait+rest < 2*lag {
			t.Errorf("reading took %s: %+v", rest, a.Timing)
		}
	}
}

func TestTimingOfAToken(t *testing.T) {
	w := newWorld(t, Options{})
	s := newTokenServer(t, func(c net.Conn, q request, n int) bool {
		time.Sleep(lag)
		return say(fixed("200 OK", `{"access_token":"t","token_type":"Bearer","expires_in":3600}`))(c, q, n)
	})
	a := w.attempt(w.withToken(newReceiver(t, say(answerOK)).url, s.url), newEvent("{}"))
	expect(t, a, event.ClassNone, 200)
	timings(t, a, []string{"token"}, []string{"handshake"})
	if a.Timing.Before() < a.Timing.Token+a.Timing.Connect {
		t.Errorf("a connection after %s: %+v", a.Timing.Before(), a.Timing)
	}
}

func TestTimingOfTLS(t *testing.T) {
	w := newTLSWorld(t)
	ep := w.endpoint(w.serve(t, say(answerOK)).url)
	if a := w.attempt(ep, newEvent("{}")); a.Timing.Handshake == 0 || a.Timing.Wait == 0 {
		t.Errorf("the first took %+v", a.Timing)
	}
	timings(t, w.attempt(ep, newEvent("{}")), nil, []string{"connect", "handshake"})
}

// TestTimingOfFailures: as far as it went is known of an attempt that failed.
func TestTimingOfFailures(t *testing.T) {
	w := newTLSWorld(t, slowNames)
	a := w.attempt(w.endpoint("http://missing.example/"), newEvent("{}"))
	expect(t, a, event.ClassDNS, 0)
	timings(t, a, []string{"lookup"}, []string{"connect", "handshake", "wait"})

	greeter := newGreeter(t, "HTTP/1.1 400 Bad Request\r\n\r\n")
	a = w.attempt(w.endpoint("https://"+greeter.addr+"/"), newEvent("{}"))
	expect(t, a, event.ClassTLS, 0)
	timings(t, a, nil, []string{"wait"})
	if a.Timing.Connect == 0 || a.Timing.Handshake == 0 {
		t.Errorf("a handshake that failed took %+v", a.Timing)
	}

	silent := newReceiver(t, func(net.Conn, request, int) bool { time.Sleep(lag); return false })
	a = w.attempt(w.endpoint(silent.url), newEvent("{}"))
	expect(t, a, event.ClassReset, 0)
	timings(t, a, []string{"wait"}, []string{"rest"})

	a = w.attempt(w.endpoint("http://10.1.2.3/"), newEvent("{}"))
	expect(t, a, event.ClassBlocked, 0)
	timings(t, a, nil, []string{"connect", "handshake", "wait"})
}

// TestAResetIsCalledOne: taking the time of the answer's first byte does not take the reason
// why there is none.
func TestAResetIsCalledOne(t *testing.T) {
	w := newWorld(t, Options{})
	r := newReceiver(t, func(c net.Conn, _ request, _ int) bool {
		_ = c.(*net.TCPConn).SetLinger(0) // so that Close resets it
		return false
	})
	a := w.attempt(w.endpoint(r.url), newEvent("{}"))
	expect(t, a, event.ClassReset, 0)
	if !strings.Contains(a.Error, "reset by peer") {
		t.Errorf("error %q", a.Error)
	}
}

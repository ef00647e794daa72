package sender

import (
	"crypto/tls"
	"sync"
	"sync/atomic"
	"time"

	"posthaste/event"
	"posthaste/internal/netguard"
	"posthaste/oauth"
)

// The defaults of Options.
const (
	DefaultUserAgent            = "posthaste"
	DefaultMaxResponseBodyBytes = 4 << 10
	DefaultMaxConnsPerEndpoint  = 64
	DefaultMaxClients           = 20_000
	DefaultIdleConn             = 10 * time.Second
	DefaultIdleClient           = time.Minute
	DefaultMaxConnAge           = 5 * time.Minute
)

// Options configure a Sender. Zero fields take the default that is named.
type Options struct {
	// Guard says which URLs and addresses may be called. Required.
	Guard *netguard.Policy
	// Dial tunes name resolution and bounds the making of a TCP connection. The
	// attempt's own time bounds it too.
	Dial netguard.DialerOptions
	// UserAgent is the User-Agent header, "posthaste/<version>"; DefaultUserAgent.
	UserAgent string
	// MaxResponseBodyBytes is how much of an answer's body is recorded;
	// DefaultMaxResponseBodyBytes.
	MaxResponseBodyBytes int
	// MaxConnsPerEndpoint bounds the connections, and with them the attempts in
	// flight, of one endpoint; DefaultMaxConnsPerEndpoint. An endpoint whose
	// MaxConcurrency is larger may have as many as that.
	MaxConnsPerEndpoint int
	// MaxClients bounds the endpoints that are remembered, each at about 2 KiB and
	// its connections, and about 35 KiB more with authorities of its own;
	// DefaultMaxClients. Over it, one that rests makes way. The
	// table has 64 parts, each with its share of the bound and at least one place.
	MaxClients int
	// IdleConn is how long a connection is kept open without a request;
	// DefaultIdleConn.
	IdleConn time.Duration
	// IdleClient is how long an endpoint without a request is remembered;
	// DefaultIdleClient. After it the endpoint costs no memory here.
	IdleClient time.Duration
	// MaxConnAge is how long a connection serves at the most, so that a change in
	// the DNS is followed; DefaultMaxConnAge.
	MaxConnAge time.Duration
	// TLSConfig is what https endpoints, and token endpoints, are called with: roots
	// (see RootsWith), client certificates. An endpoint's own client certificate
	// replaces those, its own authorities are trusted beside the roots. Nil trusts the
	// system's roots. It is cloned; TLS is 1.2 at the least whatever it says.
	TLSConfig *tls.Config
}

func (o *Options) setDefaults() {
	if o.UserAgent == "" {
		o.UserAgent = DefaultUserAgent
	}
	orDefault(&o.MaxResponseBodyBytes, DefaultMaxResponseBodyBytes)
	orDefault(&o.MaxConnsPerEndpoint, DefaultMaxConnsPerEndpoint)
	orDefault(&o.MaxClients, DefaultMaxClients)
	orDefault(&o.IdleConn, DefaultIdleConn)
	orDefault(&o.IdleClient, DefaultIdleClient)
	orDefault(&o.MaxConnAge, DefaultMaxConnAge)
}

func orDefault[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// Sender makes attempts. Its methods may be called from any goroutine.
type Sender struct {
	options Options
	dialer  dialer
	clients clients
	live    liveConns

	tokens    *oauth.Tokens
	tokenLine *tokenLine

	stopped   atomic.Bool // no new attempts
	cancelled atomic.Bool // attempts in flight were cut short

	stop      chan struct{}
	stopOnce  sync.Once
	sweeping  sync.WaitGroup
	staleSeen atomic.Uint64
}

// New makes a Sender and starts its one goroutine, which Close stops, as it does
// those that ask for access tokens. It panics if Options.Guard is missing.
func New(o Options) *Sender {
	if o.Guard == nil {
		panic("BUG: sender: Options.Guard is missing")
	}
	o.setDefaults()
	s := &Sender{options: o, stop: make(chan struct{})}
	s.live.init()
	base := baseTLS(o.TLSConfig)
	s.dialer = dialer{tcp: o.Guard.Dialer(o.Dial), tls: base, live: &s.live}
	s.clients.init(&s.options, &s.dialer)
	s.tokenLine = newTokenLine(&s.options, base)
	s.tokens = oauth.New(oauth.Options{Transport: s.tokenLine, UserAgent: o.UserAgent, MaxTokens: o.MaxClients})
	s.sweeping.Go(s.sweep)
	return s
}

// Cancel is the hard stop: attempts in flight, whatever they wait for, and all
// later ones end at once as event.ClassCancelled. It does not wait for them.
// Calling it twice is harmless.
func (s *Sender) Cancel() {
	s.stopped.Store(true)
	s.cancelled.Store(true)
	_ = s.dialer.tcp.Close()
	s.live.abort()
	s.tokens.Cancel()
	s.tokenLine.close()
}

// CancelTo ends the attempts in flight to some endpoints, whatever they wait for but a
// connection that is being made, which takes netguard.DefaultMaxDialTime at most. They
// end as event.ClassCancelled; it does not wait for them. Later ones are made as
// always, so an attempt that is about to begin may have to be cancelled again.
func (s *Sender) CancelTo(endpoints func(id event.ID) bool) {
	// First targets that are not in the table any more, and may be used still. The
	// table comes after: no target that was cut must stay in it.
	s.live.each(func(c *conn) {
		if c.owner != nil && endpoints(c.owner.endpoint) {
			c.owner.cut()
		}
	})
	for _, t := range s.clients.drop(endpoints) {
		t.cut()
		t.retire()
	}
	s.live.each(func(c *conn) {
		if c.owner.isCut() {
			c.abort()
		}
	})
}

// Close closes the connections that rest and waits for the Sender's goroutines.
// Attempts that are in flight finish, and close their connections behind them; those
// that wait for an access token, and later ones, end at once as
// event.ClassCancelled. Calling it twice is harmless.
func (s *Sender) Close() {
	s.stopped.Store(true)
	s.stopOnce.Do(func() { close(s.stop) })
	s.sweeping.Wait()
	s.tokens.Cancel()
	s.tokenLine.close()
	s.tokens.Close()
	s.clients.retireAll()
}

// Stats is what a Sender holds and has seen.
type Stats struct {
	Clients int    // endpoints that are remembered
	Conns   int    // connections that are open, in use or not
	Stale   uint64 // connections found closed or out of step when they were to be used again
}

// Stats counts. It takes every lock of the Sender for a moment, so it is for
// scrapes and not for hot paths.
func (s *Sender) Stats() Stats {
	return Stats{Clients: s.clients.count(), Conns: s.live.count(), Stale: s.staleSeen.Load()}
}

// sweep closes and forgets what rests. It runs in the Sender's goroutine.
func (s *Sender) sweep() {
	tick := time.NewTicker(max(s.options.IdleConn/2, 10*time.Millisecond))
	defer tick.Stop()
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-tick.C:
			s.clients.sweep(now)
		case now := <-minute.C:
			s.tokens.Sweep(now)
		}
	}
}

package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"posthaste/event"
)

// The defaults of Options.
const (
	DefaultTimeout    = 10 * time.Second
	DefaultMaxTokens  = 10_000
	DefaultMaxFlights = 1024
	DefaultIdle       = time.Hour
)

// evictionSample is how many endpoints are looked at when one has to make way; the
// one that has rested longest goes. Map order makes the sample random.
const evictionSample = 8

var (
	errNotInTime = errors.New("the token endpoint did not answer in time")
	// ErrBusy: more tokens are being asked for than may be at once. It is the fault of
	// this machine, not of the endpoint.
	ErrBusy = errors.New("too many access tokens are being asked for")
)

// Options configure Tokens. Zero fields take the default that is named.
type Options struct {
	// Transport makes one request and follows no redirect. Its RoundTrip ends when the
	// request's context does. It decides which addresses may be called. Required.
	Transport http.RoundTripper
	// UserAgent is the User-Agent header of requests; "" is none of our own.
	UserAgent string
	// Timeout bounds one request for a token; DefaultTimeout.
	Timeout time.Duration
	// MaxTokens bounds the endpoints whose tokens are kept, each at some KiB;
	// DefaultMaxTokens. Over it, one that rests makes way.
	MaxTokens int
	// MaxFlights bounds the requests for tokens at one time; DefaultMaxFlights.
	MaxFlights int
	// Idle is how long a token is kept that nobody asks for; DefaultIdle.
	Idle time.Duration
}

func (o *Options) setDefaults() {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxTokens <= 0 {
		o.MaxTokens = DefaultMaxTokens
	}
	if o.MaxFlights <= 0 {
		o.MaxFlights = DefaultMaxFlights
	}
	if o.Idle <= 0 {
		o.Idle = DefaultIdle
	}
}

// Tokens keeps the tokens of endpoints. Its methods may be called from any
// goroutine. It starts a goroutine for each request, and Close waits for them.
type Tokens struct {
	options Options
	alive   context.Context // ended by Cancel
	end     context.CancelFunc
	flying  sync.WaitGroup

	mu struct {
		sync.Mutex
		byKey   map[event.ID]*entry
		flights int
		closed  bool
	}
}

// New makes a Tokens. It panics if Options.Transport is missing.
func New(o Options) *Tokens {
	if o.Transport == nil {
		panic("BUG: oauth: Options.Transport is missing")
	}
	o.setDefaults()
	t := &Tokens{options: o}
	t.alive, t.end = context.WithCancel(context.Background())
	t.mu.byKey = make(map[event.ID]*entry)
	return t
}

// Token is the value of the Authorization header for the endpoint key, whose
// settings are cfg: "Bearer x", or the token's type as its endpoint named it. A
// token that is there costs a lock and a map lookup; otherwise Token waits for one,
// until ctx ends. The request goes on when its callers have given up, so that a slow
// token endpoint serves the attempts after them.
//
// cfg must not change. Settings other than those of the call before replace them, and
// the token that belonged to them. An error is event.ErrClosed after Close, ErrBusy,
// an *event.InvalidError of cfg, or says what the token endpoint did; what the
// Transport returned is in it for errors.Is and errors.As.
func (t *Tokens) Token(ctx context.Context, key event.ID, cfg *event.OAuth2Auth) (header string, err error) {
	if cfg == nil {
		return "", event.Invalid("", "has no settings; give url, client_id and a client_secret or signing_key")
	}
	header, f, err := t.look(key, cfg, time.Now())
	if f == nil {
		return header, err
	}
	select {
	case <-f.done:
		return f.header, f.err
	case <-t.alive.Done():
		return "", event.ErrClosed
	case <-ctx.Done():
		return "", errNotInTime
	}
}

// look is what can be said at once: a token, an error, or the flight to wait for.
func (t *Tokens) look(key event.ID, cfg *event.OAuth2Auth, now time.Time) (header string, wait *flight, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.closed {
		return "", nil, event.ErrClosed
	}
	e := t.entryLocked(key, cfg)
	e.used = now
	usable := e.usable(now)
	if e.flight == nil && e.due(now) {
		if t.mu.flights < t.options.MaxFlights {
			t.launchLocked(e)
		} else if !usable {
			return "", nil, ErrBusy
		}
	}
	switch {
	case usable:
		return e.header, nil, nil
	case e.flight != nil:
		return "", e.flight, nil
	default:
		return "", nil, e.err
	}
}

// entryLocked finds or makes the entry of these settings.
func (t *Tokens) entryLocked(key event.ID, cfg *event.OAuth2Auth) *entry {
	e := t.mu.byKey[key]
	if e != nil && same(e.cfg, cfg) {
		e.cfg = cfg // so that the next comparison is one of pointers
		return e
	}
	if e == nil && len(t.mu.byKey) >= t.options.MaxTokens {
		t.evictLocked()
	}
	e = &entry{cfg: cfg}
	t.mu.byKey[key] = e
	return e
}

// evictLocked forgets the entry of a sample that has rested longest.
func (t *Tokens) evictLocked() {
	var key event.ID
	var oldest *entry
	seen := 0
	for k, e := range t.mu.byKey {
		if oldest == nil || e.used.Before(oldest.used) {
			key, oldest = k, e
		}
		if seen++; seen == evictionSample {
			break
		}
	}
	delete(t.mu.byKey, key)
}

// launchLocked sends for a token. The goroutine ends with the request, and Close
// waits for it.
func (t *Tokens) launchLocked(e *entry) {
	f := &flight{done: make(chan struct{})}
	e.flight = f
	t.mu.flights++
	cfg := e.cfg
	t.flying.Go(func() { t.fly(e, cfg, f) })
}

func (t *Tokens) fly(e *entry, cfg *event.OAuth2Auth, f *flight) {
	defer close(f.done)
	asked := time.Now()
	token, err := t.fetch(e, cfg)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.flights--
	e.flight = nil
	e.land(token, err, asked, time.Now())
	if f.err = err; err == nil {
		f.header = e.header
	}
}

// fetch asks for a token. Only e's flight touches e.source. A panic costs the token
// and not the process: the keys come from outside.
func (t *Tokens) fetch(e *entry, cfg *event.OAuth2Auth) (token Token, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("BUG: asking for an access token: %T", cause)
		}
	}()
	if e.source == nil {
		if e.source, err = compile(cfg); err != nil {
			return Token{}, err
		}
	}
	if token, err = t.ask(t.alive, e.source); err != nil && t.alive.Err() != nil {
		err = event.ErrClosed
	}
	return token, err
}

// Drop forgets a token that the endpoint refused, so that the next call of Token
// gets another. header is what Token returned. If the endpoint refuses one fresh token
// after the other, the token is not to blame and Drop works only so often: 1 second
// after the last token came, then 2, up to 30. Until then the same token is returned.
func (t *Tokens) Drop(key event.ID, header string) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.mu.byKey[key]; e != nil && e.header == header {
		e.refused(now)
	}
}

// Test asks for a token with these settings, and keeps nothing of it. It waits until
// ctx ends, but no longer than Options.Timeout. Errors are those of Token.
func (t *Tokens) Test(ctx context.Context, cfg *event.OAuth2Auth) (Token, error) {
	s, err := compile(cfg)
	if err != nil {
		return Token{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.alive, cancel)()
	return t.ask(ctx, s)
}

// Sweep forgets the tokens that nobody has asked for since Options.Idle before now, and
// those that have ended; what failed is remembered for Options.Idle, so that the next
// tries stay slow. It looks at all of them: for every minute, not for every attempt.
func (t *Tokens) Sweep(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, e := range t.mu.byKey {
		if e.flight == nil && (now.Sub(e.used) > t.options.Idle || e.over(now)) {
			delete(t.mu.byKey, key)
		}
	}
}

// Count is how many endpoints have something kept here.
func (t *Tokens) Count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.mu.byKey)
}

// Cancel ends the requests that are under way, without waiting for their goroutines.
// Callers of Token that wait, and later ones, get event.ErrClosed. Calling it twice is
// harmless.
func (t *Tokens) Cancel() {
	t.mu.Lock()
	t.mu.closed = true
	t.mu.Unlock()
	t.end()
}

// Close is Cancel, and waits for the goroutines.
func (t *Tokens) Close() {
	t.Cancel()
	t.flying.Wait()
}
